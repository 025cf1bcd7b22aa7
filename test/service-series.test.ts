import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SeriesView } from '../src/shared/notebook.ts';
import { contractFile, createRepository, fastRepository, temporaryFolder } from './support/scaffold.ts';
import { type Desk, eventsOfType, openDesk, refusalOf, untilStopped } from './support/service.ts';
import { proposer } from './support/trainers.ts';
import { startSearch, trainingDesk } from './support/training-desk.ts';

/** Runs a study to its end; the trainer is a Python file. */
async function finished(desk: Desk, trainer: string, experiments = 0): Promise<string> {
  const path = await createRepository({
    'train.sh': trainer,
    'pawl.toml': contractFile({ train: 'python3 train.sh' }),
  });
  const id = await startSearch(desk, path, { experiments });
  await untilStopped(desk, id);
  return id;
}

const SUMMARY = "print('---\\nval_bpb: 1.5')\n";
const WAVE = `import math
for step in range(5000):
    loss = 'nan' if step == 2500 else 9.0 if step == 1234 else -9.0 if step == 4321 else math.sin(step / 100)
    print(f'step {step:05d} | loss: {loss} | grad_norm: {step * 2} | mem: {step % 7}.5GB')
${SUMMARY}`;

/** nanoGPT counts its evaluations by `step` and its iterations by `iter`. */
const TWO_COUNTERS = `for i in range(0, 30, 10):
    print(f'step {i}: train loss {4 - i / 10}, val loss {5 - i / 10}')
    for k in range(i, i + 10, 5):
        print(f'iter {k}: loss {9 - k / 10}, time 3ms')
${SUMMARY}`;

test('each series is placed by the counter that its own lines print', async () => {
  const desk = await openDesk();
  const study = await finished(desk, TWO_COUNTERS);
  const names = ['loss', 'val loss'];
  const read = await desk.calls.experiments.series({
    ...{ study, runs: [{ n: 0 }], source: 'training', by: 'step', width: 50, names },
  });
  expect(read.map(({ name, x, y }) => ({ name, x, y }))).toEqual([
    { name: 'loss', x: [0, 5, 10, 15, 20, 25], y: [9, 8.5, 8, 7.5, 7, 6.5] },
    { name: 'val loss', x: [0, 10, 20], y: [5, 4, 3] },
  ]);
});

test('a series comes by seconds or by step, thinned without losing an extreme, a hole or an end', async () => {
  const desk = await openDesk();
  const study = await finished(desk, WAVE);
  const read = async (more: object) =>
    desk.calls.experiments.series({
      ...{ study, runs: [{ n: 0 }], source: 'training', by: 'step', width: 50 },
      ...more,
    });
  const [loss] = (await read({})) as [SeriesView];
  expect(loss).toMatchObject({ n: 0, k: 0, name: 'loss', total: 5_000 });
  expect(loss.x.length).toBeLessThanOrEqual(300);
  expect(loss.y.length).toBe(loss.x.length);
  const at = (step: number) => loss.y[loss.x.indexOf(step)];
  expect([at(0), at(1234), at(4321), at(2500)]).toEqual([0, 9, -9, null]);
  expect(loss.x.at(-1)).toBe(4999);
  const whole = (await read({ width: 4_096 }))[0];
  expect(whole?.x).toHaveLength(5_000);

  const [bySeconds] = (await read({ by: 'seconds' })) as [SeriesView];
  expect(bySeconds.x[0]).toBeGreaterThanOrEqual(0);
  expect(bySeconds.x.at(-1)).toBeLessThan(60);
  expect(bySeconds.firstStepAt).toBe(bySeconds.x[0]);
  expect(bySeconds.x.every((x, index) => index === 0 || x >= (bySeconds.x[index - 1] ?? 0))).toBe(true);
  expect(Math.max(...bySeconds.y.map(y => y ?? 0))).toBe(9);

  const named = await read({ names: ['grad_norm', 'nothing', '__proto__', 'mem'] });
  expect(named.map(({ name, total }) => [name, total])).toEqual([
    ['grad_norm', 5_000],
    ['mem', 5_000],
  ]);
  expect(await read({ names: [] })).toEqual([]);
  expect(await read({ runs: [{ n: 0, k: 3 }, { n: 17 }] })).toEqual([]);
  const twice = await read({ runs: [{ n: 0 }, { n: 0, k: 0 }] });
  expect(twice).toEqual([loss, loss]);

  const detail = await desk.calls.experiments.get({ study, n: 0 });
  expect(detail.runs[0]?.series.map(({ name }) => name)).toEqual(['loss', 'grad_norm', 'mem', 'step']);
  expect(detail.runs[0]).toMatchObject({ k: 0, outcome: { kind: 'exit', code: 0 }, crash: null });
  expect(detail.runs[0]?.hasTokens).toBe(false);
  // Nobody can tell where the points would lie.
  expect((await read({ by: 'tokens' }))[0]).toMatchObject({ x: [], y: [], total: 0 });
  expect(detail.runs[0]?.summary).toContainEqual({ name: 'val_bpb', value: 1.5 });
});

