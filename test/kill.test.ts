import { existsSync } from 'node:fs';
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { dataPaths } from '../src/engine/paths.ts';
import type { EngineEvent } from '../src/shared/events.ts';
import type { DeathPoint } from './support/die-at.ts';
import { findMarked } from './support/invariants.ts';
import { eventsOf, pawl, RunningPawl, sitting } from './support/pawl.ts';
import { contractFile, FAST_TRAINER, git, snapshotUserState } from './support/scaffold.ts';
import {
  checkNight,
  dyingAt,
  type ExperimentRow,
  isRecorded,
  type Night,
  prepareNight,
  readRows,
  rowsOf,
  TAG,
} from './support/study.ts';
import { query } from './support/trainers.ts';

/** A sitting that ends by SIGKILL at `point`, with the events it wrote. */
async function dyingSitting(args: readonly string[], night: Night, point: DeathPoint) {
  const running = new RunningPawl(args, { home: night.home, env: dyingAt(point) });
  const { signal } = await running.ended;
  return { signal, events: running.events };
}

/**
 * What was seen of a study before its kills, and must be so ever after: verdicts that were announced, rows that were
 * recorded, attempts that were made.
 */
class Witness {
  readonly #recorded = new Map<number, ExperimentRow>();
  readonly #attempts = new Map<number, { commit: string; hypothesis: string | null }>();
  readonly #verdicts = new Map<number, Extract<EngineEvent, { type: 'verdict' }>>();

