/** More cells in one answer than this would hold up the host. */
export const CELL_PAGE = 1_000;
/** Cells that come with a snapshot: more than fill a screen. */
export const FIRST_CELLS = 100;
