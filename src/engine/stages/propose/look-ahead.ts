import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Proposal } from '../../../shared/study.ts';
import type { ProposerAnswer, RunningExperiment } from '../../proposers/proposer.ts';
import { makeScratch, removeScratch } from '../../scratch.ts';

/** A proposal that was made while other experiments trained. */
export type Prepared = {
  readonly proposal: Proposal;
  /** The incumbent it was made for. */
  readonly base: string;
  /** Whole texts of the files it changes. */
  readonly files: ReadonlyMap<string, string>;
};

type Running = {
  readonly base: string;
  /** What the user told the proposer; a new message makes the proposal outdated. */
  readonly told: string;
  readonly stop: AbortController;
  readonly made: Promise<Prepared | null>;
  /** What was made, as soon as it is. */
  proposal: Proposal | null;
};

/**
 * Has the next proposals made while experiments train, each in a folder of its own, so that a lane need not wait for it. At most one for
 * each experiment to come; what fails here is simply asked for again when its turn comes.
 */
export class LookAhead {
  readonly #scratch: string;
  /** By the number of the experiment they are for. */
  readonly #running = new Map<number, Running>();

  /** @param scratch see {@link makeScratch} */
  constructor(scratch: string) {
    this.#scratch = scratch;
  }

  has(n: number): boolean {
    return this.#running.has(n);
  }

  /** What is prepared, as far as it is known. */
  prepared(): readonly RunningExperiment[] {
    return [...this.#running].flatMap(([n, { proposal }]) => {
      const { hypothesis = '', category = null, memo = null } = proposal ?? {};
      return proposal ? [{ n, hypothesis, category, memo }] : [];
    });
  }

  /** @param make writes the files of a proposal into the folder */
  start(
    n: number,
    base: string,
    told: string,
    make: (folder: string, signal: AbortSignal) => Promise<ProposerAnswer>,
  ): void {
    const stop = new AbortController();
    const made = prepare(this.#scratch, base, stop.signal, folder => make(folder, stop.signal))
      .catch(() => null)
      .then(prepared => {
        running.proposal = prepared?.proposal ?? null;
        return prepared;
      });
    const running: Running = { base, told, stop, made, proposal: null };
    this.#running.set(n, running);
  }

  /** What was prepared for experiment `n`, once it is; null where nothing was, or the user has said something since. */
  async take(n: number, told: string): Promise<Prepared | null> {
    const running = this.#running.get(n);
    if (!running) return null;
    this.#running.delete(n);
    if (running.told === told) return running.made;
    await end(running);
    return null;
  }

  /** Resolves once the proposer is done with all of it; what it made stays to be taken. */
  async settled(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ made }) => made));
  }

  /** Resolves once nothing of it is left. */
  async stop(): Promise<void> {
    const all = [...this.#running.values()];
    this.#running.clear();
    await Promise.all(all.map(end));
  }
}

async function end({ stop, made }: Running): Promise<void> {
  stop.abort(new DOMException('not needed any more', 'AbortError'));
  await made;
}

async function prepare(
  scratch: string,
  base: string,
  signal: AbortSignal,
  make: (folder: string) => Promise<ProposerAnswer>,
): Promise<Prepared | null> {
  const folder = await makeScratch(scratch, 'next');
  try {
    signal.throwIfAborted();
    const answer = await make(folder);
    if (answer.kind !== 'proposed') return null;
    const files = new Map<string, string>();
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      files.set(path.slice(folder.length + 1), await readFile(path, 'utf8'));
    }
    return { proposal: answer.proposal, base, files };
  } finally {
    await removeScratch(folder);
  }
}
