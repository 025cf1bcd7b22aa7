import type { Study } from '../../../shared/study.ts';
import type { HistoryEntry } from '../../store/experiments.ts';
import type { Repeat } from '../../store/runs.ts';
import type { Trial } from '../../verdicts/claims.ts';

/** Every experiment of a study that has a number, with those of its repeats, oldest first. */
export function trialsOf(history: readonly HistoryEntry[], repeats: readonly Repeat[]): readonly Trial[] {
  const further = new Map<number, number[]>();
  for (const { n, value } of repeats) {
    if (value !== null) further.set(n, [...(further.get(n) ?? []), value]);
  }
  return history.flatMap(({ n, metric, verdict, incumbent }) =>
    metric === null
      ? []
      : [{ n, values: [metric, ...(further.get(n) ?? [])], parent: incumbent, isKept: verdict === 'keep' }],
  );
}

/** As the statistics want them: lower is better. */
export function oriented(
  trials: readonly Trial[],
  goal: Study['contract']['metric']['goal'],
): readonly Trial[] {
  if (goal === 'minimize') return trials;
  return trials.map(trial => ({ ...trial, values: trial.values.map(value => -value) }));
}
