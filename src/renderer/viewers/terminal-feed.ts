import { formatBytes } from '../format/numbers.ts';

/** Where output goes; `write` calls back when the bytes are on the screen. */
export type Screen = { write(data: Uint8Array | string, done?: () => void): void };

/** xterm throws away what waits beyond 50 MB, and takes seconds for much less. */
export const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/** A line about bytes that are missing. It leaves any control sequence the bytes before it broke off in. */
export function skippedLine(bytes: number): string {
  const CANCEL = '\x18';
  return `${CANCEL}\x1b[0m\r\n\x1b[90m… ${formatBytes(bytes)} not shown …\x1b[0m\r\n`;
}

/**
 * Feeds a screen no faster than it can paint: what arrives while `MAX_WAITING_BYTES` wait is left out, and a line says
 * how much. Returns the function to call with each piece of output.
 */
export function feedScreen(screen: Screen): (bytes: Uint8Array, skipped: number) => void {
  let waiting = 0;
  let leftOut = 0;
  const sayLeftOut = () => {
    if (leftOut === 0) return;
    screen.write(skippedLine(leftOut));
    leftOut = 0;
  };
  return (bytes, skipped) => {
    leftOut += skipped;
    if (waiting > 0 && waiting + bytes.length > MAX_WAITING_BYTES) {
      leftOut += bytes.length;
      return;
    }
    sayLeftOut();
    waiting += bytes.length;
    screen.write(bytes, () => {
      waiting -= bytes.length;
      // The end of the output may be what was left out: nothing would come after it to say so.
      if (waiting === 0) sayLeftOut();
    });
  };
}
