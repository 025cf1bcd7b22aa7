import { commitTree, writeTree } from './commit-files.ts';
import { rebaseFiles } from './rebase-files.ts';
import { gitOf, listTree, PAWL_IDENTITY, type Repository, readBlob } from './repository.ts';

export type Replayed =
  | { readonly kind: 'tree'; readonly tree: string }
  | { readonly kind: 'conflict'; readonly files: readonly string[] };

/** What `commit` changed on its parent, to be changed in another tree. */
type Change = { readonly onto: string; readonly parent: string; readonly commit: string };

/**
 * The tree `onto` with the change of a commit merged into it (`git merge-tree`), without any checkout. Lines that stand one below
 * the other do not conflict where each can be found: constants do.
 * @param scratch see {@link makeScratch}
 */
export async function replayChange(
  change: Change,
  repository: Repository,
  scratch: string,
): Promise<Replayed> {
  const { onto, parent, commit } = change;
  // A commit on the parent, so that this is what git finds as the base of the merge.
  const own = await commitTree({ tree: onto, parent, message: 'replay' }, repository, PAWL_IDENTITY);
  const { stdout } = await gitOf(
    repository,
    ['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', own, commit],
    // 1: it conflicts, and the tree has marks where.
    { accept: [0, 1] },
  );
  const [tree = '', ...files] = stdout.toString('utf8').split('\0').filter(Boolean);
  if (files.length === 0) return { kind: 'tree', tree };
  const merged = await mergeLines(change, files, repository, scratch);
  const left = files.filter(path => !merged.has(path));
  if (left.length > 0) return { kind: 'conflict', files: left };
  return { kind: 'tree', tree: await writeTree({ from: tree, files: merged }, repository, scratch) };
}

/** Of the files those that can be merged line for line: texts that all three have, with the same mode. */
async function mergeLines(
  { onto, parent, commit }: Change,
  files: readonly string[],
  repository: Repository,
  scratch: string,
): Promise<ReadonlyMap<string, string>> {
  const modes = await Promise.all(
    [parent, onto, commit].map(
      async tree => new Map((await listTree(repository, tree)).map(({ path, mode }) => [path, mode])),
    ),
  );
  const merged = new Map<string, string>();
  for (const path of files) {
    const [mode, ...others] = modes.map(tree => tree.get(path));
    if (!mode?.startsWith('100') || others.some(other => other !== mode)) continue;
    const content = await readBlob(repository, commit, path);
    const text = content?.toString('utf8') ?? '';
    if (!content || !Buffer.from(text, 'utf8').equals(content)) continue;
    const edit = { files: new Map([[path, text]]), base: parent };
    const found = (await rebaseFiles(edit, onto, repository, scratch))?.get(path);
    if (found !== undefined) merged.set(path, found);
  }
  return merged;
}
