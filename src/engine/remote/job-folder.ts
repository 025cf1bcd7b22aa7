import { constants } from 'node:fs';
import { copyFile, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PawlError } from '../../shared/errors.ts';
import { findResource } from '../resources.ts';
import { describeJob, jobName } from './describe-job.ts';
import { type Read, type RemoteOutcome, type RemoteState, readOutcome, readState } from './outcome.ts';
import type { KnownJob, RemoteJob } from './remote-training.ts';
import { shareCommit, sharedRepository, unshareCommit } from './share-commit.ts';

/** In a job's folder: what was compiled in the checkout. */
export const COMPILED = 'compiled';
/** How much of the script's output to report. */
const SAID_BYTES = 2_000;

/** The folder of one job, shared with the machine that it runs on. */
export type JobFolder = {
  readonly name: string;
  readonly marker: string;
  readonly path: string;
};

/** @param root folder that the machines share */
export function jobFolder(root: string, marker: string): JobFolder {
  const name = jobName(marker);
  return { name, marker, path: join(root, 'jobs', name) };
}

/** The first file of the wrapper; it finds the others beside it. */
export function wrapperOf({ path }: JobFolder): string {
  return join(path, 'pawl_run.py');
}

/**
 * Makes the folder of a new job, with everything the wrapper needs; returns whether it did. Rewrites what an earlier
 * try left unfinished.
 */
export async function prepareFolder(root: string, folder: JobFolder, job: RemoteJob): Promise<boolean> {
  const shared = sharedRepository(root, job.repository);
  const [isNew] = await Promise.all([
    makeFolder(root, folder, job, shared),
    shareCommit(job.repository, shared, job.commit, folder.name),
  ]);
  return isNew;
}

/** {@link prepareFolder} for a repository that is elsewhere. */
export async function makeFolder(
  root: string,
  folder: JobFolder,
  job: RemoteJob,
  repository: string,
): Promise<boolean> {
  await mkdir(join(root, 'jobs'), { recursive: true, mode: 0o700 });
  const isNew = await mkdir(folder.path, { mode: 0o700 }).then(
    () => true,
    error => {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    },
  );
  await copyWrapper(folder.path);
  for (const path of job.compiled.paths) {
    const copy = join(folder.path, COMPILED, path);
    await mkdir(dirname(copy), { recursive: true });
    await copyFile(join(job.repository.path, path), copy, constants.COPYFILE_FICLONE);
  }
  await writeWhole(join(folder.path, 'job.json'), JSON.stringify(describeJob(job, repository)));
  return isNew;
}

async function copyWrapper(to: string): Promise<void> {
  const from = findResource('remote');
  if (from === null) throw new PawlError('internal', 'Pawl was installed without its program for nodes.');
  // The filters are for each kind of machine, because the one that will run it is unknown.
  const filters = findResource('seccomp');
  const kinds = filters === null ? [] : await readdir(filters);
  const files = [
    ...(await readdir(from)).filter(name => name.endsWith('.py')).map(name => join(from, name)),
    ...kinds.filter(name => name.endsWith('.bpf')).map(name => join(filters ?? '', name)),
  ];
  // Together they wait for the disk once.
  await Promise.all(files.map(async file => writeWhole(join(to, basename(file)), await readFile(file))));
}

/** Readers never see a partial file: a job that was already submitted may read it at the same time. */
export async function writeWhole(path: string, text: string | Buffer): Promise<void> {
  await writeFile(`${path}.part`, text, { mode: 0o600, flush: true });
  await rename(`${path}.part`, path);
}

/** Number of the job that claimed this folder first, or was submitted from it; null where that is unknown. */
export async function jobNumber({ path }: JobFolder, file: 'claim' | 'submitted'): Promise<string | null> {
  const text = await readFile(join(path, file), 'utf8').catch(() => '');
  return /^\d+$/.test(text) ? text : null;
}

export function writeSubmitted({ path }: JobFolder, job: string): Promise<void> {
  return writeWhole(join(path, 'submitted'), job);
}

/** Asks the wrapper to end; one that has not begun will not train. */
export function writeCancel({ path }: JobFolder): Promise<void> {
  return writeFile(join(path, 'cancel'), '');
}

export function outcomeOf({ path, marker }: JobFolder): Promise<Read<RemoteOutcome>> {
  return readOutcome(join(path, 'outcome.json'), marker);
}

export function stateOf({ path, marker }: JobFolder): Promise<Read<RemoteState>> {
  return readState(join(path, 'state.json'), marker);
}

/** The last output of the job's script itself: from its modules and prelude, or that there is no Python. */
export async function saidBy({ path }: JobFolder): Promise<string> {
  const handle = await open(join(path, 'job.out'), 'r').catch(() => null);
  if (!handle) return '';
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.min(size, SAID_BYTES));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8', 0, bytesRead).trim();
  } finally {
    await handle.close();
  }
}

/** Removes the folder and the ref that kept the commit in the shared repository. */
export async function removeFolder(root: string, job: KnownJob): Promise<void> {
  const folder = jobFolder(root, job.marker);
  const shared = sharedRepository(root, job.repository);
  await unshareCommit(shared, folder.name);
  // The wrapper may be removing the same files.
  await rm(folder.path, { recursive: true, force: true, maxRetries: 5 });
}
