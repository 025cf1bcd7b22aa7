import { join } from 'node:path';
import { makeScratch, removeScratch } from '../scratch.ts';
import { gitOf, listTree, type Repository, readIdentity } from './repository.ts';

/**
 * Makes a commit on `parent` with changed or new files, outside any checkout: it touches no index, branch or file of
 * the user's, and no ref leads to it yet. Returns its id.
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
  const tree = await writeTree({ from: parent, files }, repository, scratch);
  return commitTree({ tree, parent, message }, repository, await readIdentity(repository));
}

/**
 * Writes the tree of `from` with changed or new files. Returns its id.
 * @param modes of all the files, where they are known
 */
export async function writeTree(
  {
    from,
    files,
    modes,
  }: Readonly<{ from: string; files: ReadonlyMap<string, string>; modes?: ReadonlyMap<string, string> }>,
  repository: Repository,
  scratch: string,
): Promise<string> {
  const folder = await makeScratch(scratch, 'tree');
  try {
    const run = async (args: readonly string[], stdin = '') => {
      const options = { stdin, env: { GIT_INDEX_FILE: join(folder, 'index') } };
      return (await gitOf(repository, args, options)).stdout.toString('utf8').trim();
    };
    const known = modes ?? new Map((await listTree(repository, from)).map(({ mode, path }) => [path, mode]));
    await run(['read-tree', from]);
    const entries: string[] = [];
    for (const [path, text] of files) {
      const blob = await run(['hash-object', '-w', '--stdin'], text);
      entries.push(`${known.get(path) ?? '100644'} ${blob}\t${path}\0`);
    }
    await run(['update-index', '-z', '--index-info'], entries.join(''));
    return await run(['write-tree']);
  } finally {
    await removeScratch(folder);
  }
}

/**
 * Commits a tree; no ref leads to the commit yet. Returns its id.
 * @param identity git's environment variables for author, committer and dates
 */
export async function commitTree(
  { tree, parent, message }: Readonly<{ tree: string; parent: string; message: string }>,
  repository: Repository,
  identity: Readonly<Record<string, string>>,
): Promise<string> {
  const options = { stdin: message, env: identity };
  const { stdout } = await gitOf(repository, ['commit-tree', tree, '-p', parent, '-F', '-'], options);
  return stdout.toString('utf8').trim();
}
