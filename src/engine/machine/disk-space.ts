import { statfs } from 'node:fs/promises';

/** Free space on the disk of a folder, in bytes, as last measured. A hanging disk delays nobody. */
export class DiskSpace {
  readonly #folder: string;
  #last: { readonly freeBytes: number; readonly totalBytes: number } | null = null;
  #isLooking = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Null if unknown. */
  get last(): { readonly freeBytes: number; readonly totalBytes: number } | null {
    return this.#last;
  }

  /** Never rejects. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const { bsize, blocks, bavail } = await statfs(this.#folder).catch(() => ({
      ...{ bsize: 0, blocks: 0, bavail: 0 },
    }));
    this.#last = blocks > 0 ? { freeBytes: bavail * bsize, totalBytes: blocks * bsize } : null;
    this.#isLooking = false;
  }
}
