import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect, test } from 'vitest';
import { runTraining } from '../src/engine/process/run-training.ts';
import { type EngineEvent, eventSchema } from '../src/shared/events.ts';
import { slowness } from './support/clock.ts';
import { BASELINE_VALUE, GATED_CONTRACT, type GatedNight, gatedNight } from './support/gated-night.ts';
import { endOf, startNode } from './support/node-process.ts';
import { eventsOf, pawl, RunningPawl, sitting } from './support/pawl.ts';
import { PAWL_MAIN } from './support/pawl-command.ts';
import { findMarked } from './support/processes.ts';
import { contractFile, FAST_TRAINER, fastRepository, temporaryFolder } from './support/scaffold.ts';
import {
  checkNight,
  dyingAt,
  isRecorded,
  pausingAt,
  prepareNight,
  rowsOf,
  TAG,
  untilPaused,
} from './support/study.ts';

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

test('the target ends the study', async () => {
  const night = await prepareNight();
  const { events, code } = await sitting(
    ['run', night.repository, '--tag', TAG, '--target', '1.054', '-n', '50'],
    night,
  );
  expect(code).toBe(0);
  const stopped = eventsOf(events, 'study_stopped')[0];
  expect(stopped).toMatchObject({ reason: 'target', best: 1.054 });
  // The one that reached it was the last.
  expect(eventsOf(events, 'verdict').at(-1)).toMatchObject({ metric: 1.054, n: stopped?.bestExperiment });
  await checkNight(night);
});

test('patience ends the study', async () => {
  const night = await prepareNight({ trainer: FAST_TRAINER.replace(/^value=.*$/m, 'value=1000000') });
  const { events, code } = await sitting(['run', night.repository, '--tag', TAG, '--patience', '3'], night);
  expect(code).toBe(0);
  expect(eventsOf(events, 'study_stopped')[0]).toMatchObject({ reason: 'patience', discard: 3, keep: 1 });
  // It is a rule of the study, and still holds.
  const again = await sitting(['resume', night.repository], night);
  expect(eventsOf(again.events, 'study_stopped')[0]).toMatchObject({ reason: 'patience', finished: 4 });
  expect(eventsOf(again.events, 'experiment_started')).toEqual([]);
  await checkNight(night);
});

test('crashes in a row end the study', async () => {
  const trainer = `${FAST_TRAINER.replace(/^printf/m, `[ "$value" = ${BASELINE_VALUE} ] || exit 7\nprintf`)}`;
  const night = await prepareNight({ trainer });
  const { events, code } = await sitting(
    ['run', night.repository, '--tag', TAG, '--max-crashes', '2'],
    night,
  );
  expect(code).toBe(0);
  expect(eventsOf(events, 'study_stopped')[0]).toMatchObject({ reason: 'crashes', keep: 1, crash: 2 });
  await checkNight(night);
});

test('a deadline ends the study, and nothing starts after it', async () => {
  const night = await prepareNight();
  // A machine with much to do takes seconds to begin, and a time that has passed is refused.
  const deadline = new Date(Date.now() + 3_000 * slowness());
  const { events, code } = await sitting(
    ['run', night.repository, '--tag', TAG, '--deadline', deadline.toISOString()],
    night,
  );
  expect(code).toBe(0);
  expect(eventsOf(events, 'study_stopped')[0]).toMatchObject({ reason: 'deadline' });
  const starts = eventsOf(events, 'experiment_started').filter(event => event.n > 0);
  for (const { at } of starts) expect(at).toBeLessThanOrEqual(deadline.getTime());
  await checkNight(night);
});

test('no experiments at all is the baseline alone', async () => {
  const night = await prepareNight();
  const { events, code } = await sitting(['run', night.repository, '--tag', TAG, '-n', '0'], night);
  expect(code).toBe(0);
  expect(eventsOf(events, 'study_stopped')[0]).toMatchObject({ reason: 'experiments', finished: 1, keep: 1 });
  await checkNight(night);
});

