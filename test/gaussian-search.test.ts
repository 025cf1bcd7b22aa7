import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gaussianProcess, playNight, readNumbers } from '../bench/search-night.ts';
import { spellTexts } from '../src/engine/proposers/search/choice.ts';
import { findConstants } from '../src/engine/proposers/search/constants.ts';
import { expectedImprovement } from '../src/engine/proposers/search/expected-improvement.ts';
import {
  condition,
  type Hyperparameters,
  priorMedian,
} from '../src/engine/proposers/search/gaussian-process.ts';
import { chooseByProcess, type Situation } from '../src/engine/proposers/search/gaussian-search.ts';
import { findMostProbable, slopesOf } from '../src/engine/proposers/search/most-probable.ts';
import { readTexts } from '../src/engine/proposers/search/observations.ts';
import { placeOn } from '../src/engine/proposers/search/place-on.ts';
import { seededRandom } from '../src/engine/proposers/search/random.ts';
import { axesOf, coordinateOf, textAt } from '../src/engine/proposers/search/space.ts';
import { standardize } from '../src/engine/proposers/search/standardize.ts';
import { fitSurrogate } from '../src/engine/proposers/search/surrogate.ts';
import { normalDensity } from '../src/engine/statistics/normal.ts';

const AXES = [{ isCategory: false }, { isCategory: true }];
const PARAMETERS = {
  inverseLengths: [Math.log(0.5), Math.log(0.8)],
  scale: Math.log(1.3),
  noise: Math.log(0.2),
};

/** Matérn 5/2 as the book has it, for one pair. */
function covariance(a: Float64Array, b: Float64Array): number {
  const along = 0.5 * ((a[0] ?? 0) - (b[0] ?? 0));
  const r = Math.hypot(along, a[1] === b[1] ? 0 : 0.8);
  return 1.69 * (1 + Math.sqrt(5) * r + (5 / 3) * r * r) * Math.exp(-Math.sqrt(5) * r);
}

test('the posterior of two observations is that of the formula for two', () => {
  const [x, y, at] = [Float64Array.of(0, 0), Float64Array.of(1.5, 1), Float64Array.of(0.7, 1)];
  const values = [0.4, -0.9] as const;
  const [a, b, d] = [covariance(x, x) + 0.04, covariance(x, y), covariance(y, y) + 0.04];
  const [p, q] = [covariance(x, at), covariance(y, at)];
  const determinant = a * d - b * b;
  // The inverse of a two by two matrix, written out.
  const mean = (p * (d * values[0] - b * values[1]) + q * (a * values[1] - b * values[0])) / determinant;
  const variance = 1.69 - (p * p * d - 2 * p * q * b + q * q * a) / determinant;
  const found = condition(AXES, [x, y], values, PARAMETERS)?.at(at);
  expect(found?.mean).toBeCloseTo(mean, 6);
  expect(found?.deviation).toBeCloseTo(Math.sqrt(variance), 6);
});

/** Twenty points of a curve along the first axis, in two categories. */
const CURVE = Array.from({ length: 20 }, (_, i) => Float64Array.of(i / 4, i % 2));
const CURVED = CURVE.map(point => Math.sin(2 * (point[0] ?? 0)) + 0.3 * (point[1] ?? 0));
const slopeAt = slopesOf(AXES, CURVE, CURVED);
const heightAt = (parameters: Hyperparameters) => slopeAt(parameters)?.height ?? 0;

test('hyperparameters that explain the numbers are more probable than others', () => {
  const at = (inverse: number) => heightAt({ ...priorMedian(AXES), inverseLengths: [inverse, 0] });
  expect(at(0)).toBeGreaterThan(at(3));
  expect(at(0)).toBeGreaterThan(at(-4));
});

/** The hyperparameters with one of them moved. */
function moved(
  { inverseLengths, scale, noise }: Hyperparameters,
  place: number,
  by: number,
): Hyperparameters {
  return {
    inverseLengths: inverseLengths.map((value, axis) => value + (axis === place ? by : 0)),
    scale: scale + (place === 2 ? by : 0),
    noise: noise + (place === 3 ? by : 0),
  };
}

