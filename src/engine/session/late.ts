import type { Verdict } from '../../shared/study.ts';
import type { Late } from '../stages/judge/decide.ts';
import { oriented } from '../stages/judge/trials.ts';
import type { Measured } from '../stages/measure/measured.ts';
import type { Combination } from '../stages/record/late-result.ts';
import { assess, type Trial } from '../verdicts/claims.ts';
import { mean } from '../verdicts/noise.ts';
import type { Repeats } from './repeats.ts';

/**
 * Results that come when the branch has moved on: with several lanes an attempt may have been made on a commit that is not the
 * incumbent any more. Pure, like `step`.
 */

/** Less probable gains are not worth a run together with the incumbent. */
const LEAST_PROBABILITY = 0.5;

/** On what a measured attempt was made, where that is not the incumbent; null where it is, and for the baseline. */
export function findLate(
  { trials }: Pick<Repeats, 'trials'>,
  { parent: n }: Pick<Measured, 'parent'>,
): Late | null {
  const kept = trials.filter(({ isKept }) => isKept);
  if (n === null || kept.at(-1)?.n === n) return null;
  const parent = trials.find(trial => trial.n === n);
  // What is not among the numbers any more was taken back.
  if (!parent) return { parent: { experiment: n, value: Number.NaN, isKept: false }, missing: [] };
  const missing = kept.slice(1 + kept.indexOf(parent)).map(trial => trial.n);
  return { parent: { experiment: n, value: mean(parent.values), isKept: parent.isKept }, missing };
}

/**
 * Which two edits are to be tried together after a late result: the one that lost, on top of the one that the branch stands at now. It
 * lost to an edit that it does not hold, but was probably better than what both were made on. Null where there is nothing to try.
 */
export function findCombination(
  { trials, goal }: Pick<Repeats, 'trials' | 'goal'>,
  { n, value }: Pick<Measured, 'n' | 'value'>,
  { word, reason, evidence }: Verdict,
): Combination | null {
  const { lateParent, incumbentExperiment: incumbent } = evidence;
  if (!lateParent || incumbent === undefined || value === null) return null;
  const { experiment: base } = lateParent;
  const hasLost = word === 'discard' && (reason === 'worse' || reason === 'equal');
  if (!hasLost && word !== 'keep') return null;
  const values = hasLost ? [value] : (trials.find(trial => trial.n === incumbent)?.values ?? []);
  const lost: Trial = { n: hasLost ? n : incumbent, values, parent: base, isKept: true };
  if (probabilityOf(lost, trials, goal) < LEAST_PROBABILITY) return null;
  return { base, lost: lost.n, onto: hasLost ? incumbent : n };
}

/** How probably a trial is better than its parent, as if the branch had gone on with it. */
function probabilityOf(own: Trial, trials: readonly Trial[], goal: Repeats['goal']): number {
  const parent = trials.findIndex(({ n }) => n === own.parent);
  const others = trials
    .filter(({ n }) => n !== own.n)
    .map((trial, place) => (place > parent ? { ...trial, isKept: false } : trial));
  const claims = assess(oriented([...others, own], goal))?.claims ?? [];
  return claims.find(({ n }) => n === own.n)?.probability ?? 0;
}