test('a baseline that crashes ends with 3, and resume tries it again', async () => {
  const night = await prepareNight({
    trainer: `[ -n "$MENDED" ] || { echo 'ValueError: no data'; exit 1; }\n${FAST_TRAINER}`,
    contract: contractFile({ more: 'environment = ["MENDED"]' }),
  });
  const { home, repository } = night;
  for (const args of [
    ['run', repository, '--tag', TAG, '-n', '2'],
    ['resume', repository],
  ]) {
    const failed = await sitting(args, { home });
    expect(failed.code).toBe(3);
    expect(eventsOf(failed.events, 'study_stopped')[0]).toMatchObject({
      reason: 'baseline_failed',
      finished: 1,
      crash: 1,
      baseline: null,
      best: null,
    });
    await checkNight(night);
  }
  const mended = await sitting(['resume', repository], { home, env: { MENDED: '1' } });
  expect(mended.code).toBe(0);
  expect(eventsOf(mended.events, 'verdict').map(event => event.n)).toEqual([0, 1, 2]);
  expect(eventsOf(mended.events, 'study_stopped')[0]).toMatchObject({ reason: 'experiments', crash: 0 });
  await checkNight(night);
});

test('a bad option ends with 2 and one clear line, and starts nothing', async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  const wrong: readonly (readonly [readonly string[], string])[] = [
    [['-n', 'x'], 'experiments'],
    [['-n', '-1'], 'experiments'],
    [['-n', '1.5'], 'experiments'],
    [['--deadline', 'soon'], 'soon'],
    [['--deadline', '2001-01-01'], '2001-01-01'],
    [['--target', 'low'], 'target'],
    [['--patience', '0'], 'patience'],
    [['--limit', '0'], 'limit'],
    [['--budget', '-3'], 'budget'],
    [['--seed', '1.5'], 'seed'],
    [['--proposer', 'magic'], 'search, command or patches'],
    [['--proposer', 'command'], '--command'],
    [['--proposer', 'patches'], '--patches'],
    [['--patches', join(home, 'none')], join(home, 'none')],
    [['--tag', 'two words'], 'two words'],
    [['--tag', '../up'], '../up'],
    [['--tag', 'x.lock'], 'x.lock'],
    [['--experiment', '3'], '--experiment'],
    [['another-path'], 'arguments'],
  ];
  for (const [flags, named] of wrong) {
    const { code, stdout, stderr } = await pawl(['run', repository, ...flags], { home });
    const words = flags.join(' ');
    expect(code, words).toBe(2);
    expect(stdout, words).toBe('');
    expect(stderr.replaceAll("', '", ', '), words).toMatch(
      named === 'search, command or patches' ? /search.*command.*patches/ : named,
    );
    // commander may add a line that asks what was meant.
    expect(stderr, words).toMatch(/^(?:pawl|error): [^\n]*\n(?:\(Did you mean [^\n]*\n)?$/);
  }
  for (const args of [
    ['frobnicate'],
    ['show'],
    ['show', 'x'],
    ['run', join(home, 'nowhere')],
    ['run', home],
  ]) {
    expect((await pawl(args, { home })).code, args.join(' ')).toBe(2);
  }
  expect(
    JSON.parse((await pawl(['status', '--json'], { home, cwd: repository })).stdout || 'null'),
  ).toBeNull();
});

test('a count that is no whole number is refused, as pawl.toml refuses it', async () => {
  const night = await prepareNight();
  for (const flag of ['--patience', '--max-crashes']) {
    const { code, stderr } = await pawl(['run', night.repository, flag, '1.5', '-n', '0'], night);
    expect(code, flag).toBe(2);
    expect(stderr).toContain(flag);
  }
});

test('a tag that is taken is refused, and the line says how to go on', async () => {
  const night = await prepareNight();
  await sitting(['run', night.repository, '--tag', TAG, '-n', '0'], night);
  const { code, stderr } = await pawl(['run', night.repository, '--tag', TAG], night);
  expect(code).toBe(2);
  expect(stderr).toContain(`pawl resume --tag ${TAG}`);
});

/** A command proposer: a shell script that sees the request as $REQUEST and the experiment's number as $N. */
async function proposerScript(body: string): Promise<string> {
  const path = join(await temporaryFolder(), 'propose.sh');
  const head = `#!/bin/sh
REQUEST=$(cat)
N=$(printf %s "$REQUEST" | grep -o '"experiment":[0-9]*' | head -n 1 | cut -d: -f2)
set_constant() { sed "s/^$1=.*/$1=$2/" train.sh > train.sh.new && cat train.sh.new > train.sh && rm train.sh.new; }
`;
  await writeFile(path, head + body);
  await chmod(path, 0o755);
  return path;
}

