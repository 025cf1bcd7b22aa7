import type { Contract } from '../../shared/contract.ts';
import { PawlError } from '../../shared/errors.ts';
import { clusterFolder, findCluster } from '../remote/find-cluster.ts';
import { probeCluster } from '../remote/slurm/probe-cluster.ts';
import { sandboxMode } from '../sandbox/find-sandbox.ts';
import type { Add } from './check-training.ts';

/** Whether runs could be trained on the cluster, where there is one. A job of one second is submitted for that. */
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
    const checks = await probeCluster({ cluster, root, environment, needsSandbox });
    for (const { name, outcome, detail } of checks) add(name, outcome, detail);
  } catch (error) {
    if (!(error instanceof PawlError)) throw error;
    add('cluster', 'failed', error.message);
  }
}
