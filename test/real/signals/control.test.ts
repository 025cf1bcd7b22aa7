import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect, test } from 'vitest';
import { runTraining } from '../../../src/engine/process/run-training.ts';
import { slowness } from '../../support/clock.ts';
import { GATED_CONTRACT, type GatedNight, gatedNight } from '../../support/gated-night.ts';
import { endOf, startNode } from '../../support/node-process.ts';
import { eventsOf, pawl, RunningPawl, sitting } from '../../support/pawl.ts';
import { PAWL_MAIN } from '../../support/pawl-command.ts';
import { findMarked } from '../../support/processes.ts';
import { contractFile, FAST_TRAINER, temporaryFolder } from '../../support/scaffold.ts';
import {
  checkNight,
  isRecorded,
  pausingAt,
  prepareNight,
  rowsOf,
  TAG,
  untilPaused,
} from '../../support/study.ts';

const openGate = ({ gate }: GatedNight) => writeFile(gate, '');

/** A study whose experiment 1 is in training and stays so until the gate opens. */
async function trainingStudy(...flags: readonly string[]) {
  const night = await gatedNight();
  const { home, repository, env } = night;
  const running = new RunningPawl(['run', repository, '--tag', TAG, ...flags], { home, env });
  await running.waitFor(event => event.type === 'run_started' && event.n === 1);
  return { night, running, ask: (...args: string[]) => pawl(args, { home, cwd: repository }) };
}

/** Waits until the engine has taken what another process asked. */
async function requestsTaken(home: string): Promise<void> {
  const database = new BetterSqlite3(join(home, 'pawl.sqlite'), { readonly: true });
  const count = database.prepare<[], { count: number }>('SELECT count(*) AS count FROM request');
  try {
    await expect.poll(() => count.get()?.count, { interval: 20 }).toBe(0);
  } finally {
    database.close();
  }
}

async function expectInterruptedAndRunAgain(night: GatedNight, running: RunningPawl): Promise<void> {
  const { home, repository } = night;
  const stopped = await running.waitFor(event => event.type === 'study_stopped');
  const { code } = await running.ended;
  expect(code).toBe(130);
  // Nothing is left to wait for.
  expect(Date.now() - stopped.at).toBeLessThan(3_000 * slowness());
  expect(eventsOf(running.events, 'interrupted').map(event => event.n)).toEqual([1]);
  expect(eventsOf(running.events, 'study_stopped')[0]).toMatchObject({ reason: 'user', finished: 1 });
  const { studyId, experiments, runs } = rowsOf(home);
  expect(experiments[1]).toMatchObject({ phase: 'interrupted', verdict: null });
  expect(runs.filter(run => run.outcome === null)).toEqual([]);
  expect(await findMarked(studyId)).toEqual([]);
  await openGate(night);
  const again = await sitting(['resume', repository, '-n', '2'], { home });
  expect(again.code).toBe(0);
  expect(eventsOf(again.events, 'verdict')[0]).toMatchObject({
    n: 1,
    commit: experiments[1]?.attempt_commit,
    hypothesis: experiments[1]?.hypothesis,
  });
  await checkNight(night);
}

test('the last step of a run that has fallen silent is told', async () => {
  const night = await prepareNight({
    trainer: FAST_TRAINER.replace(
      "printf '\\n---",
      `echo; until [ -e "$GATE" ]; do sleep 0.02; done; printf '\\n---`,
    ),
    contract: GATED_CONTRACT,
  });
  const gate = join(await temporaryFolder(), 'gate');
  const { home, repository } = night;
  const running = new RunningPawl(['run', repository, '--tag', TAG, '-n', '0'], {
    home,
    env: { GATE: gate },
  });
  await running.waitFor(event => event.type === 'progress' && event.values.step === 2);
  await writeFile(gate, '');
  expect((await running.ended).code).toBe(0);
});

test('a second engine on the same data folder is refused and told about the first', async () => {
  const { night, running, ask } = await trainingStudy('-n', '1');
  const other = await prepareNight();
  const second = await pawl(['run', other.repository], { home: night.home });
  expect(second.code).toBe(1);
  expect(second.stderr).toMatch(/^pawl: [^\n]*\n$/);
  for (const part of [`process ${running.child.pid}`, 'terminal', night.repository, night.home]) {
    expect(second.stderr).toContain(part);
  }
  expect((await ask('demo', '--into', join(night.gate, '..', 'demo'))).code).toBe(1);
  // The first did not notice.
  await openGate(night);
  expect((await running.ended).code).toBe(0);
  expect(existsSync(join(night.home, 'engine.json'))).toBe(false);
  await checkNight(night);
});

