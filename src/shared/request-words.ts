/** Labels of requests to a running study: on the window's buttons, in its palette, and in the tray. */
export const REQUEST_WORDS = {
  pause: 'Pause after this experiment',
  stop: 'Stop after this experiment',
} as const;

/** The label for withdrawing a request. */
export function withdrawWords(wish: keyof typeof REQUEST_WORDS): string {
  return `Do not ${wish}`;
}
