import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pointGrid } from '../src/renderer/charts/point-grid.ts';
import { progressKey } from '../src/renderer/charts/progress-keys.ts';
import { type Box, Occupancy } from '../src/shared/charts/occupancy.ts';
import { placeLabels } from '../src/shared/charts/place-labels.ts';
import { layoutProgress, type ProgressLayout } from '../src/shared/charts/progress-layout.ts';
import type { MarkColumn } from '../src/shared/charts/progress-marks.ts';
import { type ProgressModel, type ProgressRow, progressModel } from '../src/shared/charts/progress-model.ts';
import type { ProgressAxis } from '../src/shared/charts/progress-view.ts';
import { panDomain, revealInDomain, WHOLE_VIEW, zoomDomain } from '../src/shared/charts/progress-view.ts';
import { robustFence } from '../src/shared/charts/robust-fence.ts';
import { shorten } from '../src/shared/charts/shorten.ts';
import { night, row } from './support/progress-rows.ts';

const SIZE = { width: 1_000, height: 400 };

function draw(
  rows: readonly ProgressRow[],
  options: { axis?: ProgressAxis; baseline?: number | null; x?: [number, number]; y?: [number, number] } = {},
): { model: ProgressModel; layout: ProgressLayout } {
  const model = progressModel(rows, 'minimize', options.axis ?? 'experiment');
  const view = { x: options.x ?? null, y: options.y ?? null };
  return { model, layout: layoutProgress(model, view, SIZE, options.baseline ?? null) };
}

function countMarks(columns: readonly MarkColumn[]): number {
  return columns.reduce((sum, column) => sum + column.path.split('M').length - 1, 0);
}

function discardMarks(layout: ProgressLayout): readonly string[] {
  return layout.discards.flatMap(column => column.path.split('M').slice(1));
}

describe('the range nobody chose', () => {
  test('has no numbers as long as nothing has one', () => {
    const { layout } = draw([row(0, 'crash', null)]);
    expect(layout.y.ticks).toEqual([]);
    expect(countMarks(layout.crashes)).toBe(1);
  });

  test('one terrible discard does not squash the others and is a triangle on the edge', () => {
    const rows = [...night(60), row(60, 'discard', 1e6)];
    const { layout } = draw(rows, { baseline: 1 });
    expect(layout.y.domain[1]).toBeLessThan(1.02);
    expect(countMarks(layout.discardsBeyond)).toBe(1);
    expect(layout.pointY.at(-1)).toBeLessThan(layout.plot.top + 14);
  });

  test('holds the baseline and every keep, however far they lie', () => {
    const rows = [row(0, 'keep', 11), row(1, 'discard', 11.1), row(2, 'keep', 3), row(3, 'keep', 1)];
    const { layout } = draw(rows, { baseline: 11 });
    expect(layout.y.domain[0]).toBeLessThan(1);
    expect(layout.y.domain[1]).toBeGreaterThan(11);
    expect(layout.keepsBeyond).toEqual([]);
    expect(layout.baselineY).not.toBeNull();
  });

  test('a value far on the better side is a triangle at the bottom', () => {
    const { layout } = draw([...night(60), row(60, 'discard', -500)]);
    expect(layout.y.domain[0]).toBeGreaterThan(0.9);
    expect(countMarks(layout.discardsBeyond)).toBe(1);
    expect(layout.pointY.at(-1)).toBeGreaterThan(layout.plot.bottom - 24);
  });

  test('moving the worst value further changes nothing', () => {
    const at = (worst: number) => draw([...night(40), row(40, 'discard', worst)]).layout.y.domain;
    expect(at(1e9)).toEqual(at(50));
  });

  test('discards judged by the best of their own time stay in the picture when the best has moved on', () => {
    const rows = Array.from({ length: 40 }, (_, n) =>
      n % 2 === 0 ? row(n, 'keep', 10 - n / 5) : row(n, 'discard', 10 - n / 5 + 0.3),
    );
    const { layout } = draw(rows);
    expect(layout.discardsBeyond).toEqual([]);
    expect(layout.y.domain[1]).toBeGreaterThan(10);
  });

  test('the fence is four medians of the distances that are not zero', () => {
    expect(robustFence([0, 0, 1, 2, 3, 4, 900], 5)).toBe(12);
    expect(robustFence([0.01, 1e9], 1)).toBe(0.05);
    expect(robustFence([], 2)).toBe(0.1);
  });

  test('follows what is in view when x is zoomed, and not the baseline', () => {
    const { layout } = draw(night(600), { baseline: 1, x: [400, 500] });
    expect(layout.y.domain[1]).toBeLessThan(0.999);
    expect(layout.baselineY).toBeNull();
  });
});

