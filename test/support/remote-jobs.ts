import { join } from 'node:path';
import { expect } from 'vitest';
import { openRepository, readHeadCommit } from '../../src/engine/git/repository.ts';
import type {
  RemoteJob,
  RemotePhase,
  RemoteResult,
  RemoteTraining,
} from '../../src/engine/remote/remote-training.ts';
import { createRepository, temporaryFolder } from './scaffold.ts';

/** Runs on other machines, as tests request them, and what they report. */

let runs = 0;

/** A job that belongs to no other test, of a repository with the given `train.sh`. */
export async function jobOf(train: string, more: Partial<RemoteJob> = {}): Promise<RemoteJob> {
  const repository = await openRepository(
    await createRepository({ 'train.sh': train, 'lib.txt': 'locked\n' }),
  );
  const commit = (await readHeadCommit(repository)) ?? '';
  runs += 1;
  return {
    ...{ marker: `study${process.pid}/${runs}.0`, repository, commit },
    ...{ setUp: null, train: { command: 'sh train.sh', seconds: 600 }, metric: null, checks: [] },
    ...{ writes: [], limits: { memoryGb: null, processes: null, freeDiskGb: null } },
    ...{
      environment: { PAWL_RUN: `study/${runs}.0`, PATH: '/usr/bin:/bin', TERM: 'xterm-256color' },
      ...{ containedEnvironment: {}, compiled: { kind: '', paths: [] } },
    },
    ...{ containment: 'off', network: false, reads: [], sealed: [], locked: ['lib.txt'], observed: [] },
    ...{ artifacts: [], maxArtifactBytes: 1e6, logPath: join(await temporaryFolder(), 'output.log') },
    ...more,
  };
}

/** A started job and everything it has reported. */
export class Watched {
  readonly #stop = new AbortController();
  readonly #enough = new AbortController();
  readonly #putOff = new AbortController();
  readonly phases: RemotePhase[] = [];
  readonly result: Promise<RemoteResult | null>;
  output = '';

  constructor(training: RemoteTraining, job: RemoteJob, how: 'train' | 'adopt' = 'train') {
    this.result = training[how](job, {
      onOutput: chunk => {
        this.output += chunk.toString('utf8');
      },
      onState: phase => this.phases.push(phase),
      ...{ signal: this.#stop.signal, enough: this.#enough.signal, putOff: this.#putOff.signal },
    });
  }

  stop(): void {
    this.#stop.abort();
  }

  /** A failure outside the job. */
  leave(): void {
    this.result.catch(() => {});
    this.#stop.abort(new Error('the disk is full'));
  }

  /** Something else is to be done first. */
  putOff(): void {
    this.#putOff.abort();
  }

  prune(): void {
    this.#enough.abort('pruned');
  }

  /** Waits until the training has printed a text. */
  async printed(text: string): Promise<void> {
    await expect.poll(() => this.output).toContain(text);
  }

  async queuedFor(reason: string): Promise<void> {
    await expect.poll(() => this.#queued(reason)).not.toBe(0);
  }

  /** Waits until the scheduler's program has ended; it is told the reason while that runs, and again after it. */
  async refusedFor(reason: string): Promise<void> {
    await expect.poll(() => this.#queued(reason)).toBeGreaterThan(1);
  }

  #queued(reason: string): number {
    return this.phases.filter(phase => phase.kind === 'queued' && phase.reason === reason).length;
  }
}

export function nameOf(job: RemoteJob): string {
  return `pawl-${job.marker.replaceAll('/', '-')}`;
}

/** Prints a line, then waits until it is ended. */
export const WAITS = 'echo begun; exec sleep 900\n';
