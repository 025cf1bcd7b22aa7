import { crc32 } from 'node:zlib';
import type { Records } from './record-file.ts';

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const FULL = 1;
const FIRST = 2;
const LAST = 4;
/** No record of a run is larger. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/**
 * Records of a log in LevelDB's format (blocks of 32 KiB; checksum, length and type before each piece), with the
 * plain CRC-32 that Weights & Biases uses instead of LevelDB's own. After a broken piece, reading continues at the
 * next block.
 * @param start offset of the first piece, after the file's header
 */
export function* readLevelDbLog(file: Buffer, start: number): Records {
  let at = start;
  let broken = 0;
  let pieces: Buffer[] | null = null;
  let bytes = 0;
  while (at < file.length) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (left < HEADER_BYTES) {
      at += left;
      continue;
    }
    if (at + HEADER_BYTES > file.length) return { isCut: true, broken };
    const length = file.readUInt16LE(at + 4);
    const type = file.readUInt8(at + 6);
    if (type === 0 && length === 0) {
      // Space that was reserved but not used.
      at += left;
      continue;
    }
    const end = at + HEADER_BYTES + length;
    const isSane = type >= FULL && type <= LAST && length <= left - HEADER_BYTES;
    if (isSane && end > file.length) return { isCut: true, broken };
    if (!isSane || crc32(file.subarray(at + 6, end)) !== file.readUInt32LE(at)) {
      broken += 1;
      pieces = null;
      at += left;
      continue;
    }
    const piece = file.subarray(at + HEADER_BYTES, end);
    at = end;
    if (type === FULL || type === FIRST) {
      pieces = [];
      bytes = 0;
    }
    // The rest of a record whose beginning was broken.
    if (pieces === null) continue;
    bytes += piece.length;
    if (bytes > MAX_RECORD_BYTES) {
      broken += 1;
      pieces = null;
      continue;
    }
    pieces.push(piece);
    if (type !== FULL && type !== LAST) continue;
    yield pieces.length === 1 ? piece : Buffer.concat(pieces);
    pieces = null;
  }
  return { isCut: pieces !== null, broken };
}