describe('what is drawn', () => {
  test('every finished row has a mark, and none is drawn for a row without a verdict', () => {
    const rows = [
      ...night(120),
      row(120, 'discard', null),
      row(121, 'keep', Number.NaN),
      row(122, null, null),
    ];
    const { layout, model } = draw(rows);
    expect(model.points).toHaveLength(122);
    expect(countMarks(layout.keeps)).toBe(model.points.filter(point => point.kind === 'keep').length);
    expect(countMarks(layout.crashes)).toBe(model.points.filter(point => point.kind === 'crash').length);
    // Two squares for the rows without a number.
    expect(countMarks(layout.discardsBeyond)).toBe(2);
    const discards = model.points.filter(point => point.kind === 'discard').length;
    expect(discardMarks(layout)).toHaveLength(discards);
  });

  test('a crash lies on the bottom edge whatever metric its row has', () => {
    const { layout, model } = draw([row(0, 'keep', 1), row(1, 'crash', 0)]);
    expect(model.points[1]?.value).toBeNaN();
    expect(layout.y.domain[0]).toBeGreaterThan(0.9);
    expect(layout.pointY[1]).toBe(layout.plot.bottom - 8);
  });

  test('dots on one pixel are drawn once, and every pixel that has one is drawn', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1, max: 1.01, noNaN: true }), { minLength: 1, maxLength: 400 }),
        values => {
          const rows = [row(0, 'keep', 1), ...values.map((value, index) => row(index + 1, 'discard', value))];
          const { layout, model } = draw(rows, { y: [0.999, 1.011] });
          const wanted = new Set<string>();
          model.points.forEach((point, index) => {
            if (point.kind !== 'discard') return;
            const x = layout.x.toPixel(point.x);
            const y = layout.y.toPixel(point.value);
            expect(layout.pointX[index]).toBeCloseTo(x, 2);
            wanted.add(`${Math.round(x)} ${Math.round(y)}h0`);
          });
          const drawn = discardMarks(layout);
          expect(drawn).toHaveLength(new Set(drawn).size);
          expect(new Set(drawn)).toEqual(wanted);
        },
      ),
    );
  });

  test('ten thousand rows become no more marks than pixels and keep both extremes', () => {
    const rows = Array.from({ length: 10_000 }, (_, n) =>
      n === 0 ? row(0, 'keep', 1) : row(n, 'discard', n === 5_000 ? 1.0049 : n === 7_000 ? 0.999 : 1.001),
    );
    const { layout } = draw(rows, { y: [0.998, 1.005] });
    const ys = discardMarks(layout).map(mark => Number(mark.split(' ')[1]?.replace('h0', '')));
    expect(ys.length).toBeLessThan(1_000);
    expect(Math.min(...ys)).toBe(Math.round(layout.y.toPixel(1.0049)));
    expect(Math.max(...ys)).toBe(Math.round(layout.y.toPixel(0.999)));
  });

  test('the running best is a step line that goes down only', () => {
    const { layout, model } = draw(night(120));
    expect(model.steps.map(step => step.best)).toEqual(
      [...model.steps.map(step => step.best)].sort((a, b) => b - a),
    );
    const downs = [...layout.best.matchAll(/V(-?[\d.]+)/g)].map(match => Number(match[1]));
    expect(downs).toHaveLength(model.steps.length - 1);
    expect(downs).toEqual([...downs].sort((a, b) => a - b));
  });

  test('the axis of keeps shows keeps only, one after the other', () => {
    const { model, layout } = draw(night(60), { axis: 'kept' });
    expect(model.points.every(point => point.kind === 'keep')).toBe(true);
    expect(model.points.map(point => point.x)).toEqual(model.points.map((_, index) => index));
    expect(layout.crashes).toEqual([]);
  });

  test('the axis of time counts hours from the first experiment', () => {
    const { model, layout } = draw(night(120), { axis: 'time' });
    expect(model.points[0]?.x).toBe(0);
    expect(model.points[60]?.x).toBeCloseTo(5.5);
    expect(layout.xLabel).toBe('hours since the first experiment');
    expect(draw(night(4), { axis: 'time' }).layout.xLabel).toBe('minutes since the first experiment');
  });

  test('new rows extend a view of everything and leave a chosen one alone', () => {
    const before = draw(night(50)).layout.x.domain;
    const after = draw(night(80)).layout.x.domain;
    expect(after[1]).toBeGreaterThan(before[1]);
    expect(draw(night(80), { x: [10, 20] }).layout.x.domain).toEqual([10, 20]);
  });

  test('any view of any rows is drawn with finite numbers', () => {
    const anyRow = fc.record({
      n: fc.nat(3_000),
      at: fc.integer({ min: 0, max: 2e12 }),
      word: fc.constantFrom('keep' as const, 'discard' as const, 'crash' as const, null),
      metric: fc.option(fc.double()),
      hypothesis: fc.option(fc.string()),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(anyRow, { selector: each => each.n, maxLength: 60 }),
        fc.constantFrom('experiment' as const, 'time' as const, 'kept' as const),
        fc.option(
          fc.tuple(
            fc.double({ min: 0, max: 10, noNaN: true }),
            fc.double({ min: 11, max: 4e3, noNaN: true }),
          ),
        ),
        (rows, axis, x) => {
          const model = progressModel(rows, 'maximize', axis);
          const layout = layoutProgress(model, { x, y: null }, SIZE, null);
          const text = JSON.stringify([
            layout.discards,
            layout.keeps,
            layout.crashes,
            layout.discardsBeyond,
            layout.keepsBeyond,
            layout.best,
            layout.x.ticks.map(tick => tick.at),
            layout.y.ticks.map(tick => tick.at),
          ]);
          expect(text).not.toMatch(/NaN|Infinity|null/);
        },
      ),
    );
  });
});

