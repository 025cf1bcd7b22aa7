import { expect, test } from 'vitest';
import { findLanes, type HostDevices } from '../src/engine/lanes/find-lanes.ts';
import type { EngineEvent } from '../src/shared/events.ts';
import { LANE_WORD } from '../src/shared/machines/lanes.ts';
import { type Constants, type LanesNight, lanesNight } from './support/lanes-night.ts';
import { git } from './support/scaffold.ts';
import { refusalOf, untilStopped } from './support/service.ts';
import { checkNight, rowsOf, TAG } from './support/study.ts';
import { trainingDesk } from './support/training-desk.ts';

const verdictOf = (n: number) => (event: EngineEvent) => event.type === 'verdict' && event.n === n;
const startOf = (n: number) => (event: EngineEvent) => event.type === 'run_started' && event.n === n;
const branch = ({ repository }: LanesNight) => git(repository, 'show', `autoresearch/${TAG}:train.sh`);
const subjects = async ({ repository }: LanesNight) =>
  (await git(repository, 'log', '--format=%s', `autoresearch/${TAG}`)).trim().split('\n');

/** Lets the runs end in this order, each once the one before has its verdict. */
async function endInOrder(
  night: LanesNight,
  order: readonly (readonly [number, Constants])[],
): Promise<void> {
  for (const [n, constants] of order) {
    await night.until(startOf(n));
    await night.open(constants);
    await night.until(verdictOf(n));
  }
}

test('a late result that is better than the incumbent takes its place, and the two are tried together', async () => {
  const night = await lanesNight([{ LR: 7 }, { DEPTH: 8 }, { WIDTH: 12 }]);
  const ended = night.run({ stop: { experiments: 4 } });
  await night.until(startOf(1));
  await endInOrder(night, [
    [2, { DEPTH: 8 }],
    [1, { LR: 7 }],
  ]);
  // Made on #2, which is no more what the branch holds.
  await night.openAll();
  expect((await ended).reason).toBe('experiments');
  const { experiments } = night.engine.ledger;
  const late = experiments.get(night.studyId, 1);
  expect(late?.verdict).toMatchObject({
    ...{ word: 'keep', reason: 'better' },
    evidence: { incumbentExperiment: 2, lateParent: { experiment: 0 }, supersedes: [2] },
  });
  expect(late?.branchCommit).not.toBe(late?.attemptCommit);
  expect(
    await git(night.repository, 'show', '--no-patch', '--format=%B', String(late?.branchCommit)),
  ).toContain('Pawl-Supersedes: 2');
  expect(await subjects(night)).toEqual(
    expect.arrayContaining(['Combine #2 with #1: DEPTH=8', 'LR=7', 'DEPTH=8', 'start']),
  );
  expect(await branch(night)).toMatch(/LR=7\n[^=]*DEPTH=8\n/);
  await checkNight(night);
});

test('one that is not better than the incumbent but than its parent is tried on top of it, once', async () => {
  const night = await lanesNight([{ DEPTH: 8 }, { LR: 7 }]);
  const ended = night.run({ stop: { experiments: 3 } });
  await night.until(startOf(1));
  await endInOrder(night, [
    [2, { LR: 7 }],
    [1, { DEPTH: 8 }],
    [3, { LR: 7, DEPTH: 8 }],
  ]);
  expect((await ended).reason).toBe('experiments');
  const { ledger } = night.engine;
  expect(ledger.experiments.get(night.studyId, 1)?.verdict).toMatchObject({
    ...{ word: 'discard', reason: 'worse' },
    evidence: { incumbentExperiment: 2, lateParent: { experiment: 0 } },
  });
  expect(await subjects(night)).toEqual(['Combine #1 with #2: DEPTH=8', 'LR=7', 'start']);
  expect(ledger.proposerCalls.author(night.studyId, 3)).toBe('combination');
  expect(ledger.ideas.waiting(night.studyId)).toEqual([]);
  await checkNight(night);
});

