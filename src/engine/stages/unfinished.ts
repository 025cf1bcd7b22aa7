import type { CrashedRun, Measured } from './measure/measured.ts';

/** An experiment that was begun but not ended, and how it continues. */
export type Unfinished =
  /** It is proposed again; a baseline begins again. */
  | { readonly n: number; readonly at: 'proposal' }
  /** Its attempt is trained again. */
  | { readonly n: number; readonly at: 'attempt'; readonly commit: string }
  /** Its proposal waits for the user. */
  | { readonly n: number; readonly at: 'review'; readonly repair: CrashedRun | null }
  /** It was measured, and its verdict waits for probes. */
  | { readonly n: number; readonly at: 'verdict'; readonly run: Measured }
  /** Its run waits for its number. `isResumed` is false if the worktree is as the run left it. */
  | { readonly n: number; readonly at: 'number'; readonly isResumed: boolean };

/** Something else has to be done first: the user asked for it, or the deadline has come. It keeps waiting. */
export type Disturbed = { readonly type: 'disturbed'; readonly unfinished: Unfinished };

/** What a wait for the user or for a number has to know about its sitting. */
export type Sitting = {
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  readonly hasWish: () => boolean;
};
