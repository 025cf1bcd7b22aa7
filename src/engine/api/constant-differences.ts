import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ConstantDifference } from '../../shared/notebook.ts';
import type { Study } from '../../shared/study.ts';
import type { DataPaths } from '../paths.ts';
import { findConstants } from '../proposers/search/constants.ts';
import { type Given, givenBy } from '../proposers/search/given.ts';
import type { Ledger } from '../store/ledger.ts';
import { readEditable } from './ideas-view.ts';

/** Longer values are tables, and more rows nobody compares. */
const VALUE_CHARACTERS = 200;
const MOST_ROWS = 500;

/** Values by file and name. */
type Constants = ReadonlyMap<string, { readonly file: string; readonly name: string; readonly text: string }>;

/**
 * The constants of the editable files that do not have the same value in all of the experiments, in the order of the files.
 * Those that the environment or the command gives are not among them: what stands in the file is not used. An experiment
 * without an attempt has none, and differs from nobody. Rejects with `experiment_not_found`.
 */
export async function readConstantDifferences(
  ports: { readonly ledger: Ledger; readonly paths: DataPaths },
  study: Study,
  ns: readonly number[],
): Promise<readonly ConstantDifference[]> {
  const given = givenBy(study.contract);
  const known = new Map<string, Constants>();
  const found: (Constants | null)[] = [];
  for (const n of ns) {
    const { files } = await readEditable(ports, study, n);
    // Reading a large file takes a while; the loop has its turn between two experiments.
    await nextTurn();
    found.push(files.length === 0 ? null : constantsOf(files, given, known));
  }
  const there = found.filter(constants => constants !== null);
  const keys = new Map(there.flatMap(constants => [...constants]));
  return [...keys]
    .filter(([key]) => new Set(there.map(constants => constants.get(key)?.text)).size > 1)
    .slice(0, MOST_ROWS)
    .map(([key, { file, name }]) => ({
      ...{ file, name },
      values: found.map(constants => constants?.get(key)?.text.slice(0, VALUE_CHARACTERS) ?? null),
    }));
}

/** @param known constants of files that were read before, by their text: most experiments change one of many */
function constantsOf(
  files: readonly { readonly path: string; readonly text: string }[],
  given: Given,
  known: Map<string, Constants>,
): Constants {
  const all = new Map<string, { file: string; name: string; text: string }>();
  for (const { path: file, text } of files) {
    const key = `${file}\0${text}`;
    let own = known.get(key);
    if (!own) {
      const constants = findConstants(file, text, given, () => true);
      own = new Map(
        constants.map(({ name, start, end }) => [
          `${file}\0${name}`,
          { file, name, text: text.slice(start, end) },
        ]),
      );
      known.set(key, own);
    }
    for (const [name, constant] of own) all.set(name, constant);
  }
  return all;
}