test('every event matches the schema to the last property, and the numbers have no gap', async () => {
  const state = await temporaryFolder();
  const night = await prepareNight({
    trainer: FAST_TRAINER.replace(/^printf/m, '[ "$LR" -lt 100 ] || exit 7\nprintf'),
    contract: contractFile({ more: 'setup = "true"' }),
  });
  const script = await proposerScript(`
if [ "$N" = 1 ]; then set_constant LR 4; fi
if [ "$N" = 2 ]; then set_constant LR $((100 + $(ls ${state} | wc -l))); touch ${state}/$$; fi
if [ "$N" = 3 ] && [ ! -e ${state}/refused ]; then touch ${state}/refused; exit 3; fi
if [ "$N" = 3 ]; then set_constant LR 7; fi
if [ "$N" = 4 ]; then kill -TERM $PPID; sleep 300; fi
echo '{"hypothesis": "Try another rate", "rationale": "why not", "predicted_effect": -0.01, "category": "rate"}'
`);
  const running = startNode(
    process.execPath,
    [
      PAWL_MAIN,
      'run',
      night.repository,
      '--tag',
      TAG,
      '--trust-setup',
      '--json',
      '--command',
      `exec ${script}`,
    ],
    night.home,
  );
  const { stdout, code } = await endOf(running);
  expect(code).toBe(130);
  const lines = stdout.trimEnd().split('\n');
  const raw = lines.map(line => JSON.parse(line) as EngineEvent);
  for (const event of raw) expect(eventSchema.parse(event)).toEqual(event);
  expect(raw.map(event => event.seq)).toEqual(raw.map((_, index) => index + 1));
  expect(new Set(raw.map(event => event.study)).size).toBe(1);
  for (const [index, { at }] of raw.entries()) expect(at).toBeGreaterThanOrEqual(raw[index - 1]?.at ?? 0);
  const missing = eventSchema.options
    .map(option => option.shape.type.value)
    .filter(type => !raw.some(event => event.type === type));
  // A thought needs a model, a rest several proposers, a review approve mode; those are looked at where they come. A pause
  // has its own test, and so have repeats; a warning needs a process that cannot be killed.
  expect(missing).toEqual([
    ...[
      'thought',
      'review_opened',
      'review_closed',
      'run_unfair',
      'repeat_started',
      'repeated',
      'rolled_back',
      'awaiting_number',
      'proposer_rests',
      'proposer_rested',
      'warning',
    ],
    ...['wished', 'study_paused', 'study_continued'],
  ]);
  await checkNight(night);
});

test('"show" prints an experiment, its difference, its output and its series', async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  await sitting(['run', repository, '--tag', TAG, '-n', '3'], { home });
  const show = async (...args: string[]) => {
    const { code, stdout, stderr } = await pawl(['show', ...args], { home, cwd: repository });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  };
  const row = rowsOf(home).experiments[3];
  const bare = await show('3');
  for (const part of [`#3 of ${TAG}`, row?.hypothesis, 'keep (better)', '1.064000', row?.attempt_commit]) {
    expect(bare).toContain(part);
  }
  expect(await show('3', '--diff')).toContain('-WIDTH=16\n+WIDTH=8\n');
  expect(await show('0', '--diff')).toBe('The baseline is the code as it is: no diff.\n');
  expect(await show('3', '--log')).toBe(
    await readFile(join(home, 'studies', rowsOf(home).studyId, 'runs', '3', 'output.log'), 'utf8'),
  );
  expect(await show('3', '--log')).toContain('\nval_bpb:          1.064000\n');
  const [heading, ...points] = (await show('3', '--series')).trimEnd().split('\n');
  const columns = heading?.split('\t') ?? [];
  expect(columns).toEqual(expect.arrayContaining(['seconds', 'step', 'loss']));
  expect(points.map(point => point.split('\t')[columns.indexOf('loss')])).toEqual(['3.123456', '2.123456']);
  const missing = await pawl(['show', '99'], { home, cwd: repository });
  expect(missing).toMatchObject({ code: 2, stdout: '' });
  expect(missing.stderr).toBe(`pawl: There is no experiment 99 in ${TAG}; it has 0 to 3.\n`);
});

