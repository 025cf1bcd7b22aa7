import type { Literal } from './literal.ts';

/** A value in an editable file that the search may change. */
export type Constant = {
  readonly file: string;
  /** Unique in its file: `DEPTH`, `Config.lr`, `--lr`, `optimizer.lr`. */
  readonly name: string;
  readonly literal: Literal;
  /** The offset of the literal's text in the file. */
  readonly start: number;
  readonly end: number;
};

/** A value that the reader of one language has found; it may still be left alone. */
export type Candidate = Omit<Constant, 'file'> & {
  /** Another name of it in the program: its environment variable or option. Candidates that share one are dropped. */
  readonly alias?: string;
};
