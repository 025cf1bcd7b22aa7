import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CURVE_PARTS, CurveReader } from '../../../src/engine/metrics/curve.ts';
import { judgeCurve, type PastRun, type PruneInput } from '../../../src/engine/stages/judge/prune.ts';
import { describePrune } from '../../../src/shared/verdicts/prune.ts';
import { byExperiment, hostileStudy, query } from '../../support/trainers.ts';

const PARTS = Array.from({ length: CURVE_PARTS }, (_, part) => part);
/** A run whose loss is `lossAt(share)`, a hundred steps long, and what it came to. */
const run = (lossAt: (share: number) => number, metric: number, speed = 1): PastRun => ({
  curve: {
    series: 'loss',
    points: PARTS.map(part => ({
      value: lossAt((part + 1) / CURVE_PARTS),
      step: Math.round((100 * speed * (part + 1)) / CURVE_PARTS),
    })),
  },
  metric,
});
const falling = (share: number) => 4 - 2 * share;
const INCUMBENT = run(falling, 1);
/** A dozen that end where they seem to, up to 2 % worse. */
const EARLIER = Array.from({ length: 12 }, (_, index) =>
  run(share => falling(share) * (1 + index / 600), 1 + index / 600),
);

/** What is said of a run after so many parts of it. */
function after(parts: number, { curve }: PastRun, changes: Partial<PruneInput> = {}) {
  return judgeCurve({
    ...{ goal: 'minimize', metric: 'val_bpb', incumbent: INCUMBENT, earlier: EARLIER },
    curve: { ...curve, points: curve.points.slice(0, parts) },
    ...changes,
  });
}

const HOPELESS = run(share => falling(share) * 1.1, 1.1);

test('a run far behind everything that ever caught up is ended, with its evidence', () => {
  expect(after(10, HOPELESS)).toEqual({
    ...{ series: 'loss', share: 0.5, incumbentValue: 3, runs: 12 },
    value: expect.closeTo(3.3),
    behind: expect.closeTo(0.1),
    caughtUp: expect.closeTo(0.003),
  });
  expect(
    describePrune({
      ...{
        series: 'loss',
        share: 0.5,
        value: 3.3,
        incumbentValue: 3,
        behind: 0.1,
        caughtUp: 0.003,
        runs: 12,
      },
    }),
  ).toBe(
    "ended after 50 % of its training: loss 3.3, against the incumbent's 3 at that point; 10 % behind, and the 12 runs before it caught up at most 0.3 %",
  );
});

test.each<readonly [string, number, PastRun, Partial<PruneInput>]>([
  ['one a little behind', 10, run(share => falling(share) * 1.002, 1), {}],
  ['one that is ahead', 10, run(share => falling(share) * 0.9, 1), {}],
  ['one at its start', 6, HOPELESS, {}],
  ['one nearly through', 19, HOPELESS, {}],
  ['one with nothing to compare with', 10, HOPELESS, { earlier: EARLIER.slice(0, 9) }],
  [
    'one that was far behind only a moment',
    10,
    run(share => falling(share) * (share === 0.5 ? 1.1 : 1), 1),
    {},
  ],
  // A schedule that pays late: once one has come from as far behind, others may.
  [
    'one as far behind as one that made it',
    10,
    HOPELESS,
    { earlier: [...EARLIER, run(share => falling(share) * (share < 0.9 ? 1.12 : 0.99), 0.99)] },
  ],
  // A smaller model: each step teaches it less, and it has many more of them. By the step it is not behind.
  ['one that is behind by the share, and not by the step', 10, run(share => falling(share / 2), 1, 0.5), {}],
  ['one that is behind by the step, and not by the share', 10, run(falling, 1, 2), {}],
  ['one of another series', 10, { ...HOPELESS, curve: { ...HOPELESS.curve, series: 'train_loss' } }, {}],
  [
    'one whose numbers are none',
    10,
    { ...HOPELESS, curve: { series: 'loss', points: PARTS.map(() => null) } },
    {},
  ],
  ['one against an incumbent of zero', 10, HOPELESS, { incumbent: { ...INCUMBENT, metric: 0 } }],
])('%s goes on', (_, parts, candidate, changes) => {
  expect(after(parts, candidate, changes)).toBeNull();
});

