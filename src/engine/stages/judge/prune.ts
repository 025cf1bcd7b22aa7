import { deviation } from 'd3-array';
import type { Contract } from '../../../shared/contract.ts';
import type { PruneEvidence } from '../../../shared/prune.ts';
import { CURVE_PARTS, type Curve, type CurvePoint } from '../../metrics/curve.ts';

/** Before this share of the way nothing is ended, and after the other it is not worth it. */
const FIRST_PART = 0.3 * CURVE_PARTS;
const LAST_PART = 0.9 * CURVE_PARTS;
/** This many parts in a row must agree; one may be noise. Source of the idea: Optuna's PatientPruner. */
const PATIENCE = 2;
/** Fewer runs do not tell how much a run can catch up. */
const LEAST_RUNS = 10;
/** Of the latest runs; older ones were measured against what is long passed. */
export const PRUNE_RUNS = 50;
/** How far beyond the most that any run caught up is hopeless: so many deviations of what they caught up. */
const DEVIATIONS = 2;
/** As a share of the metric; the runs of a study may happen to agree. */
const LEAST_DEVIATION = 0.002;

/** A run that was trained to its end, and what it was worth. */
export type PastRun = { readonly curve: Curve; readonly metric: number };

export type PruneInput = {
  readonly goal: Contract['metric']['goal'];
  /** What counts; a curve of another name is a loss, and lower is better. */
  readonly metric: string;
  /** So far, its last part just ended. */
  readonly curve: Curve;
  readonly incumbent: PastRun;
  /** Of the same study, newest first, the incumbent not among them. */
  readonly earlier: readonly PastRun[];
};

/**
 * Judges whether a run cannot reach the incumbent any more. Pure; null for go on.
 *
 * A stopping rule on performance curves, as Golovin et al. describe the family (Google Vizier, KDD 2017), with what this
 * study has measured in place of a model: of each earlier run it is known how far it was behind the incumbent at this
 * place of the way, and how far at the end, by the metric itself; the difference is what it caught up. A run is doomed
 * where it is further behind than any earlier one has ever caught up from there, and {@link DEVIATIONS} standard
 * deviations more; by the same share of the budget and by the same step, in two parts in a row. What a training curve
 * does not tell of the metric, a schedule that pays late, and faster steps are all in what earlier runs caught up.
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
  const isHigherBetter = curve.series === metric && goal === 'maximize';
  const point = curve.points[part];
  const same = incumbent.curve.points[part];
  if (!point || !same) return null;
  const worth = (run: PastRun) => relative(run.metric, incumbent.metric, goal === 'maximize');
  const places = [() => same.value, (at: CurvePoint) => valueAtStep(incumbent.curve, at.step)];
  let narrowest: { readonly behind: number; readonly caughtUp: number } | null = null;
  for (const place of places) {
    const behind = (at: CurvePoint | null | undefined) =>
      at ? relative(at.value, place(at), isHigherBetter) : null;
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

/** How much worse than the other, as a share of it; null where there is nothing to be a share of. */
function relative(value: number, other: number | null, isHigherBetter: boolean): number | null {
  if (other === null || other === 0) return null;
  return (isHigherBetter ? other - value : value - other) / Math.abs(other);
}

/** Of a curve at a step, on the line between two of its points; beyond its last one what it ended with. */
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
