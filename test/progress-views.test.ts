import { describe, expect, test } from 'vitest';
import { progressKey } from '../src/renderer/charts/progress-keys.ts';
import { lastSittingFrom, progressRows } from '../src/renderer/charts/progress-rows.ts';
import { layoutProgress, type ProgressLayout } from '../src/shared/charts/progress-layout.ts';
import type { MarkColumn } from '../src/shared/charts/progress-marks.ts';
import { hasLogScale, type ProgressRow, progressModel } from '../src/shared/charts/progress-model.ts';
import { progressNote } from '../src/shared/charts/progress-name.ts';
import { presetRange, resolveView } from '../src/shared/charts/progress-presets.ts';
import { distanceTicks, distanceWarp } from '../src/shared/charts/progress-scale.ts';
import { progressSvg } from '../src/shared/charts/progress-svg.ts';
import { WHOLE_VIEW } from '../src/shared/charts/progress-view.ts';
import type { Cell, Mark } from '../src/shared/notebook.ts';
import { tallyOf } from './support/progress-rows.ts';

const NOWHERE = { sittingFrom: null, band: null };
const SIZE = { width: 1_000, height: 240 };

/** Gains halve from keep to keep, as they do: each tenth experiment is kept, the others are a little worse. */
function study(count: number): ProgressRow[] {
  let best = 1;
  return Array.from({ length: count }, (_, n) => {
    const isKeep = n % 10 === 0;
    if (isKeep && n > 0) best -= 0.1 * 0.5 ** (n / 10);
    return {
      n,
      at: 1_700_000_000_000 + n * 330_000,
      word: isKeep ? 'keep' : 'discard',
      metric: isKeep ? best : best + 0.001,
      hypothesis: n === 0 ? 'Baseline' : `Lower LEARNING_RATE from ${n + 1} to ${n}`,
    };
  });
}

function draw(rows: readonly ProgressRow[], view: Partial<typeof WHOLE_VIEW> = {}): ProgressLayout {
  const model = progressModel(rows, 'minimize', 'experiment');
  return layoutProgress(model, resolveView({ ...WHOLE_VIEW, ...view }, model, NOWHERE), SIZE, 1);
}

function count(columns: readonly MarkColumn[]): number {
  return columns.reduce((sum, { path }) => sum + path.split('M').length - 1, 0);
}

