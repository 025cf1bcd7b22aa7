import { type Goal, signOf } from '../../shared/contract/contract.ts';
import type { Study } from '../../shared/study.ts';
import type { ImportanceAnswer } from '../../shared/table-rows.ts';
import { openRepository } from '../git/repository.ts';
import { memoSchema } from '../proposers/search/choice.ts';
import { weighInWorker } from '../proposers/search/choose-in-worker.ts';
import type { Constant } from '../proposers/search/constant.ts';
import type { Hyperparameters } from '../proposers/search/gaussian-process.ts';
import { LEAST_TRIALS } from '../proposers/search/importance.ts';
import { comparableRecord, readTexts, shiftsOf } from '../proposers/search/observations.ts';
import { surveyConstants } from '../proposers/search/survey.ts';
import { type HistoryEntry, madeOn } from '../store/experiment-past.ts';
import type { Ledger } from '../store/ledger.ts';
import type { ConstantsReader } from './constants-reader.ts';

/** If there are more experiments, only this many are read, spread evenly over the study. */
const MOST_READ = 1_000;
const PAGE = 50;
const NOTHING: ImportanceAnswer = { importance: null, trials: 0, least: LEAST_TRIALS };

type Values = ReadonlyMap<string, string>;
type Trial = { readonly values: Values; readonly value: number };

/** How much each constant matters in a study, whichever proposer changed it. */
export async function weighStudy(
  ledger: Ledger,
  reader: ConstantsReader,
  study: Study,
): Promise<ImportanceAnswer> {
  const incumbent = study.state === 'imported' ? null : ledger.experiments.incumbent(study.id);
  if (!incumbent) return NOTHING;
  const history = ledger.experiments.history(study.id);
  const values = await readEvenly(reader, study, history);
  if (values.size === 0) return NOTHING;
  const trials = comparableTrials(history, values, study.contract.metric.goal);
  const repository = await openRepository(study.repositoryPath);
  const { constants } = await surveyConstants(repository, incumbent.commit, study.contract, Infinity);
  const names = namesOf(constants, values.get(incumbent.n) ?? new Map());
  const importance = await weighInWorker({
    constants,
    trials: trials.map(({ values: own, value }) => ({
      value,
      texts: constants.map(({ literal }, place) => own.get(names[place] ?? '') ?? literal.text),
    })),
    process: lastProcess(history, constants),
  });
  const named = (key: string) =>
    names[constants.findIndex(({ file, name }) => `${file}\0${name}` === key)] ?? key;
  return {
    ...{ trials: trials.length, least: LEAST_TRIALS },
    importance: importance && {
      ...importance,
      shares: importance.shares.map(({ key, share }) => ({ name: named(key), share })),
    },
  };
}

async function readEvenly(
  reader: ConstantsReader,
  study: Study,
  history: readonly HistoryEntry[],
): Promise<ReadonlyMap<number, Values>> {
  const every = Math.max(1, history.length / MOST_READ);
  const wanted = history.filter(
    ({ verdict }, place) =>
      verdict === 'keep' || Math.floor(place / every) !== Math.floor((place - 1) / every),
  );
  const found = new Map<number, Values>();
  for (let from = 0; from < wanted.length; from += PAGE) {
    const page = wanted.slice(from, from + PAGE).map(({ n }) => n);
    for (const [n, values] of await reader.values(study, page)) found.set(n, values);
  }
  return found;
}

/**
 * The trials that say something about constants, oldest first, as if all had been tried with the same code: edits of
 * code alone are left out.
 */
export function comparableTrials(
  history: readonly HistoryEntry[],
  values: ReadonlyMap<number, Values>,
  goal: Goal,
): readonly Trial[] {
  const sign = signOf(goal);
  const isOfCode = (entry: HistoryEntry) => {
    const own = values.get(entry.n);
    const before = values.get(madeOn(entry) ?? -1);
    return own !== undefined && before !== undefined && isSame(own, before);
  };
  const shifts = shiftsOf(history, isOfCode);
  const shift = shifts.get(history.findLast(({ verdict }) => verdict === 'keep')?.n ?? 0) ?? 0;
  return history.flatMap(entry => {
    const own = values.get(entry.n);
    const record = comparableRecord(entry);
    if (!own || record === null || isOfCode(entry)) return [];
    return [{ values: own, value: sign * (record + shift - (shifts.get(entry.n) ?? 0)) }];
  });
}

function isSame(one: Values, other: Values): boolean {
  return one.size === other.size && [...one].every(([name, text]) => other.get(name) === text);
}

/** The names that the reader gives these constants. */
function namesOf(constants: readonly Constant[], known: Values): readonly string[] {
  return constants.map(({ file, name }) => (known.has(`${file}:${name}`) ? `${file}:${name}` : name));
}

/**
 * The hyperparameters that the search stored with its last proposal; null if there are none, or if its constants were
 * others.
 */
function lastProcess(
  history: readonly HistoryEntry[],
  constants: readonly Constant[],
): Hyperparameters | null {
  for (const { memo } of history.toReversed()) {
    const parsed = memoSchema.safeParse(memo);
    if (!parsed.success || !parsed.data.process) continue;
    const { process, values } = parsed.data;
    const told = readTexts(constants, values);
    const isSame =
      constants.map(({ file, name }, place) => `${file}:${name}=${told[place]}`).join('\n') === values;
    return isSame ? process : null;
  }
  return null;
}