const COUNTED = `for step in range(1, 401):
    print(f'step {step:05d} | loss: {step % 2}')
print('---\\nval_bpb: 1.5\\ntotal_tokens_M: 0.8\\nnum_steps: 400')
`;

test('a series comes by the tokens it was trained on, and smoothed over all its points however few are drawn', async () => {
  const desk = await openDesk();
  const study = await finished(desk, COUNTED);
  const read = async (width: number) => {
    const [loss] = await desk.calls.experiments.series({
      ...{ study, runs: [{ n: 0 }], source: 'training', by: 'tokens', width, smoothing: 0.99 },
    });
    if (!loss?.smooth) throw new Error('there is no average');
    return { ...loss, smooth: loss.smooth };
  };
  const [whole, thin] = [await read(4_096), await read(10)];
  expect([whole.x[0], whole.x.at(-1)]).toEqual([2_000, 800_000]);
  expect(whole.y.slice(0, 3)).toEqual([1, 0, 1]);
  expect(whole.smooth.x).toEqual(whole.x);
  expect(whole.smooth.y[0]).toBeCloseTo(1, 9);
  expect(whole.smooth.y[1]).toBeCloseTo(0.99 / 1.99, 9);
  expect(thin.x.length).toBeLessThanOrEqual(60);
  expect(thin.smooth.state).toEqual(whole.smooth.state);
  expect(thin.smooth.y.at(-1)).toBe(whole.smooth.y.at(-1));
  expect([thin.smooth.x[0], thin.smooth.x.at(-1)]).toEqual([2_000, 800_000]);
  const detail = await desk.calls.experiments.get({ study, n: 0 });
  expect(detail.runs[0]?.hasTokens).toBe(true);
  const ask = (smoothing: number) =>
    desk.calls.experiments.series({
      ...{ study, runs: [{ n: 0 }], source: 'training', by: 'step', width: 10, smoothing },
    });
  expect((await ask(0))[0]?.smooth).toBeNull();
  await expect(ask(1)).rejects.toThrow();
});

test('a step that is not a number has no place on the axis', async () => {
  const desk = await openDesk();
  const study = await finished(
    desk,
    `for step in ['1', 'nan', '3']:\n    print(f'step {step} | loss: 0.5')\n${SUMMARY}`,
  );
  const [series] = await desk.calls.experiments.series({
    ...{ study, runs: [{ n: 0 }], source: 'training', by: 'step', width: 50 },
  });
  expect(series?.x).toEqual([1, 3]);
});

test('sparklines show the main series of the last run, and leave out what has none', async () => {
  const desk = await openDesk();
  const study = await finished(desk, WAVE);
  const read = (ns: readonly number[], width = 20) =>
    desk.calls.experiments.sparklines({ study, ns: [...ns], width });
  const [line] = await read([0, 1, 99]);
  expect(await read([0, 1, 99])).toEqual([line]);
  expect(line?.n).toBe(0);
  expect(line?.y).toEqual(expect.arrayContaining([9, -9, null]));
  expect(line?.y.length).toBeLessThanOrEqual(120);
  expect((await read([0], 2))[0]?.y.length).toBeLessThanOrEqual(12);
  expect(await read([])).toEqual([]);
  expect(await desk.calls.experiments.sparklines({ study: 'none', ns: [0], width: 20 })).toEqual([]);
});

