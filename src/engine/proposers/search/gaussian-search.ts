import type { HistoryEntry } from '../../store/experiment-past.ts';
import { type Bounds, constantKey, isWithin } from './bounds.ts';
import { drawCandidates, reachOf } from './candidates.ts';
import { type Choice, type Memo, memoSchema, movesTo, spellTexts } from './choice.ts';
import type { Constant } from './constant.ts';
import { expectedImprovement } from './expected-improvement.ts';
import { type Hyperparameters, kernelOf, type Point, priorMedian } from './gaussian-process.ts';
import { observe, readTexts } from './observations.ts';
import { placeOn } from './place-on.ts';
import { normalFrom, seededRandom } from './random.ts';
import { type Axis, axesOf } from './space.ts';
import { fitSurrogate, type Surrogate, type Trial } from './surrogate.ts';

/** Everything that a choice depends on; it can be sent to another thread. */
export type Situation = {
  readonly constants: readonly Constant[];
  readonly history: readonly HistoryEntry[];
  /** Memos of refused proposals, which are not repeated. */
  readonly refused: readonly unknown[];
  /** Memos of proposals in training; the process assumes that they get the value it expects. */
  readonly pending?: readonly unknown[];
  readonly incumbent: { readonly n: number; readonly metric: number };
  readonly goal: 'minimize' | 'maximize';
  readonly seeds: readonly number[];
  /** The constants that may be changed, and their ranges; null for all. */
  readonly bounds: Bounds | null;
};

const CANDIDATES = 200;
/** How many of the best are changed again, and how many times each. */
const PARENTS = 5;
const CHILDREN = 20;
const ONE_CHANGE = [{ count: 1, share: 1 }];
/** Fewer trials do not support a prediction. */
const TELLING_TRIALS = 5;
/** Two points with at least this correlation are called similar. */
const ALIKE = 0.7;

/**
 * Chooses the next change: among random candidates near the best values, the one with the largest expected
 * improvement, by a Gaussian process fitted to the history, and the chance that it gives a number. Pure: the same
 * situation gives the same choice. Null if nothing new was found.
 */
export function chooseByProcess(situation: Situation): Choice | null {
  const { constants, history, bounds } = situation;
  const random = seededRandom(...situation.seeds);
  const normal = normalFrom(random);
  const observations = observe(constants, history, situation.incumbent, situation.goal);
  const pending = (situation.pending ?? []).flatMap(memo => {
    const parsed = memoSchema.safeParse(memo);
    return parsed.success ? [readTexts(constants, parsed.data.values)] : [];
  });
  const known = [...observations.map(({ texts }) => texts), ...pending];
  const axes = axesOf(constants, known);
  const now = constants.map(({ literal }) => literal.text);
  const locate = (texts: readonly string[]) => Float64Array.from(axes, axis => placeOn(axis, texts));
  const trials = observations.map(({ n, texts, value }) => ({ n, point: locate(texts), value }));
  const before = lastParameters(situation, axes);
  const surrogate = fitSurrogate(axes, trials, before, locate(now), pending.map(locate));
  const best = observations.find(({ n }) => n === surrogate?.best.n)?.texts ?? now;
  const base = constants.map((constant, place) => {
    const text = best[place] ?? constant.literal.text;
    const isFree = !bounds || bounds.has(constantKey(constant));
    return isFree && isWithin(constant, text, bounds) ? text : constant.literal.text;
  });
  const tried = triedBy(situation, known);
  const surroundings = {
    ...{ constants, axes, bounds, random, normal },
    isNew: (texts: readonly string[]) => !tried.has(spellTexts(constants, texts)),
  };
  const reach = reachOf(history);
  const scoreOf = (texts: readonly string[]) => {
    const point = locate(texts);
    const at = surrogate?.posterior.at(point);
    const gain = surrogate && at ? expectedImprovement(surrogate.level, at.mean, at.deviation) : 0;
    return { texts, point, score: gain * (surrogate?.chance(point) ?? 1) };
  };
  const first = drawCandidates(base, reach, CANDIDATES, surroundings).map(scoreOf);
  first.sort((a, b) => b.score - a.score);
  // Two good moves together may be better still, so the best candidates get one more change.
  const second = first
    .slice(0, PARENTS)
    .flatMap(({ texts }) => drawCandidates(texts, reach, CHILDREN, surroundings, ONE_CHANGE).map(scoreOf));
  const [chosen] = [...first, ...second].sort((a, b) => b.score - a.score);
  if (!chosen) return null;
  const moves = movesTo(constants, chosen.texts);
  const { inverseLengths, ...rest } = surrogate?.parameters ?? priorMedian(axes);
  const memo: Memo = {
    moves: [...moves],
    values: spellTexts(constants, chosen.texts),
    process: { ...rest, inverseLengths: [...inverseLengths] },
  };
  if (!surrogate) return { moves, memo, because: UNKNOWN, expectedGain: null, expectedError: null };
  return {
    ...{ moves, memo },
    because: explain(axes, trials, surrogate, chosen.point),
    ...expectGain(trials, surrogate, chosen.point, locate(now)),
  };
}

