import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parsePawlToml } from '../src/engine/contract/pawl-toml.ts';
import { findUnmet } from '../src/engine/stages/judge/requirements.ts';
import { guardedNight } from './support/guarded-night.ts';
import { eventsOf, pawl, RunningPawl, sitting } from './support/pawl.ts';
import { createRepository, temporaryFolder } from './support/scaffold.ts';

const METRIC = '[metric]\nname = "score"\ngoal = "maximize"\n';

test('a better number whose condition does not hold is discarded, and what was printed is told', async () => {
  const { verdicts, messages, metrics, evidence } = await guardedNight(
    `${METRIC}require = { correctness = "PASS" }\n`,
    [
      'echo correctness: PASS; echo score: 1',
      'echo correctness: FAIL; echo score: 9',
      'echo score: 9',
      'echo "correctness: PASS (3 of 3)"; echo score: 2',
    ],
  );
  expect(verdicts).toEqual(['keep baseline', 'discard guard', 'discard guard', 'keep better']);
  expect(metrics).toEqual([1, 9, 9, 2]);
  expect(messages.slice(1, 3)).toEqual([
    'correctness = PASS must hold, and it was FAIL',
    'correctness = PASS must hold, and it was not printed',
  ]);
  expect(evidence(1)).toMatchObject({
    metric: 9,
    guard: { kind: 'require', name: 'correctness', found: 'FAIL' },
  });
});

test('checks run in order behind the training until one fails, and its end is told', async () => {
  const { verdicts, messages, log, evidence } = await guardedNight(
    `${METRIC}[checks]\nfirst = "sh check.sh"\nsecond = { command = "echo second ran", seconds = 5 }\n`,
    ['echo score: 1; echo ok > state', 'echo score: 2; echo bad > state', 'echo score: 3; echo ok > state'],
    { files: { 'check.sh': 'cat state; grep -q ok state || { echo "1 test failed" >&2; exit 3; }\n' } },
  );
  expect(verdicts).toEqual(['keep baseline', 'discard guard', 'keep better']);
  expect(messages[1]).toBe('the check "first" ended with exit code 3: sh check.sh');
  expect(evidence(1).guard.tail).toEqual(['bad', '1 test failed']);
  expect(await log(1)).toContain('\n[pawl] first: sh check.sh\nbad\n1 test failed\n');
  expect(await log(1)).not.toContain('second ran');
  expect(await log(2)).toContain('[pawl] second: echo second ran\nsecond ran\n');
});

test('a check that does not end is ended after its time', async () => {
  const { verdicts, messages } = await guardedNight(
    `${METRIC}[checks]\nslow = { command = "test ! -e slow || sleep 600", seconds = 2 }\n`,
    ['echo score: 1', 'echo score: 2; echo > slow'],
  );
  expect(verdicts).toEqual(['keep baseline', 'discard guard']);
  expect(messages[1]).toBe('the check "slow" timed out after 2 s: test ! -e slow || sleep 600');
});

test('a baseline whose checks fail ends the study before anything is tried', async () => {
  const { verdicts, code, stderr } = await guardedNight(`${METRIC}[checks]\ntests = "false"\n`, [
    'echo score: 1',
    'echo score: 2',
  ]);
  expect(verdicts).toEqual(['discard guard']);
  expect(code).toBe(3);
  expect(stderr).toBe('');
});

test('a number that another command prints counts in place of the training’s', async () => {
  const { verdicts, metrics, messages } = await guardedNight(
    `${METRIC}command = "sh report.sh"\n`,
    ['echo 1 > result; echo score: 100', 'echo 3 > result', 'echo none > result', 'exit 0'],
    { files: { 'report.sh': 'read value <result || exit 5\necho "score: $value"\n' } },
  );
  expect(metrics).toEqual([1, 3, null, null]);
  expect(verdicts).toEqual(['keep baseline', 'keep better', 'crash no_metric', 'crash no_metric']);
  expect(messages[3]).toMatch(/^metric\.command ended with exit code [25], so there is no score\.$/);
});

test('a pattern finds a number that has no name', async () => {
  const { metrics } = await guardedNight(`${METRIC}pattern = '^=> ([\\d.]+) points'\n`, [
    'echo "=> 58.2 points"',
    'echo "=> 60 points"',
  ]);
  expect(metrics).toEqual([58.2, 60]);
});

test('a locked file that a check changes is found like one that the training changes', async () => {
  const { verdicts } = await guardedNight(
    `${METRIC}[checks]\nodd = "! test -e odd || { rm data.txt; echo 2 > data.txt; }"\n`,
    ['echo score: 1', 'echo score: 2; echo > odd'],
    { files: { 'data.txt': '1\n' }, env: { PAWL_SANDBOX: 'off' } },
  );
  expect(verdicts).toEqual(['keep baseline', 'crash locked_file_touched']);
});

test('a study that is stopped while a check runs loses nothing and checks again', async () => {
  const mark = join(await temporaryFolder(), 'checked');
  const repository = await createRepository({
    'idea.sh': 'echo score: 1\n',
    'pawl.toml': `[contract]\neditable = ["idea.sh"]\ntrain = "sh idea.sh"\n${METRIC}[checks]\nslow = "test -e ${mark} || { touch ${mark}; sleep 600; }"\n`,
  });
  const home = await temporaryFolder();
  const env = { PAWL_SANDBOX: 'off' };
  const running = new RunningPawl(['run', repository, '--tag', 'night', '-n', '0'], { home, env });
  await running.waitFor(event => event.type === 'phase' && event.phase === 'measuring');
  await expect.poll(() => existsSync(mark)).toBe(true);
  await pawl(['stop', '--now'], { home });
  expect((await running.ended).code).toBe(130);
  const { events, code } = await sitting(['resume', repository, '-n', '0'], { home, env });
  expect(code).toBe(0);
  expect(eventsOf(events, 'verdict').map(({ verdict }) => verdict)).toEqual(['keep']);
});

test.each<[string, string | null, boolean]>([
  ['PASS', 'PASS', true],
  ['PASS', 'pass', true],
  ['PASS', '`PASS`', true],
  ['PASS', 'PASS (3 of 3)', true],
  ['PASS', 'PASS with errors', false],
  ['PASS', 'PASSED', false],
  ['PASS', 'FAIL', false],
  ['PASS', null, false],
  ['true', 'True', true],
  ['1', '1.0', true],
  ['!= FAIL', 'PASS', true],
  ['!= FAIL', null, false],
  ['< 40000', '39,999.5', true],
  ['< 40000', '40000', false],
  ['<= 40000', '40000 MB', false],
  ['<= 40000 MB', '39 GB', true],
  ['<= 40000 MB', '41 GB', false],
  ['>= 0.9', '12%', false],
  ['PASS', 'PASS / FAIL', false],
  ['PASS', 'PASS -> FAIL', false],
  ['0', '0 -> 3', false],
  ['>= 2', 'many', false],
  ['> -1', '0', true],
])('the condition %s with %s printed holds: %s', (wanted, found, holds) => {
  const toml = `[contract]\neditable = ["a"]\ntrain = "b"\n[metric]\nname = "loss"\nrequire = { x = ${JSON.stringify(wanted)} }\n`;
  const { metric } = parsePawlToml(toml, 'pawl.toml');
  expect(findUnmet(metric.require, () => found) === null).toBe(holds);
});
