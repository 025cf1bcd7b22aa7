import type { DiskReserve } from '../../machine/disk-reserve.ts';
import type { KillTimes } from '../../process/kill-tree.ts';
import type { Pruner } from './pruner.ts';
import type { SurroundingsPorts } from './surroundings.ts';

export type TrainPorts = SurroundingsPorts & {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly killTimes: KillTimes | undefined;
  readonly signal: AbortSignal;
  readonly pruner: Pruner;
  /** By experiment, the last `k` that a run of this sitting has reserved, because it is stored slightly later. */
  readonly claimed: Map<number, number>;
  /** By experiment, a function that ends its run at the user's request. */
  readonly running: Map<number, () => void>;
  readonly reserve: DiskReserve;
  /** Of the run that is about to begin: something else is to be done first, as soon as no machine has taken it yet. */
  readonly putOff?: AbortSignal | undefined;
};
