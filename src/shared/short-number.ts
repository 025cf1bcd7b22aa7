/** A number in a sentence: two significant digits, no needless zeros. */
export function shortNumber(value: number, digits = 2): string {
  return String(Number(value.toPrecision(digits)));
}
