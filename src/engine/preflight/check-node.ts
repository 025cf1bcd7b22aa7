import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { readBlob } from '../git/repository.ts';
import { firstProgram, splitFolder } from '../process/find-program.ts';
import type { CommitFiles } from '../sandbox/contain.ts';
import type { Add, TrainingInput } from './training-input.ts';

/** Programs that load packages from `node_modules`. */
const LOADERS = /^(?:node|npm|npx|pnpm|yarn|bun|tsx|ts-node)$/;

/** Whether a worktree has the packages of a training in JavaScript. */
export async function checkNodeModules(
  { repository, commit, contract: { train, setup } }: TrainingInput,
  { tree }: CommitFiles,
  add: Add,
): Promise<void> {
  if (setup !== null || !LOADERS.test(firstProgram(train) ?? '')) return;
  const folder = posix.normalize(splitFolder(train).folder);
  const manifest = posix.join(folder, 'package.json');
  const isCommitted = tree.some(({ path }) => path.startsWith(posix.join(folder, 'node_modules/')));
  if (isCommitted || !tree.some(({ path }) => path === manifest)) return;
  const isInstalled = existsSync(join(repository.path, folder, 'node_modules'));
  const text = await readBlob(repository, commit, manifest);
  if (!isInstalled && !namesPackages(text?.toString('utf8') ?? '')) return;
  add(
    'node_modules',
    'warning',
    `A worktree holds only what is committed, and node_modules is not. If the training needs its packages, write setup = "npm ci" under [contract] in pawl.toml.`,
  );
}

function namesPackages(manifest: string): boolean {
  try {
    return Object.keys(JSON.parse(manifest)?.dependencies ?? {}).length > 0;
  } catch {
    // The training will say what is wrong with it.
    return false;
  }
}
