import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { auditAllowance, findAudit } from '../src/engine/statistics/audit.ts';
import { chiSquaredQuantile } from '../src/engine/statistics/chi-squared.ts';
import { assess, onBranch, type Trial } from '../src/engine/statistics/claims.ts';
import { believe, fitWeights, PRIOR_WEIGHTS } from '../src/engine/statistics/effects.ts';
import { estimateNoise, mean, plausibleVariances, stepOf } from '../src/engine/statistics/noise.ts';
import { hazard, normalCdf, normalDensity } from '../src/engine/statistics/normal.ts';

const SIGMA = 0.0007;
const baseline = (...values: number[]): Trial => ({ n: 0, values, parent: null, isKept: true });
const kept = (n: number, parent: number, ...values: number[]): Trial => ({
  ...{ n, values, parent, isKept: true },
});
const dropped = (n: number, parent: number, value: number): Trial => ({
  ...{ n, values: [value], parent, isKept: false },
});

// Tables of Abramowitz and Stegun, 26.1, 26.2 and 26.8.
test.each([
  [0, 0.5],
  [1, 0.841344746],
  [-1.96, 0.0249978951],
  [-3.9, 4.80963e-5],
  [-4.1, 2.06575e-5],
  [-8, 6.22096e-16],
  [4.1, 1 - 2.06575e-5],
])('Φ(%d) is %d', (z, expected) => {
  expect(normalCdf(z) / expected).toBeCloseTo(1, 5);
});

test('the hazard is φ/Φ everywhere, and grows like −z in the tail', () => {
  for (const z of [-3.999, -1, 0, 2]) expect(hazard(z)).toBeCloseTo(normalDensity(z) / normalCdf(z), 10);
  expect(hazard(-4.001)).toBeCloseTo(hazard(-3.999), 2);
  expect(hazard(-50)).toBeCloseTo(50.02, 2);
  expect(normalCdf(9)).toBe(1);
});

test.each([
  [0.95, 1, 3.841459],
  [0.5, 2, 1.386294],
  [0.1, 3, 0.584374],
  [0.9, 10, 15.98718],
  [0.95, 100, 124.34211],
])('the %d quantile of χ² with %d degrees of freedom is %d', (probability, degrees, expected) => {
  expect(chiSquaredQuantile(probability, degrees)).toBeCloseTo(expected, 3);
});

test('noise is pooled over the repeats of all commits, and the prior weighs one degree', () => {
  // Squares: 0.002² / 2 of the first, (0.001² + 0 + 0.001²) of the second.
  const noise = estimateNoise([[1, 1.002], [0.9, 0.901, 0.902], [0.8]], 1);
  expect(noise.degrees).toBe(3);
  expect(noise.variance).toBeCloseTo((0.0007 ** 2 + 2e-6 + 2e-6) / 4, 12);
  expect(noise.isRepeatable).toBe(false);
});

test('without a repeat the noise is the prior, and at least what the printed digits hide', () => {
  expect(estimateNoise([[0.998123]], 0.998123).variance).toBeCloseTo((0.0007 * 0.998123) ** 2, 12);
  // An accuracy in hundredths hides σ = 0.01/√12.
  expect(estimateNoise([[0.87], [0.9]], 0.87).variance).toBeCloseTo(0.01 ** 2 / 12, 12);
  expect(estimateNoise([[12]], 12).variance).toBeCloseTo(1 / 12, 12);
});

test('a training is repeatable only by four equal numbers of two commits with digits enough', () => {
  const same = (value: number) => [value, value, value];
  expect(estimateNoise([same(1.064812), same(1.06)], 1.064812).isRepeatable).toBe(true);
  expect(estimateNoise([same(1.064812)], 1.064812).isRepeatable).toBe(false);
  expect(estimateNoise([same(0.87), same(0.9)], 0.87).isRepeatable).toBe(false);
  expect(estimateNoise([same(1.064812), [1.06, 1.060001]], 1.064812).isRepeatable).toBe(false);
});

test('what is believed of the variance is spread widely while little is known', () => {
  const [low = 0, , , , high = 0] = plausibleVariances({ variance: 1, degrees: 1, isRepeatable: false });
  // Scaled inverse χ² with two degrees: 2 / χ².
  expect(low).toBeCloseTo(2 / chiSquaredQuantile(0.9, 2), 6);
  expect(high).toBeCloseTo(2 / chiSquaredQuantile(0.1, 2), 6);
});

