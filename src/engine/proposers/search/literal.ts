/** A value as it is written in a source file. */
export type Literal =
  | { readonly kind: 'boolean'; readonly value: boolean; readonly text: string }
  | {
      readonly kind: 'integer';
      readonly value: number;
      readonly text: string;
      /** A power of two, and it stays one, although small integers are counts. */
      readonly isSize?: true;
    }
  | { readonly kind: 'power'; readonly base: number; readonly exponent: number; readonly text: string }
  | {
      readonly kind: 'float';
      readonly value: number;
      readonly text: string;
      /** The format reads an exponent as a number only with a point and a sign: `1.0e-05`, as in YAML 1.1. */
      readonly needsPoint?: true;
    }
  | {
      readonly kind: 'choice';
      readonly value: string;
      readonly choices: readonly string[];
      readonly text: string;
    }
  | { readonly kind: 'tuple'; readonly items: readonly Literal[]; readonly text: string };

/** As an integer it usually means none or all, so the search neither changes it nor proposes it. */
export const NONE_OR_ALL = -1;

/** A longer text is data. */
const MAX_CHARACTERS = 1_000;

/**
 * Parses a literal: booleans, numbers, Python's `2**19`, tuples of these; null for anything else. A word counts only
 * if a comment after it lists its alternatives: `# one of "relu", "gelu"`.
 */
export function parseLiteral(text: string, comment: string): Literal | null {
  if (text.length > MAX_CHARACTERS) return null;
  if (/^(?:True|true)$/.test(text)) return { kind: 'boolean', value: true, text };
  if (/^(?:False|false)$/.test(text)) return { kind: 'boolean', value: false, text };
  const power = /^(\d+)\s*\*\*\s*(\d+)$/.exec(text);
  if (power) return { kind: 'power', base: Number(power[1]), exponent: Number(power[2]), text };
  if (/^[+-]?\d[\d_]*$/.test(text) && !/^0\d/.test(text)) {
    const value = Number(text.replaceAll('_', ''));
    return Number.isSafeInteger(value) ? { kind: 'integer', value, text } : null;
  }
  if (/^[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) {
    return { kind: 'float', value: Number(text.replaceAll('_', '')), text };
  }
  const quoted = /^(["'])([^"'\\]*)\1$/.exec(text);
  if (quoted) {
    const choices = [...comment.matchAll(/["']([^"']+)["']/g)].map(choice => choice[1] ?? '');
    return choiceOf(text, quoted[2] ?? '', choices);
  }
  const list = /^[([](.*?),?\s*[)\]]$/.exec(text);
  if (list && list[1] !== undefined && !/[()[\]]/.test(list[1])) {
    const items = list[1].split(',').map(item => parseLiteral(item.trim(), ''));
    return items.length > 0 && items.every(item => item !== null && item.kind !== 'tuple')
      ? { kind: 'tuple', items: items as Literal[], text }
      : null;
  }
  return null;
}

/** A word with its alternatives; null if there are none, or it is not one of them. */
export function choiceOf(text: string, value: string, choices: readonly string[]): Literal | null {
  return choices.length > 1 && choices.includes(value) ? { kind: 'choice', value, choices, text } : null;
}

/** The number in a literal's text; null if it is not a number. */
export function readNumber({ kind, text }: Literal): number | null {
  if (kind === 'power') {
    const [base = '', exponent = ''] = text.split('**');
    return Number(base) ** Number(exponent);
  }
  return kind === 'integer' || kind === 'float' ? Number(text.replaceAll('_', '')) : null;
}
