/** Deeper than anybody nests a result or a setting; `JSON.stringify` has no bound but the stack. */
const MAX_DEPTH = 64;

/** A value of JSON as the text of a field: null is empty, a string is bare. Null where it is nested too deep. */
export function jsonText(value: unknown): string | null {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  return isDeeper(value, MAX_DEPTH) ? null : JSON.stringify(value);
}

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some(inner => isDeeper(inner, depth - 1));
}
