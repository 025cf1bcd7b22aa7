import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Contract } from '../../shared/contract/contract.ts';
import { type Cluster, clusterFromFile } from '../../shared/machines/cluster.ts';
import { readUserSettings } from '../user-settings.ts';

/** The cluster of a study: its contract's, otherwise the user's; null if there is none. Rejects with `settings_invalid`. */
export async function findCluster(
  { cluster }: Pick<Contract, 'cluster'>,
  dataFolder: string,
): Promise<Cluster | null> {
  if (cluster) return cluster;
  return clusterOfUser(await readUserSettings(dataFolder));
}

/** The cluster in the user's settings; null if there is none. */
export function clusterOfUser({ cluster }: Awaited<ReturnType<typeof readUserSettings>>): Cluster | null {
  return cluster ? clusterFromFile(cluster) : null;
}

/** The shared folder of a cluster, with `~` replaced by the user's home. */
export function clusterFolder({ folder }: Cluster, environment: NodeJS.ProcessEnv): string {
  return folder.startsWith('~/') ? join(environment.HOME ?? homedir(), folder.slice(2)) : folder;
}
