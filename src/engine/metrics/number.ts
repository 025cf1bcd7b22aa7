/** A printed number with the unit that stood behind it. */
export type Quantity = { readonly value: number; readonly unit: string | null };

/** Marks that stand before a number without being of it: quotes, emphasis, a currency. */
const DECORATION = /^["'`*]{0,3}(?=[-+−.\d$€£¥ni])(?:([-+−]?)[$€£¥])?/i;
/** No alternative of these begins where another could go on, so that no text makes them slow. */
const NUMBER =
  /^([-+−]?)(?:([1-9]\d{0,2}(?:,\d{3})+(?!\d)(?:\.\d+)?|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)|(nan|inf(?:inity)?)(?![A-Za-z]))/i;
/** A unit, and what a number may end before. A bar behind a per cent sign is a progress bar's, whose share measures nothing. */
const UNIT =
  /^\.?\s?(?!%\|)(%|[A-Za-z\u00b5\u03bc]{1,6}(?:\/[A-Za-z]{1,6})?)?(?=\s|$|[)\]};|"'`*±]|[.,](?!\d))/;
/** It was one number and became another. */
const CHANGE = /^\S{0,16}\s{0,4}(?:->|=>|→)/;

/** Prefixes of plain counts: `998.7K tokens` and `1.02M` are of one series. `B` may as well be bytes. */
const COUNTS: Readonly<Record<string, number>> = { K: 1e3, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** Longer than any number with its unit. */
const MAX_CHARACTERS = 64;

/**
 * Reads the number `text` begins with: thousands commas, exponents, `nan`, `inf`, a currency before it and a unit (`%`,
 * `ms`, `GB`, …) behind. What follows after white space is ignored, because upstream appends to its progress line. Null for
 * `n/a`, for the share of a progress bar, for `0.5 -> 0.4` and everything else that is not one number.
 */
export function parseQuantity(text: string): Quantity | null {
  const trimmed = text
    .slice(0, 2 * MAX_CHARACTERS)
    .trimStart()
    .slice(0, MAX_CHARACTERS);
  const decoration = DECORATION.exec(trimmed);
  const bare = `${decoration?.[1] ?? ''}${trimmed.slice(decoration?.[0].length ?? 0)}`;
  const match = NUMBER.exec(bare);
  if (!match) return null;
  const rest = bare.slice(match[0].length);
  const unit = UNIT.exec(rest);
  if (!unit || CHANGE.test(rest)) return null;
  const digits = match[2]?.replaceAll(',', '');
  const magnitude =
    digits !== undefined ? Number(digits) : /^n/i.test(match[3] ?? '') ? Number.NaN : Infinity;
  const value = match[1] === '-' || match[1] === '−' ? -magnitude : magnitude;
  const count = COUNTS[unit[1] ?? ''];
  return count === undefined ? { value, unit: unit[1] ?? null } : { value: scale(value, count), unit: null };
}

/** Multiplied in decimal, so that `1.02M` is 1020000 and not a digit beside it. */
function scale(value: number, factor: number): number {
  return Number((value * factor).toPrecision(15));
}

const SECONDS: Readonly<Record<string, number>> = {
  ...{ ns: 1e-9, us: 1e-6, '\u00b5s': 1e-6, '\u03bcs': 1e-6, ms: 1e-3, s: 1, sec: 1, secs: 1, second: 1 },
  ...{ seconds: 1, m: 60, min: 60, mins: 60, minute: 60, h: 3600, hr: 3600, hrs: 3600, hour: 3600 },
  ...{ minutes: 60, hours: 3600 },
};
const PREFIXED = /^([kKMGT])(i?)(\S+)$/;

/** The value in another unit of the same family (times, prefixes of one unit); as it is where they are not of one. */
export function inUnit({ value, unit }: Quantity, wanted: string | null): number {
  if (unit === null || wanted === null || unit === wanted) return value;
  const [from, to] = [SECONDS[unit], SECONDS[wanted]];
  if (from !== undefined && to !== undefined) return scale(value, from / to);
  const [a, b] = [prefixOf(unit), prefixOf(wanted)];
  return a.base === b.base ? scale(value, a.factor / b.factor) : value;
}

function prefixOf(unit: string): { readonly factor: number; readonly base: string } {
  const [, prefix = '', binary = '', base = unit] = PREFIXED.exec(unit) ?? [];
  const power = prefix === '' ? 0 : 'KMGT'.indexOf(prefix.toUpperCase()) + 1;
  return { factor: (binary ? 1024 : 1000) ** power, base };
}

/** The upper one of two middle values; null of none. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
