import type { Records } from './record-file.ts';

const HEADER_BYTES = 12;
const FOOTER_BYTES = 4;
/** Of CRC-32C (Castagnoli), bits reversed. */
const POLYNOMIAL = 0x82f63b78;
const MASK_DELTA = 0xa282ead8;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** TFRecord's checksum: CRC-32C, rotated by 15 bits and offset, so that the checksum of a checksum is safe. */
function maskedCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  crc = (crc ^ 0xffffffff) >>> 0;
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}

/**
 * Records of TensorFlow's TFRecord format: length, its checksum, data, its checksum. Reading stops at a broken
 * length, because the next record's position is unknown.
 */
export function* readTfRecords(file: Buffer): Records {
  let at = 0;
  let broken = 0;
  while (at < file.length) {
    if (at + HEADER_BYTES > file.length) return { isCut: true, broken };
    if (maskedCrc32c(file.subarray(at, at + 8)) !== file.readUInt32LE(at + 8)) {
      return { isCut: false, broken: broken + 1 };
    }
    const length = Number(file.readBigUInt64LE(at));
    const end = at + HEADER_BYTES + length;
    if (end + FOOTER_BYTES > file.length) return { isCut: true, broken };
    const data = file.subarray(at + HEADER_BYTES, end);
    if (maskedCrc32c(data) === file.readUInt32LE(end)) yield data;
    else broken += 1;
    at = end + FOOTER_BYTES;
  }
  return { isCut: false, broken };
}
