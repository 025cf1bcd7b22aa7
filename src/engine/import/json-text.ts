/** Nobody nests a result or a setting deeper; only the stack limits `JSON.stringify`. */
const MAX_DEPTH = 64;

/** A JSON value as the text of a field: null is empty, a string has no quotes. Null if it is nested too deep. */
export function jsonText(value: unknown): string | null {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  return isDeeper(value, MAX_DEPTH) ? null : JSON.stringify(value);
}

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some(inner => isDeeper(inner, depth - 1));
}
