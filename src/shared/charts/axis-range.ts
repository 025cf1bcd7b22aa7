/** Ranges around larger numbers would overflow a double; charts do not draw such numbers. */
export const LARGEST_DRAWN = 1e150;

/** A range that is narrower than this share of its ends cannot be divided in double precision. */
const NARROWEST = 1e-11;

/** The margin for a range: `share` of its span, or of its size if it has almost no span. Never 0. */
export function widenBy(low: number, high: number, share: number): number {
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (high - low > size * NARROWEST && high - low > 1e-150) return (high - low) * share;
  return size > 1e-150 ? size * 0.01 : 1;
}
