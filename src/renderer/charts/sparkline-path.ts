/** Room for half the stroke, in pixels. */
const MARGIN = 1.5;

/**
 * The `d` of a line through `y`, evenly spaced over `width` and scaled to `height` (both pixels). A null or
 * non-finite value is a gap; a value between two gaps is a dot of a round-capped stroke. '' if nothing is finite.
 */
export function sparklinePath(y: readonly (number | null)[], width: number, height: number): string {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of y) {
    if (value === null || !Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const perIndex = (width - 2 * MARGIN) / Math.max(1, y.length - 1);
  const perUnit = high > low ? (height - 2 * MARGIN) / (high - low) : 0;
  let path = '';
  let isDrawing = false;
  y.forEach((value, index) => {
    if (value === null || !Number.isFinite(value)) {
      isDrawing = false;
      return;
    }
    const px = (MARGIN + index * perIndex).toFixed(1);
    const py = (perUnit === 0 ? height / 2 : height - MARGIN - (value - low) * perUnit).toFixed(1);
    path += isDrawing ? `L${px} ${py}` : `M${px} ${py}h0`;
    isDrawing = true;
  });
  return path;
}
