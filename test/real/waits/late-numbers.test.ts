import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { slowness } from '../../support/clock.ts';
import { eventsOf, pawl, RunningPawl, sitting } from '../../support/pawl.ts';
import { createRepository, temporaryFolder } from '../../support/scaffold.ts';
import { query } from '../../support/trainers.ts';

/** A study whose numbers come after the training, of which `train.log` outside of the repository counts the runs. */
async function lateStudy(metric: string) {
  const outside = await temporaryFolder();
  const log = join(outside, 'train.log');
  const number = join(outside, 'number');
  const repository = await createRepository({
    'idea.sh': `echo trained >> ${log}\necho 0 > idea\n`,
    'pawl.toml': `[contract]\neditable = ["idea.sh"]\ntrain = "sh idea.sh"\n[metric]\nname = "clicks"\ngoal = "maximize"\n${metric.replaceAll('NUMBER', number)}\n`,
  });
  const home = await temporaryFolder();
  return { repository, home, log, number, env: { PAWL_SANDBOX: 'off' } };
}

const isAwaiting = (event: { readonly type: string }) => event.type === 'awaiting_number';
const propose = ['--command', `echo '# better' >> idea.sh; printf '{"hypothesis":"idea"}\\n'`];

test('a number that is typed in decides, with its source, and nothing is trained twice', async () => {
  const { repository, home, env } = await lateStudy('wait = "7d"');
  const running = new RunningPawl(['run', repository, '--tag', 'night', '-n', '1', ...propose], {
    home,
    env,
  });
  const waits = await running.waitFor(isAwaiting);
  expect(waits).toMatchObject({ n: 0, k: 0 });
  const typed = await pawl(['measured', '0', '10', '--source', 'dashboard'], { home, env, cwd: repository });
  expect(`${typed.code} ${typed.stdout}`).toBe('0 Experiment 0 has clicks 10.000000.\n');
  await running.waitFor(event => isAwaiting(event) && 'n' in event && event.n === 1);
  await pawl(['measured', '1', '12', '--source', 'dashboard of Monday'], { home, env, cwd: repository });
  expect((await running.ended).code).toBe(0);
  const verdicts = running.events.filter(event => event.type === 'verdict');
  expect(verdicts).toMatchObject([
    { n: 0, verdict: 'keep', metric: 10 },
    { n: 1, verdict: 'keep', reason: 'better', metric: 12 },
  ]);
  const [row] = query<{ evidence: string }>(home, 'SELECT evidence FROM experiment WHERE n = 1');
  expect(JSON.parse(row?.evidence ?? '')).toMatchObject({ metric: 12, source: 'dashboard of Monday' });
  const late = await pawl(['measured', '1', '13', '--source', 'x'], { home, env, cwd: repository });
  expect(late.code).toBe(2);
  expect(late.stderr).toMatch(/is not waiting for a number/);
});

test('an experiment waits on over a stop and over the death of the engine, without another training', async () => {
  const { repository, home, env } = await lateStudy('wait = "7d"');
  const first = new RunningPawl(['run', repository, '--tag', 'night', '-n', '0'], { home, env });
  await first.waitFor(isAwaiting);
  await first.kill();
  const second = new RunningPawl(['resume', repository], { home, env });
  await second.waitFor(isAwaiting);
  await pawl(['stop', '--now'], { home, env });
  expect((await second.ended).code).toBe(130);
  await pawl(['measured', '0', '3.5', '--source', 'by hand'], { home, env, cwd: repository });
  const { events, code } = await sitting(['resume', repository, '-n', '0'], { home, env });
  expect(code).toBe(0);
  expect(eventsOf(events, 'verdict')).toMatchObject([{ n: 0, verdict: 'keep', metric: 3.5 }]);
  expect(query<{ runs: number }>(home, 'SELECT count(*) AS runs FROM run')).toEqual([{ runs: 1 }]);
});

test('a command is asked until it prints the number', async () => {
  const { repository, home, env, number } = await lateStudy(
    'wait = "1h"\npoll = "0.2s"\ncommand = "cat NUMBER"',
  );
  const running = new RunningPawl(['run', repository, '--tag', 'night', '-n', '0'], { home, env });
  await running.waitFor(isAwaiting);
  await writeFile(number, 'clicks: 7\n');
  expect((await running.ended).code).toBe(0);
  expect(running.events.filter(event => event.type === 'verdict')).toMatchObject([
    { n: 0, verdict: 'keep', metric: 7 },
  ]);
});

test('a number that does not come in time is a crash without one', async () => {
  const { repository, home, env } = await lateStudy('wait = "1s"');
  const { events, code } = await sitting(['run', repository, '--tag', 'night', '-n', '1', ...propose], {
    home,
    env,
  });
  expect(code).toBe(3);
  expect(eventsOf(events, 'verdict')).toMatchObject([
    { n: 0, verdict: 'crash', reason: 'no_metric', message: 'No clicks came within 1 s after the training.' },
  ]);
});

test('a run that was killed while its check ran is trained and checked again', async () => {
  const { repository, home, env, number } = await lateStudy(
    'wait = "7d"\n[checks]\nslow = "test -e NUMBER || { touch NUMBER; sleep 600; }; false"',
  );
  const first = new RunningPawl(['run', repository, '--tag', 'night', '-n', '0'], { home, env });
  await first.waitFor(event => event.type === 'phase' && event.phase === 'measuring');
  await expect.poll(() => existsSync(number)).toBe(true);
  await first.kill();
  const { events, code } = await sitting(['resume', repository], { home, env });
  expect(code).toBe(3);
  expect(eventsOf(events, 'verdict')).toMatchObject([{ n: 0, verdict: 'discard', reason: 'guard' }]);
});

test('a deadline ends the sitting of a baseline that waits', async () => {
  const { repository, home, env } = await lateStudy('wait = "1h"');
  const deadline = new Date(Date.now() + 3_000 * slowness()).toISOString();
  const { events, code } = await sitting(
    ['run', repository, '--tag', 'night', '--deadline', deadline, ...propose],
    { home, env },
  );
  expect(code).toBe(0);
  expect(eventsOf(events, 'awaiting_number')).toHaveLength(1);
  expect(eventsOf(events, 'study_stopped')).toMatchObject([{ reason: 'deadline' }]);
});

test('what a later command prints is held to the conditions, and the locked files are looked at again', async () => {
  const { repository, home, env, number } = await lateStudy(
    'wait = "1h"\npoll = "0.2s"\ncommand = "cat NUMBER; test ! -e NUMBER.touch || { rm pawl.toml; echo x > pawl.toml; }"\nrequire = { verdict = "PASS" }',
  );
  await writeFile(number, 'verdict: FAIL\nclicks: 7\n');
  const args = ['run', repository, '-n', '0'];
  const failed = await sitting([...args, '--tag', 'one'], { home, env });
  expect(eventsOf(failed.events, 'verdict')).toMatchObject([{ verdict: 'discard', reason: 'guard' }]);
  await writeFile(number, 'verdict: PASS\nclicks: 7\n');
  const passed = await sitting([...args, '--tag', 'two'], { home, env });
  expect(eventsOf(passed.events, 'verdict')).toMatchObject([{ verdict: 'keep', metric: 7 }]);
  await writeFile(`${number}.touch`, '');
  const touched = await sitting([...args, '--tag', 'three'], { home, env });
  expect(eventsOf(touched.events, 'verdict')).toMatchObject([
    { verdict: 'crash', reason: 'locked_file_touched' },
  ]);
});