/** The posterior by adding up a fine grid of true effects. */
function bruteForce(difference: number, variance: number, noise: number) {
  const scales = [0.5, 1, 2, 4, 8, 16, 32].map(scale => scale * Math.sqrt(noise));
  const step = Math.sqrt(noise) / 400;
  let [all, gain, first, second] = [(PRIOR_WEIGHTS[0] ?? 0) * normalDensity(difference, variance), 0, 0, 0];
  for (let effect = -90 * Math.sqrt(noise) + step / 2; effect < 90 * Math.sqrt(noise); effect += step) {
    const isGain = effect < 0;
    const prior = scales.reduce((sum, scale, place) => {
      const weight = PRIOR_WEIGHTS[(isGain ? 1 : 8) + place] ?? 0;
      return sum + weight * 2 * normalDensity(effect, scale ** 2);
    }, 0);
    const mass = step * prior * normalDensity(difference - effect, variance);
    all += mass;
    if (isGain) gain += mass;
    first += mass * effect;
    second += mass * effect ** 2;
  }
  const mean = first / all;
  return { gain: gain / all, mean, variance: second / all - mean ** 2 };
}

test.each([-20, -5, -2, -0.7, 0, 1.5, 6])(
  'a difference of %d σ leaves what adding up all effects leaves',
  sigmas => {
    const difference = sigmas * SIGMA;
    const variance = 1.7 * SIGMA ** 2;
    const exact = bruteForce(difference, variance, SIGMA ** 2);
    const found = believe({ difference, variance }, SIGMA ** 2, PRIOR_WEIGHTS);
    expect(found.gain).toBeCloseTo(exact.gain, 4);
    expect(found.mean / SIGMA).toBeCloseTo(exact.mean / SIGMA, 3);
    expect(found.variance / SIGMA ** 2).toBeCloseTo(exact.variance / SIGMA ** 2, 2);
  },
);

test('the larger the measured gain, the likelier it is one, however far out', () => {
  const gains = [1, 0, -1, -2, -4, -8, -100, -1e6].map(
    sigmas =>
      believe({ difference: sigmas * SIGMA, variance: 2 * SIGMA ** 2 }, SIGMA ** 2, PRIOR_WEIGHTS).gain,
  );
  expect(gains).toEqual([...gains].sort((one, other) => one - other));
  expect(gains.at(-1)).toBe(1);
});

test('weights follow what a study sees, and stay a distribution', () => {
  const observations = Array.from({ length: 200 }, () => ({ difference: 12 * SIGMA, variance: SIGMA ** 2 }));
  const weights = fitWeights(observations, SIGMA ** 2);
  expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9);
  const losses = weights.slice(8).reduce((sum, weight) => sum + weight, 0);
  expect(losses).toBeGreaterThan(0.9);
  expect(fitWeights([], SIGMA ** 2)).toEqual(PRIOR_WEIGHTS.map(weight => expect.closeTo(weight, 12)));
});

test('a gain of many σ is proven once the noise is known, and a lucky one is not', () => {
  const trials = [
    baseline(1, 1.0006, 0.9996),
    kept(1, 0, 0.98, 0.9801),
    kept(2, 1, 0.9798),
    dropped(3, 2, 1.2),
  ];
  const claims = assess(trials)?.claims ?? [];
  expect(claims.map(({ n, isProven }) => [n, isProven])).toEqual([
    [1, true],
    [2, false],
  ]);
  expect(claims[1]?.probability).toBeLessThan(0.7);
  // The same gain, with nothing known of the noise but the prior.
  expect(assess([baseline(1), kept(1, 0, 0.98)])?.claims[0]?.isProven).toBe(false);
  expect(assess([])).toBeNull();
});

test('of a training that repeats itself to the last digit a gain is certain, and a simplification none', () => {
  const trials = [baseline(1.064812, 1.064812, 1.064812), kept(1, 0, 1.06, 1.06, 1.06), kept(2, 1, 1.06)];
  expect(assess(trials)?.claims).toEqual([
    { n: 1, probability: 1, isProven: true },
    { n: 2, probability: 0, isProven: false },
  ]);
});

