import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';

/** A file in an index that has other content now. */
export type IndexChange = {
  /** Hex. */
  readonly blob: string;
  /** Of the file as it lies there. */
  readonly stat: BigIntStats;
};

const HEAD_BYTES = 12;
/** Of an entry, before its blob's id. */
const STAT_BYTES = 40;
/** Where an entry has the size of its file. */
const SIZE_AT = 36;
/** A larger file is not worth its reading in one piece, also on the way back. */
export const MAX_BYTES = 4 * 1024 * 1024;
/** Bits of an entry's flags: more flags follow; the side of a merge; the length of the name. */
const [EXTENDED, STAGE, NAME] = [0x4000, 0x3000, 0xfff];

/**
 * A copy of git's index in which files have other content, for which git would need a process. Null for an index that is damaged, or
 * of a kind that is not understood here, or that does not have one of the files, or has a large one in its place. What git keeps in it to be faster is
 * left out, because it may be wrong now; git makes it again. Source: gitformat-index(5).
 * @param changes by path
 */
export function changeIndex(index: Buffer, changes: ReadonlyMap<string, IndexChange>): Buffer | null {
  const [first] = changes.values();
  if (!first) return null;
  const idBytes = first.blob.length / 2;
  const end = index.length - idBytes;
  if (end < HEAD_BYTES || !checksum(index.subarray(0, end), idBytes).equals(index.subarray(end))) return null;
  const version = index.readUInt32BE(4);
  if (version !== 2 && version !== 3) return null;
  const copy = Buffer.from(index);
  const wanted = new Map(
    [...changes].map(([path, change]) => [Buffer.from(path).toString('latin1'), change]),
  );
  let at = HEAD_BYTES;
  for (let left = copy.readUInt32BE(8); left > 0; left -= 1) {
    const flagsAt = at + STAT_BYTES + idBytes;
    const flags = copy.readUInt16BE(flagsAt);
    const nameAt = flagsAt + (flags & EXTENDED ? 4 : 2);
    const nameEnd = copy.indexOf(0, nameAt + ((flags & NAME) === NAME ? NAME : flags & NAME));
    const name = copy.toString('latin1', nameAt, nameEnd);
    const change = wanted.get(name);
    if (change) {
      if (flags & (EXTENDED | STAGE) || copy.readUInt32BE(at + SIZE_AT) > MAX_BYTES) return null;
      wanted.delete(name);
      writeStat(copy, at, change.stat);
      copy.write(change.blob, at + STAT_BYTES, 'hex');
    }
    // One to eight NULs make the length a multiple of eight.
    at += (nameEnd - at + 8) & ~7;
  }
  if (wanted.size > 0 || !isOptional(copy.subarray(at, end))) return null;
  const entries = copy.subarray(0, at);
  return Buffer.concat([entries, checksum(entries, idBytes)]);
}

function checksum(content: Buffer, idBytes: number): Buffer {
  return createHash(idBytes === 20 ? 'sha1' : 'sha256')
    .update(content)
    .digest();
}

/** The mode stays: that of a file whose mode has changed is for git to tell. */
function writeStat(index: Buffer, at: number, stat: BigIntStats): void {
  const { ctimeNs, mtimeNs, dev, ino, uid, gid, size } = stat;
  const second = 1_000_000_000n;
  const times = [ctimeNs / second, ctimeNs % second, mtimeNs / second, mtimeNs % second];
  for (const [field, value] of [...times, dev, ino, null, uid, gid, size].entries()) {
    if (value !== null) index.writeUInt32BE(Number(BigInt.asUintN(32, value)), at + 4 * field);
  }
}

/** Whether an index says the same without these extensions: the names of those begin with a capital letter. */
function isOptional(extensions: Buffer): boolean {
  for (let at = 0; at < extensions.length; at += 8 + extensions.readUInt32BE(at + 4)) {
    if (!/^[A-Z]/.test(extensions.toString('latin1', at, at + 1))) return false;
  }
  return true;
}
