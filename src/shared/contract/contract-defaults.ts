import type { Contract } from './contract.ts';

/**
 * Defaults for everything that a contract leaves out. Separate from the schemas, so that readers of the ledger need
 * not build those.
 */

/** The time limit of a command other than the training, if none is set. */
export const CHECK_SECONDS = 600;

/** For a contract that names only its metric. */
export const DEFAULT_METRIC: Omit<Contract['metric'], 'name' | 'goal'> = {
  ...{ memory: null, memoryLimit: null, pattern: null, command: null, commandSeconds: CHECK_SECONDS },
  ...{ waitSeconds: null, pollSeconds: 600, require: [], verdict: null, leastGain: 0, bound: null },
};

/** For a contract that says nothing more about the time of its runs. */
export const DEFAULT_BUDGET: Pick<Contract['budget'], 'prune' | 'tolerance' | 'startupSeconds' | 'cores'> = {
  prune: false,
  tolerance: 0.1,
  startupSeconds: 60,
  cores: null,
};

/** For a contract that names no data to swap. */
export const DEFAULT_AUDIT: Contract['audit'] = { swaps: [], approvesHints: false };

/** For a contract without limits. */
export const DEFAULT_LIMITS: Contract['limits'] = { memoryGb: null, processes: null, freeDiskGb: null };

/** For a contract without sandbox settings. */
export const DEFAULT_SANDBOX: Contract['sandbox'] = {
  mode: 'preferred',
  network: false,
  writes: [],
  reads: [],
  cacheMb: 512,
};
