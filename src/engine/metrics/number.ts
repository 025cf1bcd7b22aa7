/** A printed number with the unit that stood behind it. */
export type Quantity = { readonly value: number; readonly unit: string | null };

const NUMBER =
  /^([+-]?)(?:(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|(nan|inf(?:inity)?)(?![A-Za-z]))(?![A-Za-z0-9.]*[0-9.,])/i;
const UNIT = /^\s?(%|[A-Za-zµ]{1,6}(?:\/[A-Za-z]{1,6})?)?(?=\s|$|[),;|])/;

/**
 * Reads the number `text` begins with: thousands commas, exponents, `nan`, `inf`, and a unit (`%`, `ms`, `s`,
 * `GB`, …). What follows after white space is ignored, because upstream appends to its progress line. Null for
 * `n/a` and everything else that is not a number.
 */
export function parseQuantity(text: string): Quantity | null {
  const trimmed = text.trimStart();
  const match = NUMBER.exec(trimmed);
  if (!match) return null;
  const unit = UNIT.exec(trimmed.slice(match[0].length));
  if (!unit) return null;
  const digits = match[2]?.replaceAll(',', '');
  const magnitude =
    digits !== undefined ? Number(digits) : /^n/i.test(match[3] ?? '') ? Number.NaN : Infinity;
  return { value: match[1] === '-' ? -magnitude : magnitude, unit: unit[1] ?? null };
}
