import { deviation } from 'd3-array';
import { type Goal, signOf } from '../../../shared/contract/contract.ts';
import type { PruneEvidence } from '../../../shared/verdicts/prune.ts';
import { CURVE_PARTS, type Curve, type CurvePoint } from '../../metrics/curve.ts';

/** Nothing is ended before this share of the budget; after the other share it is no longer worth it. */
const FIRST_PART = 0.3 * CURVE_PARTS;
const LAST_PART = 0.9 * CURVE_PARTS;
/** This many parts in a row must agree, because one may be noise. Source of the idea: Optuna's PatientPruner. */
const PATIENCE = 2;
/** Fewer runs do not show how much a run can catch up. */
const LEAST_RUNS = 10;
/** Only the latest runs count, because older ones had another incumbent. */
export const PRUNE_RUNS = 50;
/** How far behind the best catch-up so far a run is hopeless, in standard deviations of all catch-ups. */
const DEVIATIONS = 2;
/** Minimum deviation as a share of the metric, because a study's runs may happen to agree. */
const LEAST_DEVIATION = 0.002;

/** A run that trained to its end, and its result. */
export type PastRun = { readonly curve: Curve; readonly metric: number };

export type PruneInput = {
  readonly goal: Goal;
  /** The metric's name; a curve of another name is a loss, for which lower is better. */
  readonly metric: string;
  /** The curve so far; its last part has just ended. */
  readonly curve: Curve;
  readonly incumbent: PastRun;
  /** Runs of the same study, newest first, without the incumbent's. */
  readonly earlier: readonly PastRun[];
};

/**
 * Judges whether a run can no longer reach the incumbent. Pure; null lets it go on.
 *
 * A stopping rule on performance curves, as Golovin et al. describe the family (Google Vizier, KDD 2017), with this
 * study's measurements in place of a model. For each earlier run, Pawl knows how far behind the incumbent it was at
 * this point, and how far at the end by the metric itself; the difference is what it caught up. A run is hopeless if
 * it is further behind than any earlier run ever caught up from there, plus {@link DEVIATIONS} standard deviations:
 * both at the same share of the budget and at the same step, in two parts in a row. These catch-ups include whatever
 * a training curve does not show about the metric: schedules that pay off late, and faster steps.
 */
export function judgeCurve(input: PruneInput): PruneEvidence | null {
  const { curve, incumbent } = input;
  const ended = curve.points.length;
  if (ended < FIRST_PART + PATIENCE - 1 || ended > LAST_PART) return null;
  const comparable = input.earlier.slice(0, PRUNE_RUNS).filter(run => run.curve.series === curve.series);
  if (curve.series !== incumbent.curve.series || comparable.length < LEAST_RUNS) return null;
  let found: PruneEvidence | null = null;
  for (let part = ended - PATIENCE; part < ended; part += 1) {
    found = judgePart({ ...input, earlier: comparable }, part);
    if (!found) return null;
  }
  return found;
}

function judgePart(input: PruneInput, part: number): PruneEvidence | null {
  const { curve, incumbent, earlier, goal, metric } = input;
  const goalOfCurve = curve.series === metric ? goal : 'minimize';
  const point = curve.points[part];
  const same = incumbent.curve.points[part];
  if (!point || !same) return null;
  const worth = (run: PastRun) => relative(run.metric, incumbent.metric, goal);
  const places = [() => same.value, (at: CurvePoint) => valueAtStep(incumbent.curve, at.step)];
  let narrowest: { readonly behind: number; readonly caughtUp: number } | null = null;
  for (const place of places) {
    const behind = (at: CurvePoint | null | undefined) =>
      at ? relative(at.value, place(at), goalOfCurve) : null;
    const own = behind(point);
    if (own === null) continue;
    const caughtUp = earlier.flatMap(run => {
      const [then, end] = [behind(run.curve.points[part]), worth(run)];
      return then === null || end === null ? [] : [then - end];
    });
    if (caughtUp.length < LEAST_RUNS) return null;
    const bound = Math.max(...caughtUp) + DEVIATIONS * Math.max(deviation(caughtUp) ?? 0, LEAST_DEVIATION);
    if (!(own > bound)) return null;
    if (!narrowest || own - bound < narrowest.behind - narrowest.caughtUp) {
      narrowest = { behind: own, caughtUp: bound };
    }
  }
  return (
    narrowest && {
      series: curve.series,
      share: (part + 1) / CURVE_PARTS,
      value: point.value,
      incumbentValue: same.value,
      ...narrowest,
      runs: earlier.length,
    }
  );
}

/** By how much one value is worse than the other, as a share of it; null if there is no share to compute. */
function relative(value: number, other: number | null, goal: Goal): number | null {
  if (other === null || other === 0) return null;
  return (signOf(goal) * (value - other)) / Math.abs(other);
}

/** A curve's value at a step, interpolated between two of its points; after its last point, the last value. */
function valueAtStep({ points }: Curve, step: number | null): number | null {
  if (step === null) return null;
  let before: CurvePoint | null = null;
  for (const point of points) {
    if (!point || point.step === null) continue;
    if (point.step >= step) {
      if (!before || before.step === null || point.step === before.step) return point.value;
      const share = (step - before.step) / (point.step - before.step);
      return before.value + share * (point.value - before.value);
    }
    before = point;
  }
  return before?.value ?? null;
}