test('the sparkline of a baseline that failed and is tried again is the one of the new try', async () => {
  const folder = await temporaryFolder();
  const desk = await openDesk();
  const study = await finished(
    desk,
    `import os, sys
mended = os.path.exists(${JSON.stringify(join(folder, 'mended'))})
print('step 1 | loss: %s' % (2.0 if mended else 1.0))
print('step 2 | loss: %s' % (2.0 if mended else 1.0))
if not mended: sys.exit(1)
${SUMMARY}`,
  );
  const read = async () => (await desk.calls.experiments.sparklines({ study, ns: [0], width: 20 }))[0]?.y;
  expect(await read()).toEqual([1, 1]);
  await writeFile(join(folder, 'mended'), '');
  await desk.calls.studies.resume({ study });
  await untilStopped(desk, study);
  expect(await read()).toEqual([2, 2]);
});

test('the machine is written down with the run it was watched in', async () => {
  const { night, desk, study } = await trainingDesk();
  const samples = eventsOfType(desk.events, 'telemetry').length;
  await desk.waitFor(() => eventsOfType(desk.events, 'telemetry').length >= samples + 3);
  // The first may have been taken between the ledger's word of the run and the watch over it.
  const live = eventsOfType(desk.events, 'telemetry').slice(samples + 1);
  await writeFile(night.gate, '');
  await untilStopped(desk, study);
  const { runs } = await desk.calls.experiments.get({ study, n: 1 });
  expect(runs[0]?.telemetry).toEqual(expect.arrayContaining(['cpu_percent', 'host_memory_gib']));
  const series = await desk.calls.experiments.series({
    ...{ study, runs: [{ n: 1 }], source: 'telemetry', by: 'seconds', width: 100 },
  });
  const memory = series.find(({ name }) => name === 'host_memory_gib');
  expect(memory?.total).toBeGreaterThanOrEqual(2);
  expect(memory?.y).toContain((live[0]?.sample.host.memoryUsedBytes ?? 0) / 1024 ** 3);
  expect(memory?.x.every(x => x >= 0 && x < 60)).toBe(true);
  const { telemetry } = await desk.calls.app.snapshot();
  expect(telemetry).toEqual(eventsOfType(desk.events, 'telemetry').map(({ sample }) => sample));
});

test('a diff is to the parent, or to another experiment, and nothing between a commit and itself', async () => {
  const path = await fastRepository();
  const { command } = await proposer(
    "open('train.sh', 'a').write('# <b>one</b> \\u20ac\\n')\nanswer()",
    "open('train.sh', 'a').write('# two\\n')\nanswer()",
  );
  const desk = await openDesk();
  const { id: study } = await desk.calls.studies.start({
    ...{ path, proposer: { kind: 'command', command, timeoutSeconds: 30 }, stop: { experiments: 2 } },
  });
  await untilStopped(desk, study);
  const { calls } = desk;
  const lines = async (n: number, against?: number) => {
    const { diff, isCut } = await calls.experiments.diff({ study, n, against });
    expect(isCut).toBe(false);
    if (diff !== '') expect(diff).toMatch(/^diff --git a\/train\.sh b\/train\.sh\n/);
    return diff.split('\n').filter(line => /^[+-][^+-]/.test(line));
  };
  expect(await lines(0)).toEqual([]);
  expect(await lines(1)).toEqual(['+# <b>one</b> €']);
  // Both lose against the baseline, so both begin there.
  expect(await lines(2)).toEqual(['+# two']);
  expect(await lines(2, 1)).toEqual(['-# <b>one</b> €', '+# two']);
  expect(await lines(1, 1)).toEqual([]);
  expect(await refusalOf(calls.experiments.diff({ study, n: 3 }))).toMatchObject({
    code: 'experiment_not_found',
  });
  expect(await refusalOf(calls.experiments.diff({ study, n: 1, against: 9 }))).toMatchObject({
    code: 'experiment_not_found',
  });
  const detail = await calls.experiments.get({ study, n: 1 });
  expect(detail.files).toEqual([{ path: 'train.sh', added: 1, removed: 0 }]);
  expect(detail).toMatchObject({ incumbent: 0, evidence: { incumbentExperiment: 0 } });
});

test('a diff that nobody could read is cut', async () => {
  const path = await fastRepository();
  const { command } = await proposer("open('train.sh', 'a').write('# a long line\\n' * 300000)\nanswer()");
  const desk = await openDesk();
  const { id: study } = await desk.calls.studies.start({
    ...{ path, proposer: { kind: 'command', command, timeoutSeconds: 30 }, stop: { experiments: 1 } },
  });
  await untilStopped(desk, study);
  const { diff, isCut } = await desk.calls.experiments.diff({ study, n: 1 });
  expect(isCut).toBe(true);
  expect(diff).toHaveLength(2_000_000);
});
