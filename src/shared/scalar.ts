/** A number for JSON, which has neither NaN nor infinity, so they become words. */
type Scalar = number | 'NaN' | 'Infinity' | '-Infinity';

/** A number as events carry it. */
export function toScalar(value: number): Scalar {
  if (Number.isFinite(value)) return value;
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? 'Infinity' : '-Infinity';
}

export function fromScalar(value: Scalar): number {
  return typeof value === 'number' ? value : Number(value);
}
