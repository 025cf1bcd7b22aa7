import { existsSync } from 'node:fs';
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataPaths } from '../../../src/engine/paths.ts';
import { dyingSitting } from '../../support/kills.ts';
import { eventsOf, pawl, RunningPawl, sitting } from '../../support/pawl.ts';
import { findMarked } from '../../support/processes.ts';
import { contractFile, FAST_TRAINER } from '../../support/scaffold.ts';
import { checkNight, prepareNight, rowsOf, TAG } from '../../support/study.ts';
import { query } from '../../support/trainers.ts';

test('a kill while the set-up runs or has just run does not make it count as done by half', async () => {
  const contract = contractFile({
    more: 'setup = "echo made > made.txt"',
    train: 'cat made.txt && sh train.sh',
  });
  for (const type of ['setup_started', 'setup_finished']) {
    const night = await prepareNight({ contract });
    const { home, repository } = night;
    const { signal } = await dyingSitting(
      ['run', repository, '--tag', TAG, '--strategy', 'ladder', '-n', '1', '--trust-setup'],
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
    await expect.poll(async () => (await findMarked(studyId)).length).toBeGreaterThan(3);
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
  await expect.poll(async () => (await findMarked(studyId)).length).toBeGreaterThan(1);
  const { scratch } = dataPaths({ PAWL_HOME: home });
  const worked = join(scratch, 'agent-abc', 'work');
  await mkdir(worked, { recursive: true, mode: 0o700 });
  await running.kill();
  const asked = () => query(home, 'SELECT outcome, message FROM proposer_call WHERE n = 1 ORDER BY id');
  expect(asked()).toEqual([{ outcome: 'open', message: null }]);
  const again = await sitting(['resume', repository, '--proposer', 'search', '-n', '1'], { home });
  expect(again.code).toBe(0);
  expect(asked()).toEqual([
    { outcome: 'cancelled', message: 'The engine ended before an answer came.' },
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
