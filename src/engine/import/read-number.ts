/** A field in which a number is expected. */
export type ReadNumber =
  | { readonly kind: 'number'; readonly value: number; readonly unit: string }
  /** Nothing was measured: an empty field, a dash, a word, `nan`, `inf`. */
  | { readonly kind: 'absent' }
  /** It contains digits, but the number is not certain: `about 1`, `3/5`, `0,998`. */
  | { readonly kind: 'unclear' };

const ABSENT: ReadNumber = { kind: 'absent' };
const UNCLEAR: ReadNumber = { kind: 'unclear' };

/** A longer field is prose. */
const MAX_CHARACTERS = 80;

const NUMBER = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(%|[a-zµμ]{1,8}(?:\/[a-zµμ]{1,8})?)?$/i;
const THOUSANDS = /^[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?(?![\d,])/;

/** `0.9979`, `1,250.5`, `68.6%`, `12.3 ms`, `~1.2`, `1.23 ± 0.01`, `1.23 (best)`. */
export function readNumber(field: string): ReadNumber {
  const text = field
    .slice(0, MAX_CHARACTERS + 1)
    .replace(/[*`"]/g, '')
    .replace(/[−–](?=\d|\.\d)/g, '-')
    .trim();
  if (!/\d/.test(text)) return ABSENT;
  if (text.length > MAX_CHARACTERS) return UNCLEAR;
  const bare = text
    .replace(/^[~≈]\s*/, '')
    .replace(/\s*(?:±|\+\/-|\+-).*$/, '')
    .replace(/\s*\([^()]*\)$/, '');
  const thousands = THOUSANDS.exec(bare)?.[0];
  const plain = thousands ? thousands.replaceAll(',', '') + bare.slice(thousands.length) : bare;
  const [, digits, unit = ''] = NUMBER.exec(plain) ?? [];
  if (digits === undefined) return UNCLEAR;
  const value = Number(digits);
  // MLflow exports the largest double in place of an infinity.
  if (Math.abs(value) >= Number.MAX_VALUE) return ABSENT;
  return { kind: 'number', value, unit: unit.toLowerCase().replace('μ', 'µ') };
}
