import { stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PawlError } from '../../../shared/errors.ts';
import type { RunOutcome } from '../../../shared/study.ts';
import { removeBelow } from '../../git/remove.ts';
import { bytesBelow } from '../../machine/bytes-below.ts';
import type { TrainingResult } from '../../process/run-training.ts';
import { DATA_VIEW } from '../../sandbox/contain.ts';
import { CACHES, removeCaches } from '../../sandbox/run-caches.ts';
import type { TrainPorts } from './train-ports.ts';

/** How much is kept of the output with which a run filled the disk. */
const KEPT_LOG_BYTES = 256 * 1024;
/**
 * If the run filled the disk, at least this share of the space that was free before it is free again once its files
 * are removed.
 */
const GIVEN_BACK = 0.7;

/** How long a run that did not fill the disk waits for the one that did, perhaps in another lane, to be cleaned up. */
const PASSING_MS = 10_000;
const LOOK_MS = 100;

export type FullDisk = {
  readonly outcome: Extract<RunOutcome, { kind: 'limited' }>;
  /** Ends the sitting if the run was not what filled the disk. */
  readonly error: PawlError;
};

/**
 * The outcome of a run that met a full disk; null for any other run. Throws if its output was lost for another reason.
 * @param isHere whether it ran on this machine, and so on this disk
 */
export function findFullDisk(
  { outcome, logError }: TrainingResult,
  broken: AbortSignal,
  home: string,
  isHere: boolean,
): FullDisk | null {
  const message = logError
    ? `The disk was full: its output could not be written (${logError.message}).`
    : 'The disk was full: its series could not be written.';
  const limited = { kind: 'limited', limit: 'disk', message } as const;
  const error = (cause: unknown) =>
    new PawlError(
      'disk_full',
      `The disk that holds ${home} is full or broken: the training's results could not be written${logError ? ` (${logError.message})` : ''}. ` +
        'Make room, then "pawl resume".',
      { cause },
    );
  if (isHere && outcome.kind === 'limited' && outcome.limit === 'disk')
    return { outcome, error: error(null) };
  if (broken.reason instanceof PawlError && broken.reason.code === 'disk_full') {
    return { outcome: limited, error: broken.reason };
  }
  if (!logError) return null;
  if (logError.code === 'ENOSPC' || logError.code === 'EDQUOT') {
    return { outcome: limited, error: error(logError) };
  }
  throw error(logError);
}

function hasNeighbours(n: number, { running }: TrainPorts): boolean {
  return [...running.keys()].some(other => other !== n);
}

/** Waits a while for room if the run of another lane may have filled the disk: it is ended and cleaned up soon. */
export async function outwaitOthers(n: number, ports: TrainPorts): Promise<void> {
  const { reserve, signal } = ports;
  const isFull = () => !reserve.hasRoom() && hasNeighbours(n, ports);
  for (let left = PASSING_MS; left > 0 && isFull() && !signal.aborted; left -= LOOK_MS) await delay(LOOK_MS);
}

/** Whether a disk that was just full has room again, because the run that may have filled it was beside this one. */
export async function hasPassed(n: number, ports: TrainPorts): Promise<boolean> {
  if (!hasNeighbours(n, ports)) return false;
  await outwaitOthers(n, ports);
  return ports.reserve.hasRoom() && !ports.signal.aborted;
}

/** Whether a run has written so much that it may be what filled the disk. */
export async function mayHaveFilled(
  { outputBytes }: TrainingResult,
  freeBefore: number,
  { workbench, folder }: TrainPorts,
): Promise<boolean> {
  const own = (await bytesBelow(workbench.path)) + (await bytesBelow(join(folder, CACHES))) + outputBytes;
  return own >= (1 - GIVEN_BACK) * freeBefore;
}

/**
 * Removes the run's files from its worktree and, if that is not enough, its caches and all but the beginning of its
 * output. Rejects if there is still no space: then something else filled the disk, and the run proves nothing.
 * Resolves to whether output was cut.
 * @param isOwn whether the run may have filled it; otherwise it waits a while for room
 */
export async function makeRoom(
  { error }: FullDisk,
  isOwn: boolean,
  freeBefore: number,
  commit: string,
  logPath: string,
  folder: string,
  { workbench, reserve, ledger, folder: laneFolder, signal }: TrainPorts,
): Promise<boolean> {
  const isGivenBack = () => reserve.free() > GIVEN_BACK * freeBefore;
  await workbench.checkout(commit);
  await removeBelow(laneFolder, DATA_VIEW);
  for (let left = isOwn ? 0 : PASSING_MS; left > 0 && !isGivenBack() && !signal.aborted; left -= LOOK_MS)
    await delay(LOOK_MS);
  // Removing caches only costs time, because compilers fill them again.
  if (!isGivenBack()) await removeCaches(folder, laneFolder);
  const isCut = !isGivenBack() && (await stat(logPath)).size > KEPT_LOG_BYTES;
  if (isCut) await truncate(logPath, KEPT_LOG_BYTES);
  ledger.shrink();
  const isOurs = isGivenBack();
  if (!isOurs || !reserve.hasRoom()) throw error;
  await reserve.fill();
  return isCut;
}
