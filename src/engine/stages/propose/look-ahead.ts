import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Proposal } from '../../../shared/study.ts';
import type { ProposerAnswer, RunningExperiment } from '../../proposers/proposer.ts';
import { makeScratch, removeScratch } from '../../scratch.ts';

/** A proposal that was made while other experiments trained. */
export type Prepared = {
  readonly proposal: Proposal;
  /** The incumbent for which it was made. */
  readonly base: string;
  /** The full texts of the files it changes. */
  readonly files: ReadonlyMap<string, string>;
};

type Running = {
  readonly base: string;
  /** What the user had told the proposer; a newer message makes the proposal outdated. */
  readonly told: string;
  readonly stop: AbortController;
  readonly made: Promise<Prepared | null>;
  /** The finished proposal; null until then. */
  proposal: Proposal | null;
};

/**
 * Prepares the next proposals while experiments train, each in a separate folder, so that lanes need not wait. At
 * most one per future experiment; if preparing one fails, it is simply requested again at its turn.
 */
export class LookAhead {
  readonly #scratch: string;
  /** By the number of their experiment. */
  readonly #running = new Map<number, Running>();

  /** @param scratch see {@link makeScratch} */
  constructor(scratch: string) {
    this.#scratch = scratch;
  }

  has(n: number): boolean {
    return this.#running.has(n);
  }

  /** The prepared proposals known so far. */
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

  /**
   * The proposal prepared for experiment `n`, as soon as it is ready; null if there is none, or the user has said
   * something since.
   */
  async take(n: number, told: string): Promise<Prepared | null> {
    const running = this.#running.get(n);
    if (!running) return null;
    this.#running.delete(n);
    if (running.told === told) return running.made;
    await end(running);
    return null;
  }

  /** Resolves once the proposer has finished all of them; they can still be taken. */
  async settled(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ made }) => made));
  }

  /** Ends everything; resolves once nothing is left. */
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
