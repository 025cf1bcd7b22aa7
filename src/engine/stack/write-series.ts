import { constants, copyFile, mkdir, readdir, realpath, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PawlError } from '../../shared/errors.ts';
import type { Study } from '../../shared/study.ts';
import { writeMbox, writePatches } from '../git/format-patches.ts';
import type { Repository } from '../git/repository.ts';
import { isBelow } from '../paths.ts';
import { makeScratch, removeScratch } from '../scratch.ts';
import { type Choice, commitStack, type StackPorts, withStack } from './stack.ts';

/** The chosen keeps as one file for `git am`; writes nothing anywhere else. */
export function seriesOf(ports: StackPorts, study: Study, choice: Choice): Promise<Buffer> {
  return withStack(ports, study, choice.order, async stack => {
    const { tip } = await commitStack(stack, ports, choice);
    return writeMbox(stack.borrowed, { base: stack.line.base, tip });
  });
}

/**
 * The same as numbered files in a folder, which is created if needed. Returns the files' paths in order. Rejects with
 * `usage`, and writes no file, if the folder is in the user's checkout, cannot be written, or contains one of the
 * files.
 * @param folder absolute
 */
export function saveSeries(
  ports: StackPorts,
  study: Study,
  folder: string,
  choice: Choice,
): Promise<readonly string[]> {
  return withStack(ports, study, choice.order, async stack => {
    await refuseCheckout(stack.repository, folder);
    const { tip } = await commitStack(stack, ports, choice);
    const made = await makeScratch(ports.paths.scratch, 'patches');
    try {
      await writePatches(stack.borrowed, { base: stack.line.base, tip }, made);
      return await moveIn(made, folder);
    } finally {
      await removeScratch(made);
    }
  });
}

async function moveIn(from: string, folder: string): Promise<readonly string[]> {
  const refuse = (error: unknown) => {
    const { code = '', path = folder } = error as NodeJS.ErrnoException;
    throw new PawlError('usage', `The patches cannot be written to ${path} (${code}).`, { cause: error });
  };
  await mkdir(folder, { recursive: true }).catch(refuse);
  const names = (await readdir(from)).sort();
  const there = new Set(await readdir(folder).catch(refuse));
  const taken = names.find(name => there.has(name));
  if (taken !== undefined) {
    throw new PawlError('usage', `${join(folder, taken)} already exists: name another folder.`);
  }
  const written: string[] = [];
  try {
    for (const name of names) {
      await copyFile(join(from, name), join(folder, name), constants.COPYFILE_EXCL);
      written.push(join(folder, name));
    }
  } catch (error) {
    await Promise.allSettled(written.map(path => rm(path)));
    refuse(error);
  }
  return written;
}

async function refuseCheckout({ path, gitDir }: Repository, folder: string): Promise<void> {
  const place = await resolveLinks(folder);
  if (!isBelow(place, path) && !isBelow(place, gitDir)) return;
  throw new PawlError(
    'usage',
    `${folder} lies in your checkout, where Pawl writes nothing: name another folder.`,
  );
}

/** The path without symbolic links, as far as it exists. */
async function resolveLinks(path: string): Promise<string> {
  const found = await realpath(path).catch(() => null);
  if (found !== null || dirname(path) === path) return found ?? path;
  return join(await resolveLinks(dirname(path)), basename(path));
}
