import { open } from 'node:fs/promises';
import type { Experiment, Run, Study } from '../../../shared/study.ts';
import { lastTrial } from '../../../shared/study.ts';
import { thinSeries } from '../../../shared/thin-series.ts';
import { readDiff } from '../../git/diff.ts';
import { exportFiles } from '../../git/export-files.ts';
import { listTree, type Repository, readBlob } from '../../git/repository.ts';
import { stripControl } from '../../metrics/line-splitter.ts';
import { type DataPaths, runLog } from '../../paths.ts';
import type { Ledger } from '../../store/ledger.ts';
import type { Note } from '../../store/notes.ts';

const TAIL_BYTES = 32 * 1024;
const SERIES_BUCKETS = 12;
const HITS = 20;

/** What a proposer may read: the past of one study, and files of commits. It cannot change anything. */
export class StudyReader {
  readonly #study: Study;
  readonly #ledger: Ledger;
  readonly #repository: Repository;
  readonly #paths: DataPaths;
  #tree: { readonly commit: string; readonly entries: ReturnType<typeof listTree> } | null = null;

  constructor(study: Study, ports: { ledger: Ledger; repository: Repository; paths: DataPaths }) {
    this.#study = study;
    this.#ledger = ports.ledger;
    this.#repository = ports.repository;
    this.#paths = ports.paths;
  }

  async listFiles(commit: string): Promise<readonly string[]> {
    return (await this.#list(commit)).map(({ path }) => path);
  }

  /** Writes the commit's plain files into an empty folder; skips links and submodules, which cannot be worked on. */
  async export(commit: string, folder: string): Promise<void> {
    const files = (await this.#list(commit)).filter(
      ({ mode, path }) => mode.startsWith('100') && !path.includes('\0'),
    );
    await exportFiles(
      this.#repository,
      commit,
      files.map(({ path }) => path),
      folder,
    );
  }

  /** Keeps the tree of the last commit, because a conversation asks for the same one again and again. */
  #list(commit: string): ReturnType<typeof listTree> {
    if (this.#tree?.commit !== commit) {
      this.#tree = { commit, entries: listTree(this.#repository, commit) };
    }
    return this.#tree.entries;
  }

  /** The text of a plain file in a commit; null if there is none, or it is not text. */
  async readFile(commit: string, path: string): Promise<string | null> {
    const entry = (await this.#list(commit)).find(found => found.path === path);
    if (!entry?.mode.startsWith('100')) return null;
    const content = await readBlob(this.#repository, commit, path);
    if (!content || content.includes(0)) return null;
    const text = content.toString('utf8');
    // A file that is not UTF-8 could not be written back unchanged.
    return Buffer.from(text, 'utf8').equals(content) ? text : null;
  }

  experiment(n: number): Experiment | null {
    return this.#ledger.experiments.get(this.#study.id, n);
  }

  lastRun(n: number): Run | null {
    return lastTrial(this.#ledger.runs.list(this.#study.id, n)) ?? null;
  }

  notes(n: number): readonly Note[] {
    return this.#ledger.notes.list(this.#study.id, n);
  }

  /** Experiments whose hypothesis, rationale or notes contain any of the words, best match first. */
  search(words: string): readonly Experiment[] {
    const hits = this.#ledger.notes.searchAny(this.#study.id, words, HITS);
    return hits.flatMap(({ n }) => this.experiment(n) ?? []);
  }

  /** From its parent, or from another experiment's attempt, to its attempt; null if there is no commit. */
  async diff(n: number, against: number | null = null): Promise<string | null> {
    const experiment = this.experiment(n);
    const from = against === null ? experiment?.parentCommit : this.experiment(against)?.attemptCommit;
    const to = experiment?.attemptCommit;
    return from && to ? readDiff(this.#repository, from, to) : null;
  }

  /** The last lines of the last run's output, without control sequences; null if there are none. */
  async logTail(n: number): Promise<string | null> {
    const run = this.lastRun(n);
    if (!run) return null;
    const path = runLog(this.#paths, this.#study.id, n, run.k);
    const file = await open(path, 'r').catch(() => null);
    if (!file) return null;
    try {
      const { size } = await file.stat();
      const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length);
      const lines = buffer.toString('utf8', 0, bytesRead).split(/\r\n|[\r\n]/);
      return lines.map(stripControl).join('\n');
    } finally {
      await file.close();
    }
  }

  /** The last run's series by seconds, thinned to a few dozen points, including the extremes. */
  series(
    n: number,
  ): readonly { readonly name: string; readonly points: readonly (readonly [number, number | null])[] }[] {
    const run = this.lastRun(n);
    if (!run) return [];
    const points = this.#ledger.runs.series(this.#study.id, n, run.k);
    const names = new Set(points.flatMap(point => [...point.values.keys()]));
    return [...names].map(name => {
      const own = points.filter(point => point.values.has(name));
      const { x, y } = thinSeries(
        own.map(point => point.seconds),
        own.map(point => point.values.get(name) ?? null),
        SERIES_BUCKETS,
      );
      return { name, points: x.map((at, index) => [at, y[index] ?? null] as const) };
    });
  }
}
