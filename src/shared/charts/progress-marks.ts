import type { Box } from './occupancy.ts';

/** The marks in a strip of the drawing, as the `d` of a path; `left` in pixels. */
export type MarkColumn = { readonly left: number; readonly path: string };

/**
 * Width of the strips in pixels. A browser without a GPU draws tile by tile and skips paths that do not touch the
 * tile; a single path over the whole width would be processed again for every tile.
 */
const COLUMN_WIDTH = 64;

/** A path of many small marks, cut into columns. */
export class MarkColumns {
  /** Marks in it. */
  count = 0;
  private readonly columns: string[] = [];

  /** Adds a mark at `x`, in pixels from the left edge of the drawing. */
  add(x: number, path: string): void {
    const column = Math.max(0, Math.floor(x / COLUMN_WIDTH));
    this.columns[column] = (this.columns[column] ?? '') + path;
    this.count += 1;
  }

  paths(): readonly MarkColumn[] {
    return this.columns.flatMap((path, column) => (path ? [{ left: column * COLUMN_WIDTH, path }] : []));
  }
}

/**
 * Which pixels of the plot already have a dot. A second dot on the same pixel would change nothing, so only such dots
 * are left out.
 */
export class PixelSet {
  private readonly left: number;
  private readonly width: number;
  private readonly taken: Uint8Array;

  constructor(plot: Box) {
    this.left = Math.floor(plot.left);
    this.width = Math.ceil(plot.right) - this.left + 2;
    this.taken = new Uint8Array(this.width * (Math.ceil(plot.bottom) + 2));
  }

  /** Whether this is the first dot on a pixel, given by whole numbers inside the plot. */
  claim(px: number, py: number): boolean {
    const at = py * this.width + px - this.left;
    if (this.taken[at] === 1) return false;
    this.taken[at] = 1;
    return true;
  }
}

/** Marks along the edges of the plot, one per shape and pixel. */
export class EdgeMarks {
  readonly columns = new MarkColumns();
  private readonly drawn = new Set<string>();

  cross(x: number, y: number): void {
    this.add(x, 'cross', px => `M${px - 3} ${y - 3}l6 6m0-6l-6 6`);
  }

  square(x: number, y: number): void {
    this.add(x, 'square', px => `M${px - 2} ${y - 2}h4v4h-4z`);
  }

  up(x: number, y: number): void {
    this.add(x, 'up', px => `M${px - 4} ${y + 3}h8l-4-7z`);
  }

  down(x: number, y: number): void {
    this.add(x, 'down', px => `M${px - 4} ${y - 3}h8l-4 7z`);
  }

  private add(x: number, shape: string, draw: (px: number) => string): void {
    const px = Math.round(x);
    const key = `${shape}${px}`;
    if (this.drawn.has(key)) return;
    this.drawn.add(key);
    this.columns.add(px, draw(px));
  }
}
