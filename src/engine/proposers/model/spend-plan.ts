import { quantileSorted } from 'd3-array';
import type { SpendPlan } from '../../../shared/spend-plan.ts';
import { DIGEST_CHARACTERS } from '../briefing/digest.ts';
import { costOf, type Price } from './prices.ts';

/** Fewer experiments tell too little of what the next ones cost. */
export const LEAST_MEASURED = 5;

/** What experiments with a model came to. */
export type Measured = {
  /** US dollars of each experiment for which the model was asked, in any order. */
  readonly costsUsd: readonly number[];
  /** With those that the model had handed to the search, which cost nothing. */
  readonly experiments: number;
};

export type SpendInput = {
  readonly price: Price | null;
  /** In the same repository, and in all others. */
  readonly here: Measured;
  readonly elsewhere: Measured;
  /** Tools, rules, instructions and sources: what stays from one experiment to the next. */
  readonly promptBytes: number;
  /** Whether the next conversation begins before the server's cache has forgotten the last, after five minutes. */
  readonly isCacheWarm: boolean;
};

/** A conversation as it may go. These are assumptions, for where nothing was measured. */
type Course = {
  readonly answers: number;
  readonly bytesPerToken: number;
  /** Of the digest's bound: a young study has a short one. */
  readonly digestShare: number;
  /** Tokens of what one look shows, of an answer that looks, and of the one that proposes, thoughts included. */
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
 * What an experiment with a model is likely to cost: the median and the quartiles of what earlier ones cost in this
 * repository, else in others, else an estimate from the prompt.
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
 * The cache as the caller uses it: everything up to the last message is marked, so that each request reads what the
 * one before it wrote, and writes what is new.
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
