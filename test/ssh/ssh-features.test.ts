import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest';
import { type Elsewhere, testFeatures } from '../support/features-elsewhere.ts';
import { findSshdFault, type PrivateSshd, pathWithHosts, startSshd } from './private-sshd.ts';

const fault = findSshdFault();
let sshd: PrivateSshd;

// Without sshd there is nothing to test; `fault` says what is missing, and .ci/run installs it.
describe.skipIf(fault !== null)('a contract on a host of ssh', () => {
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd?.stop());

  const place: Elsewhere = {
    lanes: 'ssh:lab',
    twoLanes: 'ssh:lab/cpu:2',
    env: async () => ({ PATH: await pathWithHosts(sshd) }),
    contract: () => '',
    home: () => sshd.home,
    onDisk: async disk => {
      const folder = join(sshd.home, '.cache/pawl');
      await mkdir(join(sshd.home, '.cache'), { recursive: true });
      await rm(folder, { recursive: true, force: true });
      await symlink(disk, folder);
      onTestFinished(() => rm(folder));
      return place;
    },
  };
  testFeatures(place);
});