describe('labels', () => {
  const touches = (a: Box, b: Box) =>
    a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

  test('never overlap one another, a dot or the edge', () => {
    const bounds = { left: 50, top: 20, right: 900, bottom: 380 };
    const wish = fc.record({
      id: fc.nat(),
      x: fc.double({ min: 50, max: 900, noNaN: true }),
      y: fc.double({ min: 20, max: 380, noNaN: true }),
      text: fc.string({ minLength: 1, maxLength: 32 }),
    });
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 60 }), fc.boolean(), (wishes, betterIsDown) => {
        const dots = wishes.map(({ x, y }) => ({ left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 }));
        const area = new Occupancy(bounds);
        for (const dot of dots) area.take(dot.left, dot.top, dot.right, dot.bottom);
        const placed = placeLabels(wishes, area, betterIsDown, 40);
        placed.forEach((label, index) => {
          expect(dots.some(dot => touches(dot, label.box))).toBe(false);
          expect(placed.slice(index + 1).some(other => touches(other.box, label.box))).toBe(false);
          expect(label.box.left).toBeGreaterThanOrEqual(bounds.left);
          expect(label.box.right).toBeLessThanOrEqual(bounds.right);
          expect(label.box.bottom).toBeLessThanOrEqual(bounds.bottom);
        });
      }),
    );
  });

  test('the best keep is served first', () => {
    const { layout, model } = draw(night(300));
    expect(layout.labels[0]?.id).toBe(model.tally.bestExperiment);
  });

  test('are one line, cut at a word', () => {
    expect(shorten('Raise the learning rate\nbecause it is low', 40)).toBe('Raise the learning rate');
    expect(shorten('Raise the learning rate of the head', 20)).toBe('Raise the learning…');
    // The value that was changed can be read.
    expect(shorten('Lower LEARNING_RATE from 0.02 to 0.01', 30)).toBe('Lower LEARNING_RATE… 0.01');
    expect(shorten('x'.repeat(50), 10)).toBe(`${'x'.repeat(9)}…`);
    expect([...shorten('🙂'.repeat(50), 10)]).toHaveLength(10);
  });
});

describe('finding, zooming and walking', () => {
  test('the grid finds what looking at every point finds', () => {
    const place = fc.record({
      x: fc.double({ min: 0, max: 300, noNaN: true }),
      y: fc.double({ min: 0, max: 200, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(place, { maxLength: 80 }), place, (points, at) => {
        const distances = points.map(point => Math.hypot(point.x - at.x, point.y - at.y));
        const least = Math.min(...distances);
        const found = pointGrid(
          points.map(point => point.x),
          points.map(point => point.y),
          24,
        ).nearest(at.x, at.y);
        if (least > 24) expect(found).toBeNull();
        else expect(distances[found ?? -1]).toBe(least);
      }),
    );
  });

  test('zooming holds the place under the pointer, stays inside and ends in everything', () => {
    expect(zoomDomain([0, 100], [0, 100], 0.5, 20, 4)).toEqual([10, 60]);
    expect(zoomDomain([10, 60], [0, 100], 4, 20, 4)).toBeNull();
    expect(zoomDomain([0, 40], [0, 100], 1.5, 40, 4)).toEqual([0, 60]);
    expect(zoomDomain([10, 20], [0, 100], 0.01, 15, 4)).toEqual([13, 17]);
  });

  test('panning stops at the ends', () => {
    expect(panDomain([10, 30], [0, 100], -50)).toEqual([0, 20]);
    expect(panDomain([10, 30], [0, 100], 500)).toEqual([80, 100]);
    expect(panDomain([0, 100], [0, 100], 20)).toBeNull();
    expect(revealInDomain([0, 20], [0, 100], 50)).toEqual([31, 51]);
  });

  test('keys walk from experiment to experiment and bring it into view', () => {
    const { model, layout } = draw(night(100), { x: [10, 30] });
    const view = { ...WHOLE_VIEW, x: [10, 30] } as const;
    expect(progressKey('ArrowUp', model, layout, view, null, 12)).toMatchObject({ kind: 'point', n: 13 });
    expect(progressKey('ArrowUp', model, layout, view, null, null)).toMatchObject({ kind: 'point', n: 10 });
    expect(progressKey('Home', model, layout, view, null, null)).toMatchObject({ kind: 'select', n: 0 });
    const end = progressKey('End', model, layout, view, null, null);
    expect(end).toMatchObject({ kind: 'select', n: 99 });
    expect(end?.view.x?.[1]).toBeGreaterThan(99);
    expect(progressKey('Enter', model, layout, view, 17, 17)).toMatchObject({ kind: 'select', n: 17 });
    expect(progressKey('Enter', model, layout, view, null, 17)).toBeNull();
    expect(progressKey('0', model, layout, view, null, null)?.view).toEqual(WHOLE_VIEW);
    expect(progressKey('q', model, layout, view, null, null)).toBeNull();
  });
});
