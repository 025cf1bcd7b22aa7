/** Width in characters of the terminal a training writes to, so that progress bars do not wrap. Whoever shows its output must not show it narrower. */
export const TERMINAL_COLUMNS = 200;
