import type { HistoryEntry } from '../../store/experiment-past.ts';
import { memoSchema } from './choice.ts';
import type { Constant } from './constants.ts';

/** A set of values that was trained. */
export type Observation = {
  readonly n: number;
  /** Texts of the constants, by place. */
  readonly texts: readonly string[];
  /** Lower is better; null where it crashed, broke a condition, or was ended as hopeless. */
  readonly value: number | null;
};

/** Reasons of discards with a comparable number; with any other reason the number may be better and yet not count. */
export const COMPARABLE: ReadonlySet<string> = new Set(['worse', 'equal', 'rolled_back']);

/**
 * What the history says of sets of values, oldest first. Where somebody else's edit was kept, what was measured before is
 * moved by its gain: the process is to learn what constants do, not what code does.
 * @param incumbent where the branch stands, with the texts in the files as its values
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

/** Values by experiment: those its memo says, and of what it was made on those that it began from. */
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

/** The texts in what `spellValues` wrote; of a constant that was not there yet the present one. */
export function readTexts(constants: readonly Constant[], values: string): readonly string[] {
  const marks = constants.map(({ file, name }) => `${file}:${name}=`);
  let from = 0;
  return constants.map(({ literal }, place) => {
    const mark = marks[place] ?? '';
    // Nearly always all of them stand in their order.
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