test('one that is worse than its parent is a discard, and nothing follows from it', async () => {
  const night = await lanesNight([{ DEPTH: 2 }, { LR: 7 }]);
  const ended = night.run();
  await night.until(startOf(1));
  await endInOrder(night, [
    [2, { LR: 7 }],
    [1, { DEPTH: 2 }],
  ]);
  await ended;
  expect(night.engine.ledger.ideas.past(night.studyId, 10)).toEqual([]);
  expect(night.engine.ledger.ideas.waiting(night.studyId)).toEqual([]);
  expect(await subjects(night)).toEqual(['LR=7', 'start']);
  await checkNight(night);
});

test('as many experiments are begun as are wanted, and no more', async () => {
  const night = await lanesNight([{ LR: 3 }, { DEPTH: 5 }, { WIDTH: 15 }]);
  const ended = night.run();
  await night.openAll();
  await ended;
  expect(rowsOf(night.home).experiments.map(({ n }) => n)).toEqual([0, 1, 2, 3]);
  await checkNight(night);
});

test('a pause waits for all lanes, and both experiments of a stop go on later', async () => {
  const night = await lanesNight([{ LR: 3 }, { DEPTH: 5 }, { WIDTH: 15 }]);
  const first = night.run();
  await night.until(startOf(1));
  await night.until(startOf(2));
  night.engine.request('stop_now');
  expect((await first).reason).toBe('user');
  expect(rowsOf(night.home).experiments.map(({ phase }) => phase)).toEqual([
    ...['recorded', 'interrupted', 'interrupted'],
  ]);
  const before = night.events.length;
  const again = night.run();
  const since = (is: (event: EngineEvent) => boolean) => (event: EngineEvent) =>
    night.events.indexOf(event) >= before && is(event);
  await night.until(since(startOf(1)));
  await night.until(since(startOf(2)));
  night.engine.request('pause');
  await night.open({ LR: 3 });
  await night.until(verdictOf(1));
  expect(night.events.some(({ type }) => type === 'study_paused')).toBe(false);
  await night.open({ DEPTH: 5 });
  await night.until(({ type }) => type === 'study_paused');
  expect(night.events.some(startOf(3))).toBe(false);
  night.engine.request('continue');
  await night.openAll();
  expect((await again).reason).toBe('experiments');
  const proposed = night.events.filter(event => event.type === 'proposed');
  expect(proposed.map(({ n }) => n)).toEqual([1, 2, 3]);
  await checkNight(night);
});

test('the user ends the run of one experiment, and the others go on', async () => {
  const night = await lanesNight([{ LR: 3 }, { DEPTH: 5 }, { WIDTH: 15 }]);
  const ended = night.run();
  await night.until(startOf(1));
  await night.until(startOf(2));
  expect(night.engine.stopRun(7)).toBe(false);
  expect(night.engine.stopRun(1)).toBe(true);
  expect(await night.until(verdictOf(1))).toMatchObject({ verdict: 'crash', reason: 'killed', metric: null });
  expect(night.events.some(verdictOf(2))).toBe(false);
  // The lane that is free takes another one.
  await night.until(startOf(3));
  await night.openAll();
  expect((await ended).reason).toBe('experiments');
  const { runs, experiments } = night.engine.ledger;
  expect(runs.list(night.studyId, 1)).toMatchObject([
    { outcome: { kind: 'signal', signal: 15 }, crash: { class: 'killed', message: 'You stopped this run.' } },
  ]);
  expect([2, 3].map(n => experiments.get(night.studyId, n)?.verdict?.word)).not.toContain('crash');
  expect(night.engine.stopRun(2)).toBe(false);
  await checkNight(night);
});

test('another process asks for the end of a run', async () => {
  const night = await lanesNight([{ LR: 3 }], { lanes: [] });
  const ended = night.run();
  await night.until(startOf(1));
  const { ledger } = night.engine;
  ledger.write(() => ledger.requests.add({ kind: 'stop_run', n: 1 }, Date.now()));
  expect(await night.until(verdictOf(1))).toMatchObject({ verdict: 'crash', reason: 'killed' });
  expect((await ended).reason).toBe('experiments');
  await checkNight(night);
});

