import type { ProbeFailure, ProbeReason } from '../../shared/probes.ts';
import { hasDigits, leastNoise, mean } from './noise.ts';

/**
 * Whether a number comes from the data it is said to be measured on: a commit and one that it descends from are trained once
 * more with that data exchanged for other data of its kind. What was printed without looking stays the same; what was learnt by
 * heart is gone.
 */

/** A commit's numbers as they stand, and the one with the data exchanged; null where that run gave none. */
export type Probed = { readonly values: readonly number[]; readonly probe: number | null };

/** Of a gain that is real as much is left, at least. */
const LEAST_SHARE = 0.25;
/** Half the width of an interval of 95 %, in standard deviations. */
const INTERVAL = 1.96;
/** A gain is suspect beyond so many standard deviations of the noise, and beyond so many times what was audited. */
const JUMP_NOISE = 8;
const JUMP_AUDITED = 3;

/**
 * Why a commit's number cannot be believed; null where nothing speaks against it. Numbers oriented so that lower is better.
 * @param from the one that it descends from, whose number does come from the data
 * @param variance s²
 */
export function judgeProbe(
  own: Probed,
  from: Probed,
  variance: number,
): (ProbeFailure & { readonly reason: ProbeReason }) | null {
  const gain = mean(from.values) - mean(own.values);
  const { probe } = own;
  if (from.probe === null) return null;
  const gainThere = probe === null ? null : from.probe - probe;
  const failure = { value: probe, gain, gainThere };
  if (probe !== null && own.values.includes(probe) && showsDifference(from))
    return { reason: 'not_from_data', ...failure };
  if (gain <= 0) return null;
  if (gainThere === null) return { reason: 'memorised', ...failure };
  const s = spread(from.values, variance);
  const error = INTERVAL * s * Math.sqrt(2 + 1 / own.values.length + 1 / from.values.length);
  const isLost = gainThere < LEAST_SHARE * gain && gain - gainThere > error;
  return isLost ? { reason: 'memorised', ...failure } : null;
}

/** Whether exchanging the data changes the number of a commit that nobody doubts: without that it shows nothing. */
export function showsDifference({ values, probe }: Probed): boolean {
  return probe !== null && !values.includes(probe) && hasDigits([...values, probe], mean(values));
}

/**
 * Whether a gain is so large that it has to be probed before anything is built on it.
 * @param baseline its numbers
 * @param audited the largest gain that passed a probe; 0 before there is one
 */
export function isJump(
  gain: number,
  baseline: readonly number[],
  variance: number,
  audited: number,
): boolean {
  return gain > JUMP_NOISE * spread(baseline, variance) && gain > JUMP_AUDITED * audited;
}

/** s, and for a training that repeats itself to the last digit what other trainings differ by. */
function spread(baseline: readonly number[], variance: number): number {
  return Math.max(Math.sqrt(variance), leastNoise(mean(baseline)));
}