test('the slope is how fast the height changes with each hyperparameter', () => {
  const slope = slopeAt(PARAMETERS)?.gradient ?? [];
  expect(slope).toHaveLength(4);
  for (const [place, found] of slope.entries()) {
    const rise = heightAt(moved(PARAMETERS, place, 1e-5)) - heightAt(moved(PARAMETERS, place, -1e-5));
    expect(found).toBeCloseTo(rise / 2e-5, 3);
  }
});

test('no step in one hyperparameter leads to more probable ones than those found', () => {
  const found = findMostProbable(AXES, CURVE, CURVED, priorMedian(AXES), 40);
  for (const place of [0, 1, 2, 3])
    for (const by of [-0.1, 0.1]) expect(heightAt(moved(found, place, by))).toBeLessThan(heightAt(found));
});

test('the expected improvement is the integral it stands for', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -2, max: 2, noNaN: true }),
      fc.double({ min: -2, max: 2, noNaN: true }),
      fc.double({ min: 0.05, max: 2, noNaN: true }),
      (best, mean, deviation) => {
        let sum = 0;
        const width = (16 * deviation) / 4_000;
        for (let i = 0; i < 4_000; i += 1) {
          const x = mean - 8 * deviation + (i + 0.5) * width;
          sum += Math.max(best - x, 0) * normalDensity(x - mean, deviation ** 2) * width;
        }
        expect(expectedImprovement(best, mean, deviation)).toBeCloseTo(sum, 4);
      },
    ),
  );
  expect(expectedImprovement(1, 0.25, 0)).toBe(0.75);
  expect(expectedImprovement(0, 0.25, 0)).toBe(0);
});

test('the better half of the values stays in proportion, the worse is squashed, and a crash is worse than all', () => {
  const { values, invert } = standardize([1, 2, 3, 4, 1_000, null]);
  const [one = 0, two = 0, three = 0, four = 0, far = 0, crash = 0] = values;
  expect(three).toBe(0);
  expect(two - one).toBeCloseTo(three - two, 12);
  // In proportion it would be 996 times as far.
  expect(far - four).toBeLessThan(50 * (four - three));
  expect(crash).toBeGreaterThan(far);
  for (const [place, value] of [1, 2, 3, 4, 1_000].entries())
    expect(invert(values[place] ?? 0)).toBeCloseTo(value, 9);
});

describe('the space', () => {
  const axisOf = (text: string, comment = '', seen: string[] = []) => {
    const constants = findConstants('f', `X = ${text} ${comment}\n`);
    return axesOf(
      constants,
      seen.map(other => [other]),
    );
  };

  test.each([
    ['0.04', '', [], '0.052', 'share'],
    ['0.95', '', [], '0.963', 'share'],
    ['1e-5', '', [], '2.4e-5', 'share'],
    ['2.0', '', [], '0.7', 'logarithm'],
    ['0.04', '', ['1.5'], '3.0', 'logarithm'],
    ['0.0', '', [], '0.03', 'from zero'],
    ['0.1', '', ['0.0'], '0.0', 'from zero'],
    ['8', '', [], '13', 'count'],
    ['300', '', [], '450', 'logarithm'],
    ['64', '', [], '256', 'exponent'],
    ['65_536', '', [], '131_072', 'exponent'],
    ['-300', '', [], '-220', 'logarithm'],
    ['2**19', '', [], '2**17', 'exponent'],
    ['True', '', [], 'False', 'category'],
    ['"relu"', '# "relu" or "gelu"', [], '"gelu"', 'category'],
  ] as const)('%s %s leads to a text and back', (text, comment, seen, other, scale) => {
    const [axis] = axisOf(text, comment, [...seen]);
    expect(axis?.scale).toBe(scale);
    if (!axis) return;
    const at = coordinateOf(axis, other);
    expect(textAt(axis, at ?? Number.NaN, text)).toBe(other);
  });

  test('the integer -1 is not proposed', () => {
    const [axis] = axisOf('-3');
    const at = axis && coordinateOf(axis, '-1');
    expect(axis && textAt(axis, at ?? Number.NaN, '-3')).toBeNull();
  });

  test('a tuple has an axis an item', () => {
    expect(axisOf('(0.8, 0.95)').map(({ item, scale }) => [item, scale])).toEqual([
      [0, 'share'],
      [1, 'share'],
    ]);
  });

  test('whatever is asked for, a text keeps its kind, its sign and its range, and is another one', () => {
    const number = fc.oneof(
      fc.integer({ min: -100_000, max: 100_000 }).map(String),
      fc
        .double({ min: 1e-6, max: 1e6, noNaN: true })
        .map(value => Number(value.toPrecision(6)).toExponential()),
      fc.double({ min: 0.001, max: 0.999, noNaN: true }).map(value => value.toFixed(3)),
    );
    fc.assert(
      fc.property(number, fc.double({ min: -6, max: 6, noNaN: true }), (text, by) => {
        const [axis] = axisOf(text);
        const at = axis && coordinateOf(axis, text);
        const to = axis && at !== null && at !== undefined ? textAt(axis, at + by, text) : null;
        if (!axis || to === null) return;
        const [after] = axisOf(to);
        expect(after?.literal.kind).toBe(axis.literal.kind);
        expect(to).not.toBe(text);
        expect(Number(to) * Number(text)).toBeGreaterThanOrEqual(0);
        if (axis.literal.kind === 'float' && Math.abs(Number(text)) < 1)
          expect(Math.abs(Number(to))).toBeLessThan(1);
      }),
    );
  });
});

