import type { Contract } from '../../../shared/contract/contract.ts';
import { PawlError } from '../../../shared/errors.ts';
import type { Cluster } from '../../../shared/machines/cluster.ts';
import { clusterOfUser } from '../../remote/find-cluster.ts';
import { canProbe } from '../../stages/judge/verdict-rule.ts';
import { readUserSettings } from '../../user-settings.ts';
import type { FoundPlaces } from './find-places.ts';

const ASKS_ALONE =
  'A training that asks a model is counted by its questions, so this study can only run one experiment at a time: give it one lane.';

const ASKS_HERE =
  'A training asks its model through Pawl on this machine ([model]), which jobs of a cluster and runs over ssh cannot reach: train in a lane of this machine.';

const FOREIGN_PRELUDE =
  'The cluster.prelude of this repository would run as you, outside of the sandbox. Read it; if you want it, copy the section [cluster] to settings.toml in the data folder.';

/** Rejects with `usage` for what a contract cannot have in these lanes. */
export async function refuseLanes(
  { model }: Contract,
  { places, away }: FoundPlaces,
  cluster: Cluster | null,
  dataFolder: string,
): Promise<void> {
  const isElsewhere = away.length > 0 || places.some(({ elsewhere }) => elsewhere !== null);
  if (model && isElsewhere) throw new PawlError('usage', ASKS_HERE);
  if (model && places.length > 1) throw new PawlError('usage', ASKS_ALONE);
  if (!cluster?.prelude || !places.some(({ elsewhere }) => elsewhere?.kind === 'slurm')) return;
  const users = clusterOfUser(await readUserSettings(dataFolder));
  if (cluster.prelude !== users?.prelude) throw new PawlError('usage', FOREIGN_PRELUDE);
}

/** What the study does without where it trains on other machines; null if it misses nothing. */
export function describeMissing(contract: Contract, hasSeed: boolean): string | null {
  const missing = [
    ...(canProbe(contract) ? ['data is not swapped (audit.swap)'] : []),
    ...(hasSeed ? ['gains are not tried with other seeds'] : []),
  ];
  return missing.length === 0
    ? null
    : `On other machines ${missing.join(', and ')}: jobs train exactly what was committed.`;
}
