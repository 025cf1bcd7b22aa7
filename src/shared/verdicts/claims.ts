import { counted, MINUS } from '../numbers.ts';
import { shortNumber } from '../short-number.ts';
import { isBetter, type Measurement, type Study } from '../study.ts';

/** Default number of trainings in an audit: two for each of a few keeps, plus four for the headline. */
export const AUDIT_RUNS = 10;

/** How much repeated runs of a usual training differ: the standard deviation, as a share of the number. */
export const USUAL_NOISE_SHARE = 0.0007;
/** With fewer digits, runs that give the same number prove nothing. */
export const REPEATABLE_DIGITS = 5;

/** What can be claimed about a keep after the baseline. */
export type Claim = {
  readonly n: number;
  /** P: the probability that it is better than its parent. */
  readonly probability: number;
  readonly isProven: boolean;
};

/** What a study's numbers allow it to claim. All in the metric's unit. */
export type StudyClaims = {
  readonly goal: Study['contract']['metric']['goal'];
  /** s: the standard deviation between runs of the same code. */
  readonly noise: number;
  /** ν: the number of repeats from which it is estimated; without any, the usual noise of such trainings is assumed. */
  readonly repeats: number;
  /** Whether the same code gives the same number, to the last digit. */
  readonly isRepeatable: boolean;
  /** Whether any run gave another number than an earlier one of the same code. */
  readonly hasVaried: boolean;
  /** For each keep on the branch after the baseline, in order. */
  readonly keeps: readonly Claim[];
  readonly baseline: Measurement;
  readonly best: Measurement;
  /** The gain of the best over the baseline, only from fresh runs of both; null if there were none. */
  readonly headline: Headline | null;
  /** For a repeatable training, the same difference with each other seed; empty if none was tried. */
  readonly seeds: readonly number[];
};

type Headline = {
  /** The difference of the means, best minus baseline. */
  readonly difference: number;
  /** Its standard error, from the study's noise. */
  readonly error: number;
  /** The number of fresh runs, of both together. */
  readonly runs: number;
};

/**
 * The expected number of false keeps: the sum of the probabilities that each is not a gain. In the bench's simulations
 * fewer are false in the mean, see docs/trust.md.
 */
function expectedFalse({ keeps }: Pick<StudyClaims, 'keeps'>): number {
  return keeps.reduce((sum, { probability }) => sum + 1 - probability, 0);
}

/** Two sentences for the end of a study: what is claimed, and how sure the keeps are. */
export function describeClaims(claims: StudyClaims): readonly string[] {
  const { goal, keeps, headline, isRepeatable, baseline, best } = claims;
  const proven = keeps.filter(({ isProven }) => isProven).length;
  if (keeps.length === 0) return [describeNoise(claims)];
  const recorded = best.mean - baseline.mean;
  const onRecord = signed(recorded);
  const gainWord = (difference: number) => (isBetter(goal, difference, 0) ? 'Gain' : 'No gain');
  const gain = isRepeatable
    ? `${gainWord(recorded)}: ${onRecord}, repeatable with this seed${seedWords(claims.seeds)}.`
    : headline
      ? `${gainWord(headline.difference)} over ${headline.runs} fresh runs: ${signed(headline.difference)} ± ${shortNumber(headline.error)} (on record ${onRecord}).`
      : `Not audited, so no gain is claimed; ${isBetter(goal, recorded, 0) ? 'the gain on record is' : 'on record there is none:'} ${onRecord}.`;
  const wrong = expectedFalse(claims);
  const doubt =
    wrong < 0.05 ? '' : `; ${keeps.length === 1 ? 'it' : `up to ${Math.ceil(wrong)} of them`} may be luck`;
  const count = counted(keeps.length, 'keep');
  return [gain, `${count}, ${proven} proven${doubt}.`, describeNoise(claims)];
}

function seedWords(seeds: readonly number[]): string {
  if (seeds.length === 0) return '';
  return `; with ${seeds.length === 1 ? 'another seed' : 'other seeds'} ${seeds.map(signed).join(' and ')}`;
}

export function describeNoise({ noise, repeats, isRepeatable, hasVaried }: StudyClaims): string {
  if (isRepeatable) return 'The same code gives the same number every time.';
  const sigma = `σ ${shortNumber(noise)}`;
  const from = repeats === 0 ? 'assumed; nothing was repeated' : counted(repeats, 'repeat');
  return hasVaried || repeats === 0
    ? `Runs of the same code differ by ${sigma} (${from}).`
    : `Runs of the same code gave the same number (${from}); ${sigma} is assumed.`;
}

/** `proven`, or the probability of a gain. */
export function claimWords({ probability, isProven }: Pick<Claim, 'probability' | 'isProven'>): string {
  if (isProven) return 'proven';
  const percent = Math.round(100 * probability);
  // Only a proven gain is certain.
  return `unproven, ${Math.min(99, percent)} %`;
}

function signed(value: number): string {
  return `${value > 0 ? '+' : value < 0 ? MINUS : '±'}${shortNumber(Math.abs(value), 4)}`;
}