/** The hyperparameters stored by the process's last proposal; null if there is none, or if it had other axes. */
function lastParameters({ constants, history }: Situation, axes: readonly Axis[]): Hyperparameters | null {
  for (const { memo } of history.toReversed()) {
    const parsed = memoSchema.safeParse(memo);
    const process = parsed.data?.process;
    if (!parsed.success || !process) continue;
    const isSame =
      process.inverseLengths.length === axes.length &&
      spellTexts(constants, readTexts(constants, parsed.data.values)) === parsed.data.values;
    return isSame ? process : null;
  }
  return null;
}

/** The spelled values that must not be repeated. Those of the baseline and of other proposers are in no memo. */
function triedBy(
  { constants, history, refused }: Situation,
  observed: readonly (readonly string[])[],
): ReadonlySet<string> {
  const tried = new Set([[], ...observed].map(texts => spellTexts(constants, texts)));
  for (const memo of [...history.map(entry => entry.memo), ...refused]) {
    const parsed = memoSchema.safeParse(memo);
    if (parsed.success) tried.add(parsed.data.values);
  }
  return tried;
}

function expectGain(trials: readonly Trial[], { posterior, invert }: Surrogate, point: Point, now: Point) {
  if (trials.filter(({ value }) => value !== null).length < TELLING_TRIALS) {
    return { expectedGain: null, expectedError: null };
  }
  const { mean, deviation } = posterior.at(point);
  return {
    expectedGain: invert(posterior.at(now).mean) - invert(mean),
    expectedError: (invert(mean + deviation) - invert(mean - deviation)) / 2,
  };
}

const UNKNOWN = 'little is known yet';
const MODELS = 3;

function explain(
  axes: readonly Axis[],
  trials: readonly Trial[],
  surrogate: Surrogate,
  point: Point,
): string {
  const known = trials.filter(({ value }) => value !== null);
  if (known.length < TELLING_TRIALS) return UNKNOWN;
  const kernel = kernelOf(axes, surrogate.parameters);
  const alike = (trial: Trial) => kernel(trial.point, point) / kernel(point, point) >= ALIKE;
  const best = [...known].sort((a, b) => (a.value ?? 0) - (b.value ?? 0)).slice(0, MODELS);
  const models = best.filter(alike).map(({ n }) => `#${n}`);
  if (models.length > 0) {
    return `like ${models.join(' and ').replace(' and ', models.length > 2 ? ', ' : ' and ')}, ${models.length > 1 ? 'among the best' : 'one of the best'} so far`;
  }
  return known.some(alike) ? 'near values that were tried' : 'values like these have not been tried yet';
}