test('claims are probabilities, whatever was measured', () => {
  const number = fc.double({ min: -1e9, max: 1e9, noNaN: true });
  const values = fc.array(number, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(values, fc.array(fc.tuple(values, fc.boolean()), { maxLength: 12 }), (first, rest) => {
      let parent = 0;
      const trials: Trial[] = [baseline(...first)];
      for (const [place, [own, isKept]] of rest.entries()) {
        trials.push({ n: place + 1, values: own, parent, isKept });
        if (isKept) parent = place + 1;
      }
      const claims = assess(trials)?.claims ?? [];
      expect(claims).toHaveLength(rest.filter(([, isKept]) => isKept).length);
      for (const { probability } of claims) {
        expect(probability).toBeGreaterThanOrEqual(0);
        expect(probability).toBeLessThanOrEqual(1 + 1e-9);
      }
    }),
    { numRuns: 40 },
  );
});

test('a keep that took the place of others is compared with the one before them, and those claim nothing', () => {
  const trials = [
    baseline(1, 1.0006, 0.9996),
    kept(1, 0, 1.01, 1.011),
    dropped(2, 1, 1.02),
    { ...kept(3, 1, 0.9997, 1.0001), supersedes: [1] },
  ];
  const [claim, ...others] = assess(onBranch(trials))?.claims ?? [];
  expect([claim?.n, others]).toEqual([3, []]);
  // Far better than #1, whose edit it does not contain, and as good as the baseline, on which it was made.
  expect(claim?.probability).toBeLessThan(0.8);
  expect(findAudit(onBranch(trials), [{ n: 3, probability: 0.6, isProven: false }])).toBe(3);
  // One that replaces it in turn takes its place on the same line.
  const next = { ...kept(4, 3, 0.9, 0.9), supersedes: [3] };
  expect(onBranch([...trials, next]).at(-1)?.parent).toBe(0);
});

test('an audit runs the likeliest unproven keep or its parent, whichever has fewer runs, six at most', () => {
  const trials = [baseline(1, 1), kept(1, 0, 0.9), kept(2, 1, 0.89)];
  const claim = (n: number, probability: number, isProven = false) => ({ n, probability, isProven });
  expect(findAudit(trials, [claim(1, 0.9), claim(2, 0.6)])).toBe(1);
  expect(findAudit(trials, [claim(1, 0.6), claim(2, 0.9)])).toBe(2);
  expect(findAudit(trials, [claim(1, 0.99, true), claim(2, 0.2)])).toBeNull();
  const tired = [baseline(1, 1, 1, 1, 1, 1), kept(1, 0, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9)];
  expect(findAudit(tired, [claim(1, 0.9)])).toBeNull();
  expect([4, 30, 100, 305].map(auditAllowance)).toEqual([4, 4, 10, 30]);
});

describe('the least by which two numbers can differ', () => {
  test.each([
    ['the last digit', [0.9979, 0.998, 0.99812, 1.0012], 1e-5],
    ['one of twenty checks', [0.85, 0.9, 0.75, 0.8, 0.65], 0.05],
    ['one of thirty checks, printed with four digits', [0.8333, 0.8667, 0.7, 0.9333], 1 / 30],
    ['one of 150 checks in percent', [91.3333, 92.6667, 90, 94], 100 / 150],
    ['the last digit, of three numbers only', [0.8333, 0.8667, 0.7], 1e-4],
    ['the last digit, of a loss', [1.2534, 1.5071, 1.7423, 2.0119], 1e-4],
  ])('is %s', (_, values, step) => {
    expect(stepOf(values)).toBeCloseTo(step, 9);
  });

  test('numbers of any kind are no shares of anything', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 999_999 }), { minLength: 12, maxLength: 20 }), all => {
        fc.pre(new Set(all).size >= 10 && all.some(value => value % 10 !== 0));
        expect(stepOf(all.map(value => value / 1e6))).toBeCloseTo(1e-6, 12);
      }),
    );
  });
});

test('the mean of numbers that are all the same is that number', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2e6 }), fc.integer({ min: 1, max: 9 }), (digits, runs) => {
      const value = digits / 1e6;
      expect(mean(Array(runs).fill(value))).toBe(value);
    }),
  );
});
