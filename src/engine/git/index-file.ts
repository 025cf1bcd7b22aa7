import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';

/** A file whose content in the index changes. */
export type IndexChange = {
  /** Hex. */
  readonly blob: string;
  /** Of the file on disk. */
  readonly stat: BigIntStats;
};

const HEAD_BYTES = 12;
/** The size of an entry's stat fields, before its blob's id. */
const STAT_BYTES = 40;
/** The offset of an entry's file size. */
const SIZE_AT = 36;
/** Larger files are not read in one piece, neither here nor when an edit is undone. */
export const MAX_BYTES = 4 * 1024 * 1024;
/** Bits of an entry's flags: more flags follow; the side of a merge; the length of the name. */
const [EXTENDED, STAGE, NAME] = [0x4000, 0x3000, 0xfff];

/**
 * A copy of git's index with changed file contents; asking git for it would take a process. Null if the index is
 * damaged or of an unknown kind, or if one of the files is missing from it or large. Leaves out git's caches, which
 * may be wrong now; git rebuilds them. Source: gitformat-index(5).
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

/** The mode stays as it is: git handles files whose mode has changed. */
function writeStat(index: Buffer, at: number, stat: BigIntStats): void {
  const { ctimeNs, mtimeNs, dev, ino, uid, gid, size } = stat;
  const second = 1_000_000_000n;
  const times = [ctimeNs / second, ctimeNs % second, mtimeNs / second, mtimeNs % second];
  for (const [field, value] of [...times, dev, ino, null, uid, gid, size].entries()) {
    if (value !== null) index.writeUInt32BE(Number(BigInt.asUintN(32, value)), at + 4 * field);
  }
}

/** Whether the index means the same without these extensions: optional ones have names that begin with a capital letter. */
function isOptional(extensions: Buffer): boolean {
  for (let at = 0; at < extensions.length; at += 8 + extensions.readUInt32BE(at + 4)) {
    if (!/^[A-Z]/.test(extensions.toString('latin1', at, at + 1))) return false;
  }
  return true;
}
