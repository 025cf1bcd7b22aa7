import { existsSync, rmSync } from 'node:fs';
import { open, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { PawlError } from '../../shared/errors.ts';

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
  async free(): Promise<number> {
    const [{ bavail, bsize }, size] = await Promise.all([statfs(this.#folder), this.#size()]);
    return bavail * bsize + size;
  }

  /** Whether there is room for work besides the reserve, given up or not, and as much as has to stay free. */
  async hasRoom(leastBytes = 0): Promise<boolean> {
    const [free, wanted] = await Promise.all([this.free(), this.#wanted()]);
    return free >= Math.max(2 * wanted, leastBytes);
  }

  /** Rejects with `disk_full` where there is none, or less than what has to stay free. */
  async requireRoom(leastBytes = 0): Promise<void> {
    if (await this.hasRoom(leastBytes)) return;
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
      const wanted = await this.#wanted();
      const has = await this.#size();
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

  #size(): Promise<number> {
    return stat(this.#path).then(
      ({ size }) => size,
      () => 0,
    );
  }

  async #wanted(): Promise<number> {
    const { blocks, bsize } = await statfs(this.#folder);
    return Math.min(MAX_BYTES, Math.floor((blocks * bsize) / SHARE));
  }
}
