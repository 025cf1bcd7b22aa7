import { open } from 'node:fs/promises';

const CHUNK_BYTES = 256 * 1024;
/** The most that is read at once; a log that grows faster must not keep its reader from other work. */
const MAX_CHUNKS = 64;

/** Reads a file that another machine writes, each time from where it stopped before. */
export class LogFollower {
  readonly #path: string;
  readonly #onOutput: (chunk: Buffer) => void;
  bytes = 0;

  constructor(path: string, onOutput: (chunk: Buffer) => void) {
    this.#path = path;
    this.#onOutput = onOutput;
  }

  /** Hands on new output; returns the number of bytes. */
  async read(): Promise<number> {
    // Opened anew each time, which makes a network file system look up the current length. One that does not answer
    // for a while is treated as a log that does not grow.
    const handle = await open(this.#path, 'r').catch(() => null);
    if (!handle) return 0;
    const before = this.bytes;
    try {
      for (let left = MAX_CHUNKS; left > 0; left -= 1) {
        const buffer = Buffer.alloc(CHUNK_BYTES);
        const bytesRead = await handle.read(buffer, 0, CHUNK_BYTES, this.bytes).then(
          read => read.bytesRead,
          () => 0,
        );
        if (bytesRead === 0) break;
        this.bytes += bytesRead;
        this.#onOutput(buffer.subarray(0, bytesRead));
      }
    } finally {
      await handle.close();
    }
    return this.bytes - before;
  }
}
