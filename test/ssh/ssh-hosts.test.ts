import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventsOf, sitting } from '../support/pawl.ts';
import { contractFile } from '../support/scaffold.ts';
import { checkNight, prepareNight, rowsOf, TAG } from '../support/study.ts';
import { findSshdFault, giveGpus, type PrivateSshd, pathWithHosts, startSshd } from './private-sshd.ts';

/** A study on several hosts. */

const fault = findSshdFault();
let hosts: readonly PrivateSshd[] = [];

async function startNight(lanes: readonly string[]) {
  const night = await prepareNight({ contract: contractFile({ limitSeconds: 600 }) });
  const options = { home: night.home, env: { PATH: await pathWithHosts(...hosts) } };
  const args = [
    'run',
    night.repository,
    '--tag',
    TAG,
    '-n',
    '4',
    ...lanes.flatMap(word => ['--lanes', word]),
  ];
  return { night, options, args };
}

/** Which hosts have trained for a study, by the lanes of its runs. */
function hostsOf(home: string): readonly string[] {
  const lanes = rowsOf(home).runs.map(({ lane }) => lane?.split(',')[0] ?? '');
  return [...new Set(lanes)].sort();
}

// Without sshd there is nothing to test; `fault` says what is missing, and .ci/run installs it.
describe.skipIf(fault !== null)('a study on several hosts of ssh', () => {
  beforeAll(async () => {
    hosts = [await startSshd('lab'), await startSshd('lab2')];
  });
  afterAll(() => Promise.all(hosts.map(host => host.stop())));

  test('hosts with the same GPU, or no GPU and the same processors, train for one study', async () => {
    for (const name of [null, 'Test GPU']) {
      const gpus = name === null ? [] : [{ uuid: 'GPU-1', name }];
      for (const host of hosts) await giveGpus(host, gpus);
      const { night, options, args } = await startNight(['ssh:lab', 'ssh:lab2']);
      const { code, stderr, events } = await sitting(args, options);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(eventsOf(events, 'verdict')).toHaveLength(5);
      expect(hostsOf(night.home)).toEqual(['lab', 'lab2']);
      for (const { home } of hosts) expect(await readdir(join(home, '.cache/pawl/jobs'))).toEqual([]);
      await checkNight(night);
    }
  });
});