test('a window ends the run of an experiment, and is refused where none is under way', async () => {
  const { desk, study } = await trainingDesk();
  expect(await refusalOf(desk.calls.studies.stopRun({ study, n: 7 }))).toEqual({
    code: 'usage',
    message: 'No run of experiment #7 is under way.',
  });
  await desk.calls.studies.stopRun({ study, n: 1 });
  await untilStopped(desk, study);
  const cells = await desk.calls.studies.cells({ study, before: null, limit: 10 });
  expect(cells.find(({ n }) => n === 1)?.verdict).toEqual({ word: 'crash', reason: 'killed' });
  expect(await refusalOf(desk.calls.studies.stopRun({ study, n: 1 }))).toMatchObject({ code: 'usage' });
});

test('each of several lanes on cores has cores of its own', () => {
  const lanes = findLanes(['cpu:3'], { cores: [0, 1, 2, 3, 4, 5, 8], gpus: [] }, null);
  expect(lanes.map(({ cores }) => cores)).toEqual([
    [0, 1],
    [2, 3],
    [4, 5],
  ]);
  expect(lanes.map(({ label }) => label)).toEqual(['cores 0-1', 'cores 2-3', 'cores 4-5']);
  expect(() => findLanes(['cpu:9'], { cores: [0, 1], gpus: [] }, null)).toThrow(
    'cpu:9 needs 9 cores, but Pawl may use 2 here: cpu:2 fits.',
  );
});

const GPUS = [
  { index: 0, uuid: 'GPU-aaaa', name: 'NVIDIA H100' },
  { index: 1, uuid: 'GPU-bbbb', name: 'NVIDIA H100' },
];

test('a GPU is a lane by number, by UUID, or with all others', () => {
  const machine = { cores: [0], gpus: GPUS };
  const named = (...words: readonly string[]) => findLanes(words, machine, null).map(({ gpu }) => gpu);
  expect(named('gpu:1', 'gpu:GPU-aaaa')).toEqual(['GPU-bbbb', 'GPU-aaaa']);
  expect(named('gpu:all')).toEqual(['GPU-aaaa', 'GPU-bbbb']);
  expect(named('1')).toEqual(['GPU-aaaa']);
  expect(() => named('3')).toThrow('3 lanes need 3 GPUs, but Pawl sees 2 here.');
  expect(() => named('gpu:0', 'gpu:GPU-aa')).toThrow('is named twice');
  expect(() => named('gpu:7')).toThrow('There is no GPU 7. There are GPU 0: NVIDIA H100 (GPU-aaaa)');
});

test('lanes that are not equally fast are refused, because their numbers could not be compared', () => {
  const other = { index: 2, uuid: 'GPU-cccc', name: 'NVIDIA A100' };
  const machine = { cores: [0, 1], gpus: [...GPUS, other], clusterLanes: 4 };
  const find = (...words: readonly string[]) => findLanes(words, machine, null);
  expect(() => find('gpu:0', 'cpu:1')).toThrow('These lanes differ (NVIDIA H100, ');
  expect(() => find('slurm:2', 'ssh:lab')).toThrow('These lanes differ (jobs of the cluster, lab)');
  expect(() => find('ssh:lab', 'cpu:1')).toThrow('These lanes differ');
  expect(find('slurm')).toHaveLength(4);
  expect(() => find('ssh:lab', 'ssh:lab')).toThrow('lab is named twice');
  expect(() => findLanes(['slurm'], { cores: [0], gpus: [] }, null)).toThrow('No cluster is set up');
});

const PLAIN = { cores: [0, 1], processor: 'EPYC', gpus: [], gpuFault: null };