test('an engine on another data folder is not refused', async () => {
  const { night, running } = await trainingStudy('-n', '1');
  const home = await temporaryFolder();
  const second = await sitting(['run', night.repository, '--tag', 'other', '-n', '1'], { home });
  expect(second.code).toBe(0);
  await openGate(night);
  expect((await running.ended).code).toBe(0);
  await checkNight(night);
});

test('everything that reads works while an engine runs', async () => {
  const { night, running, ask } = await trainingStudy('-n', '1');
  const status = await ask('status', '--json');
  expect(JSON.parse(status.stdout)).toMatchObject({
    engine: { pid: running.child.pid, host: 'terminal', repository: night.repository },
    tag: TAG,
    state: 'running',
    tally: { finished: 1, keep: 1, baseline: 1.0648, best: 1.0648, bestExperiment: 0 },
    current: { n: 1, phase: 'training' },
  });
  expect((await ask('status')).stdout).toContain(`An engine runs: process ${running.child.pid}`);
  expect(JSON.parse((await ask('results', '--format', 'json')).stdout)).toHaveLength(1);
  expect((await ask('show', '0')).stdout).toContain('1.064800');
  expect((await ask('show', '1', '--diff')).stdout).toMatch(/^diff --git a\/train\.sh b\/train\.sh/);
  expect((await ask('note', '1', 'watch', 'this', 'one')).code).toBe(0);
  expect((await ask('search', 'watch')).stdout).toMatch(/^#1 /);
  const exported = JSON.parse((await ask('export')).stdout);
  expect(exported.experiments.map((row: { n: number }) => row.n)).toEqual([0, 1]);
  expect(exported.experiments[1].notes).toMatchObject([{ text: 'watch this one' }]);
  await openGate(night);
  expect((await running.ended).code).toBe(0);
  expect((await ask('show', '1')).stdout).toContain('watch this one');
});

test('the note of a killed engine does not block the next one', async () => {
  const { night, running, ask } = await trainingStudy('-n', '1');
  await running.kill();
  expect(existsSync(join(night.home, 'engine.json'))).toBe(true);
  await openGate(night);
  expect((await ask('resume')).code).toBe(0);
  await checkNight(night);
});

test('"pawl stop" lets the experiment finish', async () => {
  const { night, running, ask } = await trainingStudy();
  const said = await ask('stop');
  expect(said).toMatchObject({ code: 0, stdout: 'It stops after this experiment.\n' });
  await requestsTaken(night.home);
  await openGate(night);
  expect((await running.ended).code).toBe(130);
  expect(eventsOf(running.events, 'verdict').map(event => event.n)).toEqual([0, 1]);
  expect(eventsOf(running.events, 'study_stopped')[0]).toMatchObject({ reason: 'user', finished: 2 });
  await checkNight(night);
});

test('"pawl stop --now" interrupts the experiment, and resume runs it again', async () => {
  const { night, running, ask } = await trainingStudy();
  expect((await ask('stop', '--now')).code).toBe(0);
  await expectInterruptedAndRunAgain(night, running);
});

test('"pawl pause" holds after the experiment until "pawl resume" from another process', async () => {
  const { night, running, ask } = await trainingStudy('-n', '3');
  expect((await ask('pause')).code).toBe(0);
  await requestsTaken(night.home);
  await openGate(night);
  await running.waitFor(event => event.type === 'study_paused');
  expect(running.events.at(-1)?.type).toBe('study_paused');
  expect(JSON.parse((await ask('status', '--json')).stdout)).toMatchObject({
    state: 'paused',
    current: null,
    tally: { finished: 2 },
  });
  expect((await ask('resume')).code).toBe(0);
  expect((await running.ended).code).toBe(0);
  expect(eventsOf(running.events, 'verdict').map(event => event.n)).toEqual([0, 1, 2, 3]);
  await checkNight(night);
});

for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} in a pause ends the sitting and touches no experiment`, async () => {
    const { night, running, ask } = await trainingStudy('-n', '3');
    await ask('pause');
    await requestsTaken(night.home);
    await openGate(night);
    await running.waitFor(event => event.type === 'study_paused');
    const before = rowsOf(night.home).experiments;
    running.child.kill(signal);
    expect((await running.ended).code).toBe(130);
    expect(eventsOf(running.events, 'interrupted')).toEqual([]);
    expect(eventsOf(running.events, 'study_continued')).toEqual([]);
    expect(rowsOf(night.home).experiments).toEqual(before);
    expect(rowsOf(night.home).state).toBe('stopped');
    await checkNight(night);
    expect((await ask('resume')).code).toBe(0);
    await checkNight(night);
  });
}

test('SIGINT lets the experiment finish and ends with 130', async () => {
  const { night, running } = await trainingStudy();
  running.child.kill('SIGINT');
  await expect.poll(() => running.stderr).toContain('Stopping after this experiment');
  await openGate(night);
  expect((await running.ended).code).toBe(130);
  expect(eventsOf(running.events, 'verdict').map(event => event.n)).toEqual([0, 1]);
  expect(eventsOf(running.events, 'study_stopped')[0]).toMatchObject({ reason: 'user', finished: 2 });
  await checkNight(night);
});

test('SIGINT twice stops now, and resume runs the experiment again', async () => {
  const { night, running } = await trainingStudy();
  running.child.kill('SIGINT');
  await expect.poll(() => running.stderr).toContain('Stopping after this experiment');
  running.child.kill('SIGINT');
  await expectInterruptedAndRunAgain(night, running);
});

for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} stops now, and resume runs the experiment again`, async () => {
    const { night, running } = await trainingStudy();
    running.child.kill(signal);
    await expectInterruptedAndRunAgain(night, running);
  });
}

