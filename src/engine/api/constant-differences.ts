import type { ConstantDifference } from '../../shared/notebook.ts';
import type { EditableFiles } from '../../shared/proposers/ideas.ts';
import type { Study } from '../../shared/study.ts';
import type { DataPaths } from '../paths.ts';
import { splitKey } from '../proposers/search/bounds.ts';
import { readInWorker } from '../proposers/search/choose-in-worker.ts';
import { givenBy } from '../proposers/search/given.ts';
import type { Ledger } from '../store/ledger.ts';
import { readEditable } from './ideas-view.ts';

/** Longer values are tables; and nobody compares more rows. */
const VALUE_CHARACTERS = 200;
const MOST_ROWS = 500;

/**
 * The constants of the editable files whose values differ between the experiments, in the order of the files.
 * Constants that the environment or the command sets are left out, because the value in the file is not used. An
 * experiment without an attempt is ignored. Rejects with `experiment_not_found`.
 */
export async function readConstantDifferences(
  ports: { readonly ledger: Ledger; readonly paths: DataPaths },
  study: Study,
  ns: readonly number[],
): Promise<readonly ConstantDifference[]> {
  const found: EditableFiles['files'][] = [];
  for (const n of ns) found.push((await readEditable(ports, study, n)).files);
  const paths = [...new Set(found.flatMap(files => files.map(({ path }) => path)))];
  const commits = found.map(files => {
    const texts = new Map(files.map(({ path, text }) => [path, text]));
    return paths.map(path => texts.get(path) ?? null);
  });
  const given = [...givenBy(study.contract)];
  // In a worker thread: a large file takes a while, and the loop must not wait for it.
  const read = await readInWorker({ paths, commits, given, isEvery: true });
  const there = read.filter((_, place) => found[place]?.length !== 0);
  const keys = new Set(there.flatMap(values => [...values.keys()]));
  return [...keys]
    .filter(key => new Set(there.map(values => values.get(key))).size > 1)
    .slice(0, MOST_ROWS)
    .map(key => ({
      ...splitKey(key),
      values: read.map(values => values.get(key)?.slice(0, VALUE_CHARACTERS) ?? null),
    }));
}