test('the search finds words of hypotheses, rationales and notes, and no query breaks it', async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  const script = await proposerScript(`
set_constant LR $((N + 2))
if [ "$N" = 1 ]; then echo '{"hypothesis": "Quadruple the warmup", "rationale": "the DEVICE_BATCH_SIZE is small"}'
else echo '{"hypothesis": "Use rotary embeddings"}'; fi
`);
  await sitting(['run', repository, '--tag', TAG, '-n', '2', '--command', script], { home });
  const found = async (...words: string[]) => {
    const { code, stdout, stderr } = await pawl(['search', '--', ...words], { home, cwd: repository });
    expect({ code, stderr }, words.join(' ')).toEqual({ code: 0, stderr: '' });
    return [...stdout.matchAll(/^#(\d+)/gm)].map(match => Number(match[1]));
  };
  await pawl(['note', '2', 'Überraschend', 'gut:', 'merge', 'it'], { home, cwd: repository });
  expect(await found('warmup')).toEqual([1]);
  expect(await found('WARMUP', 'quadruple')).toEqual([1]);
  expect(await found('rota')).toEqual([2]);
  expect(await found('DEVICE_BATCH_SIZE')).toEqual([1]);
  expect(await found('überraschend')).toEqual([2]);
  expect(await found('rotary', 'merge')).toEqual([2]);
  expect(await found('warmup', 'rotary')).toEqual([]);
  for (const query of ['...', '"', "'", '*', '_', '^', '(', '-', ' ', ''])
    expect(await found(query)).toEqual([]);
  for (const query of ['warmup OR rotary', 'NEAR(warmup', 'hypothesis:warmup', 'warmup NOT rotary']) {
    expect(await found(query)).toEqual([]);
  }
  for (const query of ['warm*', '"warmup"', 'warmup)', '-warmup', '^warmup']) {
    expect(await found(query), query).toEqual([1]);
  }
});

test('an edit that was tried before is refused before it costs a run', async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  const state = await temporaryFolder();
  // Each experiment after the first tries the first's edit before its own.
  const script = await proposerScript(`
if [ "$N" != 1 ] && [ ! -e ${state}/$N ]; then touch ${state}/$N; set_constant LR 20; set_constant WIDTH 16
else set_constant LR $((N * 20)); fi
echo '{"hypothesis": "Experiment '$N'"}'
`);
  const { events, code } = await sitting(['run', repository, '--tag', TAG, '-n', '3', '--command', script], {
    home,
  });
  expect(code).toBe(0);
  const refused = eventsOf(events, 'refused');
  expect(refused.map(({ n, reason }) => [n, reason])).toEqual([
    [2, 'duplicate'],
    [3, 'duplicate'],
  ]);
  expect(refused[0]?.message).toContain('experiment 1');
  expect(eventsOf(events, 'run_started').map(event => event.n)).toEqual([0, 1, 2, 3]);
  await checkNight(night);
});

test('a proposer with nothing but refused edits ends the study and says why', async () => {
  const night = await prepareNight();
  const script = await proposerScript(`
set_constant LR 2
echo '{"hypothesis": "Nothing new"}'
`);
  const { events } = await sitting(['run', night.repository, '--tag', TAG, '--command', script], night);
  expect(eventsOf(events, 'refused').map(event => event.reason)).toEqual(Array(5).fill('no_change'));
  expect(eventsOf(events, 'run_started')).toHaveLength(1);
  const stopped = eventsOf(events, 'study_stopped')[0];
  expect(stopped).toMatchObject({ reason: 'proposer', finished: 1 });
  expect(stopped?.detail).toContain('changes nothing');
  await checkNight(night);
});

