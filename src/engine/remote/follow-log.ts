import { open } from 'node:fs/promises';

const CHUNK_BYTES = 256 * 1024;
/** So much is read in one go; a log that grows faster must not keep its reader from all else. */
const MAX_CHUNKS = 64;

/** Reads a file that another machine writes, from where it stopped the last time. */
export class LogFollower {
  readonly #path: string;
  readonly #onOutput: (chunk: Buffer) => void;
  bytes = 0;

  constructor(path: string, onOutput: (chunk: Buffer) => void) {
    this.#path = path;
    this.#onOutput = onOutput;
  }

  /** Hands on what is new; how many bytes that was. */
  async read(): Promise<number> {
    // Opened anew each time: by that a network file system looks up how long it is now. One that does not answer for a
    // while is like a log that does not grow.
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
