import type { Choice } from '../src/engine/proposers/search/choice.ts';
import { type Constant, findConstants } from '../src/engine/proposers/search/constants.ts';
import { chooseByProcess } from '../src/engine/proposers/search/gaussian-search.ts';
import { chooseMove } from '../src/engine/proposers/search/ladder.ts';
import { seededRandom } from '../src/engine/proposers/search/random.ts';
import type { HistoryEntry } from '../src/engine/store/experiments.ts';
import { isBetter } from '../src/shared/study.ts';

/** Values of the constants that are numbers, by name. */
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
) => Choice | null;

export const ladder: Chooser = (constants, history, _, seed) =>
  chooseMove(constants, history, [], seededRandom(seed, history.length, 0));

export const process: Chooser = (constants, history, incumbent, seed, goal) =>
  chooseByProcess({
    ...{ constants, history, incumbent, refused: [], goal, bounds: null },
    seeds: [seed, history.length, 0],
  });

/**
 * A study without a training: what is measured better is kept, the rest discarded. Returns the incumbent's source after each
 * experiment, and the history.
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
  let incumbent = { n: 0, metric: baseline };
  let best = source;
  const history: HistoryEntry[] = [entryOf(0, null, 'keep', baseline, null)];
  const kept: string[] = [];
  for (let n = 1; n <= experiments; n += 1) {
    const constants = findConstants('train.py', best);
    const choice = choose(constants, history, incumbent, seed, goal);
    if (!choice) break;
    const attempt = applyChoice(best, constants, choice);
    const metric = await measure(attempt, n);
    const word = metric === null ? 'crash' : isBetter(goal, metric, incumbent.metric) ? 'keep' : 'discard';
    history.push(entryOf(n, choice.memo, word, metric, incumbent));
    if (word === 'keep' && metric !== null) {
      best = attempt;
      incumbent = { n, metric };
    }
    kept.push(best);
  }
  return { kept, history };
}

export function applyChoice(source: string, constants: readonly Constant[], { moves }: Choice): string {
  return constants.reduceRight((text, { name, start, end }) => {
    const move = moves.find(candidate => candidate.name === name);
    return move ? text.slice(0, start) + move.to + text.slice(end) : text;
  }, source);
}

function entryOf(
  n: number,
  memo: unknown,
  verdict: 'keep' | 'discard' | 'crash',
  metric: number | null,
  incumbent: { readonly n: number; readonly metric: number } | null,
): HistoryEntry {
  return {
    ...{ n, memo, verdict, metric, hypothesis: '', category: null, guard: null },
    reason: verdict === 'discard' ? 'worse' : verdict,
    incumbent: incumbent?.n ?? null,
    incumbentMetric: incumbent?.metric ?? null,
  };
}
