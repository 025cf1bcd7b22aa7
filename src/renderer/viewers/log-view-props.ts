import type { LogHit, LogPiece } from '../../shared/notebook.ts';
import type { LogSearch } from './log-lines.ts';

/**
 * The caller holds a part of the log and moves it on request; it decides how much to hold. Every callback may be
 * called again before it was answered, and a call may be ignored while another is in progress.
 */
export type LogViewProps = {
  /**
   * The held pieces, in order and without gaps: each begins at the byte where the one before it ends. Pieces may be
   * added and dropped at both ends, or all replaced; the row that the reader is looking at stays in place if it is
   * still held.
   */
  readonly pieces: readonly LogPiece[];
  /** False while the run may still write. */
  readonly isComplete: boolean;
  /** Known size of the log in bytes. */
  readonly size: number;
  readonly isLoading: boolean;
  /** Requests the piece before the first one. Called near the top, at most once per second for the same byte. */
  onEarlier(): void;
  /** Requests the piece after the last one. Called near the bottom, at most once per second for the same byte. */
  onLater(): void;
  /** Requests the end of the log, dropping pieces that do not adjoin it. */
  onEnd(): void;
  /**
   * Whether the reader follows the end of a running log. While true, the caller adds new output; while false, it
   * should add nothing on its own, or it may drop what is being read.
   */
  onFollow?(isFollowing: boolean): void;
  /** Words to find, ignoring case; '' ends the search. Not called again while they stay the same. */
  onSearch(words: string): void;
  /** The state of the last search; null if there is none. One hit per line. */
  readonly hits: LogSearch | null;
  /** Requests the piece with this hit, which was chosen but is not held. */
  onHit(hit: LogHit): void;
  /** Why the log could not be read; shown above the held part. */
  readonly error: string | null;
  /** Accessible name. */
  readonly label?: string;
};
