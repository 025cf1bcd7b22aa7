/** A rectangle in pixels. */
export type Box = {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
};

/** Side of a cell in pixels. */
const CELL = 3;

/**
 * Records which parts of an area are taken, in cells of 3 px. It may report a free place as taken if the cell is
 * shared, but never the reverse.
 */
export class Occupancy {
  readonly bounds: Box;
  private readonly cells: Uint8Array;
  private readonly columns: number;
  private readonly rows: number;

  constructor(bounds: Box) {
    this.bounds = bounds;
    this.columns = Math.max(1, Math.ceil((bounds.right - bounds.left) / CELL) + 1);
    this.rows = Math.max(1, Math.ceil((bounds.bottom - bounds.top) / CELL) + 1);
    this.cells = new Uint8Array(this.columns * this.rows);
  }

  /**
   * Takes a rectangle; parts outside the area do not count. Four numbers instead of a `Box`, because it is called for
   * every dot.
   */
  take(left: number, top: number, right: number, bottom: number): void {
    const fromColumn = Math.max(0, Math.floor((left - this.bounds.left) / CELL));
    const toColumn = Math.min(this.columns - 1, Math.floor((right - this.bounds.left) / CELL));
    const fromRow = Math.max(0, Math.floor((top - this.bounds.top) / CELL));
    const toRow = Math.min(this.rows - 1, Math.floor((bottom - this.bounds.top) / CELL));
    for (let row = fromRow; row <= toRow; row += 1) {
      for (let column = fromColumn; column <= toColumn; column += 1) {
        this.cells[row * this.columns + column] = 1;
      }
    }
  }

  /** How many cells of the box were taken. */
  countTaken({ left, top, right, bottom }: Box): number {
    let taken = 0;
    for (let y = top; y <= bottom; y += CELL) {
      for (let x = left; x <= right; x += CELL) {
        if (!this.isFree({ left: x, top: y, right: x, bottom: y })) taken += 1;
      }
    }
    return taken;
  }

  /** Whether the box is inside the bounds and nothing in it was taken. */
  isFree({ left, top, right, bottom }: Box): boolean {
    const { bounds } = this;
    if (left < bounds.left || right > bounds.right || top < bounds.top || bottom > bounds.bottom)
      return false;
    const toColumn = Math.floor((right - bounds.left) / CELL);
    const toRow = Math.floor((bottom - bounds.top) / CELL);
    for (let row = Math.floor((top - bounds.top) / CELL); row <= toRow; row += 1) {
      for (let column = Math.floor((left - bounds.left) / CELL); column <= toColumn; column += 1) {
        if (this.cells[row * this.columns + column] === 1) return false;
      }
    }
    return true;
  }
}
