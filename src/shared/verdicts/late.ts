import { formatMetric } from '../numbers.ts';
import type { Evidence, Experiment } from '../study.ts';

/**
 * For each keep whose edit left the branch, the keep that took its place.
 * @param keeps in the order they were kept, without those that were taken back
 */
export function supersededBy(
  keeps: readonly { readonly n: number; readonly supersedes?: readonly number[] | undefined }[],
): ReadonlyMap<number, number> {
  return new Map(keeps.toReversed().flatMap(({ n, supersedes = [] }) => supersedes.map(other => [other, n])));
}

/** The same for the keeps among experiments, given in the order of their verdicts. */
export function supersededAmong(
  experiments: readonly Pick<Experiment, 'n' | 'verdict'>[],
): ReadonlyMap<number, number> {
  return supersededBy(
    experiments.flatMap(({ n, verdict }) =>
      verdict?.word === 'keep' ? [{ n, supersedes: verdict.evidence.supersedes }] : [],
    ),
  );
}

/**
 * The commit an attempt was made on, if that was no longer the incumbent when it was measured, and the consequences.
 * @param isOtherLine whether it started there on purpose
 */
export function describeLate(
  {
    lateParent,
    incumbentExperiment,
    supersedes,
  }: Pick<Evidence, 'lateParent' | 'incumbentExperiment' | 'supersedes'>,
  isOtherLine: boolean,
): string {
  if (!lateParent) return '';
  const { experiment, record } = lateParent;
  const made = isOtherLine
    ? `It builds on #${experiment} (${formatMetric(record)}), which was not on the branch. The incumbent was #${incumbentExperiment}.`
    : `It was made on #${experiment}; when it was measured, #${incumbentExperiment} was the incumbent.`;
  if (!supersedes) return `${made} It was compared with that.`;
  const names = supersedes.map(n => `#${n}`).join(', ');
  const without = supersedes.length > 0 ? `, without the edits of ${names}` : '';
  return `${made} It was better, so the branch holds exactly what was measured${without}.`;
}