  /** Takes down what an engine said, then holds everything against the ledger. */
  look(night: Night, events: readonly EngineEvent[]): void {
    for (const event of eventsOf(events, 'verdict')) {
      expect(this.#verdicts.has(event.n), `a second verdict on experiment ${event.n}`).toBe(false);
      this.#verdicts.set(event.n, event);
    }
    const rows = readRows(night.home)?.experiments ?? [];
    const byNumber = new Map(rows.map(row => [row.n, row]));
    for (const [n, { verdict, reason, metric, commit }] of this.#verdicts) {
      expect(byNumber.get(n), `experiment ${n} after a kill`).toMatchObject({
        phase: 'recorded',
        verdict,
        reason,
        metric,
        attempt_commit: commit,
      });
    }
    for (const [n, row] of this.#recorded) expect(byNumber.get(n)).toEqual(row);
    for (const [n, { commit, hypothesis }] of this.#attempts) {
      expect(byNumber.get(n), `the attempt of experiment ${n}`).toMatchObject({
        attempt_commit: commit,
        hypothesis,
      });
    }
    for (const row of rows) {
      if (isRecorded(row)) this.#recorded.set(row.n, row);
      const { attempt_commit: commit, hypothesis } = row;
      if (commit !== null) this.#attempts.set(row.n, { commit, hypothesis });
    }
  }
}

async function checkObjects({ repository }: Night): Promise<void> {
  const report = await git(repository, 'fsck', '--no-dangling', '--no-progress');
  expect(report).toBe('');
}

const BASELINE_STATES: readonly Readonly<Record<string, unknown>>[] = [
  { type: 'study_started' },
  { type: 'experiment_started', n: 0 },
  { type: 'attempted', n: 0 },
  { type: 'phase', n: 0, phase: 'training' },
  { type: 'run_started', n: 0 },
  { type: 'run_finished', n: 0 },
  { type: 'phase', n: 0, phase: 'deciding' },
  { type: 'verdict', n: 0 },
  { type: 'new_best', n: 0 },
];
const EXPERIMENT_STATES: readonly Readonly<Record<string, unknown>>[] = [
  { type: 'experiment_started', n: 1 },
  { type: 'proposed', n: 1 },
  { type: 'attempted', n: 1 },
  { type: 'phase', n: 1, phase: 'training' },
  { type: 'run_started', n: 1 },
  { type: 'progress', n: 1 },
  { type: 'phase', n: 1, phase: 'measuring' },
  { type: 'run_finished', n: 1 },
  { type: 'phase', n: 1, phase: 'deciding' },
  { type: 'verdict', n: 1 },
  // The search's first two steps are no gain.
  { type: 'new_best', n: 3 },
];

for (const state of [...BASELINE_STATES, ...EXPERIMENT_STATES]) {
  const words = Object.values(state).join(' ');
  test(`a kill at the event "${words}" loses nothing, and the study goes on`, async () => {
    const night = await prepareNight();
    const { home, repository } = night;
    const witness = new Witness();
    const first = await dyingSitting(['run', repository, '--tag', TAG, '-n', '4'], night, { event: state });
    expect(first.signal).toBe('SIGKILL');
    expect(first.events.at(-1)).toMatchObject(state);
    witness.look(night, first.events);
    const inFlight = rowsOf(home).experiments.filter(row => row.verdict === null);
    expect(inFlight.length).toBeLessThanOrEqual(1);

    // The next engine puts things right before it does anything else.
    const second = await dyingSitting(['resume', repository], night, { event: { type: 'study_started' } });
    witness.look(night, second.events);
    const reconciled = rowsOf(home);
    expect(reconciled.runs.filter(run => run.outcome === null)).toEqual([]);
    for (const { n } of inFlight) {
      expect(reconciled.experiments.find(row => row.n === n)?.phase).toBe('interrupted');
    }
    for (const run of reconciled.runs.filter(({ n }) => inFlight.some(row => row.n === n))) {
      expect(JSON.parse(run.outcome ?? 'null')).toEqual({ kind: 'interrupted' });
    }

    const count = Math.max(2, Number(state.n ?? 0) + 1);
    const last = await sitting(['resume', repository, '-n', String(count)], { home });
    expect(last.code).toBe(0);
    witness.look(night, last.events);
    for (const { n, attempt_commit: commit, hypothesis } of inFlight) {
      if (commit === null) continue;
      expect(eventsOf(last.events, 'verdict').find(event => event.n === n)).toMatchObject({
        commit,
        hypothesis,
      });
      expect(eventsOf(last.events, 'proposed').some(event => event.n === n)).toBe(false);
    }
    const { experiments } = rowsOf(home);
    expect(experiments.map(row => row.n)).toEqual([...Array(count + 1).keys()]);
    expect(experiments.every(isRecorded)).toBe(true);
    await checkNight(night);
    await checkObjects(night);
  });
}

test('a kill while the set-up runs or has just run does not make it count as done by half', async () => {
  const contract = contractFile({
    more: 'setup = "echo made > made.txt"',
    train: 'cat made.txt && sh train.sh',
  });
  for (const type of ['setup_started', 'setup_finished']) {
    const night = await prepareNight({ contract });
    const { home, repository } = night;
    const { signal } = await dyingSitting(
      ['run', repository, '--tag', TAG, '-n', '1', '--trust-setup'],
      night,
      {
        event: { type },
      },
    );
    expect(signal).toBe('SIGKILL');
    const { code, events } = await sitting(['resume', repository], { home });
    expect(code).toBe(0);
    expect(eventsOf(events, 'verdict').map(event => event.verdict)).toEqual(['keep', 'discard']);
    expect(eventsOf(events, 'setup_started')).toHaveLength(type === 'setup_started' ? 1 : 0);
    await checkNight(night);
  }
});

test('a kill around any git call and any ledger transaction loses nothing', async () => {
  const night = await prepareNight({ trainer: WIDE_TRAINER });
  const { home, repository } = night;
  await sitting(['run', repository, '--tag', TAG, '-n', '1'], { home });
  const witness = new Witness();
  const points: DeathPoint[] = [];
  for (let number = 1; number <= 18; number += 1) {
    points.push({ git: number, when: 'ended' }, { transaction: number, when: 'after' });
    if (number % 3 === 0)
      points.push({ git: number, when: 'started' }, { transaction: number, when: 'before' });
  }
  for (const point of points) {
    const running = new RunningPawl(['resume', repository, '-n', '1000'], {
      home,
      env: dyingAt(point),
    });
    const { signal } = await running.ended;
    expect(signal, JSON.stringify(point)).toBe('SIGKILL');
    witness.look(night, running.events);
    expect(await snapshotUserState(repository)).toBe(night.userState);
  }
  const recorded = rowsOf(home).experiments.filter(isRecorded).length;
  const { code, events } = await sitting(['resume', repository, '-n', String(recorded + 1)], { home });
  expect(code).toBe(0);
  witness.look(night, events);
  await checkNight(night);
  await checkObjects(night);
});

test('a kill anywhere in the making of a study leaves a study that can be made or resumed', async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  const points: DeathPoint[] = [1, 2, 3].map(transaction => ({ transaction, when: 'after' }));
  for (let number = 1; number <= 9; number += 1) points.push({ git: number, when: 'ended' });
  for (const [index, point] of points.entries()) {
    const tag = `night-${index}`;
    const args = ['run', repository, '--tag', tag, '-n', '1'];
    const died = new RunningPawl(args, { home, env: dyingAt(point) });
    expect((await died.ended).signal, JSON.stringify(point)).toBe('SIGKILL');
    const isKnown = readRows(home, tag) !== null;
    const again = await sitting(isKnown ? ['resume', repository, '--tag', tag] : args, { home });
    expect(again.stderr).toBe('');
    expect(again.code, JSON.stringify(point)).toBe(0);
    expect(rowsOf(home, tag).experiments.map(row => row.phase)).toEqual(['recorded', 'recorded']);
    expect(await snapshotUserState(repository)).toBe(night.userState);
  }
  await checkObjects(night);
});

/** Ten constants, so that a search over them has hundreds of experiments before it; a run takes a moment. */
const WIDE_TRAINER = `A=2
B=3
C=20
D=4
E=16
F=31
G=5
H=64
I=7
J=12
distance() { d=$(($1 - 9)); echo "\${d#-}"; }
value=1000000
for constant in $A $B $C $D $E $F $G $H $I $J; do value=$((value + 37 * $(distance $constant))); done
printf 'step 1 | loss: 3.1\\n'
sleep 0.03
printf -- '---\\nval_bpb:          %d.%06d\\npeak_vram_mb:     45060.2\\n' $((value / 1000000)) $((value % 1000000))
`;

/** Repeatable, so that a failure can be looked for again. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The ledger is looked at after each of them, the rest of the invariants after some. */
const RANDOM_KILLS = 200;

test(`${RANDOM_KILLS} kills at random instants of one study lose nothing`, async () => {
  const night = await prepareNight({ trainer: WIDE_TRAINER });
  const { home, repository } = night;
  const random = seededRandom(20_260_325);
  const witness = new Witness();
  await sitting(['run', repository, '--tag', TAG, '-n', '0'], { home });
  const killedIn = new Set<string>();
  for (let kill = 1; kill <= RANDOM_KILLS; kill += 1) {
    const running = new RunningPawl(['resume', repository, '-n', '100000'], { home });
    // Half of them from the very start, half once the loop runs; the instant being random is the point.
    if (kill % 2 === 0) {
      await running.waitFor(event => event.type === 'experiment_started');
      await delay(random() * 250);
    } else await delay(random() * 450);
    await running.kill();
    witness.look(night, running.events);
    killedIn.add(running.events.at(-1)?.type ?? 'start');
    const { experiments } = rowsOf(home);
    expect(experiments.filter(row => !isRecorded(row)).length).toBeLessThanOrEqual(1);
    if (kill % 10 === 0) {
      expect(await snapshotUserState(repository)).toBe(night.userState);
      const branch = await git(repository, 'rev-parse', `autoresearch/${TAG}`);
      const keeps = experiments.filter(row => row.verdict === 'keep');
      // The last keep's branch may not have moved yet.
      expect(keeps.slice(-2).map(row => row.attempt_commit)).toContain(branch);
    }
    if (kill === RANDOM_KILLS) {
      const recorded = experiments.filter(isRecorded).length;
      const { code, events } = await sitting(['resume', repository, '-n', String(recorded)], { home });
      expect(code).toBe(0);
      witness.look(night, events);
      await checkNight(night);
      await checkObjects(night);
    }
  }
  // Otherwise the instants were not random, and this test proves less than its name says.
  expect([...killedIn]).toEqual(expect.arrayContaining(['start', 'experiment_started', 'run_started']));
  expect(rowsOf(home).experiments.length).toBeGreaterThan(RANDOM_KILLS / 10);
}, 240_000);

test('a stop rule that holds already is not passed by an interrupted experiment', async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  await dyingSitting(['run', repository, '--tag', TAG], night, { event: { type: 'run_started', n: 2 } });
  const { code, events } = await sitting(['resume', repository, '-n', '1'], { home });
  expect(code).toBe(0);
  expect(eventsOf(events, 'run_started')).toEqual([]);
  expect(eventsOf(events, 'study_stopped')[0]).toMatchObject({ reason: 'experiments', finished: 2 });
});

