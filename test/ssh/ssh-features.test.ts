import { afterAll, beforeAll, describe } from 'vitest';
import { testFeatures } from '../support/features-elsewhere.ts';
import { findSshdFault, type PrivateSshd, pathWithHosts, startSshd } from './private-sshd.ts';

const fault = findSshdFault();
let sshd: PrivateSshd;

// Without sshd there is nothing to test; `fault` says what is missing, and .ci/run installs it.
describe.skipIf(fault !== null)('a contract on a host of ssh', () => {
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd?.stop());

  testFeatures({
    lanes: 'ssh:lab',
    env: async () => ({ PATH: await pathWithHosts(sshd) }),
    contract: () => '',
  });
});
