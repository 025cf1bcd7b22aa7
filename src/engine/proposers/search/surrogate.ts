import { clamp } from '../../../shared/numbers.ts';
import {
  type Axes,
  condition,
  type Hyperparameters,
  type Point,
  type Posterior,
  priorMedian,
} from './gaussian-process.ts';
import { findMostProbable } from './most-probable.ts';
import { standardize } from './standardize.ts';

/** A point that was tried; null if it gave no number. */
export type Trial = { readonly n: number; readonly point: Point; readonly value: number | null };

/** A model of the metric; lower is better. */
export type Surrogate = {
  readonly parameters: Hyperparameters;
  /** In standardized units. */
  readonly posterior: Posterior;
  /** The known trial with the lowest predicted mean, which is more reliable than its own noisy number. */
  readonly best: Trial;
  readonly level: number;
  /** How likely a point gives a number, from 0 to 1. */
  readonly chance: (point: Point) => number;
  /** Converts a standardized value to the metric's unit. */
  readonly invert: (value: number) => number;
};

/** With up to this many points, all are used to fit the hyperparameters. */
const FITTED = 128;
/** Steps towards the most probable hyperparameters. */
const STEPS = { first: 40, further: 12 };
/** More points would make a proposal slow, because the cost grows with the cube of their number. */
const KEPT = { best: 86, near: 85, latest: 85 };

/**
 * Fits the model to all trials, oldest first.
 * @param before the previous hyperparameters; null the first time
 * @param center where the next candidates will be
 * @param pending points in training; the model assumes the values it expects ("kriging believer"; Ginsbourger, Le Riche
 *   and Carraro, 2010), so that points near them look less promising
 */
export function fitSurrogate(
  axes: Axes,
  trials: readonly Trial[],
  before: Hyperparameters | null,
  center: Point,
  pending: readonly Point[] = [],
): Surrogate | null {
  const { values: all, invert } = standardize(trials.map(({ value }) => value));
  const kept = selectTrials(axes, trials, all, center);
  // As a bad value, a crash would be a cliff, and the lengths of the axes along which it lies would be too short.
  const known = kept.filter(place => trials[place]?.value !== null);
  if (known.length === 0) return null;
  const points = known.map(place => trials[place]?.point ?? center);
  const values = known.map(place => all[place] ?? 0);
  const parameters = fitTo(
    axes,
    points,
    values,
    before ?? priorMedian(axes),
    before ? STEPS.further : STEPS.first,
  );
  const posterior = condition(axes, points, values, parameters);
  if (!posterior) return null;
  let best: { readonly trial: Trial; readonly mean: number } | null = null;
  for (const place of known) {
    const trial = trials[place];
    if (!trial) continue;
    const mean = posterior.meanAt(trial.point);
    if (!best || mean < best.mean) best = { trial, mean };
  }
  if (!best) return null;
  const chance = chanceOfNumber(
    axes,
    kept.flatMap(place => trials[place] ?? []),
  );
  const found = { parameters, posterior, best: best.trial, level: best.mean, chance, invert };
  if (pending.length === 0) return found;
  const expected = pending.map(posterior.meanAt);
  const believed = condition(axes, [...points, ...pending], [...values, ...expected], parameters);
  const level = Math.min(best.mean, ...expected);
  return { ...found, posterior: believed ?? posterior, level };
}

/**
 * How likely a point gives a number: a second process, through 0 where a trial gave one and 1 where it gave none.
 * Expected improvement times this chance: Schonlau, Welch and Jones, Global versus local search in constrained
 * optimization of computer models, 1998.
 */
function chanceOfNumber(axes: Axes, trials: readonly Trial[]): (point: Point) => number {
  const failures = trials.map(({ value }) => (value === null ? 1 : 0));
  if (!failures.includes(1)) return () => 1;
  const points = trials.map(({ point }) => point);
  const parameters = fitTo(axes, points, failures, priorMedian(axes), STEPS.further);
  const posterior = condition(axes, points, failures, parameters);
  return point => 1 - clamp(posterior?.meanAt(point) ?? 0, 0, 1);
}

/** With many points, every other one is enough to fit lengths and noise, in an eighth of the time. */
function fitTo(
  axes: Axes,
  points: readonly Point[],
  values: readonly number[],
  start: Hyperparameters,
  steps: number,
): Hyperparameters {
  const isFitted = (_: unknown, place: number) => points.length <= FITTED || place % 2 === 1;
  return findMostProbable(axes, points.filter(isFitted), values.filter(isFitted), start, steps);
}

/** Indices of the trials that the process uses, in order: the best, those nearest to `center` and the latest. */
function selectTrials(
  axes: Axes,
  trials: readonly Trial[],
  values: readonly number[],
  center: Point,
): readonly number[] {
  const places = trials.map((_, place) => place);
  if (places.length <= KEPT.best + KEPT.near + KEPT.latest) return places;
  const kept = new Set<number>();
  const take = (count: number, cost: (place: number) => number) => {
    const costs = places.map(cost);
    const left = places.filter(place => !kept.has(place));
    left.sort((a, b) => (costs[a] ?? 0) - (costs[b] ?? 0) || b - a);
    for (const place of left.slice(0, count)) kept.add(place);
  };
  take(KEPT.latest, place => -place);
  take(KEPT.best, place => values[place] ?? 0);
  take(KEPT.near, place => apart(axes, trials[place]?.point ?? center, center));
  return places.filter(place => kept.has(place));
}

function apart(axes: Axes, a: Point, b: Point): number {
  return axes.reduce((sum, { isCategory }, place) => {
    const distance = Math.abs((a[place] ?? 0) - (b[place] ?? 0));
    return sum + (isCategory ? Math.min(distance, 1) : distance ** 2);
  }, 0);
}