describe('distances to the best on a logarithmic scale', () => {
  test('the best has a place, equal factors of the distance equal room, and every value comes back', () => {
    const warp = distanceWarp(0.5, 1, 0);
    expect(warp.least).toBe(1e-3);
    expect(warp.to(0.5)).toBe(0);
    expect(warp.to(1.5) - warp.to(0.6)).toBeCloseTo(warp.to(0.6) - warp.to(0.51), 0);
    for (const value of [-3, 0.4, 0.5, 0.500_001, 0.7, 1e3])
      expect(warp.from(warp.to(value))).toBeCloseTo(value, 9);
    // Below the noise no distance is worth telling apart.
    expect(distanceWarp(0.5, 1, 0.02).least).toBe(0.02);
    expect(distanceWarp(0.5, 0, 0).least).toBe(1);
  });

  test('marks tell the distance on the worse side, whichever that is, and where the best is', () => {
    expect(
      distanceTicks([0.5, 1.5], 0.5, 1e-3, 5).map(({ at, label }) => [Number(at.toFixed(6)), label]),
    ).toEqual([
      [0.5, 'best'],
      [0.501, '+0.001'],
      [0.51, '+0.01'],
      [0.6, '+0.1'],
      [1.5, '+1'],
    ]);
    expect(distanceTicks([-1, 0], 0, 1e-2, 4).map(({ label }) => label)).toEqual([
      'best',
      '−0.01',
      '−0.1',
      '−1',
    ]);
  });

  test('shows the steps of a long study, which a linear scale squashes', () => {
    const rows = study(400);
    const steps = (layout: ProgressLayout) =>
      [...layout.best.matchAll(/V(-?[\d.]+)/g)].map(([, y]) => Number(y));
    const room = (ys: readonly number[]) => (ys.at(-1) ?? 0) - (ys[Math.floor(ys.length / 4)] ?? 0);
    const linear = draw(rows, { scale: 'linear' });
    const log = draw(rows, { scale: 'log' });
    expect(room(steps(linear))).toBeLessThan(2);
    expect(room(steps(log))).toBeGreaterThan(4);
    expect(log.isLog).toBe(true);
    expect(progressNote(log, 'minimize')).toBe('lower is better · log distance to the best');
  });

  test('is chosen by itself where half of the experiments moved the best by next to nothing, and only there', () => {
    expect(draw(study(400)).isLog).toBe(true);
    expect(draw(study(40)).isLog).toBe(false);
    expect(draw(study(400), { scale: 'linear' }).isLog).toBe(false);
    const nothing = progressModel([], 'minimize', 'experiment');
    expect(hasLogScale(nothing, 'log')).toBe(false);
    // Nothing better than the first: there is no distance to show.
    expect(hasLogScale(progressModel(study(5), 'minimize', 'experiment'), 'log')).toBe(false);
  });

  test('no mark lies on the label of another, and the best has its own', () => {
    for (const height of [120, 180, 240, 600]) {
      const { ticks } = layoutProgress(
        progressModel(study(400), 'minimize', 'experiment'),
        { x: null, y: null, scale: 'log' },
        { width: 1_000, height },
        1,
      ).y;
      expect(ticks[0]?.label).toBe('best');
      expect(ticks.length).toBeGreaterThan(1);
      const places = ticks.map(({ at }) => at).sort((a, b) => a - b);
      for (const [index, at] of places.slice(1).entries())
        expect(at - (places[index] ?? 0)).toBeGreaterThanOrEqual(13);
    }
  });

  test('draws any values with finite numbers', () => {
    const rows = study(30).map((row, n) =>
      n % 7 === 3 ? { ...row, metric: (n % 2 ? 1 : -1) * 1e140 } : row,
    );
    const { best, discards, keeps, y, labels } = draw(rows, { scale: 'log' });
    expect(JSON.stringify([best, discards, keeps, y.ticks, labels])).not.toMatch(/NaN|Infinity|null/);
  });
});

