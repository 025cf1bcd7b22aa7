import type { Writable } from 'node:stream';
import type { EngineEvent } from '../shared/events.ts';

/** `--json`: one event per line. docs/events.md describes them. */
export class JsonLines {
  readonly #stream: Writable;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  event(event: EngineEvent): void {
    this.#stream.write(`${JSON.stringify(event)}\n`);
  }

  say(message: string): void {
    process.stderr.write(`${message}\n`);
  }

  end(): void {}
}
