import { LineSplitter } from './line-splitter.ts';

const LINES = 20;
const LINE_CHARACTERS = 400;

/** The last lines of an output that are not empty; long ones are cut. */
export class LineTail {
  readonly #lines: string[] = [];
  readonly #splitter = new LineSplitter(line => {
    if (line.trim() === '') return;
    this.#lines.push(line.length > LINE_CHARACTERS ? `${line.slice(0, LINE_CHARACTERS)}…` : line);
    if (this.#lines.length > LINES) this.#lines.shift();
  });

  push(chunk: Buffer): void {
    this.#splitter.push(chunk);
  }

  /** Ends the output and returns the lines. */
  lines(): readonly string[] {
    this.#splitter.end();
    return this.#lines;
  }
}
