import type { z } from 'zod';
import type { Cluster } from './cluster.ts';
import type { stopRulesSchema } from './contract-schema.ts';

export type StopRules = z.infer<typeof stopRulesSchema>;

/** `required` runs nothing without containment, `preferred` says so if there is none, `off` asks for none. */
export const SANDBOX_MODES = ['required', 'preferred', 'off'] as const;
export type SandboxMode = (typeof SANDBOX_MODES)[number];

/**
 * How a number becomes a verdict. `honest` knows that the same code gives another number each time: it repeats the baseline,
 * measures an incumbent again that nothing beats any more, and says how sure a gain is. `greedy` takes each number as it is.
 */
export const VERDICT_RULES = ['honest', 'greedy'] as const;
export type VerdictRule = (typeof VERDICT_RULES)[number];

/** What may change, what must not, how to train, which number counts, for how long. Fixed for a study's life. */
export type Contract = {
  /** `pawl.toml`, the shape that was recognised without one, or what the user filled in for this study. */
  readonly source: 'pawl.toml' | 'autoresearch' | 'pi-autoresearch' | 'form';
  /** Glob patterns, relative to the repository root, `/` as separator. */
  readonly editable: readonly string[];
  /** Glob patterns; `null` is every tracked file that is not editable. */
  readonly locked: readonly string[] | null;
  readonly instructions: string | null;
  /** Shell command lines, run in the worktree. */
  readonly train: string;
  readonly setup: string | null;
  /** Names of further variables the training may see. */
  readonly environment: readonly string[];
  readonly metric: {
    readonly name: string;
    readonly goal: 'minimize' | 'maximize';
    readonly memory: string | null;
    /** In the unit of `memory`; a run above it is discarded. */
    readonly memoryLimit: number | null;
    /** Regular expression in RE2's syntax, whose only group is the number; null finds it by its name. */
    readonly pattern: string | null;
    /** Prints the number after the training, which then need not. */
    readonly command: string | null;
    readonly commandSeconds: number;
    /** How long the number may take to come, after the training; null where it is there when that ends. */
    readonly waitSeconds: number | null;
    /** How often `command` is asked meanwhile. */
    readonly pollSeconds: number;
    /** Conditions for a keep, in addition to the metric. */
    readonly require: readonly Requirement[];
    /** null is the machine's (`PAWL_VERDICT`), and `honest` where that says nothing. */
    readonly verdict: VerdictRule | null;
    /** Smaller gains do not count; in the metric's unit. */
    readonly leastGain: number;
    /** No number can be better than this: 0 for most losses, 1 for an accuracy. Null if not set. */
    readonly bound: number | null;
  };
  /** Commands that must succeed after the training for a keep: tests, linters. */
  readonly checks: readonly Check[];
  /** Where the number comes from, if not from the training: see docs/scoring.md. Null where that prints it. */
  readonly score: Score | null;
  readonly audit: {
    /** Data that is exchanged to see whether a number comes from it: see docs/trust.md. */
    readonly swaps: readonly Swap[];
    /** Whether an edit that gives a reason to look closer waits for the user. */
    readonly approvesHints: boolean;
  };
  /** Which model the training and its scorer may ask, through Pawl; null for none. */
  readonly model: { readonly name: string; readonly baseUrl: string | null } | null;
  readonly budget: {
    readonly seconds: number;
    readonly limitSeconds: number;
    /** Whether a run is ended that cannot reach the incumbent any more; see `judgeCurve`. */
    readonly prune: boolean;
    /** How much longer than the baseline a run may take, as a share of `seconds`; see `budgetOf`. */
    readonly tolerance: number;
    /** Extra seconds for compiling, before the first step and while the GPU is idle. */
    readonly startupSeconds: number;
    /** How many processor cores a run may use on average; null if not set. */
    readonly cores: number | null;
  };
  readonly stop: StopRules;
  /** What a run may take of the machine; null is Pawl's own measure. */
  readonly limits: {
    /** GiB, of all its processes together. */
    readonly memoryGb: number | null;
    readonly processes: number | null;
    /** GiB that stay free on the disk of Pawl's data. */
    readonly freeDiskGb: number | null;
  };
  readonly sandbox: {
    readonly mode: SandboxMode;
    readonly network: boolean;
    /** Of what the set-up command left, what a training may write: `build`, say. Paths or patterns. */
    readonly writes: readonly string[];
    /** Folders outside the repository that the training reads, absolute or below `~/`: data, caches. */
    readonly reads: readonly string[];
    /** MiB of what the baseline compiled that each run gets a copy of; 0 starts every run with empty caches. */
    readonly cacheMb: number;
  };
  /** Where runs are trained instead of on this machine; absent where it is this machine. */
  readonly cluster?: Cluster;
};

/** A printed value beside the one that is wanted: text is compared without regard to case, `<` and its like as numbers. */
export type Requirement = {
  readonly name: string;
  readonly how: '=' | '!=' | '<' | '<=' | '>' | '>=';
  readonly value: string;
};

/** Two files or two folders, relative to the repository, absolute, or below `~/`; either stands in the place of the other. */
export type Swap = { readonly path: string; readonly other: string };

export type Score = {
  /** Shell command line, of locked files. */
  readonly command: string;
  /** What the training leaves for it: glob patterns, relative to the repository root. */
  readonly artifacts: readonly string[];
  /** Runs the attempt's code, apart from the scorer and connected with it; null where the artifacts are all it needs. */
  readonly model: string | null;
  /** Whether that is started twice, so that no program can know from its own answers what it was asked before. */
  readonly hasTwin: boolean;
  /** Files and folders outside the repository that only the scorer sees. */
  readonly reads: readonly string[];
  readonly seconds: number;
};

export type Check = { readonly name: string; readonly command: string; readonly seconds: number };

/** Timers take at most 2^31 milliseconds. */
export const MAX_SECONDS = 2_000_000;

/** Seconds that are added to twice the budget when the contract sets no limit: start-up and evaluation. */
export const LIMIT_GRACE_SECONDS = 30;

export function defaultLimitSeconds(budgetSeconds: number): number {
  return Math.min(2 * budgetSeconds + LIMIT_GRACE_SECONDS, MAX_SECONDS);
}
