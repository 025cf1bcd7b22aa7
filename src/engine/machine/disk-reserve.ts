import { existsSync, rmSync, statfsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { PawlError } from '../../shared/errors.ts';
import { statNow } from '../small-files.ts';

const MAX_BYTES = 8 * 1024 ** 2;
/** On a small disk, the reserve is 1/20 of it. */
const SHARE = 20;
const CHUNK_BYTES = 256 * 1024;

/**
 * Space on the data folder's disk that other programs cannot take: a file that is removed when the disk is full, so
 * that the ledger can still be written.
 */
export class DiskReserve {
  readonly #folder: string;
  readonly #path: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.#path = join(folder, 'reserve');
  }

  /** Free bytes, including the reserve. */
  free(): number {
    const { bavail, bsize } = statfsSync(this.#folder);
    return bavail * bsize + this.#size();
  }

  /**
   * Whether there is space for work besides the reserve (even if that was released) and the bytes that have to stay
   * free.
   */
  hasRoom(leastBytes = 0): boolean {
    return this.free() >= Math.max(2 * this.#wanted(), leastBytes);
  }

  /** Throws `disk_full` if there is not enough space. */
  requireRoom(leastBytes = 0): void {
    if (this.hasRoom(leastBytes)) return;
    throw new PawlError(
      'disk_full',
      `The disk that holds ${this.#folder} is full. Make room, then "pawl resume".`,
    );
  }

  /** Releases the space. False if there was none. */
  release(): boolean {
    if (!existsSync(this.#path)) return false;
    rmSync(this.#path, { force: true });
    return true;
  }

  /** Reserves the space, or as much as there is. Never rejects. */
  async fill(): Promise<void> {
    try {
      const wanted = this.#wanted();
      const has = this.#size();
      if (has >= wanted) return;
      // Zeros would take no space on file systems that compress or have sparse files.
      const chunk = Buffer.alloc(CHUNK_BYTES).map((_, index) => (index * 2_654_435_761) >>> 13);
      const file = await open(this.#path, 'a', 0o600);
      try {
        for (let size = has; size < wanted; size += chunk.length) await file.write(chunk);
      } finally {
        await file.close();
      }
    } catch {
      // The disk is full; what was reserved so far stays reserved.
    }
  }

  #size(): number {
    return Number(statNow(this.#path)?.size ?? 0);
  }

  #wanted(): number {
    const { blocks, bsize } = statfsSync(this.#folder);
    return Math.min(MAX_BYTES, Math.floor((blocks * bsize) / SHARE));
  }
}
