/** Finds the nearest point without looking at all of them. All lengths are pixels. */
export type PointGrid = {
  /** Index in the given arrays, or null if none is within `radius`. Of points at the same place, the last wins. */
  nearest(x: number, y: number): number | null;
};

/**
 * Sorts points into square cells as wide as `radius`, so that a search looks at nine cells. `bonus` is subtracted
 * from a point's distance, because larger marks should be easier to hit.
 */
export function pointGrid(
  xs: ArrayLike<number>,
  ys: ArrayLike<number>,
  radius: number,
  bonus: (index: number) => number = () => 0,
): PointGrid {
  const cells = new Map<number, number[]>();
  const key = (column: number, row: number) => column * 65_536 + row;
  const cellOf = (value: number) => Math.floor(value / radius);
  for (let index = 0; index < xs.length; index += 1) {
    const at = key(cellOf(xs[index] ?? 0), cellOf(ys[index] ?? 0));
    const cell = cells.get(at);
    if (cell) cell.push(index);
    else cells.set(at, [index]);
  }
  return {
    nearest(x, y) {
      let found: number | null = null;
      let least = Number.POSITIVE_INFINITY;
      for (let column = cellOf(x) - 1; column <= cellOf(x) + 1; column += 1) {
        for (let row = cellOf(y) - 1; row <= cellOf(y) + 1; row += 1) {
          for (const index of cells.get(key(column, row)) ?? []) {
            const distance = Math.hypot((xs[index] ?? 0) - x, (ys[index] ?? 0) - y);
            if (distance > radius || distance - bonus(index) > least) continue;
            if (distance - bonus(index) === least && found !== null && index < found) continue;
            least = distance - bonus(index);
            found = index;
          }
        }
      }
      return found;
    },
  };
}
