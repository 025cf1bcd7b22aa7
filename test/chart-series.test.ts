import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { progressCsv } from '../src/renderer/charts/progress-csv.ts';
import {
  fitSeriesY,
  indexWithin,
  nearestIndex,
  summarise,
  wholeX,
} from '../src/renderer/charts/series-scale.ts';
import { sparklinePath } from '../src/renderer/charts/sparkline-path.ts';
import { axisTicks, logTicks } from '../src/shared/charts/axis-ticks.ts';
import { progressName } from '../src/shared/charts/progress-name.ts';
import { progressSvg } from '../src/shared/charts/progress-svg.ts';
import { WHOLE_VIEW } from '../src/shared/charts/progress-view.ts';
import { thinSeries } from '../src/shared/thin-series.ts';
import { night, row, tallyOf } from './support/progress-rows.ts';

describe('names, ticks and files', () => {
  test('the accessible name tells counts, baseline and best', () => {
    const tally = tallyOf({
      keep: 2,
      discard: 1,
      crash: 1,
      baseline: 0.9979,
      best: 0.969686,
      bestExperiment: 3,
    });
    expect(progressName(tally, 'val_bpb')).toBe(
      'val_bpb over 3 experiments: baseline 0.997900, best 0.969686 in experiment 3, 1 kept, 1 discarded, 1 crashed',
    );
  });

  test('ticks have the decimals of their step and a real minus', () => {
    expect(axisTicks([0.97, 1], 3).map(tick => tick.label)).toEqual(['0.97', '0.98', '0.99', '1.00']);
    expect(axisTicks([-10, 10], 2).map(tick => tick.label)).toEqual(['−10', '0', '10']);
    expect(axisTicks([0, 20_000], 2).map(tick => tick.label)).toEqual(['0', '10,000', '20,000']);
    expect(axisTicks([0, 3], 10, true).map(tick => tick.label)).toEqual(['0', '1', '2', '3']);
    // A single round number in the domain keeps its decimals.
    expect(axisTicks([1.2815, 1.3185], 2).map(tick => tick.label)).toEqual(['1.30']);
    expect(logTicks([1e-4, 1e4], 5).length).toBeLessThanOrEqual(6);
    expect(logTicks([1.9e5, 2.1e6], 5).map(tick => tick.label)).toEqual([
      '200,000',
      '500,000',
      '1,000,000',
      '2,000,000',
    ]);
    expect(logTicks([1.3, 390], 10).map(tick => tick.label)).toEqual([
      '2',
      '5',
      '10',
      '20',
      '50',
      '100',
      '200',
    ]);
    expect(logTicks([0.9, 1_100], 5).map(tick => tick.label)).toEqual(['1', '10', '100', '1000']);
    expect(logTicks([2, 8], 3).map(tick => tick.label)).toEqual(['2', '4', '6', '8']);
  });

  test('the table quotes by RFC 4180 and disarms text that looks like a formula, never numbers', () => {
    const rows = [
      { ...row(0, 'keep', -0.5), hypothesis: '=HYPERLINK("x")', at: 0 },
      { ...row(1, 'discard', 1e-7), hypothesis: 'a, "b"\nc', at: 0 },
      { ...row(2, null, null), hypothesis: null, at: 0 },
    ];
    expect(progressCsv(rows, '+metric')).toBe(
      [
        "experiment,time,verdict,'+metric,hypothesis",
        '0,1970-01-01T00:00:00.000Z,keep,-0.5,"\'=HYPERLINK(""x"")"',
        '1,1970-01-01T00:00:00.000Z,discard,1e-7,"a, ""b""\nc"',
        '2,1970-01-01T00:00:00.000Z,,,',
        '',
      ].join('\r\n'),
    );
    for (const start of ['=', '+', '-', '@', '\t']) {
      expect(progressCsv([row(0, 'keep', 1, `${start}1+1`)], 'm')).toContain(`,'${start}1+1\r\n`);
    }
  });

  test('the drawing for download stands alone and carries text as text', () => {
    const colours = {
      surface: '#fff',
      ink: '#000',
      muted: '#555',
      line: '#eee',
      lineStrong: '#999',
      keep: '#064',
      discard: '#bbb',
      crash: '#a30',
    };
    const svg = progressSvg([row(0, 'keep', 1, '<script>&"\u0000'), ...night(20).slice(1)], {
      title: 'A <b> & "c"',
      goal: 'minimize',
      metricName: 'val_bpb',
      tally: tallyOf({ baseline: 1 }),
      view: WHOLE_VIEW,
      width: 800,
      height: 400,
      colours,
    });
    expect(svg).toContain('<title>A &lt;b&gt; &amp; &quot;c&quot;</title>');
    expect(svg).toContain('baseline 1.000000');
    expect(svg).not.toMatch(/var\(|<script|NaN|\u0000|undefined/);
  });
});

describe('series', () => {
  const line = (x: number[], y: (number | null)[]) => ({ key: 'a', label: 'a', x, y, colour: 'red' });

  test('the nearest point is found by halving', () => {
    const x = [0, 1, 1, 4, 9];
    expect([-5, 0.6, 2.4, 2.6, 100].map(at => nearestIndex(x, at))).toEqual([0, 1, 2, 3, 4]);
    expect(nearestIndex([], 1)).toBeNull();
    // Beyond its ends a series has no value.
    expect([-5, 0, 0.6, 9, 9.1].map(at => indexWithin(x, at))).toEqual([null, 0, 1, 4, null]);
    expect(indexWithin([], 1)).toBeNull();
  });

  test('the range of y leaves out what is no number, and on a logarithmic axis what is not above zero', () => {
    const lines = [line([0, 1, 2], [1, null, 100]), line([5], [Number.NaN])];
    expect(fitSeriesY(lines, [0, 5], ['auto', 'auto'], false)).toEqual([-5, 105]);
    // A lower point moves the axis only where it needs more room.
    expect(fitSeriesY([line([0, 1], [0.5, 99.9])], [0, 1], ['auto', 'auto'], false)).toEqual([-5, 105]);
    expect(fitSeriesY(lines, [0, 5], [0, 'auto'], false)[0]).toBe(0);
    expect(fitSeriesY([line([0, 1], [0, 10])], [0, 1], ['auto', 'auto'], true)[0]).toBeGreaterThan(9);
    expect(fitSeriesY([], [0, 1], ['auto', 'auto'], false)).toEqual([-0.05, 1.05]);
    expect(wholeX(lines, 300)).toEqual([0, 300]);
    expect(wholeX([], null)).toBeNull();
  });

  test('a summary tells the ends, the least and the gaps', () => {
    expect(summarise(line([0, 1, 2, 3], [5, null, 1, 2]))).toEqual({ first: 5, last: 2, min: 1, gaps: 1 });
    expect(summarise(line([0], [null]))).toBeNull();
  });

  test('a sparkline breaks at a gap', () => {
    const path = sparklinePath([1, 2, null, 3], 100, 20);
    expect(path.match(/M/g)).toHaveLength(2);
    expect(path).not.toMatch(/NaN/);
    expect(sparklinePath([null], 100, 20)).toBe('');
    expect(sparklinePath([4], 100, 20)).toBe('M1.5 10.0h0');
  });
});

describe('a thinned series', () => {
  const value = fc.oneof(
    { weight: 8, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
    { weight: 1, arbitrary: fc.constantFrom(null, Number.NaN, Number.POSITIVE_INFINITY) },
  );
  const series = fc.array(fc.tuple(fc.double({ min: 0, max: 1e6, noNaN: true }), value), { maxLength: 600 });
  const asNull = (y: number | null) => (y !== null && Number.isFinite(y) ? y : null);

  function isSubsequence(part: readonly string[], whole: readonly string[]): boolean {
    let next = 0;
    for (const item of whole) if (item === part[next]) next += 1;
    return next === part.length;
  }

  test('keeps order, both ends, both extremes and bounded size, whether x ascends or not', () => {
    fc.assert(
      fc.property(series, fc.integer({ min: 1, max: 60 }), fc.boolean(), (points, width, isSorted) => {
        const sorted = isSorted ? [...points].sort((a, b) => a[0] - b[0]) : points;
        const x = sorted.map(point => point[0]);
        const y = sorted.map(point => point[1]);
        const thin = thinSeries(x, y, width);
        const pairs = thin.x.map((at, index) => `${at} ${thin.y[index]}`);
        const all = x.map((at, index) => `${at} ${asNull(y[index] ?? null)}`);
        expect(thin.y).toHaveLength(thin.x.length);
        expect(isSubsequence(pairs, all)).toBe(true);
        expect(pairs[0]).toBe(all[0]);
        expect(pairs.at(-1)).toBe(all.at(-1));
        const finite = (values: readonly (number | null)[]) =>
          values.map(asNull).filter((each): each is number => each !== null);
        expect(Math.min(...finite(thin.y))).toBe(Math.min(...finite(y)));
        expect(Math.max(...finite(thin.y))).toBe(Math.max(...finite(y)));
        expect(thin.y.includes(null)).toBe(y.some(each => asNull(each) === null));
        if (x.length <= 2 * width) expect(pairs).toEqual(all);
        else expect(pairs.length).toBeLessThanOrEqual(6 * width);
      }),
    );
  });

  test('keeps the extremes of every bucket, not only those of the whole', () => {
    const x = Array.from({ length: 1_000 }, (_, index) => index);
    const y = x.map(at => (at % 100 === 37 ? 50 : at % 100 === 61 ? -50 : Math.sin(at)));
    const thin = thinSeries(x, y, 10);
    expect(thin.y.filter(each => each === 50)).toHaveLength(10);
    expect(thin.y.filter(each => each === -50)).toHaveLength(10);
    expect(thin.x.length).toBeLessThanOrEqual(60);
  });

  test('keeps a single missing value among thousands', () => {
    const x = Array.from({ length: 5_000 }, (_, index) => index / 10);
    const y = x.map((_, index) => (index === 3_210 ? null : 1));
    expect(thinSeries(x, y, 100).x).toContain(321);
  });

  test('takes an x that never moves and a width of nothing', () => {
    const x = new Array<number>(100).fill(7);
    const y = x.map((_, index) => index);
    expect(thinSeries(x, y, 5).x.length).toBeLessThanOrEqual(30);
    expect(thinSeries(x, y, 0).y).toEqual([0, 99]);
    expect(thinSeries([], [], 100)).toEqual({ x: [], y: [] });
  });
});
