import { constants } from 'node:fs';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PawlError } from '../../../shared/errors.ts';
import type { Study } from '../../../shared/study.ts';
import { CrashReader } from '../../metrics/classify-crash.ts';
import { LineSplitter } from '../../metrics/line-splitter.ts';
import { studyFolder } from '../../paths.ts';
import { runMarker } from '../../process/markers.ts';
import { runTraining } from '../../process/run-training.ts';
import { environmentOf } from '../../sandbox/contain.ts';
import { keptFrom } from '../../sandbox/training-jail.ts';
import type { Workbench } from '../edit/workbench.ts';
import { endedWell } from '../train/ended-run.ts';
import type { TrainPorts } from '../train/train-ports.ts';
import { fingerprints } from './preserved.ts';

/** A set-up may download and compile; after this long it counts as hanging. */
const SETUP_LIMIT_SECONDS = 3600;

type Ports = Omit<TrainPorts, 'workbench' | 'now'>;

/** What a set-up added, and how long its command ran; null if there was none. */
type Made = { readonly paths: readonly string[]; readonly seconds: number | null };

/** Sets up a fresh checkout. */
export type SettingUp = (workbench: Workbench, ports: Ports) => Promise<Made>;

/** Sets up a fresh checkout, unless that was done in this worktree. Its files are kept from then on. */
export async function setUpOnce(
  study: Study,
  settingUp: SettingUp,
  workbench: Workbench,
  isNew: boolean,
  ports: Ports,
): Promise<void> {
  const { ledger, emit, folder: laneFolder } = ports;
  const done = doneMark(laneFolder);
  if (!isNew) {
    if (await isAsLeft(study, workbench, done, ports.sandbox !== null)) return;
    await discardSetUp(laneFolder, workbench);
  }
  await rm(done, { force: true });
  await mkdir(laneFolder, { recursive: true });
  const { paths, seconds } = await settingUp(workbench, ports);
  workbench.keep(paths);
  ledger.write(() => ledger.studies.setPreserved(study.id, paths));
  const left = await fingerprints(workbench.path, paths);
  await writeFile(done, JSON.stringify(Object.fromEntries(left)));
  if (seconds !== null) emit({ type: 'setup_finished', seconds });
}

/** Copies files that the checkout has, but no commit. */
export async function copyFromCheckout(
  paths: readonly string[],
  { path }: Workbench,
  { repository }: Pick<Ports, 'repository'>,
): Promise<Made> {
  for (const file of paths) {
    await copyFile(join(repository.path, file), join(path, file), constants.COPYFILE_FICLONE);
  }
  return { paths, seconds: null };
}

/** Runs the contract's set-up command. Rejects with `setup_failed`. */
export async function runSetUp(
  study: Study,
  command: string,
  workbench: Workbench,
  ports: Ports,
): Promise<Made> {
  const { paths, repository, emit, userEnvironment, killTimes, signal, folder: laneFolder } = ports;
  const folder = studyFolder(paths, study.id);
  emit({ type: 'setup_started', command });
  const reader = new CrashReader();
  const lines = new LineSplitter(line => reader.line(line));
  const result = await runTraining({
    command,
    cwd: workbench.path,
    environment: environmentOf(
      {
        contract: study.contract,
        repository,
        folder,
        userEnvironment,
        worktree: workbench.path,
      },
      runMarker(study.id, -1, ports.lane),
    ),
    logPath: join(laneFolder, 'setup.log'),
    limitSeconds: SETUP_LIMIT_SECONDS,
    onOutput: chunk => lines.push(chunk),
    signal,
    ...(killTimes ? { killTimes } : {}),
  });
  lines.end();
  if (result.outcome.kind === 'aborted') signal.throwIfAborted();
  if (!endedWell(result.outcome)) {
    const crash = reader.classify(result.outcome, null, study.contract.metric.name, SETUP_LIMIT_SECONDS);
    throw new PawlError(
      'setup_failed',
      `The set-up command failed: ${crash?.message} Its output is in ${join(laneFolder, 'setup.log')}.`,
    );
  }
  return { paths: await workbench.listMade(), seconds: result.seconds };
}

/**
 * Whether a set-up finished and its files are unchanged, which an engine that died during a training could not check.
 * Skipped if trainings are not contained, because they may write there.
 */
async function isAsLeft(
  study: Study,
  workbench: Workbench,
  done: string,
  isContained: boolean,
): Promise<boolean> {
  const left = await readLeft(done);
  if (left === null || !isContained) return left !== null;
  const kept = keptFrom(study.contract, [...left.keys()]);
  const now = await fingerprints(workbench.path, kept);
  return kept.every(path => now.get(path) === left.get(path));
}

/** Null if no set-up finished, or it is unknown. */
async function readLeft(done: string): Promise<ReadonlyMap<string, string> | null> {
  try {
    return new Map(Object.entries(JSON.parse(await readFile(done, 'utf8')) as Record<string, string>));
  } catch {
    return null;
  }
}

/** The file with the {@link fingerprints} of the set-up's files. */
function doneMark(folder: string): string {
  return join(folder, 'setup-done');
}

/** Removes the set-up command's files from the worktree, so that the set-up runs again before the next training. */
export async function discardSetUp(laneFolder: string, workbench: Workbench): Promise<void> {
  await rm(doneMark(laneFolder), { force: true });
  await workbench.discardSetUp();
}
