import type { Cluster } from '../machines/cluster.ts';
import type { StopRules } from './stop-rules.ts';

/** `required` runs nothing without a sandbox, `preferred` only reports if there is none, `off` uses none. */
export const SANDBOX_MODES = ['required', 'preferred', 'off'] as const;
export type SandboxMode = (typeof SANDBOX_MODES)[number];

/**
 * How a number becomes a verdict. `honest` knows that the same code gives a different number each time: it repeats
 * the baseline, measures again an incumbent that nothing beats any more, and says how certain a gain is. `greedy`
 * takes each number as it is.
 */
export const VERDICT_RULES = ['honest', 'greedy'] as const;
export type VerdictRule = (typeof VERDICT_RULES)[number];

/** What may change, what must not, how to train, which number counts, for how long. Fixed for a study's life. */
/** Which of two numbers is the better one: the lower or the higher. */
export type Goal = 'minimize' | 'maximize';

/** Factor after which the lower of two numbers is the better one. */
export function signOf(goal: Goal): 1 | -1 {
  return goal === 'minimize' ? 1 : -1;
}

/** The word for which numbers are better. */
export function betterSide(goal: Goal): 'lower' | 'higher' {
  return goal === 'minimize' ? 'lower' : 'higher';
}

export type Contract = {
  /** `pawl.toml`, the shape that was recognised without one, or the user's own entries for this study. */
  readonly source: 'pawl.toml' | 'autoresearch' | 'pi-autoresearch' | 'form';
  /** Glob patterns, relative to the repository root, `/` as separator. */
  readonly editable: readonly string[];
  /** Glob patterns; `null` is every tracked file that is not editable. */
  readonly locked: readonly string[] | null;
  readonly instructions: string | null;
  /** Shell command lines, run in the worktree. */
  readonly train: string;
  readonly setup: string | null;
  /** Names of further variables that the training may see. */
  readonly environment: readonly string[];
  readonly metric: {
    readonly name: string;
    readonly goal: Goal;
    readonly memory: string | null;
    /** In the unit of `memory`; a run that uses more is discarded. */
    readonly memoryLimit: number | null;
    /** Regular expression in RE2's syntax, whose only group is the number; null finds the number by its name. */
    readonly pattern: string | null;
    /** Prints the number after the training, which then need not print it. */
    readonly command: string | null;
    readonly commandSeconds: number;
    /** How long after the training the number may arrive; null if it is there when the training ends. */
    readonly waitSeconds: number | null;
    /** How often `command` is run meanwhile. */
    readonly pollSeconds: number;
    /** Conditions for a keep, in addition to the metric. */
    readonly require: readonly Requirement[];
    /** Null uses the machine's setting (`PAWL_VERDICT`), and `honest` if there is none. */
    readonly verdict: VerdictRule | null;
    /** Smaller gains do not count; in the metric's unit. */
    readonly leastGain: number;
    /** No number can be better than this: 0 for most losses, 1 for an accuracy. Null if not set. */
    readonly bound: number | null;
  };
  /** Commands that must succeed after the training for a keep: tests, linters. */
  readonly checks: readonly Check[];
  /** Where the number comes from, if not from the training: see docs/scoring.md. Null if the training prints it. */
  readonly score: Score | null;
  readonly audit: {
    /** Data that is swapped to test whether a number comes from it: see docs/trust.md. */
    readonly swaps: readonly Swap[];
    /** Whether an edit with a reason to look closer has to wait for the user. */
    readonly approvesHints: boolean;
  };
  /** The model that the training and its scorer may ask through Pawl; null for none. */
  readonly model: { readonly name: string; readonly baseUrl: string | null } | null;
  readonly budget: {
    readonly seconds: number;
    readonly limitSeconds: number;
    /** Whether to end runs that can no longer reach the incumbent; see `judgeCurve`. */
    readonly prune: boolean;
    /** How much longer than the baseline a run may take, as a share of `seconds`; see `budgetOf`. */
    readonly tolerance: number;
    /** Extra seconds for compiling, before the first step and while the GPU is idle. */
    readonly startupSeconds: number;
    /** How many processor cores a run may use on average; null if not set. */
    readonly cores: number | null;
  };
  readonly stop: StopRules;
  /** What a run may use of the machine; null uses Pawl's own limit. */
  readonly limits: {
    /** GiB, for all of its processes together. */
    readonly memoryGb: number | null;
    readonly processes: number | null;
    /** GiB that have to stay free on the disk of Pawl's data. */
    readonly freeDiskGb: number | null;
  };
  readonly sandbox: {
    readonly mode: SandboxMode;
    readonly network: boolean;
    /** What a training may write among the set-up command's files, for instance `build`. Paths or patterns. */
    readonly writes: readonly string[];
    /** Folders outside the repository that the training reads, absolute or starting with `~/`: data, caches. */
    readonly reads: readonly string[];
    /** MiB of the baseline's compiled files that each run gets a copy of; with 0 every run starts with empty caches. */
    readonly cacheMb: number;
  };
  /** Where runs are trained; absent if that is this machine. */
  readonly cluster?: Cluster;
};

/** A condition on a printed value: text is compared ignoring case; `<` and the like compare numbers. */
export type Requirement = {
  readonly name: string;
  readonly how: '=' | '!=' | '<' | '<=' | '>' | '>=';
  readonly value: string;
};

/** Two files or two folders, relative to the repository, absolute, or starting with `~/`; each replaces the other. */
export type Swap = { readonly path: string; readonly other: string };

export type Score = {
  /** Shell command line that runs locked files. */
  readonly command: string;
  /** The files that the training leaves for it: glob patterns, relative to the repository root. */
  readonly artifacts: readonly string[];
  /** Runs the attempt's code, separate from the scorer but connected to it; null if the artifacts are enough. */
  readonly model: string | null;
  /** Whether the model program is started twice, so that neither can know from its own answers what was asked before. */
  readonly hasTwin: boolean;
  /** Files and folders outside the repository that only the scorer can see. */
  readonly reads: readonly string[];
  readonly seconds: number;
};

export type Check = { readonly name: string; readonly command: string; readonly seconds: number };

/** Timers take at most 2^31 milliseconds. */
export const MAX_SECONDS = 2_000_000;

/** Seconds added to twice the budget if the contract sets no limit: for start-up and evaluation. */
const LIMIT_GRACE_SECONDS = 30;

export function defaultLimitSeconds(budgetSeconds: number): number {
  return Math.min(2 * budgetSeconds + LIMIT_GRACE_SECONDS, MAX_SECONDS);
}
