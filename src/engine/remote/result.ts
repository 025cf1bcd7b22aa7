import { join } from 'node:path';
import type { RunOutcome } from '../../shared/study.ts';
import type { JobFolder } from './job-folder.ts';
import type { RemoteOutcome } from './outcome.ts';
import type { RemoteEnd, RemoteResult } from './remote-training.ts';

/** The reason for which Pawl asked a job to end. */
export type Asked = 'aborted' | 'pruned' | 'over_budget';

/** Everything known about a job that is over. */
export type Ended = {
  readonly folder: JobFolder;
  readonly job: string | null;
  /** Null where the wrapper left none, or none that can be believed. */
  readonly outcome: RemoteOutcome | null;
  readonly asked: Asked | null;
  /** Why it ended, as far as its scheduler or host knows; it counts if the wrapper did not end the job itself. */
  readonly end: RemoteEnd;
  /** How long it was seen to run, if there is no outcome. */
  readonly seconds: number;
  readonly outputBytes: number;
  readonly logError: NodeJS.ErrnoException | null;
  readonly isVerified: boolean;
};

export function resultOf(ended: Ended): RemoteResult {
  const { folder, outcome } = ended;
  const end = endOf(ended);
  return {
    end,
    outcome: runOutcomeOf(ended, end),
    seconds: outcome?.seconds ?? ended.seconds,
    outputBytes: ended.outputBytes,
    resources: {
      peakRssBytes: outcome?.peak_rss_bytes ?? null,
      cpuSeconds: outcome?.cpu_seconds ?? null,
    },
    // They are on another machine: nothing here can end them.
    survivors: [],
    logError: ended.logError,
    job: ended.job,
    node: outcome?.node ?? null,
    processor: outcome?.processor ?? null,
    ...{ gpus: outcome?.gpus ?? [], gpu: outcome?.gpu ?? null, isContained: outcome?.contained ?? false },
    metric: outcome?.metric ? { ...outcome.metric, log: join(folder.path, 'metric.log') } : null,
    checks: (outcome?.checks ?? []).map((check, at) => ({
      ...check,
      log: join(folder.path, `check-${at + 1}.log`),
    })),
    touched: outcome?.touched ?? [],
    written: outcome?.written_folders
      ? { files: outcome.written ?? [], folders: outcome.written_folders }
      : null,
    artifacts: { folder: join(folder.path, 'artifacts'), leftOut: outcome?.left_out ?? [] },
    isVerified: ended.isVerified,
  };
}

/** Whether something outside ended it, so that its own account of its end is not the reason. */
export function endedFromOutside(outcome: RemoteOutcome): boolean {
  return lastEnd(outcome).kind === 'terminated';
}

function endOf({ outcome, asked, end }: Ended): RemoteEnd {
  if (end.kind === 'put_off') return end;
  if (!outcome) return asked === null ? end : { kind: 'ended' };
  const last = lastEnd(outcome);
  switch (last.kind) {
    case 'terminated':
      return asked === null ? end : { kind: 'ended' };
    case 'time_limit':
      return { kind: 'time_limit', message: 'The scheduler’s own limit came before the budget of the run.' };
    case 'requeued':
      return { kind: 'requeued', message: 'It was started a second time, and a run is trained only once.' };
    case 'disk_taken':
      return { kind: 'lost', message: DISK_TAKEN };
    case 'not_started': {
      const kind = last.why === 'no_sandbox' ? 'no_sandbox' : 'not_started';
      return { kind, message: last.message };
    }
    case 'cancelled':
      // By an engine that died before it could report it.
      return asked === null ? { kind: 'cancelled', message: 'It was cancelled before.' } : { kind: 'ended' };
    case 'exit':
    case 'signal':
    case 'timeout':
    case 'flooded':
    case 'limited':
      return { kind: 'ended' };
  }
}

function runOutcomeOf({ outcome, asked }: Ended, end: RemoteEnd): RunOutcome {
  switch (end.kind) {
    case 'out_of_memory':
      return { kind: 'limited', limit: 'memory', message: end.message };
    case 'time_limit':
      return { kind: 'timeout' };
    case 'refused':
    case 'no_sandbox':
    case 'not_started':
      return { kind: 'spawn_failed', message: end.message };
    case 'preempted':
    case 'requeued':
    case 'node_failed':
    case 'host_gone':
    case 'cancelled':
    case 'lost':
    case 'put_off':
      return { kind: 'interrupted' };
    case 'ended':
      return ownOutcome(outcome, asked);
  }
}

function ownOutcome(outcome: RemoteOutcome | null, asked: Asked | null): RunOutcome {
  if (!outcome) return { kind: asked ?? 'interrupted' };
  const { end } = outcome;
  const last = lastEnd(outcome);
  const isCut = last.kind === 'cancelled' || last.kind === 'terminated';
  // It may have ended by itself before the request reached it.
  if (isCut) return { kind: asked ?? 'interrupted' };
  const isFailed = end.kind === 'signal' || (end.kind === 'exit' && end.code !== 0);
  if (isFailed && outcome.out_of_memory) return { kind: 'limited', limit: 'memory', message: OUT_OF_MEMORY };
  return outcomeOfCommand(end);
}

export function outcomeOfCommand(end: RemoteOutcome['end']): RunOutcome {
  switch (end.kind) {
    case 'exit':
    case 'signal':
    case 'timeout':
    case 'flooded':
    case 'limited':
      return end;
    case 'cancelled':
    case 'terminated':
    case 'time_limit':
    case 'requeued':
    case 'disk_taken':
    case 'not_started':
      return { kind: 'interrupted' };
  }
}

/** The end of the last command that ran. */
function lastEnd({ end, metric, checks }: RemoteOutcome): RemoteOutcome['end'] {
  return end.kind === 'exit' ? (checks.at(-1)?.end ?? metric?.end ?? end) : end;
}

const DISK_TAKEN = 'Something else filled the disk there, perhaps the run of another lane.';
export const PUT_BACK = 'Slurm put it back into the queue, and a run is trained only once.';
export const OUT_OF_MEMORY = 'The job used more memory than it had asked the cluster for.';
