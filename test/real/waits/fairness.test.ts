import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readExperiment } from '../../../src/engine/api/experiment-view.ts';
import { ForeignProcesses } from '../../../src/engine/machine/foreign-processes.ts';
import { Telemetry } from '../../../src/engine/machine/telemetry.ts';
import { StepRate } from '../../../src/engine/metrics/step-rate.ts';
import { dataPaths } from '../../../src/engine/paths.ts';
import { Engine } from '../../../src/engine/session/engine.ts';
import { type FairnessInput, judgeFairness } from '../../../src/engine/stages/judge/fairness.ts';
import { type EngineEvent, eventSchema } from '../../../src/shared/events.ts';
import type { GpuSample } from '../../../src/shared/machines/telemetry.ts';
import type { Fairness, FlagKind } from '../../../src/shared/verdicts/fairness.ts';
import { FAST_TRAINER, temporaryFolder } from '../../support/scaffold.ts';
import { checkNight, prepareNight, TAG } from '../../support/study.ts';

const gpu = (changes: Partial<GpuSample> = {}): GpuSample => ({
  ...{ index: 0, uuid: 'GPU-1', name: 'NVIDIA L4', utilizationPercent: 98, smClockMhz: 1755 },
  ...{ memoryUsedMib: 40_000, memoryTotalMib: 81_559, throttleReasons: 0 },
  ...changes,
});
const earlierRun = (smClockMhz: number, changes: Partial<Fairness> = {}): Fairness => ({
  ...{ flags: [], smClockMhz, samples: 20, foreign: [] },
  ...changes,
});
const thrice = (changes: Partial<Fairness>) => [1755, 1740, 1770].map(clock => earlierRun(clock, changes));
const ranAt = (stepsPerSecond: number | null, changes: Partial<Fairness> = {}) =>
  earlierRun(1755, { stepsPerSecond, ...changes });
const had = (kind: FlagKind) => ({ flags: [{ kind, detail: '', isUnfair: true }] });
const run = (changes: Partial<FairnessInput> = {}) =>
  judgeFairness({
    ...{ gpu: Array.from({ length: 20 }, () => gpu()), wallSeconds: 300, awakeSeconds: 300, summary: null },
    ...{ stepsPerSecond: null, sameCode: [] },
    ...{ foreign: [], isUsed: true, earlier: [1755, 1740, 1770].map(clock => earlierRun(clock)) },
    ...changes,
  });
const kinds = (changes: Partial<FairnessInput>) =>
  run(changes).flags.map(({ kind, isUnfair }) => `${kind}${isUnfair ? '' : ' (noticed)'}`);
/** What a run trained on, and the baseline before it. */
const on = (gpu: string | null, processor: string, before: string | null, processorBefore: string) => ({
  hardware: { gpu, processor },
  baselineHardware: { gpu: before, processor: processorBefore },
});
const OTHER = { pid: 42, name: 'ollama', memoryMib: 3_000 };
const samples = (count: number, changes: Partial<GpuSample>) => [
  ...Array.from({ length: 20 - count }, () => gpu()),
  ...Array.from({ length: count }, () => gpu(changes)),
];

test('a quiet run is fair, and so are one at its power limit and one without a GPU', () => {
  expect(kinds({ gpu: samples(20, { throttleReasons: 4 }) })).toEqual([]);
  // As long as a week: nothing is spread over arguments.
  expect(kinds({ gpu: Array.from({ length: 600_000 }, () => gpu()) })).toEqual([]);
  const quiet = { flags: [], foreign: [], stepsPerSecond: null };
  expect(run()).toEqual({ ...quiet, smClockMhz: 1755, samples: 20 });
  expect(run({ gpu: [] })).toEqual({ ...quiet, smClockMhz: null, samples: 0 });
  expect(run({ gpu: [{ index: 0, uuid: '', name: '' }] })).toEqual({
    ...quiet,
    smClockMhz: null,
    samples: 1,
  });
});

const ON_H100 = { hardware: { gpu: 'NVIDIA H100', processor: null }, stepsPerSecond: 900 };

