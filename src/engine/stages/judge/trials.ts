import type { Goal } from '../../../shared/contract/contract.ts';
import { isOfRecord } from '../../../shared/study.ts';
import { isProbeReason } from '../../../shared/verdicts/probes.ts';
import type { Trial } from '../../statistics/claims.ts';
import { estimateNoise, mean, type Noise } from '../../statistics/noise.ts';
import type { HistoryEntry } from '../../store/experiment-past.ts';
import type { Repeat } from '../../store/runs.ts';

/** Every experiment of a study with a number, together with the numbers of its repeats, oldest first. */
export function trialsOf(history: readonly HistoryEntry[], repeats: readonly Repeat[]): readonly Trial[] {
  const further = new Map<number, number[]>();
  for (const { n, purpose, value } of repeats) {
    if (value !== null && isOfRecord(purpose)) further.set(n, [...(further.get(n) ?? []), value]);
  }
  return history.flatMap(({ n, metric, verdict, reason, incumbent, lateParent, supersedes, guard }) => {
    // An experiment that breaks a condition, or whose number does not come from the data, cannot be compared.
    if (metric === null || guard || isProbeReason(reason)) return [];
    const values = [metric, ...(further.get(n) ?? [])];
    const isKept = verdict === 'keep';
    const parent = isKept ? incumbent : (lateParent ?? incumbent);
    return [{ n, values, parent, isKept, ...standing(reason), ...(supersedes && { supersedes }) }];
  });
}

/** What a verdict's reason means for a trial. */
export function standing(reason: string): Pick<Trial, 'isTakenBack' | 'isSimplified'> {
  return {
    ...(reason === 'rolled_back' ? { isTakenBack: true } : {}),
    ...(reason === 'simplified' ? { isSimplified: true } : {}),
  };
}

/** Those of the branch. */
export function keptOf(trials: readonly Trial[]): readonly Trial[] {
  return trials.filter(({ isKept }) => isKept);
}

export function noiseOf(trials: readonly Trial[]): Noise {
  return estimateNoise(
    trials.map(({ values }) => values),
    trials[0] ? mean(trials[0].values) : 0,
  );
}

/** Oriented for the statistics: lower is better. */
export function oriented(trials: readonly Trial[], goal: Goal): readonly Trial[] {
  if (goal === 'minimize') return trials;
  return trials.map(trial => ({ ...trial, values: trial.values.map(value => -value) }));
}
