/**
 * Files to which a program appends records while it runs. A file that ends within a record was cut off, for instance
 * because the run was killed; everything before the cut is complete. A record whose checksum is wrong is broken.
 */
export type RecordEnd = {
  /** The file ends within a record. */
  readonly isCut: boolean;
  /** Records, or stretches of the file, whose checksum is wrong. */
  readonly broken: number;
};

/** Yields the records of one file, and returns how it ended. */
export type Records = Generator<Buffer, RecordEnd>;