test.each<readonly [string, Partial<FairnessInput>, readonly string[]]>([
  ['a sleep of the machine', { wallSeconds: 500 }, ['suspended']],
  ['a clock set by a second', { wallSeconds: 301 }, []],
  ['a clock set back', { wallSeconds: 100 }, []],
  [
    'a timer that counts more than there was',
    { summary: { training_seconds: 320 } },
    ['clock_skew (noticed)'],
  ],
  ['a timer that counts a little more', { summary: { training_seconds: 303 } }, []],
  ['heat', { gpu: samples(5, { throttleReasons: 0x20 }) }, ['throttled']],
  ['a power brake', { gpu: samples(20, { throttleReasons: 0x88 }) }, ['throttled']],
  ['a moment of heat', { gpu: samples(2, { throttleReasons: 0x20 }) }, []],
  ['slow clocks', { gpu: samples(20, { smClockMhz: 1410 }) }, ['clocks']],
  ['fast clocks', { gpu: samples(20, { smClockMhz: 1980 }) }, ['clocks']],
  [
    'slow clocks while it has nothing to do',
    { gpu: samples(8, { smClockMhz: 210, utilizationPercent: 0 }) },
    [],
  ],
  [
    'slow clocks with nothing to compare',
    { gpu: samples(20, { smClockMhz: 1410 }), earlier: [earlierRun(1755)] },
    [],
  ],
  ['a GPU of another model', on('NVIDIA H100', 'AMD', 'NVIDIA L4', 'AMD'), ['other_hardware']],
  ['the same GPU beside other processors', on('NVIDIA L4', 'AMD', 'NVIDIA L4', 'Intel'), []],
  ['other processors without a GPU', on(null, 'AMD', null, 'Intel'), ['other_hardware']],
  ['a GPU that did not answer', on(null, 'AMD', 'NVIDIA L4', 'Intel'), []],
  ['another program', { foreign: [{ ...OTHER, samples: 20 }] }, ['shared']],
  ['a glance of another program', { foreign: [{ ...OTHER, samples: 2 }] }, []],
  [
    'a program that was there in the last runs, whatever its number',
    { foreign: [{ ...OTHER, samples: 20 }], earlier: thrice({ foreign: ['Xorg', 'ollama'] }) },
    ['shared (noticed)'],
  ],
  [
    'a program that was there in one of them',
    {
      foreign: [{ ...OTHER, samples: 20 }],
      earlier: [earlierRun(1755, { foreign: ['ollama'] }), ...thrice({})],
    },
    ['shared'],
  ],
  [
    'a program that was there before a run too short to tell',
    {
      foreign: [{ ...OTHER, samples: 20 }],
      earlier: [earlierRun(1755, { samples: 1 }), ...thrice({ foreign: ['ollama'] })],
    },
    ['shared (noticed)'],
  ],
  [
    'heat as ever',
    { gpu: samples(20, { throttleReasons: 0x20 }), earlier: thrice(had('throttled')) },
    ['throttled (noticed)'],
  ],
  [
    'clocks as of late',
    { gpu: samples(20, { smClockMhz: 1410 }), earlier: thrice(had('clocks')) },
    ['clocks (noticed)'],
  ],
  [
    'slow clocks beside runs on another GPU',
    {
      gpu: samples(20, { smClockMhz: 1410 }),
      ...{ hardware: { gpu: 'NVIDIA A100', processor: null }, sameCode: [earlierRun(1755, ON_H100)] },
      earlier: thrice(ON_H100),
    },
    [],
  ],
  ['slow clocks at its power limit', { gpu: samples(20, { smClockMhz: 1410, throttleReasons: 4 }) }, []],
  [
    'a busy, hot GPU that the run does not use',
    { gpu: samples(20, { throttleReasons: 0x20 }), isUsed: false, foreign: [{ ...OTHER, samples: 20 }] },
    [],
  ],
  ['steps as fast as the same code has made', { stepsPerSecond: 3.1, sameCode: [ranAt(3.3)] }, []],
  ['slower steps of the same code', { stepsPerSecond: 2.5, sameCode: [ranAt(3.3)] }, ['speed (noticed)']],
  [
    'more cores than its budget',
    { processors: { own: 900, all: 1_000, cores: 16 }, cores: 2, wallSeconds: 300, awakeSeconds: 300 },
    ['cores (noticed)'],
  ],
  [
    'as many cores as its budget',
    { processors: { own: 600, all: 1_000, cores: 16 }, cores: 2, wallSeconds: 300, awakeSeconds: 300 },
    [],
  ],
  ['another GPU', { otherGpus: ['1: H100'] }, ['other_gpu (noticed)']],
  ['faster steps of the same code', { stepsPerSecond: 4, sameCode: [ranAt(3.3)] }, ['speed (noticed)']],
  [
    'slower steps than in runs that told none',
    { stepsPerSecond: 1, sameCode: [earlierRun(1755), ranAt(null)] },
    [],
  ],
  ['a memory that is nearly full', { gpu: samples(1, { memoryUsedMib: 81_000 }) }, ['memory_full (noticed)']],
])('%s', (_, changes, expected) => {
  expect(kinds(changes)).toEqual(expected);
});

