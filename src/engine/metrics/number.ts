/** A printed number with the unit that stood behind it. */
export type Quantity = { readonly value: number; readonly unit: string | null };

/** No alternative of these begins where another could go on, so that no text makes them slow. */
const NUMBER =
  /^([+-]?)(?:([1-9]\d{0,2}(?:,\d{3})+(?!\d)(?:\.\d+)?|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(nan|inf(?:inity)?)(?![A-Za-z]))/i;
const UNIT = /^\s?(%|[A-Za-zµ]{1,6}(?:\/[A-Za-z]{1,6})?)?(?=\s|$|[);|]|,(?!\d))/;

/** Longer than any number with its unit. */
const MAX_CHARACTERS = 64;

/**
 * Reads the number `text` begins with: thousands commas, exponents, `nan`, `inf`, and a unit (`%`, `ms`, `s`,
 * `GB`, …). What follows after white space is ignored, because upstream appends to its progress line. Null for
 * `n/a` and everything else that is not a number.
 */
export function parseQuantity(text: string): Quantity | null {
  const trimmed = text
    .slice(0, 2 * MAX_CHARACTERS)
    .trimStart()
    .slice(0, MAX_CHARACTERS);
  const match = NUMBER.exec(trimmed);
  if (!match) return null;
  const unit = UNIT.exec(trimmed.slice(match[0].length));
  if (!unit) return null;
  const digits = match[2]?.replaceAll(',', '');
  const magnitude =
    digits !== undefined ? Number(digits) : /^n/i.test(match[3] ?? '') ? Number.NaN : Infinity;
  return { value: match[1] === '-' ? -magnitude : magnitude, unit: unit[1] ?? null };
}

/** The upper one of two middle values; null of none. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
