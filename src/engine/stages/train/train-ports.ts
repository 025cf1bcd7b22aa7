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
  /** By experiment, the last `k` that a run of this sitting has: it is written down a little later. */
  readonly claimed: Map<number, number>;
  /** By experiment, what ends the run of it that is under way, because the user wants no more of it. */
  readonly running: Map<number, () => void>;
  readonly reserve: DiskReserve;
  /** Of the run that is about to begin: something else is to be done first, as soon as no machine has taken it yet. */
  readonly putOff?: AbortSignal | undefined;
};