test('lanes of several hosts go together where they have the same GPU, or as many cores of the same processor', () => {
  const having = (name: string) => ({ ...PLAIN, gpus: [{ index: 0, uuid: '', name }] });
  const hosts = new Map<string, HostDevices>([
    ['lab', having('NVIDIA H100')],
    ['lab2', { ...having('NVIDIA H100'), cores: [0, 1, 2, 3] }],
    ['lab3', having('NVIDIA A100')],
    ['plain', PLAIN],
    ['plain2', PLAIN],
    ['large', { ...PLAIN, cores: [0, 1, 2, 3] }],
    ['old', { ...PLAIN, processor: 'Opteron' }],
    ['unnamed', { ...PLAIN, processor: null }],
    ['unnamed2', { ...PLAIN, processor: null }],
  ]);
  const labels = (...words: readonly string[]) =>
    findLanes(words, { cores: [0], gpus: [], hosts }, null).map(({ label }) => label);
  expect(labels('ssh:lab', 'ssh:lab2/gpu:0')).toEqual([
    'lab, GPU 0: NVIDIA H100',
    'lab2, GPU 0: NVIDIA H100',
  ]);
  expect(labels('ssh:lab/whole', 'ssh:lab2/whole')).toEqual(['lab', 'lab2']);
  expect(labels('ssh:plain', 'ssh:plain2')).toEqual(['plain', 'plain2']);
  expect(labels('ssh:plain/cpu:2', 'ssh:large/cpu:4')).toHaveLength(6);
  expect(labels('ssh:plain/cpu:1', 'ssh:large/cpu:2')).toHaveLength(3);
  expect(() => labels('ssh:plain', 'ssh:large')).toThrow('(2 cores of EPYC, 4 cores of EPYC)');
  expect(() => labels('ssh:plain/cpu:2', 'ssh:large/cpu:2')).toThrow('(1 core of EPYC, 2 cores of EPYC)');
  expect(() => labels('ssh:plain', 'ssh:old')).toThrow('(2 cores of EPYC, 2 cores of Opteron)');
  expect(() => labels('ssh:unnamed', 'ssh:unnamed2')).toThrow('(2 cores of unnamed, 2 cores of unnamed2)');
});

test('a host of ssh has a lane for each of its GPUs, or of the cores that are asked for', () => {
  const hosts = new Map([
    ['lab', { ...PLAIN, cores: [0, 1, 2, 3], gpus: GPUS }],
    ['plain', PLAIN],
    ['sick', { ...PLAIN, gpuFault: 'nvidia-smi -L ended there with exit code 9.' }],
  ]);
  const machine = { cores: [0], gpus: [], hosts };
  const find = (...words: readonly string[]) => findLanes(words, machine, null);
  const elsewhere = { kind: 'ssh', host: 'lab' };
  const [first, second] = GPUS.map(({ index, uuid, name }) => ({
    ...{ elsewhere, gpu: uuid, cores: null },
    ...{ label: `lab, GPU ${index}: ${name}`, kind: name, model: name, isScreening: false },
  }));
  expect(find('ssh:lab')).toEqual([first, second]);
  expect(find('ssh:lab/gpu:1', 'ssh:lab/gpu:GPU-aaaa')).toEqual([second, first]);
  expect(find('ssh:plain')).toMatchObject([{ gpu: null, cores: null, label: 'plain' }]);
  expect(find('ssh:lab/cpu:2')).toMatchObject([
    { elsewhere, gpu: null, cores: [0, 1], label: 'lab, cores 0-1' },
    { elsewhere, gpu: null, cores: [2, 3], label: 'lab, cores 2-3' },
  ]);
  expect(find('ssh:lab/whole')).toMatchObject([{ elsewhere, gpu: null, cores: null, label: 'lab' }]);
  // With no answer of the driver it is not a host without GPUs.
  expect(() => find('ssh:sick')).toThrow('Which GPUs sick has is not known: nvidia-smi -L ended there');
  expect(find('ssh:sick/cpu:1')).toHaveLength(1);
  expect(() => find('ssh:lab', 'ssh:lab/gpu:0')).toThrow('The GPU GPU-aaaa of lab is named twice');
  expect(() => find('ssh:lab/gpu:7')).toThrow('There is no GPU 7 on lab. There are GPU 0');
  expect(() => find('ssh:plain/gpu:all')).toThrow('names the GPUs of plain, but');
  expect(() => find('ssh:plain/cpu:3')).toThrow('Pawl may use 2 on plain: cpu:2 fits');
  expect(() => find('ssh:lab/cpu:2', 'ssh:lab/cpu:2')).toThrow('Name the cores once');
  expect(() => find('ssh:lab/cpu:2', 'ssh:lab')).toThrow('These lanes differ');
  for (const word of ['ssh:lab/gpu:0', 'ssh:lab/cpu:2', 'ssh:lab/whole', 'ssh:me@lab.org'])
    expect(word).toMatch(LANE_WORD);
  for (const word of ['ssh:lab/', 'ssh:lab/x', 'ssh:-o/gpu:0', 'ssh:lab/cpu:0'])
    expect(word).not.toMatch(LANE_WORD);
});
