/** A larger answer would block the host for too long. */
export const CELL_PAGE = 1_000;
/** How many cells come with a snapshot: more than fit on a screen. */
export const FIRST_CELLS = 100;
