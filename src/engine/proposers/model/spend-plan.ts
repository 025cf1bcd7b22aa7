import { quantileSorted } from 'd3-array';
import type { SpendPlan } from '../../../shared/proposers/spend-plan.ts';
import { DIGEST_CHARACTERS } from '../briefing/digest.ts';
import { costOf, type Price } from './prices.ts';

/** Fewer experiments say too little about future costs. */
export const LEAST_MEASURED = 5;

/** The measured cost of experiments with a model. */
export type Measured = {
  /** US dollars for each experiment that asked the model, in any order. */
  readonly costsUsd: readonly number[];
  /** Including those that the model handed to the search, which cost nothing. */
  readonly experiments: number;
};

export type SpendInput = {
  readonly price: Price | null;
  /** In the same repository, and in all others. */
  readonly here: Measured;
  readonly elsewhere: Measured;
  /** Tools, rules, instructions and sources: the part that stays the same between experiments. */
  readonly promptBytes: number;
  /** Whether the next conversation begins before the server's cache expires, after five minutes. */
  readonly isCacheWarm: boolean;
};

/** How a conversation may go. These are assumptions, used if nothing was measured. */
type Course = {
  readonly answers: number;
  readonly bytesPerToken: number;
  /** The digest's share of its limit: a young study has a short one. */
  readonly digestShare: number;
  /** Tokens that one look shows, of an answer that looks, and of the answer that proposes, including thoughts. */
  readonly shown: number;
  readonly looks: number;
  readonly proposes: number;
};

const SHORT: Course = {
  ...{ answers: 2, bytesPerToken: 4, digestShare: 0.2, shown: 1_500 },
  ...{ looks: 300, proposes: 2_000 },
};
const USUAL: Course = {
  ...{ answers: 4, bytesPerToken: 3.5, digestShare: 0.5, shown: 2_000 },
  ...{ looks: 500, proposes: 3_500 },
};
const LONG: Course = {
  ...{ answers: 7, bytesPerToken: 3, digestShare: 1, shown: 3_000 },
  ...{ looks: 800, proposes: 6_000 },
};

/**
 * What an experiment with a model will probably cost: the median and quartiles of earlier ones in this repository,
 * else in others, else an estimate from the prompt.
 */
export function planSpend({ price, here, elsewhere, ...prompt }: SpendInput): SpendPlan {
  if (price === null) return { kind: 'unpriced' };
  for (const [kind, measured] of [['here', here] as const, ['elsewhere', elsewhere] as const]) {
    const { costsUsd, experiments } = measured;
    if (costsUsd.length < LEAST_MEASURED) continue;
    const sorted = costsUsd.toSorted((a, b) => a - b);
    const share = costsUsd.length / Math.max(experiments, costsUsd.length);
    const at = (part: number) => (quantileSorted(sorted, part) ?? 0) * share;
    const eachUsd = { low: at(0.25), median: at(0.5), high: at(0.75) };
    return { kind: 'planned', eachUsd, basis: { kind, experiments } };
  }
  const cost = (course: Course) => costOfConversation(price, course, prompt);
  const eachUsd = { low: cost(SHORT), median: cost(USUAL), high: cost(LONG) };
  return { kind: 'planned', eachUsd, basis: { kind: 'estimated' } };
}

/**
 * Assumes the cache as the caller uses it: everything up to the last message is marked, so each request reads what
 * the previous one wrote, and writes the rest.
 */
function costOfConversation(
  price: Price,
  course: Course,
  { promptBytes, isCacheWarm }: Pick<SpendInput, 'promptBytes' | 'isCacheWarm'>,
): number {
  const stays = promptBytes / course.bytesPerToken;
  let cacheRead = isCacheWarm ? stays : 0;
  let cacheWrite =
    (isCacheWarm ? 0 : stays) + (DIGEST_CHARACTERS * course.digestShare) / course.bytesPerToken;
  let total = 0;
  for (let answer = 1; answer <= course.answers; answer += 1) {
    const output = answer === course.answers ? course.proposes : course.looks;
    total += costOf(price, { input: 0, cacheRead, cacheWrite, output }) ?? 0;
    cacheRead += cacheWrite;
    cacheWrite = output + course.shown;
  }
  return total;
}
