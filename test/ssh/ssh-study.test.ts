import { chmod, readdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sitting } from '../support/pawl.ts';
import { temporaryFolder } from '../support/scaffold.ts';
import { checkNight, prepareNight, rowsOf, TAG } from '../support/study.ts';
import { findSshdFault, type PrivateSshd, startSshd } from './private-sshd.ts';

const fault = findSshdFault();
let sshd: PrivateSshd;

/** A PATH on which `ssh` knows the host `lab`; OpenSSH finds the user's own configuration by the password file only. */
async function pathWithLab(): Promise<string> {
  const folder = await temporaryFolder();
  const file = join(folder, 'ssh');
  const options = sshd.options.map(option => `'${option}'`).join(' ');
  await writeFile(file, `#!/bin/sh\nexec /usr/bin/ssh ${options} "$@"\n`);
  await chmod(file, 0o755);
  return `${folder}${delimiter}${process.env.PATH}`;
}

// Without sshd there is nothing to test; `fault` says what is missing, and .ci/run installs it.
describe.skipIf(fault !== null)('a study on a host of ssh', () => {
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd?.stop());

  test('every run is trained there, and nothing of it is left there', async () => {
    const night = await prepareNight();
    const args = ['run', night.repository, '--tag', TAG, '-n', '4', '--lanes', 'ssh:lab'];
    const PATH = await pathWithLab();
    const { code, stderr, events } = await sitting(args, { home: night.home, env: { PATH } });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(rowsOf(night.home).experiments.map(({ phase }) => phase)).toEqual(Array(5).fill('recorded'));
    expect(events.filter(({ type }) => type === 'run_started').length).toBeGreaterThanOrEqual(5);
    const place = join(sshd.home, '.cache/pawl');
    expect(await readdir(join(place, 'jobs')).catch(() => [])).toEqual([]);
    await checkNight(night);
  });
});
