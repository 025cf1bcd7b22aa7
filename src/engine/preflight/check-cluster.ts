import type { Contract } from '../../shared/contract/contract.ts';
import { PawlError } from '../../shared/errors.ts';
import { clusterFolder, findCluster } from '../remote/find-cluster.ts';
import { probeCluster } from '../remote/slurm/probe-cluster.ts';
import { sandboxMode } from '../sandbox/find-sandbox.ts';
import type { Add } from './training-input.ts';

const NOT_RUN =
  'The repository sets it and it would run as you, so the job that inspects a node leaves it out. It runs only if settings.toml has the same one.';

/** Whether the cluster, if there is one, could train runs. Submits a job of one second to find out. */
export async function checkCluster(
  contract: Contract,
  { dataFolder, environment }: { readonly dataFolder: string; readonly environment: NodeJS.ProcessEnv },
  add: Add,
): Promise<void> {
  try {
    const cluster = await findCluster(contract, dataFolder);
    if (cluster === null) return;
    const root = clusterFolder(cluster, environment);
    const needsSandbox = sandboxMode(contract, environment) !== 'off';
    const users = await findCluster({}, dataFolder);
    // Checking someone's repository must not run its commands as the user.
    const isTrusted = cluster.prelude === null || cluster.prelude === users?.prelude;
    if (!isTrusted) add('cluster prelude', 'skipped', NOT_RUN);
    const probed = isTrusted ? cluster : { ...cluster, prelude: null };
    const checks = await probeCluster({ cluster: probed, root, environment, needsSandbox });
    for (const { name, outcome, detail } of checks) add(name, outcome, detail);
  } catch (error) {
    if (!(error instanceof PawlError)) throw error;
    add('cluster', 'failed', error.message);
  }
}
