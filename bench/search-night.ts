import { type Choice, movesTo, spellTexts } from '../src/engine/proposers/search/choice.ts';
import type { Constant } from '../src/engine/proposers/search/constant.ts';
import { findConstants } from '../src/engine/proposers/search/constants.ts';
import { chooseByProcess } from '../src/engine/proposers/search/gaussian-search.ts';
import { chooseMove } from '../src/engine/proposers/search/ladder.ts';
import { normalFrom, seededRandom } from '../src/engine/proposers/search/random.ts';
import {
  type Axis,
  axesOf,
  coordinateOf,
  itemOf,
  textAt,
  withItem,
} from '../src/engine/proposers/search/space.ts';
import type { HistoryEntry } from '../src/engine/store/experiment-past.ts';
import { isBetter } from '../src/shared/study.ts';
import { average } from './report.ts';

/** Values of the numeric constants, by name. */
export function readNumbers(source: string): Record<string, number> {
  return Object.fromEntries(
    findConstants('train.py', source).map(({ name, literal }) => [name, Number(literal.text)]),
  );
}

/** Picks the next change of a file's constants. */
export type Chooser = (
  constants: readonly Constant[],
  history: readonly HistoryEntry[],
  incumbent: { readonly n: number; readonly metric: number },
  seed: number,
  goal: 'minimize' | 'maximize',
) => Promise<Choice | null> | Choice | null;

export const ladder: Chooser = (constants, history, _, seed) =>
  chooseMove(constants, history, [], seededRandom(seed, history.length, 0));

export const gaussianProcess: Chooser = (constants, history, incumbent, seed, goal) =>
  chooseByProcess({
    ...{ constants, history, incumbent, refused: [], goal, bounds: null },
    seeds: [seed, history.length, 0],
  });

/** Always varies all constants a little from the start. */
export function randomNear(source: string): Chooser {
  const start = new StartSpace(source);
  return (constants, history, _, seed) => {
    const random = seededRandom(seed, history.length, 5);
    const normal = normalFrom(random);
    const offsets = start.categories.map(count => (count > 0 ? Math.floor(random() * count) : normal()));
    return start.choose(constants, offsets);
  };
}

/** The space around a source's constants, for strategies that handle only numbers. */
export class StartSpace {
  readonly #texts: readonly string[];
  readonly #axes: readonly Axis[];

  constructor(source: string) {
    const constants = findConstants('train.py', source);
    this.#texts = constants.map(({ literal }) => literal.text);
    this.#axes = axesOf(constants, []);
  }

  /** For each axis the number of texts it can have; 0 for a number. */
  get categories(): readonly number[] {
    return this.#axes.map(axis => axis.categories);
  }

  /** The change that moves these constants this far from the start; categories are given by their places. */
  choose(constants: readonly Constant[], offsets: readonly number[]): Choice {
    const texts = [...this.#texts];
    for (const [place, axis] of this.#axes.entries()) {
      const text = texts[axis.constant] ?? '';
      const item = itemOf(axis, text) ?? '';
      const at = axis.isCategory ? 0 : (coordinateOf(axis, item) ?? 0);
      const next = textAt(axis, at + (offsets[place] ?? 0), item);
      if (next !== null) texts[axis.constant] = withItem(axis, text, next);
    }
    const moves = movesTo(constants, texts);
    const memo = { moves: [...moves], values: spellTexts(constants, texts) };
    return { moves, memo, because: '', expectedGain: null, expectedError: null };
  }
}

/**
 * As in a study: after this many discards in a row an incumbent other than the baseline is trained again, once, because
 * it may have been luck.
 */
const REMEASURED_AFTER = 12;

/**
 * A study without training: a better measurement is kept, the rest is discarded, and lucky keeps are taken back.
 * Returns the incumbent's source after each run, and the history.
 * @param experiments runs, including those of the incumbent
 */
export async function playNight(
  source: string,
  choose: Chooser,
  seed: number,
  experiments: number,
  measure: (source: string, n: number) => Promise<number | null> | number | null,
  goal: 'minimize' | 'maximize' = 'minimize',
): Promise<{ readonly kept: readonly string[]; readonly history: readonly HistoryEntry[] }> {
  const baseline = await measure(source, 0);
  if (baseline === null) throw new Error('The baseline crashed.');
  const history: HistoryEntry[] = [entryOf(0, null, 'keep', baseline, null)];
  // The kept versions, newest last: the branch is at the newest, and can go back to the others.
  const chain = [{ n: 0, values: [baseline], source }];
  const standing = () => {
    const { n, values, source: text } = chain.at(-1) ?? { n: 0, values: [baseline], source };
    return { n, metric: average(values), values, text };
  };
  const kept: string[] = [];
  const again = new Set<number>();
  let discards = 0;
  for (let run = 1; run <= experiments; run += 1) {
    const incumbent = standing();
    const parent = chain.at(-2);
    if (parent && discards >= REMEASURED_AFTER && !again.has(incumbent.n)) {
      again.add(incumbent.n);
      const value = await measure(incumbent.text, run);
      if (value !== null) incumbent.values.push(value);
      const place = history.findIndex(({ n }) => n === incumbent.n);
      const known = history[place];
      const before = known && { ...known, record: standing().metric };
      if (before) history[place] = before;
      if (before && isBetter(goal, average(parent.values), standing().metric)) {
        chain.pop();
        discards = 0;
        history[place] = { ...before, verdict: 'discard', reason: 'rolled_back' };
      }
      kept.push(standing().text);
      continue;
    }
    const n = history.length;
    const constants = findConstants('train.py', incumbent.text);
    const choice = await choose(constants, history, incumbent, seed, goal);
    if (!choice) break;
    const attempt = applyChoice(incumbent.text, constants, choice);
    const metric = await measure(attempt, run);
    const isKeep = metric !== null && isBetter(goal, metric, incumbent.metric);
    const word = metric === null ? 'crash' : isKeep ? 'keep' : 'discard';
    history.push(entryOf(n, choice.memo, word, metric, incumbent));
    discards = isKeep ? 0 : discards + (word === 'discard' ? 1 : 0);
    if (isKeep) chain.push({ n, values: [metric], source: attempt });
    kept.push(standing().text);
  }
  return { kept, history };
}

export function applyChoice(source: string, constants: readonly Constant[], { moves }: Choice): string {
  return constants.reduceRight((text, { name, start, end }) => {
    const move = moves.find(candidate => candidate.name === name);
    return move ? text.slice(0, start) + move.to + text.slice(end) : text;
  }, source);
}

export function entryOf(
  n: number,
  memo: unknown,
  verdict: 'keep' | 'discard' | 'crash',
  metric: number | null,
  incumbent: { readonly n: number; readonly metric: number } | null,
): HistoryEntry {
  return {
    ...{ n, memo, verdict, metric, record: metric, hypothesis: '', category: null, guard: null },
    reason: verdict === 'discard' ? 'worse' : verdict,
    incumbent: incumbent?.n ?? null,
    incumbentMetric: incumbent?.metric ?? null,
  };
}
