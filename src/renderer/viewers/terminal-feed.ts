import { formatBytes } from '../../shared/numbers.ts';
import { SequenceBounds } from './bound-sequences.ts';

/** Where output goes; `write` calls back when the text is on the screen. */
export type Screen = { write(text: string, done?: () => void): void };

/** xterm throws away what waits beyond 50 MB, and takes seconds for much less. */
export const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** Lines that a sequence moves wait as this many bytes each: xterm takes about as long for them (4 µs). */
const LINE_BYTES = 8;
/** xterm lets the page paint and take keys between two pieces, never within one. */
export const PIECE_CHARACTERS = 1_024;

/** A line about bytes that are missing. It leaves any control sequence the bytes before it broke off in. */
export function skippedLine(bytes: number): string {
  const CANCEL = '\x18';
  return `${CANCEL}\x1b[0m\r\n\x1b[90m… ${formatBytes(bytes)} not shown …\x1b[0m\r\n`;
}

/**
 * Feeds a screen no faster than it can paint: what arrives while `MAX_WAITING_BYTES` wait is left out, and a line says
 * how much. Control sequences are bounded on the way. Returns the function to call with each piece of output.
 */
export function feedScreen(screen: Screen): (bytes: Uint8Array, skipped: number) => void {
  let bounds = new SequenceBounds();
  let waiting = 0;
  let leftOut = 0;
  const sayLeftOut = () => {
    if (leftOut === 0) return;
    screen.write(skippedLine(leftOut));
    leftOut = 0;
    // The line has ended what the sequence before it was in.
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
      // The end of the output may be what was left out: nothing would come after it to say so.
      if (waiting === 0) sayLeftOut();
    });
  };
}
