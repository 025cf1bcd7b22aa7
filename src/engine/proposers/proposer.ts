import type { Contract } from '../../shared/contract.ts';
import type { Idea, IdeaWords } from '../../shared/ideas.ts';
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
  /** What the user wrote last, else the instructions file of the incumbent; null where the contract names none. */
  readonly instructions: string | null;
  /** What earlier studies learnt, as the user left it: material, see `memoryOf`; null for nothing. */
  readonly memory: string | null;
  /** The user's notes to the proposer, oldest first, each with the experiment it was meant for and all after it. */
  readonly steering: readonly { readonly n: number; readonly at: number; readonly text: string }[];
  /**
   * What waits to be tried and is words only: the one that is to be done now, if there is one, and those of proposers, to be
   * taken up where one is better than anything else.
   */
  readonly ideas: { readonly handed: Idea | null; readonly waiting: readonly Idea[] };
  readonly incumbent: Point;
  /** What the files are: the incumbent, or now and then the best of another line, see `stages/propose/other-lines.ts`. */
  readonly start: Point;
  readonly history: readonly HistoryEntry[];
  readonly refusals: readonly Refusal[];
  /** What is being tried meanwhile and has no verdict yet, oldest first. */
  readonly running: readonly RunningExperiment[];
  /** Whether it is asked for ahead of its turn. */
  readonly isAhead: boolean;
  /** What the user sent back to be done again, with their remarks; null where nothing was. The files are those of `start`. */
  readonly review: {
    readonly hypothesis: string;
    readonly diff: string;
    readonly remarks: string;
  } | null;
  /** Set when the attempt crashed and may be repaired: the files are as the crashed attempt left them. */
  readonly repair: { readonly crash: Crash; readonly hypothesis: string; readonly count: number } | null;
};

export type ProposerContext = {
  /** The files to edit, in place. Only editable ones may differ afterwards. */
  readonly worktree: Worktree;
  /** Editable files that exist, relative to the worktree. */
  readonly editableFiles: readonly string[];
  /** Marks the processes a proposer starts; see `killTree`. */
  readonly marker: string;
  readonly signal: AbortSignal;
  /** Makes the files again what they were when the proposer was asked. */
  readonly reset: () => Promise<void>;
};

export type ProposerAnswer =
  | {
      readonly kind: 'proposed';
      readonly proposal: Proposal;
      /** Which of the ideas that waited it is. */
      readonly idea?: number | null | undefined;
      /** What else it thought of, to be tried later. */
      readonly ideas?: readonly IdeaWords[] | undefined;
    }
  /** Nothing came of it this time; the loop records why and asks again. `memo` as in a proposal. */
  | { readonly kind: 'failed'; readonly message: string; readonly memo: unknown }
  /** Nothing will come of it until the user has done something: the study pauses and says so. */
  | { readonly kind: 'blocked'; readonly message: string }
  /** A spend cap forbids to go on. */
  | { readonly kind: 'spent'; readonly message: string }
  /** There is nothing left to propose. */
  | { readonly kind: 'exhausted'; readonly message: string };

/** The port. One file per kind; `createProposer` picks. */
export type Proposer = {
  /** Whether a crashed attempt may be handed back for repair. */
  readonly canRepair: boolean;
  /**
   * Whether it can be asked for experiment `n` while another trains, and for several at once: it reads no file of the worktree, which
   * is empty then. Any other is asked one question at a time, and knows what came of the one before.
   */
  readonly canLookAhead?: (n: number) => boolean;
  /** Whether experiment `n` may start from another line than the incumbent's: it reads the files, and what is said of them. */
  readonly canStartElsewhere?: (n: number) => boolean;
  /** This many failed or refused proposals in a row end the study. */
  readonly maxRefusals: number;
  propose(request: ProposalRequest, context: ProposerContext): Promise<ProposerAnswer>;
  /** The sitting is over. */
  readonly end?: () => void;
};