/** Hangs where the variable says so: with a child in the background and one that left the session. */
const hangingTrainer = (ignored: string) => `if [ -n "$HANG" ]; then
  trap '' ${ignored}
  setsid sleep 300 &
  sleep 300 &
  while :; do sleep 300; done
fi
${FAST_TRAINER}`;

for (const ignored of ['HUP', 'HUP TERM INT']) {
  test(`a training that ignores ${ignored} and outlives its engine is ended at the next start`, async () => {
    const night = await prepareNight({
      trainer: hangingTrainer(ignored),
      contract: contractFile({ limitSeconds: 600, more: 'environment = ["HANG"]' }),
    });
    const { home, repository } = night;
    const running = new RunningPawl(['run', repository, '--tag', TAG, '-n', '1'], {
      home,
      env: { HANG: '1' },
    });
    await running.waitFor(event => event.type === 'run_started');
    const { studyId } = rowsOf(home);
    await expect.poll(async () => (await findMarked(studyId)).length, { timeout: 10_000 }).toBeGreaterThan(3);
    await running.kill();
    expect((await findMarked(studyId)).length).toBeGreaterThan(0);
    await dyingSitting(['resume', repository], night, { event: { type: 'study_started' } });
    expect(await findMarked(studyId)).toEqual([]);
    const { code } = await sitting(['resume', repository], { home });
    expect(code).toBe(0);
    await checkNight(night);
  });
}

