import { type FileHandle, open } from 'node:fs/promises';

/** With this much unwritten output the source is paused; below the lower mark it continues. */
const HIGH_WATER_BYTES = 8 * 1024 * 1024;
const LOW_WATER_BYTES = 1 * 1024 * 1024;

/**
 * Writes a run's output to its file in order, and holds no more than the high-water mark (and one chunk) in memory:
 * above it, calls `onFull`, and `onDrained` once there is room again.
 */
export class OutputLog {
  readonly #file: FileHandle;
  readonly #onFull: () => void;
  readonly #onDrained: () => void;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #isFull = false;
  #writing: Promise<void> | null = null;
  #error: NodeJS.ErrnoException | null = null;
  /** Bytes received, written or not. */
  bytes = 0;

  private constructor(file: FileHandle, onFull: () => void, onDrained: () => void) {
    this.#file = file;
    this.#onFull = onFull;
    this.#onDrained = onDrained;
  }

  static async create(path: string, onFull: () => void, onDrained: () => void): Promise<OutputLog> {
    return new OutputLog(await open(path, 'w', 0o600), onFull, onDrained);
  }

  /** The first failed write, e.g. ENOSPC; nothing is written after it. */
  get error(): NodeJS.ErrnoException | null {
    return this.#error;
  }

  write(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.#error) return;
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (!this.#isFull && this.#queuedBytes > HIGH_WATER_BYTES) {
      this.#isFull = true;
      this.#onFull();
    }
    this.#writing ??= this.#drain();
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0 && !this.#error) {
      const chunks = this.#queue;
      const bytes = this.#queuedBytes;
      this.#queue = [];
      try {
        await writeAll(this.#file, chunks);
      } catch (error) {
        this.#error = error as NodeJS.ErrnoException;
        this.#queue = [];
      }
      this.#queuedBytes -= bytes;
      if (this.#error) this.#queuedBytes = 0;
      if (this.#isFull && this.#queuedBytes < LOW_WATER_BYTES) {
        this.#isFull = false;
        this.#onDrained();
      }
    }
    this.#writing = null;
  }

  /** Waits until everything is written and closes the file. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }
}

async function writeAll(file: FileHandle, chunks: readonly Buffer[]): Promise<void> {
  const data = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
  for (let offset = 0; offset < data.length; ) {
    const { bytesWritten } = await file.write(data, offset, data.length - offset);
    offset += bytesWritten;
  }
}
