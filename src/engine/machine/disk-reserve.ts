import { existsSync, rmSync, statfsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { PawlError } from '../../shared/errors.ts';
import { statNow } from '../small-files.ts';

const MAX_BYTES = 8 * 1024 ** 2;
/** Of a small disk, this share. */
const SHARE = 20;
const CHUNK_BYTES = 256 * 1024;

/**
 * Room on the disk of the data folder that nobody else can take: a file that is removed when the disk is full, so that what
 * happened can still be written down.
 */
export class DiskReserve {
  readonly #folder: string;
  readonly #path: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.#path = join(folder, 'reserve');
  }

  /** Bytes that are free, the reserve among them. */
  free(): number {
    const { bavail, bsize } = statfsSync(this.#folder);
    return bavail * bsize + this.#size();
  }

  /** Whether there is room for work besides the reserve, given up or not, and as much as has to stay free. */
  hasRoom(leastBytes = 0): boolean {
    return this.free() >= Math.max(2 * this.#wanted(), leastBytes);
  }

  /** Throws `disk_full` where there is none, or less than what has to stay free. */
  requireRoom(leastBytes = 0): void {
    if (this.hasRoom(leastBytes)) return;
    throw new PawlError(
      'disk_full',
      `The disk that holds ${this.#folder} is full. Make room, then "pawl resume".`,
    );
  }

  /** Gives the room up. False where there was none. */
  release(): boolean {
    if (!existsSync(this.#path)) return false;
    rmSync(this.#path, { force: true });
    return true;
  }

  /** Takes the room, or as much of it as there is. Never rejects. */
  async fill(): Promise<void> {
    try {
      const wanted = this.#wanted();
      const has = this.#size();
      if (has >= wanted) return;
      // Zeros would take no room where files are compressed or have holes.
      const chunk = Buffer.alloc(CHUNK_BYTES).map((_, index) => (index * 2_654_435_761) >>> 13);
      const file = await open(this.#path, 'a', 0o600);
      try {
        for (let size = has; size < wanted; size += chunk.length) await file.write(chunk);
      } finally {
        await file.close();
      }
    } catch {
      // A full disk has none; what could be taken stays taken.
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