describe('ranges of the chart', () => {
  const model = progressModel(study(400), 'minimize', 'experiment');

  test('the last sitting and the last fifty begin with their first experiment and end at the end', () => {
    for (const [preset, first] of [
      ['sitting', 310],
      ['last', 350],
    ] as const) {
      const range = presetRange(model, preset, { ...NOWHERE, sittingFrom: 310 });
      expect(range?.x[0]).toBeGreaterThan(first - 2);
      expect(range?.x[0]).toBeLessThan(first);
      expect(range?.x[1]).toBe(model.whole[1]);
      expect(range?.y).toBeNull();
    }
    // Of kept experiments alone, in which numbers are no places.
    const kept = progressModel(study(400), 'minimize', 'kept');
    expect(presetRange(kept, 'sitting', { ...NOWHERE, sittingFrom: 310 })?.x[0]).toBeCloseTo(31, 0);
  });

  test('the frontier begins where a tenth of the gain was left, and y holds its steps', () => {
    const range = presetRange(model, 'frontier', NOWHERE);
    // 0.1 · (½ + ¼ + ⅛ + …): after the fourth keep a sixteenth is left.
    expect(range?.x[0]).toBeGreaterThan(30);
    expect(range?.x[0]).toBeLessThan(40);
    const [low, high] = range?.y ?? [0, 0];
    expect(low).toBeLessThan(0.9);
    expect(high).toBeGreaterThan(0.9 + 0.1 / 16);
    expect(high).toBeLessThan(0.9 + 0.1 / 8);
    // With much noise there is more to see than the steps.
    const noisy = presetRange(model, 'frontier', { ...NOWHERE, band: [0.8, 1] });
    expect(noisy?.y?.[0]).toBeLessThan(0.8);
    expect(noisy?.y?.[1]).toBeGreaterThan(1);
    const up = progressModel(
      study(400).map(row => ({ ...row, metric: -(row.metric ?? 0) })),
      'maximize',
      'experiment',
    );
    expect(presetRange(up, 'frontier', NOWHERE)?.y?.map(end => Number((-end).toFixed(6)))).toEqual(
      [high, low].map(end => Number(end.toFixed(6))),
    );
  });

  test('a range that would be everything, or of which nothing is known, is none', () => {
    const short = progressModel(study(30), 'minimize', 'experiment');
    expect(presetRange(short, 'last', NOWHERE)).toBeNull();
    expect(presetRange(short, 'sitting', { ...NOWHERE, sittingFrom: 0 })).toBeNull();
    expect(presetRange(short, 'sitting', NOWHERE)).toBeNull();
    expect(presetRange(progressModel([], 'minimize', 'experiment'), 'frontier', NOWHERE)).toBeNull();
    expect(presetRange(progressModel(study(5), 'minimize', 'experiment'), 'frontier', NOWHERE)).toBeNull();
  });

  test('follows what comes, until it is moved by hand', () => {
    const view = { ...WHOLE_VIEW, preset: 'last' } as const;
    const later = progressModel(study(500), 'minimize', 'experiment');
    expect(resolveView(view, later, NOWHERE).x?.[0]).toBeGreaterThan(
      resolveView(view, model, NOWHERE).x?.[0] ?? 0,
    );
    const shown = resolveView(view, model, NOWHERE);
    const layout = layoutProgress(model, shown, SIZE, null);
    const moved = progressKey('ArrowLeft', model, layout, shown, null, null)?.view;
    expect(moved?.preset).toBeNull();
    expect(moved?.x?.[0]).toBeLessThan(shown.x?.[0] ?? 0);
    // Walking inside the range does not leave it.
    expect(progressKey('ArrowDown', model, layout, shown, null, 390)).toMatchObject({ n: 389, view: shown });
  });

  test('the last sitting is the last one that tried something', () => {
    const mark = (kind: Mark['kind'], n: number): Mark => ({ id: n, at: n, n, kind, text: '', host: null });
    const marks = [
      mark('started', 0),
      mark('stopped', 9),
      mark('started', 9),
      mark('steered', 12),
      mark('started', 20),
    ];
    expect(lastSittingFrom(marks, 21)).toBe(20);
    expect(lastSittingFrom(marks, 20)).toBe(9);
    expect(lastSittingFrom([], 20)).toBeNull();
  });
});

describe('labels of keeps', () => {
  test('the best comes first, then what gained most', () => {
    const model = progressModel(study(60), 'minimize', 'experiment');
    expect(model.labelOrder.map(index => model.points[index]?.row.n)).toEqual([50, 10, 20, 30, 40, 0]);
  });

  test('the best is the incumbent, also where an earlier keep has a better number', () => {
    const model = progressModel(study(60), 'minimize', 'experiment', 30);
    expect(model.labelOrder.map(index => model.points[index]?.row.n)[0]).toBe(30);
    expect(model.tally).toMatchObject({ bestExperiment: 30, best: model.points[30]?.value });
    expect(progressModel(study(60), 'minimize', 'experiment', 999).tally.bestExperiment).toBe(50);
  });

  test('the best has its label however crowded it is, on the paper, with the value that changed', () => {
    for (const width of [420, 660, 1_000]) {
      const crowded = Array.from({ length: 3_000 }, (_, n): ProgressRow => {
        const isKeep = n === 0 || n === 2_999;
        return {
          ...{ n, at: n, word: isKeep ? 'keep' : 'discard' },
          metric: n === 2_999 ? 0.5 : 0.5 + ((n * 7_919) % 997) / 2_000,
          hypothesis: 'Lower the LEARNING_RATE of the embedding for everything from 0.04 to 0.031',
        };
      });
      const model = progressModel(crowded, 'minimize', 'experiment');
      const layout = layoutProgress(model, WHOLE_VIEW, { width, height: 220 }, null);
      const label = layout.labels.find(({ isBest }) => isBest);
      expect(label?.id).toBe(2_999);
      expect(label?.text).toMatch(/^Lower the LEARNING_RATE.*… 0\.031$/);
      expect(label?.box.left).toBeGreaterThanOrEqual(layout.plot.left);
      expect(label?.box.right).toBeLessThanOrEqual(layout.plot.right);
    }
  });
});