test('patches are tried in the order of their numbers, and one that does not fit is passed over', async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  const folder = join(await temporaryFolder(), 'patches');
  await mkdir(folder);
  const patch = (file: string, hunk: string, subject = '') =>
    `${subject}diff --git a/${file} b/${file}\n--- a/${file}\n+++ b/${file}\n${hunk}`;
  const end = FAST_TRAINER.split('\n')[3];
  const patches: Readonly<Record<string, string>> = {
    '1-rate.patch': patch(
      'train.sh',
      '@@ -1,2 +1,2 @@\n-LR=2\n+LR=3\n DEPTH=4\n',
      'Subject: [PATCH 1/4] Raise the rate\n\n',
    ),
    '2-stale.patch': patch('train.sh', '@@ -1,2 +1,2 @@\n-LR=2\n+LR=4\n DEPTH=4\n'),
    '3-locked.patch': patch('prepare.sh', '@@ -1 +1 @@\n-echo fixed\n+echo easier\n'),
    '10-width.patch': patch('train.sh', `@@ -2,3 +2,3 @@\n DEPTH=4\n-WIDTH=16\n+WIDTH=8\n ${end}\n`),
  };
  for (const [name, content] of Object.entries(patches)) await writeFile(join(folder, name), content);
  const { events, code } = await sitting(['run', repository, '--tag', TAG, '--patches', folder], { home });
  expect(code).toBe(0);
  expect(eventsOf(events, 'verdict').map(({ n, verdict, hypothesis }) => [n, verdict, hypothesis])).toEqual([
    [0, 'keep', expect.any(String)],
    [1, 'keep', 'Raise the rate'],
    [2, 'keep', '10-width'],
  ]);
  expect(eventsOf(events, 'refused').map(({ n, reason }) => [n, reason])).toEqual([
    [2, 'proposer_failed'],
    [2, 'not_editable'],
  ]);
  expect(eventsOf(events, 'refused')[0]?.message).toContain('2-stale.patch');
  expect(eventsOf(events, 'study_stopped')[0]).toMatchObject({ reason: 'exhausted', finished: 3 });
  expect(rowsOf(home).experiments).toHaveLength(3);
  // A resumed study knows which are done, and takes what was added.
  const later = patch('train.sh', `@@ -2,3 +2,3 @@\n-DEPTH=4\n+DEPTH=5\n WIDTH=8\n ${end}\n`);
  await writeFile(join(folder, '11-depth.patch'), later);
  const more = await sitting(['resume', repository], { home });
  expect(eventsOf(more.events, 'verdict').map(event => event.hypothesis)).toEqual(['11-depth']);
  expect(eventsOf(more.events, 'refused')).toEqual([]);
  await checkNight(night);
});

test('a repair that was killed keeps the hypothesis of the attempt it has', async () => {
  const night = await prepareNight({
    trainer: FAST_TRAINER.replace(/^printf/m, '[ "$LR" -lt 100 ] || exit 7\nprintf'),
  });
  const { home, repository } = night;
  const script = await proposerScript(`
case "$REQUEST" in
  *'"kind":"repair"'*) set_constant LR 7; echo '{"hypothesis": "The mended one"}' ;;
  *) set_constant LR 100; echo '{"hypothesis": "The broken one"}' ;;
esac
`);
  const died = new RunningPawl(['run', repository, '--tag', TAG, '-n', '1', '--command', script], {
    home,
    env: dyingAt({ event: { type: 'proposed', hypothesis: 'The mended one' } }),
  });
  expect((await died.ended).signal).toBe('SIGKILL');
  const broken = rowsOf(home).experiments[1]?.attempt_commit;
  const resumed = new RunningPawl(['resume', repository], {
    home,
    env: dyingAt({ event: { type: 'run_started', n: 1 } }),
  });
  await resumed.ended;
  // What is trained again is the broken attempt, so the ledger must not call it the mended one.
  expect(rowsOf(home).experiments[1]).toMatchObject({ attempt_commit: broken, hypothesis: 'The broken one' });
  const last = await sitting(['resume', repository], { home });
  expect(eventsOf(last.events, 'verdict')).toMatchObject([
    { n: 1, hypothesis: 'The mended one', metric: expect.any(Number) },
  ]);
  await checkNight(night);
});

test('resume of another repository does not steer the engine that runs', async () => {
  const night = await gatedNight();
  const { home, repository, env } = night;
  const other = await fastRepository();
  await sitting(['run', other, '--tag', 'other', '-n', '0'], { home });
  const running = new RunningPawl(['run', repository, '--tag', TAG], { home, env });
  await running.waitFor(event => event.type === 'run_started' && event.n === 1);
  const refused = await pawl(['resume', other], { home });
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(/^pawl: An engine is at .*; other can go on when it has stopped\.\n$/);
  expect((await pawl(['stop', '--now'], { home })).code).toBe(0);
  expect((await running.ended).code).toBe(130);
});
