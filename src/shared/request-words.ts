/** What a request to a running study is called: on the window's buttons, in its palette, and in the tray. */
export const REQUEST_WORDS = {
  pause: 'Pause after this experiment',
  stop: 'Stop after this experiment',
} as const;

/** What taking a request back is called. */
export function withdrawWords(wish: keyof typeof REQUEST_WORDS): string {
  return `Do not ${wish}`;
}