const STATES: readonly Readonly<Record<string, unknown>>[] = [
  { type: 'study_started' },
  { type: 'attempted', n: 0 },
  { type: 'phase', n: 0, phase: 'training' },
  { type: 'experiment_started', n: 3 },
  { type: 'proposed', n: 3 },
  { type: 'attempted', n: 3 },
  { type: 'phase', n: 3, phase: 'training' },
  { type: 'run_started', n: 3 },
  { type: 'phase', n: 3, phase: 'measuring' },
  { type: 'phase', n: 3, phase: 'deciding' },
  { type: 'verdict', n: 3 },
];

for (const state of STATES) {
  const words = Object.values(state).join(' ');
  test(`SIGTERM at "${words}" ends the sitting in order`, async () => {
    const night = await prepareNight();
    const { home, repository } = night;
    const running = new RunningPawl(['run', repository, '--tag', TAG, '-n', '50'], {
      home,
      env: pausingAt({ event: state }),
    });
    await untilPaused(running);
    expect(running.events.at(-1)).toMatchObject(state);
    // It waits at the event; the signal is the first thing it finds when it goes on.
    running.child.kill('SIGTERM');
    running.child.kill('SIGCONT');
    const { code, signal, stderr } = await running.ended;
    expect({ code, signal, stderr }).toEqual({ code: 130, signal: null, stderr: '' });
    expect(eventsOf(running.events, 'study_stopped')[0]?.reason).toBe('user');
    expect(rowsOf(home).experiments.filter(isRecorded).length).toBeLessThan(10);
    await checkNight(night);
    expect((await sitting(['resume', repository, '-n', '4'], { home })).code).toBe(0);
    expect(rowsOf(home).experiments.map(row => row.phase)).toEqual(Array(5).fill('recorded'));
    await checkNight(night);
  });
}

for (const how of ['SIGTERM', 'pawl stop --now']) {
  test(`${how} ends a set-up that hangs`, async () => {
    const night = await prepareNight({ contract: contractFile({ more: 'setup = "sleep 300"' }) });
    const { home, repository } = night;
    const running = new RunningPawl(['run', repository, '--tag', TAG, '--trust-setup'], { home });
    await running.waitFor(event => event.type === 'setup_started');
    const { studyId } = rowsOf(home);
    await expect.poll(async () => (await findMarked(studyId)).length).toBeGreaterThan(0);
    if (how === 'SIGTERM') running.child.kill('SIGTERM');
    else await pawl(['stop', '--now'], { home });
    await expect.poll(() => running.child.exitCode).toBe(130);
    expect(await findMarked(studyId)).toEqual([]);
  });
}

test('an abort in the moment the training starts ends it', async () => {
  const controller = new AbortController();
  const folder = await temporaryFolder();
  const { outcome, seconds } = await runTraining({
    command: 'sleep 300',
    cwd: folder,
    environment: { PATH: process.env.PATH ?? '', PAWL_RUN: 'test/0.0' },
    logPath: join(folder, 'output.log'),
    limitSeconds: 10,
    onOutput: () => {},
    onStart: () => controller.abort(),
    signal: controller.signal,
  });
  expect(outcome).toEqual({ kind: 'aborted' });
  expect(seconds).toBeLessThan(5 * slowness());
});

test('a reader of the events that goes away leaves neither a stack trace nor a run without an end', async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  const child = startNode(
    process.execPath,
    [PAWL_MAIN, 'run', repository, '--tag', TAG, '-n', '5', '--json'],
    home,
  );
  child.stdout?.once('data', () => child.stdout?.destroy());
  const { stderr } = await endOf(child);
  expect(stderr).not.toMatch(/^\s+at /m);
  const { runs, state } = rowsOf(home);
  expect(runs.filter(run => run.outcome === null)).toEqual([]);
  expect(state).toBe('stopped');
  expect((await sitting(['resume', repository, '-n', '6'], { home })).code).toBe(0);
  await checkNight(night);
});