test('the values of a memo are read back, also where constants came, went or hold lines', () => {
  const before = findConstants('f', 'A = 1\nB = (1, 2)\nC = 3.5\n');
  const memo = spellTexts(before, ['2', '(1,\n 3)', '4.5']);
  expect(readTexts(before, memo)).toEqual(['2', '(1,\n 3)', '4.5']);
  expect(readTexts(findConstants('f', 'C = 3.5\nD = 7\nA = 1\n'), memo)).toEqual(['4.5', '7', '2']);
});

const BOWL = 'LR = 0.5\nDEPTH = 2\nWIDTH = 16\nDECAY = 0.9\nUSELESS = 7\n';
const START = { LR: 0.5, DEPTH: 2, WIDTH: 16, DECAY: 0.9 };
const bowl = (values: Record<string, number>) =>
  Math.abs(Math.log2((values.LR ?? 0) / 0.04)) +
  0.3 * Math.abs((values.DEPTH ?? 0) - 9) +
  Math.abs(Math.log2((values.WIDTH ?? 0) / 128)) +
  2 * Math.abs(Math.log2((1 - (values.DECAY ?? 0)) / 0.02));
const play = (
  seed: number,
  experiments: number,
  objective: (values: Record<string, number>) => number | null = bowl,
) => playNight(BOWL, gaussianProcess, seed, experiments, source => objective(readNumbers(source)));

test('the search climbs down a bowl in a night of thirty', async () => {
  for (const seed of [1, 2, 3]) {
    const { kept } = await play(seed, 30);
    expect(bowl(readNumbers(kept.at(-1) ?? ''))).toBeLessThan(0.5 * bowl(START));
  }
});

test('the search climbs where more is better as it descends where less is', async () => {
  const down = await play(4, 12);
  const up = await playNight(BOWL, gaussianProcess, 4, 12, source => -bowl(readNumbers(source)), 'maximize');
  expect(up.kept).toEqual(down.kept);
});

test('no set of values comes twice, and the same seed gives the same night', async () => {
  const { history, kept } = await play(7, 40);
  const values = history.slice(1).map(({ memo }) => (memo as { values: string }).values);
  expect(new Set([spellTexts(findConstants('train.py', BOWL), []), ...values]).size).toBe(history.length);
  expect(history.length).toBeGreaterThan(30);
  expect((await play(7, 40)).kept).toEqual(kept);
  expect((await play(8, 40)).kept).not.toEqual(kept);
});

/** The situation before experiment `n` of a night. */
async function situationAt(n: number, change: Partial<Situation> = {}): Promise<Situation> {
  const { kept, history } = await play(5, n - 1);
  const before = history.slice(0, n);
  const incumbent = before.findLast(({ verdict }) => verdict === 'keep');
  return {
    ...{
      constants: findConstants('train.py', kept.at(-1) ?? BOWL),
      history: before,
      refused: [],
      bounds: null,
    },
    ...{
      incumbent: { n: incumbent?.n ?? 0, metric: incumbent?.metric ?? 0 },
      goal: 'minimize',
      seeds: [5, n, 0],
    },
    ...change,
  };
}

