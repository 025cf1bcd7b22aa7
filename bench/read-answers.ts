import { basename } from 'node:path';
import { matchEditable } from '../src/engine/contract/editable.ts';
import { loadContract } from '../src/engine/contract/load-contract.ts';
import { listTree, openRepository, readHeadCommit } from '../src/engine/git/repository.ts';
import { type Interpretation, interpretTable } from '../src/engine/import/interpret-table.ts';
import { readTable, readTableFile } from '../src/engine/import/read-table.ts';
import { PawlError } from '../src/shared/errors.ts';
import { isBetter } from '../src/shared/study.ts';

/**
 * Pawl's answer to a repository or table: what it is, what must be specified first, that it is not one; or a failure,
 * which is a fault in Pawl.
 */
export type Answer<T> =
  | { readonly kind: 'understood'; readonly found: T }
  | { readonly kind: 'asked' | 'refused' | 'failed'; readonly why: string };

export type FoundRepository = {
  readonly metric: string;
  readonly goal: 'minimize' | 'maximize';
  readonly train: string;
  /** The committed files that may change. */
  readonly editable: readonly string[];
  /** Every committed file. */
  readonly tracked: readonly string[];
};

export type FoundTable = {
  readonly metric: string;
  readonly goal: 'minimize' | 'maximize';
  readonly rows: number;
  /** Rows that could not be read and were reported as such. */
  readonly skipped: number;
  readonly keep: number;
  readonly discard: number;
  readonly crash: number;
  /** The best number of a kept row; null if there is none. */
  readonly best: number | null;
};

/** The error codes that ask: nothing was guessed, and the message says how to answer. */
const ASKING: ReadonlySet<string> = new Set(['contract_unclear']);

/** The contract that `doctor` and `run` would read from the checkout's HEAD. */
export async function answerForRepository(path: string): Promise<Answer<FoundRepository>> {
  return answered(async () => {
    const repository = await openRepository(path);
    const commit = await readHeadCommit(repository);
    if (commit === null) throw new PawlError('contract_not_found', 'The repository has no commit.');
    const { metric, editable, train } = await loadContract(repository, commit);
    const tracked = (await listTree(repository, commit)).map(entry => entry.path);
    const mayChange = matchEditable(editable);
    const found = { editable: tracked.filter(mayChange), tracked, train };
    return { kind: 'understood', found: { metric: metric.name, goal: metric.goal, ...found } };
  });
}

/** The user's answers to what a table leaves open. */
export type Told = { readonly metric: string | null; readonly goal: 'minimize' | 'maximize' | null };

/** What `pawl import` would read from the file. */
export async function answerForTable(
  path: string,
  told: Told = { metric: null, goal: null },
): Promise<Answer<FoundTable>> {
  return answered(async () => {
    const raw = readTable(await readTableFile(path), basename(path), told.metric);
    const answer = interpretTable(raw, told);
    if (answer.kind !== 'table') return { kind: 'asked', why: describeQuestion(answer) };
    const { metricName, goal, rows, skipped } = answer.table;
    const count = (word: string) => rows.filter(row => row.verdict === word).length;
    let best: number | null = null;
    for (const { verdict, metric } of rows) {
      if (verdict !== 'keep' || metric === null) continue;
      if (best === null || isBetter(goal, metric, best)) best = metric;
    }
    const counts = { keep: count('keep'), discard: count('discard'), crash: count('crash') };
    return {
      kind: 'understood',
      found: { metric: metricName, goal, rows: rows.length, skipped: skipped.length, ...counts, best },
    };
  });
}

function describeQuestion(answer: Exclude<Interpretation, { kind: 'table' }>): string {
  if (answer.kind === 'unknown_metric') return `no column of that name among ${answer.names.join(', ')}`;
  const { question } = answer;
  if (question.kind === 'goal') return `the direction of ${question.metricName}: ${question.why}`;
  return question.names.length > 0 ? `the metric: ${question.names.join(', ')}` : 'no column holds a metric';
}

async function answered<T>(ask: () => Promise<Answer<T>>): Promise<Answer<T>> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof PawlError)) return { kind: 'failed', why: String(error) };
    return { kind: ASKING.has(error.code) ? 'asked' : 'refused', why: error.message };
  }
}