test('a curve of the metric itself is read its own way round, and a loss never is', () => {
  const accuracy = ({ curve, metric }: PastRun): PastRun => ({
    curve: { ...curve, series: 'accuracy' },
    metric,
  });
  const rising = (factor: number) => accuracy(run(share => share * factor, factor));
  const changes = {
    ...({ goal: 'maximize', metric: 'accuracy' } as const),
    ...{ incumbent: rising(1), earlier: EARLIER.map((_, index) => rising(1 - index / 600)) },
  };
  expect(after(10, rising(0.9), changes)).toMatchObject({ behind: expect.closeTo(0.1) });
  expect(after(10, rising(1.1), changes)).toBeNull();
  const higherIsBetter = {
    ...({ goal: 'maximize', metric: 'accuracy' } as const),
    earlier: EARLIER.map((past, index) => ({ ...past, metric: 1 - index / 600 })),
  };
  expect(after(10, HOPELESS, higherIsBetter)).toMatchObject({ series: 'loss' });
});

const read = (points: readonly (readonly [number, Record<string, number>])[], isEnded = true) => {
  const reader = new CurveReader({ metric: 'val_bpb', budgetSeconds: 100 });
  const ends = points.map(([seconds, values]) =>
    reader.add({ seconds, values: new Map(Object.entries(values)) }),
  );
  return { ends, curve: reader.curve(isEnded) };
};

test('a curve has the median of each twentieth of the way', () => {
  const { ends, curve } = read([
    [0, { step: 0, progress: 0, loss: 9 }],
    [1, { step: 1, progress: 2, loss: 5 }],
    [2, { step: 2, progress: 5, loss: 6 }],
    [3, { step: 3, progress: 5.1, loss: 4 }],
    [4, { step: 4, progress: 16, loss: 3 }],
  ]);
  expect(ends).toEqual([false, false, false, true, true]);
  expect(curve).toEqual({
    series: 'loss',
    points: [{ value: 6, step: 2 }, { value: 4, step: 3 }, null, { value: 3, step: 4 }],
  });
  expect(read([[0, { progress: 2, loss: 9 }]], false).curve?.points).toEqual([]);
});

test('without a share the clock measures the way from the first line on, and the metric comes before the loss', () => {
  const { curve } = read([
    [40, { loss: 3, val_bpb: 2 }],
    [46, { loss: 2, val_bpb: 1 }],
  ]);
  expect(curve).toEqual({
    series: 'val_bpb',
    points: [
      { value: 2, step: null },
      { value: 1, step: null },
    ],
  });
});

test('a way that begins again is none, and a share that is printed counts alone', () => {
  const epochs = read([
    [0, { step: 1, progress: 50, loss: 3 }],
    [1, { step: 2, progress: 100, loss: 3 }],
    [2, { step: 3, progress: 5, loss: 3 }],
    [3, { step: 4, progress: 100, loss: 3 }],
  ]);
  expect(epochs.curve).toBeNull();
  expect(epochs.ends.slice(2)).toEqual([false, false]);
  expect(
    read([
      [0, { step: 9, loss: 3 }],
      [1, { step: 1, loss: 3 }],
    ]).curve,
  ).toBeNull();
  const mixed = read([
    [0, { loss: 9 }],
    [80, { loss: 9 }],
    [81, { progress: 2, loss: 3 }],
    [82, { loss: 9 }],
    [83, { progress: 7, loss: 2 }],
  ]);
  expect(mixed.curve?.points).toEqual([
    { value: 3, step: null },
    { value: 2, step: null },
  ]);
});

