import { betterSide, type Goal } from '../contract/contract.ts';
import { counted, formatMetric } from '../numbers.ts';
import type { Tally } from '../study.ts';
import { countTried, describeVerdicts } from '../tried.ts';
import type { ProgressLayout } from './progress-layout.ts';

/** The note beside the metric's name: how to read the chart. */
export function progressNote({ isLog, hollowFor }: ProgressLayout, goal: Goal): string {
  return [
    `${betterSide(goal)} is better`,
    ...(isLog ? ['log distance to the best'] : []),
    ...(hollowFor.length > 0 ? [`hollow: ${hollowFor.join(' or ')}`] : []),
  ].join(' · ');
}

/** The chart in one sentence, for people who cannot see it. */
export function progressName(tally: Tally, metricName: string): string {
  const counts = countTried(tally);
  const numbers = [
    ...(tally.baseline === null ? [] : [`baseline ${formatMetric(tally.baseline)}`]),
    ...(tally.best === null
      ? []
      : [`best ${formatMetric(tally.best)} in experiment ${tally.bestExperiment}`]),
    describeVerdicts(counts),
  ];
  return `${metricName} over ${counted(counts.tried, 'experiment')}: ${numbers.join(', ')}`;
}
