import type { Contract, SandboxMode } from '../../shared/contract/contract.ts';
import type { JobPlace } from '../../shared/machines/lanes.ts';
import type { Repository } from '../git/repository.ts';
import type { TrainingResult } from '../process/run-training.ts';
import type { RemoteOutcome } from './outcome.ts';

/** Shell command line, and its time limit. */
type RemoteCommand = { readonly command: string; readonly seconds: number };

/** One run to train on another machine. It means the same on every machine. */
export type RemoteJob = {
  /** The run's marker, which no other run ever has. It determines the job's name and folder. */
  readonly marker: string;
  readonly repository: Repository;
  readonly commit: string;
  /** Run before the training, in its worktree and in its sandbox; null for nothing. */
  readonly setUp: RemoteCommand | null;
  readonly train: RemoteCommand;
  /** Run after a training that ended well; its output goes to a separate file. */
  readonly metric: RemoteCommand | null;
  /** Run after that, in order, until one fails. */
  readonly checks: readonly RemoteCommand[];
  /**
   * As from `trainingEnvironment`, with `WORKTREE_THERE` in place of the worktree; in a `PATH` the machine's own value comes first,
   * otherwise these values win.
   */
  readonly environment: Readonly<Record<string, string>>;
  /** Files of the checkout that no commit has, which are brought to the worktree: modules, compiled for machines of one kind. */
  readonly compiled: { readonly kind: string; readonly paths: readonly string[] };
  /** Added if it is contained. */
  readonly containedEnvironment: Readonly<Record<string, string>>;
  /** UUIDs of the GPUs that it may use, and no other run meanwhile; absent if its scheduler chooses the GPUs. */
  readonly gpus?: readonly string[];
  /** Numbers of the machine's cores that it is bound to, and no other run meanwhile. */
  readonly cores?: readonly number[];
  /** Nodes that would not do; a scheduler's choice of the user's own goes first. */
  readonly avoid?: readonly string[];
  /** With `required`, a machine without bubblewrap trains nothing. */
  readonly containment: SandboxMode;
  readonly network: boolean;
  /** What it may read of a home, absolute or below `~/`. */
  readonly reads: readonly string[];
  /** Files and folders of the worktree that are mounted read-only. */
  readonly sealed: readonly string[];
  /** Patterns of what the training may change of the files that the set-up has made; the others are compared. */
  readonly writes: readonly string[];
  readonly limits: Contract['limits'];
  /** Files to compare after the training. */
  readonly locked: readonly string[];
  /** Files of the user's own commit: which of them it writes is to be learnt, and in which folders. Otherwise empty. */
  readonly observed: readonly string[];
  /** Glob patterns of its files to keep. */
  readonly artifacts: readonly string[];
  readonly maxArtifactBytes: number;
  /** Receives the output as it comes. */
  readonly logPath: string;
  readonly maxOutputBytes?: number;
};

/** The facts needed to remove a job. */
export type KnownJob = { readonly marker: string; readonly repository: Pick<Repository, 'gitDir'> };

export type RemotePhase =
  /** `reason` is the scheduler's, null as long as it gives none. */
  | { readonly kind: 'queued'; readonly reason: string | null }
  /** Its set-up command runs, which is not part of the training. */
  | { readonly kind: 'setting_up'; readonly node: string }
  | { readonly kind: 'running'; readonly node: string; readonly gpu: string | null };

export type RemoteWatch = {
  readonly onOutput: (chunk: Buffer) => void;
  readonly onState: (phase: RemotePhase) => void;
  /** Ends it now. */
  readonly signal: AbortSignal;
  /** As in `TrainingOptions`. */
  readonly enough?: AbortSignal | undefined;
  /** Something else is to be done first: what could not be started yet is not waited for. */
  readonly putOff?: AbortSignal | undefined;
};

/** Why a job ended, if the outcome does not say enough. */
export type RemoteEnd =
  /** By itself, by its own limits, or because Pawl ended it. */
  | { readonly kind: 'ended' }
  /** Nothing of it counts, and the commit is not at fault: it may be run again. */
  | {
      readonly kind: 'preempted' | 'requeued' | 'node_failed' | 'host_gone' | 'cancelled' | 'lost';
      readonly message: string;
    }
  /** It got less than it needs, and would end the same way again. */
  | { readonly kind: 'out_of_memory' | 'time_limit'; readonly message: string }
  /** Nothing was trained, and no other run would be: the user must change something. */
  | { readonly kind: 'refused' | 'no_sandbox' | 'not_started'; readonly message: string }
  /** Nothing was trained yet, because something else is to be done first; `message` is what it waited for. */
  | { readonly kind: 'put_off'; readonly message: string };

export type Written = { readonly files: readonly string[]; readonly folders: readonly string[] };

export type RemoteResult = TrainingResult & {
  readonly end: RemoteEnd;
  /** Number of the scheduler's job; null if none was made. */
  readonly job: string | null;
  readonly node: string | null;
  readonly gpus: RemoteOutcome['gpus'];
  /** Model of its processors; null where that is not known. */
  readonly processor: string | null;
  readonly gpu: RemoteOutcome['gpu'];
  readonly isContained: boolean;
  /** Its output; null if it was not run. */
  readonly metric: (NonNullable<RemoteOutcome['metric']> & { readonly log: string }) | null;
  /** Those that were run. */
  readonly checks: readonly (RemoteOutcome['checks'][number] & { readonly log: string })[];
  /** Locked files that changed, and files of the set-up that are no longer the same. */
  readonly touched: readonly string[];
  /** What it has written of the observed files and their folders; null if none were observed. */
  readonly written: Written | null;
  /** The folder of the artifacts, by their paths in the worktree, and those that did not fit. */
  readonly artifacts: { readonly folder: string; readonly leftOut: readonly string[] };
  /** Whether it is known that the job has ended. */
  readonly isVerified: boolean;
};

/** Everything that a run may start, in its order. */
export function commandsOf({
  setUp,
  train,
  metric,
  checks,
}: Pick<RemoteJob, 'setUp' | 'train' | 'metric' | 'checks'>): readonly RemoteCommand[] {
  return [setUp, train, metric, ...checks].filter(command => command !== null);
}

/** How long a stop waits for another machine's answer. */
export const ANSWER_MS = 5_000;

/** Trains runs on another machine. Its jobs outlive the engine. */
export type RemoteTraining = {
  readonly place: JobPlace;
  /**
   * Trains one run. A second call with the same marker finds the job of the first and continues it, whatever happened
   * to the process that made it. Does not reject if Slurm does not answer: it keeps waiting.
   */
  readonly train: (job: RemoteJob, watch: RemoteWatch) => Promise<RemoteResult>;
  /** As `train`, but null if no job was ever made. */
  readonly adopt: (job: RemoteJob, watch: RemoteWatch) => Promise<RemoteResult | null>;
  /** Whether the machine answers before the signal is aborted. */
  readonly answers: (signal: AbortSignal) => Promise<boolean>;
  /** Removes the rest of a run whose result is in the ledger. */
  readonly forget: (job: KnownJob, signal?: AbortSignal) => Promise<void>;
  /**
   * Ends the job of a run that is no longer followed, and removes the rest of it. Tries until the signal is aborted;
   * returns whether it is certain that nothing of it runs or will run.
   */
  readonly end: (job: KnownJob, signal: AbortSignal) => Promise<boolean>;
};
