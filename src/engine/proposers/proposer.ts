import type { Contract } from '../../shared/contract/contract.ts';
import type { Idea, IdeaWords } from '../../shared/proposers/ideas.ts';
import type { Crash, Proposal } from '../../shared/study.ts';
import type { Worktree } from '../git/worktree.ts';
import type { HistoryEntry } from '../store/experiment-past.ts';
import type { Refusal } from '../store/refusals.ts';

export type RunningExperiment = {
  readonly n: number;
  readonly hypothesis: string;
  readonly category: string | null;
  readonly memo: unknown;
};

/** An experiment with its commit and the mean of its runs. */
export type Point = { readonly n: number; readonly commit: string; readonly metric: number };

/** What a proposer receives. */
export type ProposalRequest = {
  readonly tag: string;
  readonly n: number;
  readonly contract: Contract;
  /** The user's latest instructions, else the incumbent's instructions file; null if the contract names none. */
  readonly instructions: string | null;
  /** What earlier studies learnt, as the user edited it; it is data, see `memoryOf`. Null for nothing. */
  readonly memory: string | null;
  /** The user's notes to the proposer, oldest first. Each applies from its experiment on. */
  readonly steering: readonly { readonly n: number; readonly at: number; readonly text: string }[];
  /**
   * Waiting ideas in words: the one to carry out now, if any, and those of proposers, to be used if one is better
   * than anything else.
   */
  readonly ideas: { readonly handed: Idea | null; readonly waiting: readonly Idea[] };
  readonly incumbent: Point;
  /**
   * The experiment whose files are in the worktree: the incumbent, or sometimes the best of another line, see
   * `stages/propose/other-lines.ts`.
   */
  readonly start: Point;
  readonly history: readonly HistoryEntry[];
  readonly refusals: readonly Refusal[];
  /** Experiments in flight without a verdict, oldest first. */
  readonly running: readonly RunningExperiment[];
  /** Whether it is asked before its turn. */
  readonly isAhead: boolean;
  /**
   * The proposal that the user sent back to be redone, with remarks; null if there is none. The files are those of
   * `start`.
   */
  readonly review: {
    readonly hypothesis: string;
    readonly diff: string;
    readonly remarks: string;
  } | null;
  /** Set if the attempt crashed and may be repaired: the files are as the crashed attempt left them. */
  readonly repair: { readonly crash: Crash; readonly hypothesis: string; readonly count: number } | null;
};

export type ProposerContext = {
  /** Contains the files to edit in place. Only editable ones may differ afterwards. */
  readonly worktree: Worktree;
  /** Editable files that exist, relative to the worktree. */
  readonly editableFiles: readonly string[];
  /** Marks the processes a proposer starts; see `killTree`. */
  readonly marker: string;
  readonly signal: AbortSignal;
  /** Restores the files to what they were when the proposer was asked. */
  readonly reset: () => Promise<void>;
};

export type ProposerAnswer =
  | {
      readonly kind: 'proposed';
      readonly proposal: Proposal;
      /** The waiting idea that it carries out. */
      readonly idea?: number | null | undefined;
      /** Other ideas it had, to be tried later. */
      readonly ideas?: readonly IdeaWords[] | undefined;
    }
  /** Nothing was proposed this time; the loop records why and asks again. `memo` as in a proposal. */
  | { readonly kind: 'failed'; readonly message: string; readonly memo: unknown }
  /** Nothing can be proposed until the user acts: the study pauses and says so. */
  | { readonly kind: 'blocked'; readonly message: string }
  /** A spending limit forbids going on. */
  | { readonly kind: 'spent'; readonly message: string }
  /** There is nothing left to propose. */
  | { readonly kind: 'exhausted'; readonly message: string };

/** The interface of all proposers. One file per kind; `createProposer` picks. */
export type Proposer = {
  /** Whether a crashed attempt may be handed back for repair. */
  readonly canRepair: boolean;
  /**
   * Whether it can propose experiment `n` while another trains, and several at once: it reads no file of the
   * worktree, which is empty then. Any other proposer is asked one at a time, and knows how the previous experiment
   * ended.
   */
  readonly canLookAhead?: (n: number) => boolean;
  /**
   * Whether experiment `n` may start from a line other than the incumbent's: it must read the files and what is said
   * about them.
   */
  readonly canStartElsewhere?: (n: number) => boolean;
  /** After this many failed or refused proposals in a row, the study ends. */
  readonly maxRefusals: number;
  propose(request: ProposalRequest, context: ProposerContext): Promise<ProposerAnswer>;
  /** Called when the sitting is over. */
  readonly end?: () => void;
};
