import { betterSide, type Goal } from '../contract/contract.ts';
import { counted, formatMetric } from '../numbers.ts';
import type { ProgressLayout } from './progress-layout.ts';
import type { ProgressTally } from './progress-model.ts';

/** The note beside the metric's name: how to read the chart. */
export function progressNote({ isLog, unproven }: ProgressLayout, goal: Goal): string {
  return [
    `${betterSide(goal)} is better`,
    ...(isLog ? ['log distance to the best'] : []),
    ...(unproven.length > 0 ? ['hollow: unproven'] : []),
  ].join(' · ');
}

/** The chart in one sentence, for people who cannot see it. */
export function progressName(tally: ProgressTally, metricName: string, baseline: number | null): string {
  const others = tally.finished - tally.keep - tally.discard - tally.crash;
  const numbers = [
    ...(baseline === null ? [] : [`baseline ${formatMetric(baseline)}`]),
    ...(tally.best === null
      ? []
      : [`best ${formatMetric(tally.best)} in experiment ${tally.bestExperiment}`]),
    `${tally.keep} kept`,
    `${tally.discard} discarded`,
    counted(tally.crash, 'crash', 'crashes'),
    ...(others === 0 ? [] : [`${others} with another verdict`]),
  ];
  const experiments = tally.finished === 1 ? '1 experiment' : `${tally.finished} experiments`;
  return `${metricName} over ${experiments}: ${numbers.join(', ')}`;
}
