import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FIRST_CURVES, isCurveChoice } from '../src/renderer/charts/curve-choice.ts';
import { placedBy, seriesLine } from '../src/renderer/charts/series-lines-of.ts';
import {
  axisScale,
  indexWithin,
  onlyAboveZero,
  shownPoints,
  wholeX,
} from '../src/renderer/charts/series-scale.ts';
import { smoothSeries } from '../src/shared/charts/smooth-series.ts';
import { tokenCount } from '../src/shared/charts/token-count.ts';
import { thinSeries } from '../src/shared/thin-series.ts';

describe('smoothing', () => {
  test('is the moving average without its bias to zero', () => {
    // 0.4·1 / (1 − 0.6) and (0.6·0.4·1 + 0.4·0.5) / (1 − 0.6²).
    expect(smoothSeries([1, 0.5], 0.6).y.map(value => value?.toFixed(6))).toEqual(['1.000000', '0.687500']);
    expect(smoothSeries([3, 1, 4], 0).y).toEqual([3, 1, 4]);
    expect(smoothSeries([], 0.9).y).toEqual([]);
  });

  test('a gap stays one and does not count', () => {
    const [first, gap, last] = smoothSeries([1, null, 0.5], 0.6).y;
    expect([first, gap]).toEqual([1, null]);
    expect(last).toBeCloseTo(0.6875, 9);
    expect(smoothSeries([Number.NaN, Number.POSITIVE_INFINITY, 2], 0.5).y).toEqual([null, null, 2]);
  });

  test('lies between the smallest and the largest value, and goes on where it was left', () => {
    const values = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 2, maxLength: 50 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 0.99, noNaN: true }), fc.nat(48), (y, weight, cut) => {
        const whole = smoothSeries(y, weight);
        for (const value of whole.y) {
          expect(value).toBeGreaterThanOrEqual(Math.min(...y) - 1e-6);
          expect(value).toBeLessThanOrEqual(Math.max(...y) + 1e-6);
        }
        const begin = smoothSeries(y.slice(0, cut), weight);
        const end = smoothSeries(y.slice(cut), weight, begin.state);
        expect([...begin.y, ...end.y]).toEqual(whole.y);
        expect(end.state).toEqual(whole.state);
      }),
    );
  });

  test('a smoothed line has the ends of the line itself: beyond them it has no value', () => {
    const x = Array.from({ length: 3_000 }, (_, index) => index + 10);
    const y = x.map(at => Math.sin(at));
    const smooth = { ...thinSeries(x, smoothSeries(y, 0.9).y, 100), state: { sum: 0, count: 0 } };
    const thin = thinSeries(x, y, 100);
    const view = { n: 1, k: 0, name: 'loss', unit: null, ...thin, total: 3_000, firstStepAt: 10, smooth };
    const line = seriesLine(placedBy(view, 'training'), '#1', 0);
    const shown = shownPoints(line);
    expect([shown.x[0], shown.x.at(-1)]).toEqual([0, 2_999]);
    expect([line.x[0], line.x.at(-1)]).toEqual([0, 2_999]);
    expect(indexWithin(shown.x, 3_000)).toBeNull();
    expect(indexWithin(shown.x, -1)).toBeNull();
    expect(Math.max(...shown.y.map(value => Math.abs(value ?? 9)))).toBeLessThan(
      Math.max(...line.y.map(value => value ?? 0)),
    );
  });
});

