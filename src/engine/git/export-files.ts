import { rm } from 'node:fs/promises';
import { git } from './git.ts';
import type { Repository } from './repository.ts';

/** Writes a commit's files into a folder, as a checkout would, but without a worktree. */
export async function exportFiles(
  repository: Repository,
  commit: string,
  paths: readonly string[],
  folder: string,
): Promise<void> {
  const index = `${folder}.export-index`;
  const run = (args: readonly string[], stdin = '') =>
    git(folder, ['--git-dir', repository.gitDir, '--work-tree', folder, ...args], {
      stdin,
      env: { GIT_INDEX_FILE: index },
    });
  try {
    await run(['read-tree', commit]);
    await run(['checkout-index', '--force', '-z', '--stdin'], paths.map(path => `${path}\0`).join(''));
  } finally {
    await rm(index, { force: true });
  }
}