test('a command proposer that outlives its engine is ended at the next start', async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  const flags = ['--proposer', 'command', '--command', "trap '' HUP; sleep 300 & sleep 300"];
  const running = new RunningPawl(['run', repository, '--tag', TAG, ...flags], { home });
  await running.waitFor(event => event.type === 'experiment_started' && event.n === 1);
  const { studyId } = rowsOf(home);
  await expect.poll(async () => (await findMarked(studyId)).length, { timeout: 10_000 }).toBeGreaterThan(1);
  const { scratch } = dataPaths({ PAWL_HOME: home });
  const worked = join(scratch, 'agent-abc', 'work');
  await mkdir(worked, { recursive: true, mode: 0o700 });
  await running.kill();
  const asked = () => query(home, 'SELECT outcome, message FROM proposer_call WHERE n = 1 ORDER BY id');
  expect(asked()).toEqual([{ outcome: 'open', message: null }]);
  const again = await sitting(['resume', repository, '--proposer', 'search', '-n', '1'], { home });
  expect(again.code).toBe(0);
  expect(asked()).toEqual([
    { outcome: 'cancelled', message: 'The engine ended before there was an answer.' },
    { outcome: 'proposed', message: null },
  ]);
  expect(existsSync(scratch)).toBe(false);
  await checkNight(night);
});

test("locks that a dead git left in the study's worktree do not block it, and the user's own stay", async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  await dyingSitting(['run', repository, '--tag', TAG, '-n', '2'], night, {
    event: { type: 'attempted', n: 1 },
  });
  const admin = join(repository, '.git', 'worktrees', rowsOf(home).worktreeName);
  const usersLock = join(repository, '.git', 'index.lock');
  // Pawl's own index stands beside the worktree, in the data folder.
  const ownIndexLock = join(home, 'worktrees', `${rowsOf(home).worktreeName}.index.lock`);
  const locks = [join(admin, 'index.lock'), join(admin, 'HEAD.lock'), ownIndexLock, usersLock];
  for (const path of locks) await writeFile(path, '');
  const { code, stderr } = await sitting(['resume', repository], { home });
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(existsSync(usersLock)).toBe(true);
  await rm(usersLock);
  await checkNight(night);
});

test("locks that a dead git left on the study's own refs do not stop it", async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  await dyingSitting(['run', repository, '--tag', TAG, '-n', '3'], night, {
    event: { type: 'attempted', n: 1 },
  });
  const refs = join(repository, '.git', 'refs');
  const [attempt, branch] = [
    join(refs, 'pawl', TAG, '2.lock'),
    join(refs, 'heads/autoresearch', `${TAG}.lock`),
  ];
  const anHourAgo = new Date(Date.now() - 3_600_000);
  for (const lock of [attempt, branch]) {
    await writeFile(lock, '');
    await utimes(lock, anHourAgo, anHourAgo);
  }
  const { code, stderr } = await sitting(['resume', repository], { home });
  expect(`${code} ${stderr}`).toBe('0 ');
  await checkNight(night);
});

test('a worktree that git had not finished making when it died is made anew', async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  await dyingSitting(['run', repository, '--tag', TAG, '-n', '1'], night, {
    event: { type: 'study_started' },
  });
  const admin = join(repository, '.git', 'worktrees', rowsOf(home).worktreeName);
  await rm(admin, { recursive: true, force: true });
  // What `git worktree add` writes first.
  await mkdir(admin, { recursive: true });
  await writeFile(join(admin, 'locked'), 'initializing');
  const { code, stderr } = await sitting(['resume', repository], { home });
  expect(stderr).toBe('');
  expect(code).toBe(0);
  await checkNight(night);
});

test('after a kill the reading commands work, and say that no engine runs', async () => {
  const night = await prepareNight();
  const { home, repository } = night;
  const died = await dyingSitting(['run', repository, '--tag', TAG, '-n', '4'], night, {
    event: { type: 'run_started', n: 2 },
  });
  expect(eventsOf(died.events, 'verdict')).toHaveLength(2);
  expect(existsSync(join(home, 'engine.json'))).toBe(true);
  const options = { home, cwd: repository };
  expect(JSON.parse((await pawl(['status', '--json'], options)).stdout)).toMatchObject({
    engine: null,
    tag: TAG,
    tally: { finished: 2 },
    current: { n: 2, phase: 'training' },
  });
  expect(JSON.parse((await pawl(['results', '--format', 'json'], options)).stdout)).toHaveLength(2);
  const stop = await pawl(['stop'], options);
  expect(stop.code).not.toBe(0);
  expect(stop.stderr).toContain('No engine runs');
});