describe('what a filter leaves out', () => {
  const rows = study(40).map(row => ({ ...row, isDimmed: row.n % 20 !== 0 }));

  test('is a faint dot without a name that nothing reaches, and the steps stay', () => {
    const layout = draw(rows);
    expect(count(layout.dimmed)).toBe(38);
    expect(count(layout.keeps)).toBe(2);
    expect(count(layout.discards)).toBe(0);
    expect(layout.labels.map(({ id }) => id)).toEqual([20, 0]);
    expect(layout.best).toBe(draw(study(40)).best);
    expect([...layout.pointX].filter(x => !Number.isNaN(x))).toHaveLength(2);
  });

  test('is passed over by the keys', () => {
    const model = progressModel(rows, 'minimize', 'experiment');
    const layout = draw(rows);
    const press = (key: string, marked: number | null) =>
      progressKey(key, model, layout, WHOLE_VIEW, marked, marked);
    expect(press('ArrowUp', 0)).toMatchObject({ n: 20 });
    expect(press('ArrowUp', 20)).toMatchObject({ n: 20 });
    expect(press('ArrowDown', 20)).toMatchObject({ n: 0 });
    expect(press('End', null)).toMatchObject({ kind: 'select', n: 20 });
    const none = progressModel(
      rows.map(row => ({ ...row, isDimmed: true })),
      'minimize',
      'experiment',
    );
    expect(progressKey('Home', none, layout, WHOLE_VIEW, null, null)).toBeNull();
  });

  test('is what the cells of the list are not', () => {
    const cell = (n: number) =>
      ({ n, phase: 'recorded', verdict: { word: 'keep' }, metric: 1, record: null }) as Cell;
    const drawn = progressRows([cell(0), undefined, cell(2)], null, new Set([2]));
    expect(drawn.map(({ n, isDimmed }) => [n, isDimmed])).toEqual([
      [0, true],
      [2, false],
    ]);
  });
});

test('a keep whose gain is not proven is hollow, in the window and in a file, and the drawing says so', () => {
  const rows = study(40).map(row =>
    row.word === 'keep' && row.n > 0 ? { ...row, claim: { probability: 0.8, isProven: row.n === 10 } } : row,
  );
  const layout = draw(rows);
  expect(count(layout.hollow)).toBe(2);
  expect(progressNote(layout, 'maximize')).toBe('higher is better · hollow: unproven');
  // Nothing is claimed about an edit that left the branch.
  const withSuperseded = draw(rows.map(row => ({ ...row, isSuperseded: row.n === 10 })));
  expect(count(withSuperseded.hollow)).toBe(3);
  expect(progressNote(withSuperseded, 'maximize')).toContain('hollow: superseded or unproven');
  const svg = progressSvg(rows, {
    ...{
      title: 'Best so far',
      goal: 'minimize',
      metricName: 'loss',
      tally: tallyOf({ baseline: 1 }),
      view: WHOLE_VIEW,
    },
    ...{ width: 900, height: 380 },
    colours: {
      ...{ surface: 'white', ink: 'black', muted: 'grey', line: 'silver' },
      ...{ lineStrong: 'grey', keep: 'green', discard: 'grey', crash: 'red' },
    },
  });
  expect(svg).toContain('hollow: unproven');
  expect(svg).toMatch(/stroke="white" stroke-width="5"/);
});
