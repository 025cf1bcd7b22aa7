import type { HistoryEntry } from '../../store/experiment-past.ts';
import { memoSchema } from './choice.ts';
import type { Constant } from './constants.ts';

/** A set of values that was trained. */
export type Observation = {
  readonly n: number;
  /** Texts of the constants, by index. */
  readonly texts: readonly string[];
  /** Lower is better; null if it crashed, broke a condition, or was ended as hopeless. */
  readonly value: number | null;
};

/** Reasons of discards whose number can be compared; with any other reason, a better number may still not count. */
export const COMPARABLE: ReadonlySet<string> = new Set(['worse', 'equal', 'rolled_back']);

/**
 * The results of sets of values in the history, oldest first. If another proposer's edit was kept, earlier results
 * are shifted by its gain, because the process has to learn the effect of constants, not of code.
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
  let moved = 0;
  for (const entry of [...history].sort((a, b) => b.n - a.n)) {
    const known = texts.get(entry.n);
    const metric = entry.n === incumbent.n ? incumbent.metric : entry.metric;
    const isComparable =
      entry.verdict === 'keep' || (entry.verdict === 'discard' && COMPARABLE.has(entry.reason));
    if (known) {
      const value = isComparable && metric !== null && Number.isFinite(metric) ? sign * metric + moved : null;
      observations.push({ n: entry.n, texts: known, value });
    }
    const isForeign = entry.verdict === 'keep' && !memoSchema.safeParse(entry.memo).success;
    if (!isForeign || entry.metric === null || entry.incumbentMetric === null) continue;
    const gain = sign * (entry.metric - entry.incumbentMetric);
    if (Number.isFinite(gain)) moved += gain;
  }
  return observations.reverse();
}

/** The values of each experiment: from its memo; and for the experiment it was based on, from the moves it began with. */
function findTexts(
  constants: readonly Constant[],
  history: readonly HistoryEntry[],
): Map<number, readonly string[]> {
  const texts = new Map<number, readonly string[]>();
  for (const { n, memo, incumbent, lateParent } of history) {
    const parsed = memoSchema.safeParse(memo);
    if (!parsed.success) continue;
    const after = readTexts(constants, parsed.data.values);
    texts.set(n, after);
    const parent = lateParent ?? incumbent;
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
