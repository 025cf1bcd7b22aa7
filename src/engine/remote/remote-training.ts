import type { SandboxMode } from '../../shared/contract.ts';
import type { JobPlace } from '../../shared/lanes.ts';
import type { Repository } from '../git/repository.ts';
import type { TrainingResult } from '../process/run-training.ts';
import type { RemoteOutcome } from './outcome.ts';

/** Shell command line, and how long it may take. */
export type RemoteCommand = { readonly command: string; readonly seconds: number };

/** One run, as it is trained on another machine. It means the same wherever that is. */
export type RemoteJob = {
  /** Of the run; no other run ever has it. Name and folder of the job follow from it. */
  readonly marker: string;
  readonly repository: Repository;
  readonly commit: string;
  /** Run before the training, in its worktree and in its sandbox; null for nothing. */
  readonly setUp: RemoteCommand | null;
  readonly train: RemoteCommand;
  /** Run after a training that ended well; its output is a file of its own. */
  readonly metric: RemoteCommand | null;
  /** As of `trainingEnvironment`; what the machine has of the same names goes before it in a `PATH`, else it goes under. */
  readonly environment: Readonly<Record<string, string>>;
  /** In addition where it is contained. */
  readonly containedEnvironment: Readonly<Record<string, string>>;
  /** UUIDs of the machine's GPUs that it may use, and no other run meanwhile; absent for those that whoever runs the job gives it. */
  readonly gpus?: readonly string[];
  /** Numbers of the machine's cores that it is bound to, and no other run meanwhile. */
  readonly cores?: readonly number[];
  /** With `required` a machine without bubblewrap trains nothing. */
  readonly containment: SandboxMode;
  readonly network: boolean;
  /** What it may read of a home, absolute or below `~/`. */
  readonly reads: readonly string[];
  /** Files and folders of the worktree that are mounted read-only. */
  readonly sealed: readonly string[];
  /** Files that are compared after the training. */
  readonly locked: readonly string[];
  /** What is kept of its files: glob patterns. */
  readonly artifacts: readonly string[];
  readonly maxArtifactBytes: number;
  /** Here the output is written as it comes. */
  readonly logPath: string;
  readonly maxOutputBytes?: number;
};

/** What has to be known of a job to remove it. */
export type KnownJob = { readonly marker: string; readonly repository: Pick<Repository, 'gitDir'> };

export type RemotePhase =
  /** `reason` is what the scheduler says, null as long as it says nothing. */
  | { readonly kind: 'queued'; readonly reason: string | null }
  /** Its set-up command runs, which is no part of the training. */
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

/** Why a job ended, where that is more than the outcome says. */
export type RemoteEnd =
  /** By itself, by its own limits, or because Pawl ended it. */
  | { readonly kind: 'ended' }
  /** Nothing of it counts and nothing is wrong with the commit: it may be run again. */
  | {
      readonly kind: 'preempted' | 'requeued' | 'node_failed' | 'host_gone' | 'cancelled' | 'lost';
      readonly message: string;
    }
  /** It got less than it needs: it would end the same way again. */
  | { readonly kind: 'out_of_memory' | 'time_limit'; readonly message: string }
  /** Nothing was trained, and no other run would be: the user has to change something. */
  | { readonly kind: 'refused' | 'no_sandbox' | 'not_started'; readonly message: string }
  /** Nothing was trained yet, because something else is to be done first; `message` is what it waited for. */
  | { readonly kind: 'put_off'; readonly message: string };

export type RemoteResult = TrainingResult & {
  readonly end: RemoteEnd;
  /** Number of the scheduler's job; null where none was made. */
  readonly job: string | null;
  readonly node: string | null;
  readonly gpus: RemoteOutcome['gpus'];
  readonly gpu: RemoteOutcome['gpu'];
  readonly isContained: boolean;
  /** Its output; null where it was not run. */
  readonly metric: (NonNullable<RemoteOutcome['metric']> & { readonly log: string }) | null;
  /** Locked files that are not what they were. */
  readonly touched: readonly string[];
  /** Where the artifacts lie, by their paths in the worktree, and what found no room. */
  readonly artifacts: { readonly folder: string; readonly leftOut: readonly string[] };
  /** Whether it is known that the job has ended. */
  readonly isVerified: boolean;
};

/** Where runs are trained instead of on this machine. Its jobs outlive the engine. */
export type RemoteTraining = {
  readonly place: JobPlace;
  /**
   * Trains one run. A second call with the same marker finds the job of the first and goes on with it, whatever has become
   * of the process that made it. Not rejected where Slurm does not answer: it goes on waiting.
   */
  readonly train: (job: RemoteJob, watch: RemoteWatch) => Promise<RemoteResult>;
  /** As `train`, but null where no job was ever made. */
  readonly adopt: (job: RemoteJob, watch: RemoteWatch) => Promise<RemoteResult | null>;
  /** Removes what is left of a run whose result is in the ledger. */
  readonly forget: (job: KnownJob) => Promise<void>;
  /**
   * Ends the job of a run that nobody follows, and removes what is left of it. Tries until the signal is aborted; says whether it is
   * known that nothing of it runs, nor ever will.
   */
  readonly end: (job: KnownJob, signal: AbortSignal) => Promise<boolean>;
};
