import type { RemoteEnd } from '../remote-training.ts';
import { OUT_OF_MEMORY, PUT_BACK } from '../result.ts';

/** States that squeue shows for a finished job. Source: "JOB STATE CODES" in squeue(1). */
const OVER: Readonly<Record<string, RemoteEnd['kind']>> = {
  ...{ PREEMPTED: 'preempted', NODE_FAIL: 'node_failed', BOOT_FAIL: 'node_failed' },
  ...{ OUT_OF_MEMORY: 'out_of_memory', TIMEOUT: 'time_limit', DEADLINE: 'time_limit' },
  ...{ CANCELLED: 'cancelled', REVOKED: 'cancelled', REQUEUED: 'requeued', REQUEUE_HOLD: 'requeued' },
  ...{ SPECIAL_EXIT: 'requeued', COMPLETED: 'lost', FAILED: 'lost' },
};

const WORDS: Readonly<Partial<Record<RemoteEnd['kind'], string>>> = {
  preempted: 'The cluster gave its place to another job.',
  node_failed: 'Its node failed.',
  out_of_memory: OUT_OF_MEMORY,
  time_limit: 'Slurm’s own limit ended it.',
  cancelled: 'Somebody cancelled it.',
  requeued: PUT_BACK,
};

/** Whether a job in this state will not run any more. */
export function isOver(state: string): boolean {
  return state in OVER;
}

/** Whether it is still queued. */
export function isWaiting(state: string): boolean {
  return state === 'PENDING' || state === 'CONFIGURING' || state === 'SUSPENDED';
}

/**
 * Why a job ended that left no outcome, or one that says no more than that it was told to end.
 * @param state Slurm's; null where it has forgotten the job
 * @param said by the job's script itself
 */
export function classifyEnd(state: string | null, said: string): RemoteEnd {
  // sacct adds who cancelled it: "CANCELLED by 1000".
  const kind = (state === null ? undefined : OVER[state.split(' ')[0] ?? '']) ?? 'lost';
  const words = WORDS[kind];
  if (words !== undefined && kind !== 'ended') return { kind, message: words };
  const what = state === null ? 'Slurm no longer knows it' : `Slurm reports ${state}`;
  const more = said === '' ? '' : ` It said: ${said}`;
  return { kind: 'lost', message: `The job ended without an outcome; ${what}.${more}` };
}
