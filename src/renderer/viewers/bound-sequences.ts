import { TERMINAL_COLUMNS } from '../../shared/terminal.ts';

/**
 * The limit for a number that counts rows, columns or repetitions, or is part of a colour. A training's terminal is
 * `TERMINAL_COLUMNS` wide and less high, a colour ends at 255, and xterm repeats larger counts one by one.
 */
export const MAX_NUMBER = Math.max(255, TERMINAL_COLUMNS);
/** The limit for a number after `?`, `<`, `=` or `>`, which names a mode (1049, 2004, 9001) and sizes nothing. */
export const MAX_MODE = 9_999;

/** Insert, delete and scroll lines: each line costs xterm some microseconds. */
const MOVES_LINES = /[LMST]/;
const INTRODUCER = /[\x1b\x90\x9b]/g;

/**
 * Bounds the numbers in a terminal's control sequences (CSI and DCS, 7-bit and 8-bit) and leaves everything else
 * unchanged, however the output is cut into pieces. It reads sequences like xterm's parser: a control character
 * inside a sequence is executed and does not end a number. An OSC has no number that sizes anything, and an ESC in
 * one ends it.
 */
export class SequenceBounds {
  // Bytes that are not UTF-8 become U+FFFD, as in the log: if they were dropped, as xterm does, they could hide
  // inside a number.
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #state: 'text' | 'escape' | 'parameters' = 'text';
  #limit = MAX_NUMBER;
  /** The number being read, without leading zeros. It is passed on when it ends, so no piece ends inside one. */
  #number = 0;
  /** The largest number of the sequence so far. */
  #largest = 0;

  /** The next piece, safe for xterm, and how many lines it makes xterm insert, delete or scroll. */
  push(bytes: Uint8Array): { readonly text: string; readonly lines: number } {
    const text = this.#decoder.decode(bytes, { stream: true });
    const parts: string[] = [];
    let lines = 0;
    for (let at = 0; at < text.length; at += 1) {
      if (this.#state === 'text') {
        INTRODUCER.lastIndex = at;
        const start = INTRODUCER.exec(text)?.index ?? text.length;
        parts.push(text.slice(at, start));
        at = start;
        if (at === text.length) break;
      }
      const character = text[at] as string;
      if (this.#state === 'parameters' && character >= '0' && character <= '9') {
        if (character === '0' && this.#number === 0) parts.push(character);
        else this.#number = Math.min(this.#number * 10 + Number(character), MAX_MODE + 1);
        continue;
      }
      // Executed inside a sequence, as if it came before it.
      const isObeyed = /[\0-\x17\x19\x1c-\x1f\x7f]/.test(character);
      if (isObeyed) parts.push(character);
      else {
        parts.push(this.#endNumber(), character);
        if (this.#state === 'parameters' && MOVES_LINES.test(character)) lines += Math.max(1, this.#largest);
        this.#enter(character);
      }
    }
    return { text: parts.join(''), lines };
  }

  #endNumber(): string {
    if (this.#number === 0) return '';
    const bounded = Math.min(this.#number, this.#limit);
    this.#number = 0;
    this.#largest = Math.max(this.#largest, bounded);
    return String(bounded);
  }

  #enter(character: string): void {
    if (character === '\x1b') this.#state = 'escape';
    else if (/[\x90\x9b]/.test(character) || (this.#state === 'escape' && /[[P]/.test(character))) {
      this.#state = 'parameters';
      this.#limit = MAX_NUMBER;
      this.#largest = 0;
    } else if (this.#state === 'parameters' && /[<-?]/.test(character)) this.#limit = MAX_MODE;
    else if (this.#state !== 'parameters' || !/[ -/:;]/.test(character)) this.#state = 'text';
  }
}
