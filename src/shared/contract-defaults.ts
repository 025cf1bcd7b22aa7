import type { Contract } from './contract.ts';

/** What holds where a contract says nothing. Apart from the schemas, which a reader of the ledger does not need to build. */

/** A limit for a command that is no training, where none is named. */
export const CHECK_SECONDS = 600;

/** Of a contract that only names its metric. */
export const DEFAULT_METRIC: Omit<Contract['metric'], 'name' | 'goal'> = {
  ...{ memory: null, memoryLimit: null, pattern: null, command: null, commandSeconds: CHECK_SECONDS },
  ...{ waitSeconds: null, pollSeconds: 600, require: [], verdict: null, leastGain: 0, bound: null },
};

/** Of a contract that says nothing more of its runs' time. */
export const DEFAULT_BUDGET: Pick<Contract['budget'], 'prune' | 'tolerance' | 'startupSeconds' | 'cores'> = {
  prune: false,
  tolerance: 0.1,
  startupSeconds: 60,
  cores: null,
};

/** Of a contract that names no data to be exchanged. */
export const DEFAULT_AUDIT: Contract['audit'] = { swaps: [], approvesHints: false };

/** Of a contract that says nothing of them. */
export const DEFAULT_LIMITS: Contract['limits'] = { memoryGb: null, processes: null, freeDiskGb: null };

/** Of a contract that says nothing of it. */
export const DEFAULT_SANDBOX: Contract['sandbox'] = {
  mode: 'preferred',
  network: false,
  writes: [],
  reads: [],
  cacheMb: 512,
};
