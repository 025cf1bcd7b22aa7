import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { dataPaths } from '../../src/engine/paths.ts';
import { Engine } from '../../src/engine/session/engine.ts';
import { eventsOf, pawl, RunningPawl, sitting } from '../support/pawl.ts';
import { lives } from '../support/processes.ts';
import { contractFile, FAST_TRAINER, temporaryFolder } from '../support/scaffold.ts';
import { checkNight, prepareNight, rowsOf, TAG } from '../support/study.ts';
import { findSshdFault, type PrivateSshd, pathWithHosts, startSshd } from './private-sshd.ts';
import { SSH_GIVES_UP_MS } from './silent-server.ts';

/** A study on a host that stops answering: its connections stay open, and nothing comes over them. */

const fault = findSshdFault();
let sshd: PrivateSshd;

/** A study whose trainings write their numbers down, and after the baseline wait for a file. */
async function prepare() {
  const place = await temporaryFolder();
  const wait = `if [ "$LR-$DEPTH-$WIDTH" != 2-4-16 ]; then
  echo $$ >> ${place}/began; until [ -e ${place}/go ]; do sleep 0.05; done
fi
value=`;
  const night = await prepareNight({
    trainer: FAST_TRAINER.replace(/^value=/m, () => wait),
    contract: contractFile({ limitSeconds: 600 }),
  });
  const env = { PATH: await pathWithHosts(sshd) };
  const began = async () => {
    const text = await readFile(join(place, 'began'), 'utf8').catch(() => '');
    return text.split('\n').filter(Boolean);
  };
  return { night, env, place, began };
}

/** Freezes the host until the test is over, or it is thawed. */
async function fallSilent() {
  await sshd.freeze();
  onTestFinished(() => sshd.thaw());
}

// Without sshd there is nothing to test; `fault` says what is missing, and .ci/run installs it.
describe.skipIf(fault !== null)('a study on a host that has fallen silent', () => {
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd?.stop());

  test('is stopped at once, says that its job may still run, and ends it when it goes on', async () => {
    const { night, env, place, began } = await prepare();
    const options = { home: night.home, env };
    const args = ['run', night.repository, '--tag', TAG, '-n', '1', '--lanes', 'ssh:lab'];
    const running = new RunningPawl(args, options);
    await expect.poll(began).toHaveLength(1);
    await running.waitFor(event => event.type === 'run_started' && event.n === 1);
    await fallSilent();
    const stoppedAt = performance.now();
    await pawl(['stop', '--now'], options);
    await running.ended;
    expect(performance.now() - stoppedAt).toBeLessThan(SSH_GIVES_UP_MS / 2);
    expect(running.events.at(-1)).toMatchObject({ type: 'study_stopped', reason: 'user' });
    const warnings = eventsOf(running.events, 'warning');
    expect(warnings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      expect.stringMatching(/^survivors: Whether job lab:pawl-.*-1\.0 has ended is not known/),
      expect.stringMatching(/^jobs: Jobs of this study may still run on lab, .*pawl-.*-1\.0\. "pawl jobs"/),
    ]);
    expect(rowsOf(night.home).experiments[1]).toMatchObject({ phase: 'interrupted', verdict: null });
    const [pid = ''] = await began();
    expect(await lives(pid)).toBe(true);
    expect((await pawl(['jobs'], options)).stdout).toMatch(/pawl-.*-1\.0/);
    await sshd.thaw();
    await writeFile(join(place, 'go'), '');
    const again = await sitting(['resume', night.repository], options);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(await began()).toHaveLength(2);
    expect(rowsOf(night.home).experiments.map(({ phase }) => phase)).toEqual(['recorded', 'recorded']);
    expect((await pawl(['jobs'], options)).stdout).toBe('No job is known on another machine.\n');
    await checkNight(night);
  });

  test('its job is ended as soon as the host answers, if the engine is still there', async () => {
    const { night, env, began } = await prepare();
    const environment = { ...process.env, ...env, PAWL_HOME: night.home };
    // ssh is looked for on the PATH of this process.
    const { PATH } = process.env;
    process.env.PATH = env.PATH;
    onTestFinished(() => {
      process.env.PATH = PATH;
    });
    const engine = await Engine.open({ paths: dataPaths(environment), host: 'test', environment }, null);
    onTestFinished(() => engine.close());
    const study = await engine.createStudy({
      repositoryPath: night.repository,
      tag: TAG,
      proposer: { kind: 'search', seed: 1 },
      stop: { experiments: 1 },
      lanes: ['ssh:lab'],
    });
    const ended = engine.run(study.id, {}, () => {});
    await expect.poll(began).toHaveLength(1);
    await fallSilent();
    engine.request('stop_now');
    expect(await ended).toMatchObject({ reason: 'user', error: null });
    const [pid = ''] = await began();
    expect(await lives(pid)).toBe(true);
    expect(engine.ledger.jobs.list(study.id)).toMatchObject([{ n: 1, hasEnded: false }]);
    await sshd.thaw();
    await expect.poll(() => engine.ledger.jobs.list(study.id)).toEqual([]);
    expect(await lives(pid)).toBe(false);
  });
});
