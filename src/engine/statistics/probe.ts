import type { ProbeFailure, ProbeReason, SwapFault } from '../../shared/verdicts/probes.ts';
import { leastNoise, mean, type Noise } from './noise.ts';
import { intervalOf } from './student.ts';

/**
 * Tests whether a number comes from the data on which it should be measured: a commit and one of its ancestors are
 * trained once more, with that data swapped for other data of the same kind. A number that was printed without
 * reading the data stays the same; a gain from memorising the data disappears.
 */

/**
 * `failed`: its own code gave no number, twice. `unknown`: Pawl or the machine contributed to that, so it shows
 * nothing.
 */
export type ProbeResult = number | 'failed' | 'unknown';

/** A commit's usual numbers, and its number on the other data. */
export type Probed = { readonly values: readonly number[]; readonly probe: ProbeResult };

/** At least this share of a real gain remains on other data. */
const LEAST_SHARE = 0.25;
/** A gain is suspect above this many standard deviations of the noise, and above this multiple of the largest trusted gain. */
const JUMP_NOISE = 8;
const JUMP_BELIEVED = 3;
/** A trusted number must change by at least this many standard deviations on other data; only then is an unchanged number evidence. */
const TELLING = 4;
/** If the number is this many times larger or smaller on other data, that is a different kind of data. */
const COMPARABLE = 2;
/** With this many runs, the first one, which made it the best, need not count. */
const ENOUGH_RUNS = 3;

/**
 * Why a commit's number cannot be trusted; null if nothing speaks against it. Numbers are oriented so that lower is
 * better.
 * @param from its ancestor
 * @param baseline whose number comes from the data
 * @param bound the best possible number, which may be the same on both data sets; null if not set
 */
export function judgeProbe(
  own: Probed,
  from: Probed,
  baseline: Probed,
  noise: Noise,
  bound: number | null = null,
): (ProbeFailure & { readonly reason: ProbeReason }) | null {
  const { probe } = own;
  if (findSwapFault(baseline) !== null || typeof from.probe !== 'number' || probe === 'unknown') return null;
  const [better, before] = [unbiased(own.values), unbiased(from.values)];
  const gain = mean(before) - mean(better);
  const gainThere = probe === 'failed' ? null : from.probe - probe;
  const failure = { value: probe === 'failed' ? null : probe, gain, gainThere };
  const s = spread(baseline.values, noise);
  if (probe !== 'failed' && probe !== bound && own.values.includes(probe) && isTelling(baseline, s))
    return { reason: 'not_from_data', ...failure };
  if (gain <= 0) return null;
  if (gainThere === null) return { reason: 'memorised', ...failure };
  // If values are half as large there, so are gains.
  const scale = Math.abs(from.probe / mean(before));
  const expected = gain * scale;
  const error =
    intervalOf(1 + noise.degrees) * s * Math.sqrt(2 + scale ** 2 * (1 / better.length + 1 / before.length));
  const isLost = gainThere < LEAST_SHARE * expected && expected - gainThere > error;
  return isLost ? { reason: 'memorised', ...failure } : null;
}

/**
 * Whether a gain also shows on the other data: at least a quarter of it, and more than two runs differ by. If it does
 * not, that alone is no reason to doubt it.
 */
export function confirmsGain(own: Probed, from: Probed, baseline: Probed, noise: Noise): boolean {
  if (typeof own.probe !== 'number' || typeof from.probe !== 'number') return false;
  const before = unbiased(from.values);
  const gain = mean(before) - mean(unbiased(own.values));
  const gainThere = from.probe - own.probe;
  const scale = Math.abs(from.probe / mean(before));
  const error = intervalOf(1 + noise.degrees) * spread(baseline.values, noise) * Math.sqrt(2);
  return gain > 0 && gainThere >= LEAST_SHARE * gain * scale && gainThere > error;
}

/** Why swapping the data shows nothing, judged by the baseline's own numbers; null if it does show something. */
export function findSwapFault({ values, probe }: Probed): SwapFault | null {
  if (typeof probe !== 'number') return 'no_number';
  if (values.includes(probe)) return 'no_difference';
  const ratio = Math.abs(probe / mean(values));
  return ratio > COMPARABLE || ratio < 1 / COMPARABLE ? 'other_kind' : null;
}

function isTelling({ values, probe }: Probed, s: number): boolean {
  return typeof probe === 'number' && Math.abs(probe - mean(values)) > TELLING * s;
}

/**
 * Whether a gain is so large that it has to be probed before anything is built on it.
 * @param baseline the baseline's numbers
 * @param believed the largest trusted gain so far; 0 before there is one
 */
export function isJump(gain: number, baseline: readonly number[], noise: Noise, believed: number): boolean {
  return gain > JUMP_NOISE * spread(baseline, noise) && gain > JUMP_BELIEVED * believed;
}

/** The number that made a commit the best was selected for being good. */
function unbiased(values: readonly number[]): readonly number[] {
  return values.length >= ENOUGH_RUNS ? values.slice(1) : values;
}

/** s; for a training that always repeats its number exactly, the usual variation of other trainings. */
function spread(baseline: readonly number[], { variance, isRepeatable }: Noise): number {
  return Math.max(isRepeatable ? 0 : Math.sqrt(variance), leastNoise(mean(baseline)));
}
