import { constantKey } from './bounds.ts';
import type { Constant } from './constant.ts';
import {
  condition,
  type Hyperparameters,
  type Point,
  type Posterior,
  priorMedian,
} from './gaussian-process.ts';
import { findMostProbable } from './most-probable.ts';
import { placeOn } from './place-on.ts';
import { type Axis, axesOf } from './space.ts';
import { standardize } from './standardize.ts';

/** A question that can be sent to another thread. */
export type ImportanceQuestion = {
  readonly constants: readonly Constant[];
  /** Sets of values with their results; lower is better. */
  readonly trials: readonly { readonly texts: readonly string[]; readonly value: number }[];
  /** The search's last hyperparameters; null if it did not run, or knew other constants. */
  readonly process: Hyperparameters | null;
};

export type Importance = {
  /** Whether these are the search's own hyperparameters, rather than fitted for this answer. */
  readonly isOfSearch: boolean;
  /** How many experiments the process knows. */
  readonly trials: number;
  /**
   * The share of the results' variance that it predicts for experiments it has not seen: at most 1; below 0 means no
   * better than the mean.
   */
  readonly foretold: number;
  /** The changed constants, by key, with shares that sum to 1, largest first. */
  readonly shares: readonly { readonly key: string; readonly share: number }[];
};

/** With fewer experiments there is no answer. */
export const LEAST_TRIALS = 10;
/** With more, the thread would take seconds. */
const MOST_TRIALS = 240;
const STEPS = 40;
const FOLDS = 5;
const PERMUTATIONS = 4;

/**
 * How much each constant matters: its total effect in a Gaussian process fitted to the trials, which is how far the
 * predicted mean moves when one constant takes another trial's value. Null if there are too few trials, or no
 * constant was changed. Pure. Source: Jansen 1999, Computer Physics Communications 117:35.
 */
export function weighConstants({ constants, trials: all, process }: ImportanceQuestion): Importance | null {
  const trials = evenly(all, MOST_TRIALS);
  const axes = axesOf(
    constants,
    trials.map(({ texts }) => texts),
  );
  const everywhere = trials.map(({ texts }) => axes.map(axis => placeOn(axis, texts)));
  const turned = axes.map((_, place) => place).filter(place => varies(everywhere, place));
  if (trials.length < LEAST_TRIALS || turned.length === 0) return null;
  const own = turned.flatMap(place => axes[place] ?? []);
  const points = everywhere.map(row => Float64Array.from(turned, place => row[place] ?? 0));
  const { values } = standardize(trials.map(({ value }) => value));
  const isOfSearch = process !== null && process.inverseLengths.length === axes.length;
  const parameters = isOfSearch
    ? { ...process, inverseLengths: turned.map(place => process.inverseLengths[place] ?? 0) }
    : findMostProbable(own, points, values, priorMedian(own), STEPS);
  const posterior = condition(own, points, values, parameters);
  if (!posterior) return null;
  return {
    ...{ isOfSearch, trials: trials.length },
    foretold: crossValidate(own, points, values, parameters),
    shares: sharesOf(constants, own, totalEffects(posterior, points, own.length)),
  };
}

function evenly<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, place) => all[Math.floor((place * all.length) / most)] as T);
}

function varies(points: readonly (readonly number[])[], place: number): boolean {
  return points.some(point => point[place] !== points[0]?.[place]);
}

/** One minus the squared error of predicting each fifth from the others, in units of the variance. */
function crossValidate(
  axes: readonly Axis[],
  points: readonly Point[],
  values: readonly number[],
  parameters: Hyperparameters,
): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let [error, variance] = [0, 0];
  for (let fold = 0; fold < FOLDS; fold += 1) {
    const isShown = (_: unknown, place: number) => place % FOLDS !== fold;
    const posterior = condition(axes, points.filter(isShown), values.filter(isShown), parameters);
    for (let place = fold; place < points.length; place += FOLDS) {
      const [point, value = 0] = [points[place], values[place]];
      error += (value - ((point && posterior?.meanAt(point)) ?? mean)) ** 2;
      variance += (value - mean) ** 2;
    }
  }
  return variance > 0 ? 1 - error / variance : 0;
}

function totalEffects(posterior: Posterior, points: readonly Point[], axes: number): readonly number[] {
  const means = points.map(posterior.meanAt);
  return Array.from({ length: axes }, (_, axis) => {
    let sum = 0;
    for (let round = 1; round <= PERMUTATIONS; round += 1) {
      // Steps without a common divisor meet other trials in each round.
      const step = 1 + Math.floor((round * points.length) / (PERMUTATIONS + 1));
      for (const [place, point] of points.entries()) {
        const other = Float64Array.from(point);
        other[axis] = points[(place + step) % points.length]?.[axis] ?? 0;
        sum += (posterior.meanAt(other) - (means[place] ?? 0)) ** 2;
      }
    }
    return sum / (2 * PERMUTATIONS * points.length);
  });
}

/** A tuple has one axis per item, but counts as one constant. */
function sharesOf(
  constants: readonly Constant[],
  axes: readonly Axis[],
  effects: readonly number[],
): Importance['shares'] {
  const whole = effects.reduce((sum, effect) => sum + effect, 0);
  const shares = new Map<string, number>();
  for (const [place, axis] of axes.entries()) {
    const constant = constants[axis.constant];
    if (!constant) continue;
    const key = constantKey(constant);
    shares.set(key, (shares.get(key) ?? 0) + (whole > 0 ? (effects[place] ?? 0) / whole : 0));
  }
  return [...shares].map(([key, share]) => ({ key, share })).sort((a, b) => b.share - a.share);
}
