import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { lastTrial, type RepeatPurpose, type Run, type Study } from '../../../shared/study.ts';
import { runLog } from '../../paths.ts';
import { limitsFor, type RunLimits } from '../../process/limits.ts';
import { runMarker } from '../../process/markers.ts';
import { outwaitOthers } from './full-disk.ts';
import type { RunWatch } from './pruner.ts';
import { type Surroundings, surroundingsOf } from './surroundings.ts';
import { isContainedElsewhere } from './train-elsewhere.ts';
import type { TrainPorts } from './train-ports.ts';

/** The commit to train. */
export type WantedRun = {
  readonly n: number;
  readonly commit: string;
  /** Why a commit that has its verdict is trained again; null for a run that leads to the verdict. */
  readonly purpose: RepeatPurpose | null;
};

/** A run that is in the ledger and can start training. */
export type BegunRun = WantedRun & {
  readonly study: Study;
  readonly k: number;
  /** Its row in the ledger. */
  readonly row: number;
  readonly marker: string;
  readonly logPath: string;
  readonly limits: RunLimits;
  /** Free bytes on the disk of Pawl's data, before the run. */
  readonly freeBefore: number;
  /** The baseline's last run, if there is one. */
  readonly baseline: Run | undefined;
  readonly isHopeless: RunWatch;
  readonly surroundings: Surroundings;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
};

/** What a run on another machine gets from this one. */
const ELSEWHERE: Surroundings = { environment: {} };

/** Prepares a run and stores its beginning. Rejects with `disk_full` if there is no space for it. */
export async function beginRun(study: Study, wanted: WantedRun, ports: TrainPorts): Promise<BegunRun> {
  const { ledger, paths, reserve } = ports;
  const { n, purpose } = wanted;
  await outwaitOthers(n, ports);
  // What the ledger still writes may come out of the reserve.
  reserve.requireRoom();
  await reserve.fill();
  const limits = limitsFor(study.contract.limits, paths.home);
  reserve.requireRoom(limits.disk.minFreeBytes);
  const freeBefore = reserve.free();
  const k = claimIndex(study, n, ports);
  const planned = {
    ...{ ...wanted, study, k, limits, freeBefore },
    marker: runMarker(study.id, n, k),
    logPath: runLog(paths, study.id, n, k),
    baseline: lastTrial(ledger.runs.list(study.id, 0)),
  };
  await ports.workbench.beginRun();
  const surroundings = ports.remote ? ELSEWHERE : await surround(planned, ports);
  // On other hardware a curve says nothing about those of the baseline's.
  const isWatched = purpose === null && !ports.place.isScreening;
  const isHopeless = isWatched ? await ports.pruner.watch(n) : () => null;
  const startedAt = ports.now();
  const row = writeBegin(planned, surroundings, startedAt, ports);
  ports.emit({ type: 'phase', n, phase: 'training' });
  mkdirSync(dirname(planned.logPath), { recursive: true });
  return { ...planned, surroundings, isHopeless, startedAt, row };
}

/** Plans how a run on this machine is started; does it again if a path to be mounted has disappeared meanwhile. */
export function surround(
  { study, marker, purpose }: Pick<BegunRun, 'study' | 'marker' | 'purpose'>,
  ports: TrainPorts,
): Promise<Surroundings> {
  const swaps = purpose === 'probe' ? study.contract.audit.swaps : [];
  return surroundingsOf(study, ports, marker, swaps);
}

/** An experiment with a verdict stays recorded. */
export function setPhase(
  { study, n, purpose }: Pick<BegunRun, 'study' | 'n' | 'purpose'>,
  phase: 'training' | 'measuring',
  { ledger }: TrainPorts,
): void {
  if (purpose === null) ledger.experiments.setPhase(study.id, n, phase);
}

/** Returns the run's row. */
function writeBegin(
  run: Pick<BegunRun, 'study' | 'n' | 'k' | 'commit' | 'purpose'>,
  { sandbox }: Surroundings,
  startedAt: number,
  ports: TrainPorts,
): number {
  const { study, n, k, commit, purpose } = run;
  const { ledger, remote, place } = ports;
  return ledger.write(() => {
    setPhase(run, 'training', ports);
    const isContained = remote ? isContainedElsewhere(study, ports) : sandbox !== undefined;
    const begun = { k, commit, purpose, isContained, lane: place.label };
    return ledger.runs.begin(study.id, n, begun, startedAt);
  });
}

/** The next `k` of an experiment, reserved so that no other lane gets it. */
function claimIndex({ id }: Study, n: number, { ledger, claimed }: TrainPorts): number {
  const k = Math.max(ledger.runs.nextIndex(id, n), 1 + (claimed.get(n) ?? -1));
  claimed.set(n, k);
  return k;
}
