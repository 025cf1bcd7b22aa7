import type { Contract, SandboxMode } from '../../shared/contract/contract.ts';
import { OFFLINE, TRACKERS_OFFLINE } from '../process/environment.ts';
import type { Seals } from '../sandbox/seals.ts';
import type { RemoteJob } from './remote-training.ts';

/** The user's set-up command may take as long here as on this machine. */
const SET_UP_SECONDS = 3_600;

/** The facts about a run that are not in its contract. */
export type RunOfContract = Pick<
  RemoteJob,
  | 'marker'
  | 'repository'
  | 'commit'
  | 'environment'
  | 'compiled'
  | 'locked'
  | 'observed'
  | 'logPath'
  | 'maxArtifactBytes'
> & {
  /** Whether it may train without a sandbox, as the user has agreed. */
  readonly containment: SandboxMode;
  readonly seals: Seals;
  /** Caches of data that it may read. */
  readonly dataFolders: readonly string[];
  readonly gpus?: readonly string[];
  readonly cores?: readonly number[];
  readonly avoid?: readonly string[];
};

/** A contract's run on another machine. */
export function jobOfContract(contract: Contract, run: RunOfContract): RemoteJob {
  const { seals, dataFolders, ...rest } = run;
  const { train, setup, metric, checks, budget, limits, sandbox, score } = contract;
  return {
    ...rest,
    setUp: setup === null ? null : { command: setup, seconds: SET_UP_SECONDS },
    train: { command: train, seconds: budget.limitSeconds },
    // A number that arrives later is requested from here.
    metric:
      metric.command === null || metric.waitSeconds !== null
        ? null
        : { command: metric.command, seconds: metric.commandSeconds },
    ...{ checks, limits, writes: sandbox.writes },
    containedEnvironment: sandbox.network ? {} : { ...TRACKERS_OFFLINE, ...OFFLINE },
    network: sandbox.network,
    reads: [...sandbox.reads, ...dataFolders],
    sealed: [...seals.folders, ...seals.files],
    artifacts: score?.artifacts ?? [],
  };
}
