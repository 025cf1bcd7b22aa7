import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PawlError } from '../../shared/errors.ts';
import type { Study } from '../../shared/study.ts';
import { matchProposable } from '../contract/editable.ts';
import { listChangedFiles } from '../git/diff.ts';
import { exportFiles } from '../git/export-files.ts';
import { withoutGitVariables } from '../git/git.ts';
import { listTree, openRepository } from '../git/repository.ts';
import type { DataPaths } from '../paths.ts';
import { makeScratch } from '../scratch.ts';
import type { Ledger } from '../store/ledger.ts';
import { readUserSettings } from '../user-settings.ts';
import { findEditor } from './find-editor.ts';

/** How many files are opened at once. */
const MOST_FILES = 10;

/**
 * Opens a copy of an attempt's editable files in the user's editor, in the folder for temporary files. It is for
 * reading: changes to the copy are lost. Rejects with `usage` if there is no editor or no attempt.
 */
export async function openExperiment(
  ports: {
    readonly ledger: Ledger;
    readonly paths: DataPaths;
    readonly environment: NodeJS.ProcessEnv;
  },
  study: Study,
  n: number,
): Promise<{ readonly editor: string; readonly folder: string }> {
  const { ledger, paths, environment } = ports;
  const { attemptCommit: commit, parentCommit } = ledger.experiments.get(study.id, n) ?? {};
  if (!commit || study.state === 'imported') {
    throw new PawlError('experiment_not_found', `Experiment ${n} of ${study.tag} has no commit to open.`);
  }
  const editor = await findEditor(environment, (await readUserSettings(paths.home)).editor);
  const repository = await openRepository(study.repositoryPath);
  const isEditable = matchProposable(study.contract);
  const files = (await listTree(repository, commit)).filter(
    ({ mode, path }) => mode.startsWith('100') && !path.includes('\0') && isEditable(path),
  );
  const folder = join(await makeScratch(paths.scratch, 'open'), `${study.tag}-${n}`);
  await mkdir(folder);
  await exportFiles(
    repository,
    commit,
    files.map(({ path }) => path),
    folder,
  );
  for (const { path } of files) await chmod(join(folder, path), 0o400);
  const changed = parentCommit ? await listChangedFiles(repository, parentCommit, commit) : [];
  const shown = files
    .map(({ path }) => path)
    .filter(path => changed.length === 0 || changed.some(other => other.path === path))
    .slice(0, MOST_FILES)
    .map(path => join(folder, path));
  const { program, takes } = editor;
  const places = takes === 'folder' ? [folder] : takes === 'files' ? shown : [folder, ...shown];
  await start(program, [...editor.arguments, ...places], environment);
  return { editor: basename(program), folder };
}

/** Starts one of the user's programs, which outlives this process; no shell reads its arguments. */
async function start(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const child = spawn(program, args, {
    ...{ detached: true, stdio: 'ignore' },
    env: withoutGitVariables(environment),
  });
  await once(child, 'spawn').catch(cause => {
    throw new PawlError('usage', `${program} could not be started (${cause.code}).`, { cause });
  });
  child.unref();
}