describe('logarithmic axes', () => {
  test('equal factors have equal room, and pixels come back as values', () => {
    const scale = axisScale([1, 1_000], [50, 350], true);
    expect([1, 10, 100, 1_000].map(value => Math.round(scale.toPixel(value)))).toEqual([50, 150, 250, 350]);
    expect(scale.toValue(150)).toBeCloseTo(10, 9);
    const up = axisScale([0, 4], [200, 0], false);
    expect([up.toPixel(1), up.toValue(150)]).toEqual([150, 1]);
  });

  test('what is not above zero has no place, and neither has its average', () => {
    const line = {
      ...{ key: 'a', label: 'a', colour: 'red', x: [-1, 0, 1, 2], y: [4, 3, 2, 1] },
      smooth: { x: [-1, 0, 2], y: [4, 3, 2] },
    };
    const cut = onlyAboveZero(line);
    expect([cut.x, cut.y, cut.smooth]).toEqual([[1, 2], [2, 1], { x: [2], y: [2] }]);
    expect(wholeX([cut], null, true)).toEqual([1, 2]);
    const [low = 0, high = 0] = wholeX([{ ...line, x: [5], y: [1] }], null, true) ?? [];
    expect(low).toBeGreaterThan(0);
    expect(high).toBeGreaterThan(5);
    expect(onlyAboveZero({ ...line, x: [], y: [] }).x).toEqual([]);
  });
});

describe('tokens of a run', () => {
  const count = (
    series: readonly string[],
    summary: Record<string, number | string>,
    line: Record<string, number>,
  ) =>
    tokenCount(
      series,
      Object.entries(summary).map(([name, value]) => ({ name, value })),
    )?.(name => line[name]);

  test('are what a series counts, in its unit', () => {
    expect(count(['loss', 'tokens'], {}, { tokens: 512 })).toBe(512);
    expect(count(['step', 'tokens_seen_M'], {}, { step: 1, tokens_seen_M: 1.5 })).toBe(1_500_000);
    expect(count(['total_tokens'], { total_tokens_M: 9, num_steps: 3 }, { total_tokens: 7 })).toBe(7);
    // On a line that does not tell there is no number.
    expect(count(['tokens'], {}, { loss: 1 })).toBeUndefined();
  });

  test('are the steps times the tokens of one, however that was printed', () => {
    expect(count(['step', 'tokens_per_step'], {}, { step: 10, tokens_per_step: 100 })).toBe(1_000);
    expect(count(['iter'], { tokens_per_iter: 65_536 }, { iter: 2 })).toBe(131_072);
    expect(count(['step'], { total_tokens_M: 499.6, num_steps: 953 }, { step: 953 })).toBeCloseTo(499.6e6, 3);
    expect(count(['step'], { 'tok/step': 8 }, { step: 3 })).toBe(24);
  });

  test('are not guessed from a rate, an epoch or a summary without steps', () => {
    expect(count(['step', 'tok/sec'], {}, { step: 1, 'tok/sec': 100 })).toBeUndefined();
    expect(tokenCount(['step', 'tok/sec', 'tokens_per_second'], [])).toBeNull();
    expect(tokenCount(['epoch'], [{ name: 'tokens_per_step', value: 5 }])).toBeNull();
    expect(tokenCount(['step'], [{ name: 'total_tokens_M', value: 5 }])).toBeNull();
    expect(
      tokenCount(
        ['step'],
        [
          { name: 'total_tokens_M', value: 'NaN' },
          { name: 'num_steps', value: 3 },
        ],
      ),
    ).toBeNull();
    expect(
      tokenCount(
        ['loss'],
        [
          { name: 'total_tokens', value: 5 },
          { name: 'num_steps', value: 3 },
        ],
      ),
    ).toBeNull();
  });
});

test('only a way to draw curves that can be shown is taken from what was kept', () => {
  expect(isCurveChoice(FIRST_CURVES)).toBe(true);
  for (const wrong of [
    null,
    7,
    { ...FIRST_CURVES, smoothing: 1 },
    { ...FIRST_CURVES, isLogX: 'yes' },
    { ...FIRST_CURVES, by: { cell: 'step', live: 'step' } },
    { ...FIRST_CURVES, by: { ...FIRST_CURVES.by, cell: 'moon' } },
  ]) {
    expect(isCurveChoice(wrong)).toBe(false);
  }
});
