import type { Goal } from '../../../shared/contract/contract.ts';
import type { Verdict } from '../../../shared/study.ts';
import type { Late } from '../../stages/judge/decide.ts';
import { keptOf, oriented } from '../../stages/judge/trials.ts';
import type { Measured } from '../../stages/measure/measured.ts';
import type { Combination } from '../../stages/record/late-result.ts';
import { assess, type Trial } from '../../statistics/claims.ts';
import { mean } from '../../statistics/noise.ts';
import type { Repeats } from './repeats.ts';

/**
 * Results of attempts that were not made on the incumbent: with several lanes the branch may have moved on meanwhile,
 * and a proposal may start from another line. Pure, like `step`.
 */

/** Less probable gains are not worth a run in combination with the incumbent. */
const LEAST_PROBABILITY = 0.5;

/** The commit on which a measured attempt was made, if that is not the incumbent; null if it is, and for the baseline. */
export function findLate(
  { trials }: Pick<Repeats, 'trials'>,
  { parent: n }: Pick<Measured, 'parent'>,
): Late | null {
  const kept = keptOf(trials);
  if (n === null || kept.at(-1)?.n === n) return null;
  const line = lineOf(trials, n);
  const [parent] = line;
  const held = line.findLast(({ isKept }) => isKept);
  return {
    parent: { experiment: n, value: parent ? mean(parent.values) : Number.NaN },
    missing: held ? kept.slice(1 + kept.indexOf(held)).map(trial => trial.n) : null,
  };
}

/**
 * An experiment and its ancestors, up to the newest keep of the branch among them, which comes last. Without one if
 * something in between was taken back; an experiment taken back for its number is no longer among the numbers.
 */
function lineOf(trials: Repeats['trials'], first: number): readonly Trial[] {
  const line: Trial[] = [];
  for (let n: number | null = first; n !== null; ) {
    const at: number = n;
    const trial = trials.find(other => other.n === at);
    if (!trial || trial.isTakenBack || line.includes(trial)) break;
    line.push(trial);
    if (trial.isKept) break;
    n = trial.parent;
  }
  return line;
}

/**
 * The two edits to try together after a late result: the one that lost, on top of the branch's current one. It lost
 * to an edit that it does not contain, but was probably better than the commit on which both were made. Null if there
 * is nothing to try.
 */
export function findCombination(
  { trials, goal }: Pick<Repeats, 'trials' | 'goal'>,
  { n, value }: Pick<Measured, 'n' | 'value'>,
  { word, reason, evidence }: Verdict,
): Combination | null {
  const { lateParent, incumbentExperiment: incumbent } = evidence;
  if (!lateParent || incumbent === undefined || value === null) return null;
  const hasLost = word === 'discard' && (reason === 'worse' || reason === 'equal');
  if (!hasLost && word !== 'keep') return null;
  // The old incumbent does not contain the line that replaced it, only the commit on which that line began.
  const base = hasLost ? lateParent.experiment : (lineOf(trials, lateParent.experiment).at(-1)?.n ?? null);
  if (base === null) return null;
  const values = hasLost ? [value] : (trials.find(trial => trial.n === incumbent)?.values ?? []);
  const lost: Trial = { n: hasLost ? n : incumbent, values, parent: base, isKept: true };
  if (probabilityOf(lost, trials, goal) < LEAST_PROBABILITY) return null;
  return { base, lost: lost.n, onto: hasLost ? incumbent : n };
}

/** How probable it is that a trial is better than its parent, as if the branch had continued with it. */
function probabilityOf(own: Trial, trials: readonly Trial[], goal: Goal): number {
  const line = own.parent === null ? [] : lineOf(trials, own.parent);
  const held = line.at(-1);
  const fork = held ? trials.indexOf(held) : -1;
  const others = trials
    .filter(({ n }) => n !== own.n)
    .map((trial, place) => ({
      ...trial,
      isKept: line.includes(trial) || (trial.isKept && place <= fork),
    }));
  const claims = assess(oriented([...others, own], goal))?.claims ?? [];
  return claims.find(({ n }) => n === own.n)?.probability ?? 0;
}
