import type { CrashedRun, Measured } from './measure/measured.ts';

/** An experiment that was begun and has no end, and how it goes on. */
export type Unfinished =
  /** It is proposed again; the baseline is taken again. */
  | { readonly n: number; readonly at: 'proposal' }
  /** Its attempt is trained again. */
  | { readonly n: number; readonly at: 'attempt'; readonly commit: string }
  /** Its proposal waits for the user. */
  | { readonly n: number; readonly at: 'review'; readonly repair: CrashedRun | null }
  /** It was measured, and its verdict waits for probes. */
  | { readonly n: number; readonly at: 'verdict'; readonly run: Measured }
  /** Its run waits for its number. `isResumed` is false where the worktree is as the run left it. */
  | { readonly n: number; readonly at: 'number'; readonly isResumed: boolean };

/** Something else is to be done first: what the user wishes, or the deadline has come. It waits on. */
export type Disturbed = { readonly type: 'disturbed'; readonly unfinished: Unfinished };

/** What a wait for the user, or for a number, needs to know of the sitting it is in. */
export type Sitting = {
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  readonly hasWish: () => boolean;
};
