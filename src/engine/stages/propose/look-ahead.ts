import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Proposal } from '../../../shared/study.ts';
import type { ProposerAnswer } from '../../proposers/proposer.ts';
import { makeScratch, removeScratch } from '../../scratch.ts';

/** A proposal that was made while another experiment trained. */
export type Prepared = {
  readonly proposal: Proposal;
  /** The incumbent it was made for. */
  readonly base: string;
  /** Whole texts of the files it changes. */
  readonly files: ReadonlyMap<string, string>;
};

type Running = {
  readonly n: number;
  readonly base: string;
  /** What the user told the proposer; a new message makes the proposal outdated. */
  readonly told: string;
  readonly stop: AbortController;
  readonly made: Promise<Prepared | null>;
};

/**
 * Has the next proposal made while an experiment trains, in a folder of its own, so that the machine that trains need not
 * wait for it. At most one at a time; what fails here is simply asked for again when its turn comes.
 */
export class LookAhead {
  readonly #scratch: string;
  #running: Running | null = null;

  /** @param scratch see {@link makeScratch} */
  constructor(scratch: string) {
    this.#scratch = scratch;
  }

  /** @param make writes the files of a proposal into the folder */
  start(
    n: number,
    base: string,
    told: string,
    make: (folder: string, signal: AbortSignal) => Promise<ProposerAnswer>,
  ): void {
    if (this.#running) return;
    const stop = new AbortController();
    const made = prepare(this.#scratch, base, stop.signal, folder => make(folder, stop.signal)).catch(
      () => null,
    );
    this.#running = { n, base, told, stop, made };
  }

  /** What was prepared for experiment `n`, once it is; null where nothing was, or the user has said something since. */
  async take(n: number, told: string): Promise<Prepared | null> {
    const running = this.#running;
    if (!running) return null;
    if (running.n !== n || running.told !== told) {
      await this.stop();
      return null;
    }
    const prepared = await running.made;
    this.#running = null;
    return prepared;
  }

  /** Resolves once the proposer is done with it; what it made stays to be taken. */
  async settled(): Promise<void> {
    await this.#running?.made;
  }

  /** Resolves once nothing of it is left. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    running?.stop.abort(new DOMException('not needed any more', 'AbortError'));
    await running?.made;
  }
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
