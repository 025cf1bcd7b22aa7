/** A number as JSON can carry it: it has no NaN and no infinity, so they travel as words. */
export type Scalar = number | 'NaN' | 'Infinity' | '-Infinity';

/** A number as events carry it. */
export function toScalar(value: number): Scalar {
  if (Number.isFinite(value)) return value;
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? 'Infinity' : '-Infinity';
}

export function fromScalar(value: Scalar): number {
  return typeof value === 'number' ? value : Number(value);
}
