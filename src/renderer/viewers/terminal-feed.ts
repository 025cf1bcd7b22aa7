import { formatBytes } from '../../shared/numbers.ts';
import { SequenceBounds } from './bound-sequences.ts';

/** The output's destination; `write` calls back when the text is on the screen. */
export type Screen = { write(text: string, done?: () => void): void };

/** xterm drops data when more than 50 MB wait, and takes seconds for much less. */
export const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** Each line that a sequence moves counts as this many waiting bytes, because it takes xterm about as long (4 µs). */
const LINE_BYTES = 8;
/** xterm lets the page paint and handle keys between two pieces, but not within one. */
export const PIECE_CHARACTERS = 1_024;

/** A line about missing bytes. It first ends any control sequence that the bytes before it were in. */
export function skippedLine(bytes: number): string {
  const CANCEL = '\x18';
  return `${CANCEL}\x1b[0m\r\n\x1b[90m… ${formatBytes(bytes)} not shown …\x1b[0m\r\n`;
}

/**
 * Feeds a screen no faster than it can paint: output that arrives while `MAX_WAITING_BYTES` wait is left out, and a
 * line says how much. Bounds control sequences on the way. Returns a function to call with each piece of output.
 */
export function feedScreen(screen: Screen): (bytes: Uint8Array, skipped: number) => void {
  let bounds = new SequenceBounds();
  let waiting = 0;
  let leftOut = 0;
  const sayLeftOut = () => {
    if (leftOut === 0) return;
    screen.write(skippedLine(leftOut));
    leftOut = 0;
    // The line has ended any sequence in progress.
    bounds = new SequenceBounds();
  };
  return (bytes, skipped) => {
    leftOut += skipped;
    if (waiting > 0 && waiting + bytes.length > MAX_WAITING_BYTES) {
      leftOut += bytes.length;
      return;
    }
    sayLeftOut();
    const { text, lines } = bounds.push(bytes);
    const weight = bytes.length + lines * LINE_BYTES;
    waiting += weight;
    const last = Math.max(0, Math.ceil(text.length / PIECE_CHARACTERS) - 1) * PIECE_CHARACTERS;
    for (let at = 0; at < last; at += PIECE_CHARACTERS) screen.write(text.slice(at, at + PIECE_CHARACTERS));
    screen.write(text.slice(last), () => {
      waiting -= weight;
      // The last output may have been left out, and nothing would follow to say so.
      if (waiting === 0) sayLeftOut();
    });
  };
}