test('the ledger is all it remembers: after a stop it proposes what it would have proposed', async () => {
  const situation = await situationAt(15);
  const written: Situation = JSON.parse(JSON.stringify(situation));
  expect(chooseByProcess(written)).toEqual(chooseByProcess(situation));
});

test('what was refused is not proposed again', async () => {
  const situation = await situationAt(9);
  const first = chooseByProcess(situation);
  const second = chooseByProcess({ ...situation, refused: [first?.memo] });
  expect(second?.memo.values).not.toBe(first?.memo.values);
});

/** How far two sets of values lie apart on the axes of the bowl. */
function apart(a: string, b: string): number {
  const constants = findConstants('train.py', BOWL);
  const axes = axesOf(constants, []);
  const [left, right] = [a, b].map(values => axes.map(axis => placeOn(axis, readTexts(constants, values))));
  return Math.hypot(...(left ?? []).map((value, place) => value - (right?.[place] ?? 0)));
}

test('what is being trained is believed: it is not proposed again, nor what is next to it', async () => {
  const situation = await situationAt(15);
  const near = { refused: 0, pending: 0 };
  for (let seed = 0; seed < 12; seed += 1) {
    const asked = { ...situation, seeds: [seed] };
    const first = chooseByProcess(asked)?.memo;
    for (const how of ['refused', 'pending'] as const) {
      const second = chooseByProcess({ ...asked, [how]: [first] })?.memo;
      expect(second?.values).not.toBe(first?.values);
      near[how] += apart(second?.values ?? '', first?.values ?? '');
    }
  }
  expect(near.pending).toBeGreaterThan(1.2 * near.refused);
});

test('constants outside of the bounds stay, and those inside stay within', async () => {
  const situation = await situationAt(12);
  const lr = situation.constants.find(({ name }) => name === 'LR');
  const now = Number(lr?.literal.text);
  const bounds = new Map([['train.py\0LR', { low: now / 1.1, high: now * 1.1 }]]);
  for (let seed = 0; seed < 20; seed += 1) {
    const moves = chooseByProcess({ ...situation, bounds, seeds: [seed] })?.moves ?? [];
    expect(moves.map(({ name }) => name)).toEqual(['LR']);
    expect(Number(moves[0]?.to)).toBeGreaterThanOrEqual(now / 1.1);
    expect(Number(moves[0]?.to)).toBeLessThanOrEqual(now * 1.1);
  }
});

test('where it crashes is learnt, and left', async () => {
  const { history, kept } = await play(3, 40, values => ((values.WIDTH ?? 0) > 40 ? null : bowl(values)));
  const crashes = history.map(({ verdict }) => verdict === 'crash');
  const [early, late] = [crashes.slice(0, 20), crashes.slice(20)].map(part => part.filter(Boolean).length);
  expect(late).toBeLessThanOrEqual(early ?? 0);
  expect(crashes.filter(Boolean).length).toBeLessThan(12);
  // The best that does not crash has 1.7.
  expect(bowl(readNumbers(kept.at(-1) ?? ''))).toBeLessThan(2.4);
});

test('where it crashes tells nothing about the values beside it, only how likely a crash is there', () => {
  const axes = [{ isCategory: false }];
  const at = (place: number) => Float64Array.of(place);
  const worked = [0, 1, 2, 3, 4].map(place => ({ n: place, point: at(place), value: -place }));
  const before = fitSurrogate(axes, worked, null, at(4));
  const after = fitSurrogate(axes, [...worked, { n: 5, point: at(6), value: null }], null, at(4));
  expect(after?.posterior.at(at(5))).toEqual(before?.posterior.at(at(5)));
  expect(before?.chance(at(6))).toBe(1);
  const chances = [0, 4, 5, 6].map(place => after?.chance(at(place)) ?? 0);
  expect(chances).toEqual(chances.toSorted((a, b) => b - a));
  expect(chances[1]).toBeGreaterThan(0.9);
  expect(chances[3]).toBeLessThan(0.1);
});

test('a small space is tried whole, and then nothing is left', async () => {
  const source = 'A = True\nB = False\nMODE = "x"  # "x", "y" or "z"\n';
  const random = seededRandom(1);
  const { history } = await playNight(source, gaussianProcess, 1, 30, () => random());
  expect(history).toHaveLength(12);
});
