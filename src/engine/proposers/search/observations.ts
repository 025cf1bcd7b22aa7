import { type HistoryEntry, madeOn } from '../../store/experiment-past.ts';
import { memoSchema } from './choice.ts';
import type { Constant } from './constant.ts';

/** A set of values that was trained. */
export type Observation = {
  readonly n: number;
  /** Texts of the constants, by index. */
  readonly texts: readonly string[];
  /** Lower is better; null if it crashed, broke a condition, or was ended as hopeless. */
  readonly value: number | null;
};

/** Reasons of discards whose number can be compared; with any other reason, a better number may still not count. */
const COMPARABLE: ReadonlySet<string> = new Set(['worse', 'equal', 'rolled_back']);

/**
 * The results of sets of values in the history, oldest first, as if all had been tried with the incumbent's code: the
 * process has to learn the effect of constants, not of other proposers' edits.
 * @param incumbent the branch's commit; its values are the texts in the files
 */
export function observe(
  constants: readonly Constant[],
  history: readonly HistoryEntry[],
  incumbent: { readonly n: number; readonly metric: number },
  goal: 'minimize' | 'maximize',
): readonly Observation[] {
  const sign = goal === 'minimize' ? 1 : -1;
  const texts = findTexts(constants, history);
  texts.set(
    incumbent.n,
    constants.map(({ literal }) => literal.text),
  );
  const observations: Observation[] = [];
  if (!history.some(({ n }) => n === incumbent.n)) {
    observations.push({
      n: incumbent.n,
      texts: texts.get(incumbent.n) ?? [],
      value: sign * incumbent.metric,
    });
  }
  const isForeign = ({ memo }: HistoryEntry) => !memoSchema.safeParse(memo).success;
  const shifts = shiftsOf(history, isForeign);
  const shift = shifts.get(incumbent.n) ?? 0;
  for (const entry of [...history].sort((a, b) => a.n - b.n)) {
    const known = texts.get(entry.n);
    if (!known) continue;
    const record = comparableRecord(entry);
    // That another proposer's edit failed is no fault of the constants.
    if (record === null && isForeign(entry)) continue;
    const value = record === null ? null : sign * (record + shift - (shifts.get(entry.n) ?? 0));
    observations.push({ n: entry.n, texts: known, value });
  }
  return observations;
}

/** The record, if it can be compared with others; else null. */
export function comparableRecord({ verdict, reason, record }: HistoryEntry): number | null {
  const isComparable = verdict === 'keep' || (verdict === 'discard' && COMPARABLE.has(reason));
  return isComparable && record !== null && Number.isFinite(record) ? record : null;
}

/**
 * By how much edits of code have moved the record between the baseline and each experiment, along the line it was made
 * on: edits beside that line, or taken back from it, have no part in it.
 * @param history parents before those made on them
 */
export function shiftsOf(
  history: readonly HistoryEntry[],
  isOfCode: (entry: HistoryEntry) => boolean,
): ReadonlyMap<number, number> {
  const records = new Map(history.map(({ n, record }) => [n, record]));
  const shifts = new Map<number, number>();
  for (const entry of history) {
    const parent = madeOn(entry);
    if (parent === null) continue;
    const [before = null, after] = [records.get(parent), entry.record];
    const gain = isOfCode(entry) && before !== null && after !== null ? after - before : 0;
    shifts.set(entry.n, (shifts.get(parent) ?? 0) + (Number.isFinite(gain) ? gain : 0));
  }
  return shifts;
}

/** The values of each experiment: from its memo; and for the experiment it was based on, from the moves it began with. */
function findTexts(
  constants: readonly Constant[],
  history: readonly HistoryEntry[],
): Map<number, readonly string[]> {
  const texts = new Map<number, readonly string[]>();
  for (const entry of history) {
    const parsed = memoSchema.safeParse(entry.memo);
    if (!parsed.success) continue;
    const after = readTexts(constants, parsed.data.values);
    texts.set(entry.n, after);
    const parent = madeOn(entry);
    if (parent === null || texts.has(parent)) continue;
    const before = constants.map(({ file, name }, place) => {
      const move = parsed.data.moves.find(other => other.name === name && other.file === file);
      return move?.from ?? after[place] ?? '';
    });
    texts.set(parent, before);
  }
  return texts;
}

/** The texts in the output of `spellValues`; a constant that did not exist yet has its present text. */
export function readTexts(constants: readonly Constant[], values: string): readonly string[] {
  const marks = constants.map(({ file, name }) => `${file}:${name}=`);
  let from = 0;
  return constants.map(({ literal }, place) => {
    const mark = marks[place] ?? '';
    // Nearly always, all of them are in order.
    const start = values.startsWith(mark, from) ? from : findMark(values, mark);
    if (start < 0) return literal.text;
    const next = marks[place + 1];
    const inOrder = next === undefined ? -1 : values.indexOf(`\n${next}`, start);
    const end = inOrder >= 0 ? inOrder : values.indexOf('\n', start);
    from = end < 0 ? values.length : end + 1;
    return values.slice(start + mark.length, end < 0 ? values.length : end);
  });
}

function findMark(values: string, mark: string): number {
  if (values.startsWith(mark)) return 0;
  const before = values.indexOf(`\n${mark}`);
  return before < 0 ? -1 : before + 1;
}