test('what was measured is told', () => {
  expect(run({ foreign: [{ ...OTHER, samples: 20 }] })).toMatchObject({
    ...{ flags: [{ detail: 'process 42 (ollama) with 3000 MiB' }], foreign: ['ollama'] },
  });
  expect(run({ wallSeconds: 500 }).flags[0]?.detail).toBe('for 3 min 20 s of 8 min 20 s');
  expect(run({ gpu: samples(5, { throttleReasons: 0x60 }) }).flags[0]?.detail).toBe(
    'too hot in 25 % of its seconds',
  );
});

/** So many samples of its heat, or of none, each run has. */
const HEAT_SAMPLES = 12;

/**
 * A study on a machine whose GPU is hot in the runs that are named, counted from 0. A run ends once the telemetry has seen
 * enough of its heat and the GPU is cool again, however long that takes here.
 */
async function hotNight(hotRuns: readonly number[], experiments: number, training = ':') {
  const folder = await temporaryFolder();
  const [hot, runs] = [join(folder, 'hot'), join(folder, 'runs')];
  await writeFile(runs, '');
  await writeFile(
    join(folder, 'nvidia-smi'),
    `#!/bin/sh
while :; do
  if [ -e ${hot} ]; then reasons=0x0000000000000060; else reasons=0x0000000000000004; fi
  echo "0, GPU-1, NVIDIA L4, 97, 45061, 81559, 54, 72.0, 72.0, 1755, 2619, [N/A], 4, 16, $reasons, Disabled"
  sleep 0.01
done
`,
  );
  await chmod(join(folder, 'nvidia-smi'), 0o755);
  const night = await prepareNight({
    // Its own steps would be more than it is told to make.
    trainer: FAST_TRAINER.replace(/^printf '\\rstep.*\n/gm, '').replace(
      /^printf/m,
      `n=$(($(wc -l < ${runs}))); echo run >> ${runs}\n${training}\nuntil [ -e ${folder}/go-$n ]; do sleep 0.01; done\nprintf`,
    ),
  });
  const environment = { ...process.env, PAWL_HOME: night.home, PATH: `${folder}:${process.env.PATH}` };
  const telemetry = new Telemetry({ environment, intervalMs: 10 });
  const options = { paths: dataPaths(environment), host: 'test', environment, telemetry };
  const engine = await Engine.open(options, null);
  onTestFinished(() => {
    telemetry.stop();
    engine.close();
  });
  let [run, seen] = [-1, 0];
  telemetry.onSample(({ gpus: [sample] }) => {
    if (run < 0 || seen < 0 || !sample) return;
    const isSlowed = ((sample.throttleReasons ?? 0) & 0x60) !== 0;
    if (seen < HEAT_SAMPLES) {
      if (isSlowed === hotRuns.includes(run)) seen += 1;
      if (seen === HEAT_SAMPLES) rmSync(hot, { force: true });
    } else if (!isSlowed) {
      writeFileSync(join(folder, `go-${run}`), '');
      seen = -1;
    }
  });
  telemetry.start();
  const study = await engine.createStudy({
    ...{ repositoryPath: night.repository, tag: TAG, stop: { experiments } },
    proposer: { kind: 'search', seed: 1 },
  });
  const events: EngineEvent[] = [];
  const end = await engine.run(study.id, {}, event => {
    events.push(event);
    if (event.type !== 'run_started') return;
    [run, seen] = [run + 1, 0];
    if (hotRuns.includes(run)) writeFileSync(hot, '');
  });
  expect(end.error).toBeNull();
  const detail = (n: number) => readExperiment(engine.ledger, study.id, n);
  return { ...night, engine, study, events, detail };
}

