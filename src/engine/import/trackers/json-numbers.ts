/** Objects nested deeper are no results. */
const MAX_DEPTH = 3;

/**
 * The numbers in a JSON value; those of an object as `outer.inner`, unless it stands for a picture, a table or the
 * like (`_type`). Trackers write NaN and infinities as words, because JSON has no such numbers.
 */
export function* numbersOf(name: string, value: unknown, depth = 0): Generator<readonly [string, number]> {
  if (typeof value === 'number') yield [name, value];
  else if (typeof value === 'string') {
    if (/^-?(?:NaN|Infinity)$/.test(value)) yield [name, Number(value)];
  } else if (isObject(value) && depth < MAX_DEPTH && !('_type' in value)) {
    for (const [key, inner] of Object.entries(value)) yield* numbersOf(`${name}.${key}`, inner, depth + 1);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
