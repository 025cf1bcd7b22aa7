import { join } from 'node:path';
import { makeScratch, removeScratch } from '../scratch.ts';
import { gitOf, listTree, type Repository, readIdentity } from './repository.ts';

/**
 * A commit on `parent` with other or further files, made beside every checkout: no index, branch or file of the user's is
 * touched, and no ref leads to it yet. Returns its id.
 * @param files whole texts by plain relative paths
 * @param scratch see {@link makeScratch}
 */
export async function commitFiles(
  {
    parent,
    files,
    message,
  }: Readonly<{ parent: string; files: ReadonlyMap<string, string>; message: string }>,
  repository: Repository,
  scratch: string,
): Promise<string> {
  const folder = await makeScratch(scratch, 'commit');
  try {
    const run = async (args: readonly string[], stdin = '', env: Readonly<Record<string, string>> = {}) => {
      const options = { stdin, env: { ...env, GIT_INDEX_FILE: join(folder, 'index') } };
      return (await gitOf(repository, args, options)).stdout.toString('utf8').trim();
    };
    const modes = new Map((await listTree(repository, parent)).map(({ mode, path }) => [path, mode]));
    await run(['read-tree', parent]);
    const entries: string[] = [];
    for (const [path, text] of files) {
      const blob = await run(['hash-object', '-w', '--stdin'], text);
      entries.push(`${modes.get(path) ?? '100644'} ${blob}\t${path}\0`);
    }
    await run(['update-index', '-z', '--index-info'], entries.join(''));
    const tree = await run(['write-tree']);
    return await run(['commit-tree', tree, '-p', parent, '-F', '-'], message, await readIdentity(repository));
  } finally {
    await removeScratch(folder);
  }
}
