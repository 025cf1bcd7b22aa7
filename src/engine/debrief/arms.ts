import { sum } from 'd3-array';
import type { Arm, Interval } from '../../shared/debrief/debrief.ts';
import { seededRandom } from '../proposers/search/random.ts';
import type { ProposerCall } from '../store/proposer-calls.ts';
import { branchGain, energyWh, isKept, sumKnown, type Trial, trainedSeconds } from './trial.ts';

/** Normal quantile of a two-sided 90 % interval. */
const Z = 1.645;
const RESAMPLES = 400;
/** With fewer experiments, a resampled interval says nothing. */
const LEAST_EXPERIMENTS = 5;

/** The proposers of which something was tried or which failed, in the order in which they were first asked. */
export function compareArms(trials: readonly Trial[], calls: readonly ProposerCall[]): readonly Arm[] {
  const names = [...new Set(calls.map(({ proposer }) => proposer))];
  return names
    .map(proposer =>
      armOf(
        proposer,
        trials.filter(trial => trial.proposer === proposer),
        calls.filter(call => call.proposer === proposer),
      ),
    )
    .filter(({ experiments, failures }) => experiments > 0 || failures.length > 0);
}

function armOf(proposer: string, trials: readonly Trial[], calls: readonly ProposerCall[]): Arm {
  const kept = trials.filter(isKept);
  const rows = trials.map(trial => ({
    gain: branchGain(trial),
    one: 1,
    hours: trainedSeconds(trial) / 3600,
    kWh: (energyWh(trial) ?? 0) / 1000,
    usd: trial.costUsd ?? 0,
  }));
  const rate = (name: 'one' | 'hours' | 'kWh' | 'usd') =>
    ratioOf(rows.map(row => [row.gain, row[name]] as const));
  return {
    ...{ proposer, experiments: trials.length, keep: kept.length },
    crash: trials.filter(({ verdict }) => verdict.word === 'crash').length,
    gain: sum(rows, ({ gain }) => gain),
    trainedSeconds: sum(trials, trainedSeconds),
    proposingSeconds: sum(calls, ({ seconds }) => seconds ?? 0),
    costUsd: sumKnown(trials.map(({ costUsd }) => costUsd)),
    energyWh: sumKnown(trials.map(energyWh)),
    failures: failuresOf(calls),
    keepRate: wilson(kept.length, trials.length),
    gainPerExperiment: rate('one'),
    gainPerHour: rate('hours'),
    gainPerKwh: rate('kWh'),
    gainPerDollar: rate('usd'),
  };
}

function failuresOf(calls: readonly ProposerCall[]): Arm['failures'] {
  const failed = new Map<string, { count: number; last: string }>();
  for (const { outcome, message } of calls) {
    if (outcome === 'proposed' || outcome === 'open' || outcome === 'cancelled') continue;
    failed.set(outcome, { count: (failed.get(outcome)?.count ?? 0) + 1, last: message ?? '' });
  }
  return [...failed].map(([outcome, rest]) => ({ outcome, ...rest })).sort((a, b) => b.count - a.count);
}

/** Wilson score interval of a share; null if `of` is 0. Source: Wilson 1927, JASA 22:209. */
export function wilson(hits: number, of: number): Interval | null {
  if (of === 0) return null;
  const share = hits / of;
  const scale = 1 + Z ** 2 / of;
  const middle = (share + Z ** 2 / (2 * of)) / scale;
  const half = (Z * Math.sqrt((share * (1 - share)) / of + Z ** 2 / (4 * of ** 2))) / scale;
  return { value: share, low: middle - half, high: middle + half };
}

/**
 * Sum of the first numbers divided by the sum of the second, with the percentile interval of 400 resamples, always
 * the same for the same pairs. Null if the second sum is 0, or for fewer than five pairs. Source: Efron 1979, Annals
 * of Statistics 7:1.
 */
export function ratioOf(pairs: readonly (readonly [number, number])[]): Interval | null {
  const by = sum(pairs.map(pair => pair[1]));
  if (pairs.length < LEAST_EXPERIMENTS || by <= 0) return null;
  const random = seededRandom(pairs.length, RESAMPLES);
  const ratios: number[] = [];
  for (let round = 0; round < RESAMPLES; round += 1) {
    let [above, below] = [0, 0];
    for (let draw = 0; draw < pairs.length; draw += 1) {
      const [one, other] = pairs[Math.floor(random() * pairs.length)] ?? [0, 0];
      above += one;
      below += other;
    }
    if (below > 0) ratios.push(above / below);
  }
  ratios.sort((a, b) => a - b);
  const at = (share: number) => ratios[Math.min(ratios.length - 1, Math.floor(share * ratios.length))] ?? 0;
  return { value: sum(pairs.map(pair => pair[0])) / by, low: at(0.05), high: at(0.95) };
}
