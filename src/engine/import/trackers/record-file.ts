/**
 * Files of records that a program appends to while it runs. A file that ends within a record was cut off, as by a run
 * that was killed; what stands before the cut is whole. A record whose checksum is wrong is broken.
 */
export type RecordEnd = {
  /** The file ends within a record. */
  readonly isCut: boolean;
  /** Records, or stretches of the file, whose checksum is wrong. */
  readonly broken: number;
};

/** Records of one file, and at last how it ended. */
export type Records = Generator<Buffer, RecordEnd>;
