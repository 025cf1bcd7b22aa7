/**
 * Width in characters of the terminal that a training writes to, so that progress bars do not wrap. Its output must
 * not be shown any narrower.
 */
export const TERMINAL_COLUMNS = 200;
