import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PawlError } from '../../shared/errors.ts';
import type { Study } from '../../shared/study.ts';
import { CrashReader } from '../metrics/crash.ts';
import { LineSplitter } from '../metrics/line-splitter.ts';
import { type DataPaths, studyFolder } from '../paths.ts';
import { runTraining } from '../training/run-training.ts';
import { runMarker } from './markers.ts';
import { environmentFor } from './surroundings.ts';
import type { TrainPorts } from './train-attempt.ts';
import type { Workbench } from './workbench.ts';

/** A set-up may download and compile; after this it hangs. */
const SETUP_LIMIT_SECONDS = 3600;

/**
 * Runs the contract's set-up command in a fresh checkout, unless this worktree has been set up before. What it made
 * is kept from then on. Rejects with `setup_failed`.
 */
export async function runSetUp(
  study: Study,
  command: string,
  workbench: Workbench,
  isNew: boolean,
  ports: Omit<TrainPorts, 'workbench' | 'now'>,
): Promise<void> {
  const { ledger, paths, repository, emit, userEnvironment, killTimes, signal } = ports;
  const folder = studyFolder(paths, study.id);
  const done = doneMark(folder);
  if (existsSync(done) && !isNew) return;
  await rm(done, { force: true });
  await mkdir(folder, { recursive: true });
  emit({ type: 'setup_started', command });
  const reader = new CrashReader();
  const lines = new LineSplitter(line => reader.line(line));
  const result = await runTraining({
    command,
    cwd: workbench.path,
    environment: environmentFor(study, { paths, repository, userEnvironment }, runMarker(study.id, -1, 0)),
    logPath: join(folder, 'setup.log'),
    limitSeconds: SETUP_LIMIT_SECONDS,
    onOutput: chunk => lines.push(chunk),
    signal,
    ...(killTimes ? { killTimes } : {}),
  });
  lines.end();
  if (result.outcome.kind === 'aborted') signal.throwIfAborted();
  if (result.outcome.kind !== 'exit' || result.outcome.code !== 0) {
    const crash = reader.classify(result.outcome, null, study.contract.metric.name, SETUP_LIMIT_SECONDS);
    throw new PawlError(
      'setup_failed',
      `The set-up command failed: ${crash?.message} Its output is in ${join(folder, 'setup.log')}.`,
    );
  }
  const preserved = await workbench.listMade();
  workbench.keep(preserved);
  ledger.write(() => ledger.studies.setPreserved(study.id, preserved));
  await writeFile(done, '');
  emit({ type: 'setup_finished', seconds: result.seconds });
}

function doneMark(folder: string): string {
  return join(folder, 'setup-done');
}

/** Takes back what the set-up command made in the worktree, so that it is run again before the next training. */
export async function discardSetUp(study: Study, paths: DataPaths, workbench: Workbench): Promise<void> {
  await rm(doneMark(studyFolder(paths, study.id)), { force: true });
  await workbench.discardSetUp();
}
