import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { gatedNight } from '../../support/gated-night.ts';
import { BUILT, endOf, LAUNCHER, startNode } from '../../support/node-process.ts';
import { findMarked, killIfThere } from '../../support/processes.ts';
import { checkNight, prepareNight, rowsOf, TAG } from '../../support/study.ts';

/** An older Node than the one these tests run in, where the machine has one. */
const OLD_NODE =
  ['/usr/bin/node', '/usr/local/bin/node'].find(path => {
    if (!existsSync(path)) return false;
    const major = Number(/^v(\d+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))?.[1]);
    return major >= 18 && major < 22;
  }) ?? null;

// Skipped where the system has no Node of its own between 18 and 21.
test.skipIf(OLD_NODE === null)(
  'the launcher works under an old Node and passes the exit code on',
  async () => {
    const night = await prepareNight({ trainer: 'LR=2\nexit 1\n' });
    const launch = (...args: string[]) => endOf(startNode(OLD_NODE ?? '', [LAUNCHER, ...args], night.home));
    expect(await launch('--version')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
    expect(await launch('run', night.repository, '-n', 'x')).toMatchObject({ code: 2 });
    expect(await launch('run', night.repository, '--tag', TAG)).toMatchObject({ code: 3 });
    expect(await launch('show', '99')).toMatchObject({ code: 2 });
  },
);

async function launchedStudy() {
  const night = await gatedNight();
  const child = startNode(
    OLD_NODE ?? process.execPath,
    [LAUNCHER, 'run', night.repository, '--tag', TAG, '-n', '2'],
    night.home,
    night.env,
  );
  const ended = endOf(child);
  await expect.poll(() => existsSync(join(night.home, 'pawl.sqlite')) && trainingNumber(night.home)).toBe(1);
  return { night, child, ended };
}

/** Number of the experiment whose run has begun and not ended. */
function trainingNumber(home: string): number | undefined {
  try {
    return rowsOf(home).runs.find(run => run.outcome === null)?.n;
  } catch {
    // The ledger is being made.
    return undefined;
  }
}

test('the launcher passes SIGINT and SIGTERM on to the engine', async () => {
  const { night, child, ended } = await launchedStudy();
  let text = '';
  child.stdout?.on('data', part => {
    text += part;
  });
  child.kill('SIGINT');
  await expect.poll(() => text).toContain('Stopping after this experiment');
  child.kill('SIGTERM');
  expect((await ended).code).toBe(130);
  expect(rowsOf(night.home).experiments.map(row => row.phase)).toEqual(['recorded', 'interrupted']);
  await checkNight(night);
});

test('the engine stops by itself when its launcher is killed', async () => {
  const { night, child, ended } = await launchedStudy();
  const { studyId } = rowsOf(night.home);
  child.kill('SIGKILL');
  await expect.poll(() => existsSync(join(night.home, 'engine.json'))).toBe(false);
  await ended;
  expect(rowsOf(night.home)).toMatchObject({ state: 'stopped', stopReason: 'user' });
  expect(rowsOf(night.home).experiments.map(row => row.phase)).toEqual(['recorded', 'interrupted']);
  expect(await findMarked(studyId)).toEqual([]);
  await checkNight(night);
});

test('the engine stops by itself when its launcher is killed before the study has begun', async () => {
  const night = await gatedNight();
  const launcher = startNode(
    OLD_NODE ?? process.execPath,
    [LAUNCHER, 'run', night.repository, '--tag', TAG, '-n', '2'],
    night.home,
    night.env,
  );
  const children = `/proc/${launcher.pid}/task/${launcher.pid}/children`;
  const findEngine = async () => {
    for (const pid of (await readFile(children, 'utf8').catch(() => '')).split(' ').filter(Boolean)) {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (command.includes(BUILT)) return Number(pid);
    }
    return 0;
  };
  await expect.poll(findEngine, { interval: 5 }).toBeGreaterThan(0);
  const engine = await findEngine();
  onTestFinished(() => killIfThere(engine));
  launcher.kill('SIGKILL');
  await expect.poll(() => existsSync(`/proc/${engine}`)).toBe(false);
});
