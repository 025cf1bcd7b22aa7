import { StringDecoder } from 'node:string_decoder';

/** Longer lines are cut: training output is untrusted, and no useful line is longer. */
export const MAX_LINE_CHARACTERS = 65_536;

/**
 * Turns chunks of terminal output into lines, split on `\r` and `\n` and free of control sequences. Empty lines are
 * passed on. Bytes that are not UTF-8 become U+FFFD. `end` passes on the last, unfinished line. Each line comes with
 * its number, from 1, counting newlines only.
 */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #onLine: (line: string, number: number) => void;
  #number = 1;
  #rest = '';
  #isCutting = false;

  constructor(onLine: (line: string, number: number) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    this.#take(this.#decoder.write(chunk));
  }

  end(): void {
    this.#take(this.#decoder.end());
    if (this.#rest !== '') this.#emit(this.#rest);
    this.#rest = '';
  }

  #take(text: string): void {
    let start = 0;
    const breaks = /[\r\n]/g;
    for (let match = breaks.exec(text); match; match = breaks.exec(text)) {
      const line = this.#rest + text.slice(start, match.index);
      this.#rest = '';
      if (!this.#isCutting) this.#emit(line);
      this.#isCutting = false;
      if (match[0] === '\n') this.#number += 1;
      start = match.index + 1;
    }
    if (this.#isCutting) return;
    this.#rest += text.slice(start);
    if (this.#rest.length > MAX_LINE_CHARACTERS) {
      this.#emit(this.#rest);
      this.#rest = '';
      this.#isCutting = true;
    }
  }

  #emit(line: string): void {
    const text = line.length > MAX_LINE_CHARACTERS ? line.slice(0, MAX_LINE_CHARACTERS) : line;
    this.#onLine(stripControl(text), this.#number);
  }
}

/**
 * CSI (`ESC [ … letter`), OSC, DCS, SOS, PM and APC (`ESC ] … BEL` or `ESC \`), two-character escapes, the same in
 * their 8-bit forms, and single control characters except tab. Source: ECMA-48, sections 5.3 to 5.6.
 */
const CONTROL =
  /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)|\x1b[ -/]*[0-~]?|[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

export function stripControl(text: string): string {
  return /[\x00-\x08\x0b-\x1f\x7f-\x9f]/.test(text) ? text.replace(CONTROL, '') : text;
}
