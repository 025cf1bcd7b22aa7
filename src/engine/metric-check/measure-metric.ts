import { type BaselineTime, budgetOf, middleTime, trainedSeconds } from '../../shared/contract/budget.ts';
import type { Contract } from '../../shared/contract/contract.ts';
import { REPEATABLE_DIGITS } from '../../shared/verdicts/claims.ts';
import { isSame, type MetricCheck } from '../../shared/verdicts/metric-check.ts';
import { BASELINE_RUNS } from '../session/loop/repeats.ts';
import { auditAllowance, MOST_RUNS } from '../statistics/audit.ts';
import { estimateNoise, mean, plausibleVariances, stepOf } from '../statistics/noise.ts';
import { smallestGain } from '../statistics/smallest-gain.ts';

export type MeasuredRuns = Pick<MetricCheck, 'asked' | 'values' | 'fault' | 'broken' | 'seeds'> & {
  readonly contract: Pick<Contract, 'metric' | 'budget'>;
  /** How many decimals the output shows of the number; null if it was not found there. */
  readonly decimals: number | null;
  /** Of complete runs of the unchanged code; at least one. */
  readonly times: readonly BaselineTime[];
  /** How much time one run takes, including the measuring after it. */
  readonly runSeconds: number;
  readonly hours: number;
};

/** What the runs of a check show. Pure; `values` has at least one number. */
export function measureMetric(input: MeasuredRuns): MetricCheck {
  const { contract, values, decimals, times, runSeconds, hours, asked, fault, broken, seeds } = input;
  const [first = Number.NaN] = values;
  // In floating point, three times 0.1 divided by three is slightly more than 0.1.
  const middle = isSame({ values }) ? first : mean(values);
  const step = stepOf(values, decimals === null ? undefined : 10 ** -decimals);
  const noise = estimateNoise([values], middle, step);
  const spread = plausibleVariances(noise).map(Math.sqrt);
  const digits = Math.max(1, Math.floor(Math.log10(Math.max(Math.abs(middle), step) / step) + 1e-9) + 1);
  const isWithoutChance = isSame({ values }) && digits >= REPEATABLE_DIGITS;
  const runs = Math.floor((hours * 3_600) / runSeconds);
  const auditRuns = isWithoutChance ? 0 : auditAllowance(runs);
  // After an audit of one keep, the repeats of both commits tell the noise.
  const audited = { ...noise, degrees: Math.max(noise.degrees, 2 * (MOST_RUNS - 1)) };
  const trained = middleTime(times);
  return {
    metric: { name: contract.metric.name, goal: contract.metric.goal },
    ...{ asked, values, fault, mean: middle, digits, step, broken, seeds },
    noise: { sigma: Math.sqrt(noise.variance), low: spread[0] ?? 0, high: spread.at(-1) ?? 0 },
    gain: isWithoutChance
      ? { oneRun: step, night: step }
      : {
          oneRun: smallestGain(noise, { parent: BASELINE_RUNS, attempt: 1 }),
          night: smallestGain(audited, { parent: MOST_RUNS, attempt: MOST_RUNS }),
        },
    night: { hours, runSeconds, auditRuns, experiments: Math.max(0, runs - BASELINE_RUNS - auditRuns) },
    budget: {
      seconds: contract.budget.seconds,
      trainedSeconds: trained ? trainedSeconds(trained) : runSeconds,
      kind: budgetOf(contract.budget, times).kind,
    },
  };
}

/** Numbers as trainings print them; digits grouped by commas are one number. */
const NUMBER = /[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[-+]?\d+)?/gi;

/**
 * How many decimals an output shows of a number; the most if it is printed in several ways. Null if it is not printed
 * as such, for instance because it was converted from another unit.
 * @param name where lines with this name show the number, only those count: others may show the same by chance
 */
export function printedDecimals(output: string, value: number, name: string): number | null {
  const named = output.split('\n').filter(line => line.includes(name));
  return decimalsIn(named.join('\n'), value) ?? decimalsIn(output, value);
}

function decimalsIn(output: string, value: number): number | null {
  let most: number | null = null;
  for (const [text] of output.matchAll(NUMBER)) {
    if (Number(text.replaceAll(',', '')) !== value) continue;
    const [, fraction = '', exponent = '0'] = /^[^.e]*(?:\.(\d*))?(?:e([-+]?\d+))?$/i.exec(text) ?? [];
    most = Math.max(most ?? 0, fraction.length - Number(exponent));
  }
  return most;
}