test('an experiment whose run was not fair is run again, and the notebook says why', async () => {
  const night = await hotNight([1], 1);
  const { runs, evidence } = await night.detail(1);
  expect(runs.map(({ flags }) => flags.filter(({ isUnfair }) => isUnfair).map(({ kind }) => kind))).toEqual([
    ['throttled'],
    [],
  ]);
  expect(evidence).toMatchObject({ run: 1 });
  expect(evidence).not.toHaveProperty('unfair');
  expect(night.engine.ledger.marks.ofKind(night.study.id, 'unfair').map(({ text }) => text)).toEqual([
    expect.stringMatching(/^#1 is run again, .* the GPU was throttled, too hot in \d+ % of its seconds$/),
  ]);
  expect((await night.detail(0)).runs).toHaveLength(1);
  expect(night.events.map(event => eventSchema.parse(event))).toEqual(night.events);
  await checkNight(night);
});

test('a machine that is never fair decides in the end, says so, and is not asked again for long', async () => {
  const night = await hotNight([0, 1, 2, 3, 4, 5, 6], 1);
  const first = await night.detail(0);
  expect(first.runs).toHaveLength(3);
  expect(first.evidence).toMatchObject({ run: 2, unfair: ['throttled'] });
  // By then it is how this machine is.
  const second = await night.detail(1);
  expect(second.runs.map(({ flags }) => flags.filter(({ kind }) => kind === 'throttled'))).toMatchObject([
    [{ isUnfair: false }],
  ]);
  expect(second.evidence).not.toHaveProperty('unfair');
  await checkNight(night);
});

test('processes of the run itself are nobody else’s', async () => {
  const own = spawn('sleep', ['60'], { env: { ...process.env, PAWL_RUN: 'study/1.0' } });
  const other = spawn('sleep', ['60'], { env: { ...process.env, PAWL_RUN: 'study/1.1' } });
  onTestFinished(() => {
    own.kill();
    other.kill();
  });
  await Promise.all([once(own, 'spawn'), once(other, 'spawn')]);
  const foreign = new ForeignProcesses('study/1.0');
  const row = (pid = 0, memoryMib?: number) => ({ uuid: 'GPU-1', pid, ...(memoryMib ? { memoryMib } : {}) });
  foreign.add(gpu({ processes: [row(own.pid, 900), row(other.pid, 100), row(4_000_000_000)] }));
  foreign.add(gpu({ processes: [row(other.pid, 300)] }));
  foreign.add(gpu({ processes: [row(other.pid)] }));
  expect(await foreign.list()).toEqual({
    foreign: [{ pid: other.pid, name: expect.stringMatching(/sleep|node/), samples: 3, memoryMib: 300 }],
    ...{ isUsed: true, ownSamples: 1 },
  });
  // What hides its environment is known by where it comes from.
  const below = new ForeignProcesses('study/2.0');
  below.isBelow(process.pid);
  below.add(gpu({ processes: [row(other.pid)] }));
  expect(await below.list()).toEqual({ foreign: [], isUsed: true, ownSamples: 1 });
  expect(await new ForeignProcesses('study/3.0').list()).toEqual({
    foreign: [],
    isUsed: null,
    ownSamples: 0,
  });
});

test('the rate is that of the later half, when nothing is compiled any more', () => {
  const rate = (...points: readonly (readonly [number, number])[]) => {
    const reader = new StepRate();
    for (const [seconds, step] of points) reader.add({ seconds, values: new Map([['step', step]]) });
    return reader.get();
  };
  const steps = (from: number, count: number, dt: number) =>
    Array.from({ length: count }, (_, index) => [from + index * dt, index] as const);
  expect(rate(...steps(60, 101, 0.5))).toBeCloseTo(2);
  // The first step took half a minute.
  expect(rate([0, 0], ...steps(30, 101, 0.5))).toBeCloseTo(2);
  expect(rate()).toBeNull();
  expect(rate(...steps(0, 8, 1))).toBeNull();
  expect(rate([5, 0], [5, 40])).toBeNull();
  // Each epoch counts from the beginning.
  expect(rate(...steps(0, 101, 0.1), ...steps(11, 101, 0.1))).toBeNull();
});

test('the same code at another speed is told, and its number decides', async () => {
  // The first run is hot and quick, and the further ones are slow.
  const training = `if [ $n = 0 ]; then pace=0.01; else pace=0.12; fi
i=0; while [ $i -lt 40 ]; do i=$((i + 1)); printf 'step %05d | loss: 1.0\\n' $i; sleep $pace; done`;
  const night = await hotNight([0], 0, training);
  const { runs, evidence } = await night.detail(0);
  const unfair = runs.map(({ flags }) => flags.filter(flag => flag.isUnfair).map(({ kind }) => kind));
  expect(unfair).toEqual([['throttled'], []]);
  const detail = runs[1]?.flags.find(({ kind }) => kind === 'speed')?.detail;
  expect(detail).toMatch(/^\d+(\.\d+)? steps per second, against \d+(\.\d+)? before$/);
  expect(evidence).toMatchObject({ run: 1 });
  expect(evidence?.unfair).toBeUndefined();
  await checkNight(night);
});