test('a part with a number that is none is none, and what prints no loss has no curve', () => {
  const { curve } = read([
    [0, { progress: 1, loss: 3 }],
    [1, { progress: 2, loss: Number.NaN }],
    [2, { progress: 7, loss: 3 }],
  ]);
  expect(curve?.points).toEqual([null, { value: 3, step: null }]);
  expect(read([[0, { progress: 1, reward: 3 }]]).curve).toBeNull();
  // More than was to be done, and a share that is not one.
  expect(read([[0, { progress: 900, loss: 3 }]]).curve?.points).toHaveLength(CURVE_PARTS);
});

/** Prints a run that ends `worse` times as bad as the first, all at once, up to a share of its way. */
const PRINT = `
def curve(worse, upto=100):
    for step in range(0, upto + 1):
        share = step / 100
        write(('step %05d (%.1f%%) | loss: %.6f\\n' % (step, 100 * share, (4 - 2 * share) * worse)).encode())
`;
const EARLIER_RUNS = 11;
const usual = 'bad = 1 + n % 11 / 5000\ncurve(bad)\nreport("%.6f" % bad)';
const nightOf = (last: string, flags: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  hostileStudy({
    script: `${PRINT}${byExperiment(...Array.from({ length: EARLIER_RUNS }, () => usual), last, usual)}`,
    ...{ experiments: EARLIER_RUNS + 1, flags, env, files: { 'data.txt': 'fixed\n' } },
  });

test('a hopeless run is ended and discarded without a number, and the study goes on', async () => {
  const night = await nightOf('curve(1.5, 60)\nsignal.pause()', ['--prune']);
  expect(night.code).toBe(0);
  expect(night.verdicts.slice(EARLIER_RUNS)).toEqual(['discard pruned', 'discard worse']);
  expect(night.metrics[EARLIER_RUNS]).toBeNull();
  expect(night.messages[EARLIER_RUNS]).toMatch(
    /^ended after 35 % of its training: loss 5\.01, against the incumbent's 3\.34 at that point; 50 % behind, and the 10 runs/,
  );
  const [row] = query<{ outcome: string; evidence: string }>(
    night.home,
    `SELECT outcome, evidence FROM run JOIN experiment e ON e.id = experiment_id WHERE n = ${EARLIER_RUNS}`,
  );
  expect(JSON.parse(row?.outcome ?? '')).toEqual({ kind: 'pruned' });
  expect(JSON.parse(row?.evidence ?? '')).toMatchObject({
    ...{ incumbentExperiment: 0, incumbentMetric: 1 },
    pruned: { series: 'loss', share: 0.35, runs: 10, behind: expect.closeTo(0.5) },
  });
  // Nothing that is not measured looks like a number to those who read the table.
  const table = await readFile(join(night.home, 'studies', night.id, 'results.tsv'), 'utf8');
  expect(table.split('\n')[EARLIER_RUNS + 1]).toMatch(/\tnan\t0\.0\tdiscard\t/);
});

test('what a hopeless run prints on its way out is no result', async () => {
  const leave = 'def leave(*_):\n    report("0.1")\n    os._exit(0)\nsignal.signal(signal.SIGTERM, leave)';
  const night = await nightOf(`${leave}\ncurve(1.5, 60)\nwhile True: signal.pause()`, ['--prune']);
  expect(night.verdicts[EARLIER_RUNS]).toBe('discard pruned');
  expect(night.metrics[EARLIER_RUNS]).toBeNull();
  expect((await night.log(EARLIER_RUNS)).toString()).toContain('val_bpb: 0.1');
});

test('a hopeless run that touched a locked file is a crash', async () => {
  const touch = "os.unlink('data.txt'); open('data.txt', 'w').write('else')";
  const night = await nightOf(`${touch}\ncurve(1.5, 60)\nsignal.pause()`, ['--prune'], {
    PAWL_SANDBOX: 'off',
  });
  expect(night.verdicts[EARLIER_RUNS]).toBe('crash locked_file_touched');
});

test('nothing is ended that the contract does not ask for', async () => {
  const night = await nightOf('curve(1.5)\nreport("1.5")', []);
  expect(night.verdicts[EARLIER_RUNS]).toBe('discard worse');
  expect(night.metrics[EARLIER_RUNS]).toBe(1.5);
});
