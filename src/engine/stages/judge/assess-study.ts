import type { Goal } from '../../../shared/contract/contract.ts';
import type { Measurement, Study } from '../../../shared/study.ts';
import type { StudyClaims } from '../../../shared/verdicts/claims.ts';
import { HEADLINE_RUNS } from '../../statistics/audit.ts';
import { assess, onBranch, type Trial } from '../../statistics/claims.ts';
import { mean } from '../../statistics/noise.ts';
import { keepByVersion } from '../../store/keep-by-version.ts';
import type { Ledger } from '../../store/ledger.ts';
import type { Repeat } from '../../store/runs.ts';
import { keptOf, oriented, trialsOf } from './trials.ts';
import { ruleOf } from './verdict-rule.ts';

const keepClaims = keepByVersion<StudyClaims | null>();

/**
 * What the study's numbers allow it to claim. Null before its baseline, for an imported study, and under the rule
 * `greedy` as long as nothing was repeated.
 */
export function assessStudy(ledger: Ledger, study: Study): StudyClaims | null {
  const { id, contract } = study;
  if (study.state === 'imported') return null;
  return keepClaims(ledger, id, ledger.runs.measuredVersion(id), () => {
    const repeats = ledger.runs.repeats(id);
    const isSilent = ruleOf(contract) === 'greedy' && repeats.length === 0;
    return isSilent
      ? null
      : claimsOf(trialsOf(ledger.experiments.history(id), repeats), repeats, contract.metric.goal);
  });
}

function claimsOf(trials: readonly Trial[], repeats: readonly Repeat[], goal: Goal): StudyClaims | null {
  const assessment = assess(onBranch(oriented(trials, goal)));
  const kept = keptOf(trials);
  const [baseline, best] = [kept[0], kept.at(-1)];
  if (!assessment || !baseline || !best) return null;
  const { noise, claims: keeps } = assessment;
  const s = Math.sqrt(noise.variance);
  return {
    ...{ goal, noise: s, repeats: noise.degrees, isRepeatable: noise.isRepeatable, keeps },
    hasVaried: trials.some(({ values }) => values.some(value => value !== values[0])),
    baseline: measurement(baseline.values),
    best: measurement(best.values),
    headline: headlineOf(repeats, baseline.n, best.n, s),
    seeds: seedsOf(repeats, trials, baseline.n, best.n),
  };
}

function measurement(values: readonly number[]): Measurement {
  return { mean: mean(values), runs: values.length };
}

/** Pairs runs by seed: the i-th seed run of one commit has the same seed as the i-th of another. */
function seedsOf(
  repeats: readonly Repeat[],
  trials: readonly Trial[],
  baseline: number,
  best: number,
): StudyClaims['seeds'] {
  const own = (n: number) => trials.find(trial => trial.n === n)?.values[0];
  const of = (n: number) =>
    repeats.flatMap(repeat => (repeat.n === n && repeat.purpose === 'seed' ? (repeat.value ?? []) : []));
  const before = of(baseline);
  // If the seed changes no number, it has no effect and proves nothing.
  const isIdle = [baseline, best].every(n => of(n).every(value => value === own(n)));
  if (baseline === best || isIdle) return [];
  return of(best).flatMap((value, place) => (before[place] === undefined ? [] : [value - before[place]]));
}

/**
 * Only from the fresh runs at the end, never from the record: the number that made this commit the best was selected
 * for being good.
 */
function headlineOf(
  repeats: readonly Repeat[],
  baseline: number,
  best: number,
  noise: number,
): StudyClaims['headline'] {
  const fresh = (n: number) =>
    repeats.flatMap(repeat =>
      repeat.n === n && repeat.isNewest && repeat.purpose === 'headline' && repeat.value !== null
        ? [repeat.value]
        : [],
    );
  const [before, after] = [fresh(baseline), fresh(best)];
  const isWhole = Math.min(before.length, after.length) >= HEADLINE_RUNS / 2;
  if (baseline === best || !isWhole) return null;
  return {
    difference: mean(after) - mean(before),
    error: noise * Math.sqrt(1 / before.length + 1 / after.length),
    runs: before.length + after.length,
  };
}
