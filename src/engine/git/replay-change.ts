import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeScratch, removeScratch } from '../scratch.ts';
import { commitTree, writeTree } from './commit-files.ts';
import { replaceLines } from './rebase-files.ts';
import { gitOf, PAWL_IDENTITY, type Repository, spellPath } from './repository.ts';

export type Replayed =
  | { readonly kind: 'tree'; readonly tree: string }
  | { readonly kind: 'conflict'; readonly files: readonly string[] };

/** The change of `commit` against its parent, which is to be made in another tree. */
type Change = { readonly onto: string; readonly parent: string; readonly commit: string };

/** One side of a conflicting file: 1 is the parent's, 2 the other tree's, 3 the commit's. */
type Side = { readonly mode: string; readonly blob: string; readonly stage: string };

/**
 * Merges a commit's change into the tree `onto` (`git merge-tree`), without a checkout. Changes of neighbouring
 * lines, such as constants, do not conflict if each line can be found.
 * @param scratch see {@link makeScratch}
 */
export async function replayChange(
  { onto, parent, commit }: Change,
  repository: Repository,
  scratch: string,
): Promise<Replayed> {
  // A commit whose parent is the change's parent, so that git takes that as the merge base.
  const own = await commitTree({ tree: onto, parent, message: 'replay' }, repository, PAWL_IDENTITY);
  const { stdout } = await gitOf(
    repository,
    ['merge-tree', '--write-tree', '--no-messages', '-z', own, commit],
    // 1 means a conflict; the tree then contains conflict marks.
    { accept: [0, 1] },
  );
  const { tree, conflicts } = readMerge(stdout);
  if (conflicts.size === 0) return { kind: 'tree', tree };
  const merged = new Map<string, string>();
  const modes = new Map<string, string>();
  for (const [path, sides] of conflicts) {
    const text = await mergeLines(sides, repository, scratch);
    if (text === null) continue;
    merged.set(path, text);
    modes.set(path, sides[0]?.mode ?? '');
  }
  const left = [...conflicts.keys()].filter(path => !merged.has(path));
  if (left.length > 0) return { kind: 'conflict', files: left };
  return { kind: 'tree', tree: await writeTree({ from: tree, files: merged, modes }, repository, scratch) };
}

/** The tree, then `<mode> <blob> <stage>\t<path>` for each side of each conflict. Source: git-merge-tree(1), OUTPUT. */
function readMerge(stdout: Buffer): {
  readonly tree: string;
  readonly conflicts: ReadonlyMap<string, readonly Side[]>;
} {
  const [tree = '', ...lines] = stdout.toString('latin1').split('\0').filter(Boolean);
  const conflicts = new Map<string, Side[]>();
  for (const line of lines) {
    const [head = '', ...rest] = line.split('\t');
    const [mode = '', blob = '', stage = ''] = head.split(' ');
    const path = spellPath(Buffer.from(rest.join('\t'), 'latin1'));
    conflicts.set(path, [...(conflicts.get(path) ?? []), { mode, blob, stage }]);
  }
  return { tree, conflicts };
}

/** Merged line by line; null for files that are not text, or do not have the same mode on all sides. */
async function mergeLines(
  sides: readonly Side[],
  repository: Repository,
  scratch: string,
): Promise<string | null> {
  const [first] = sides;
  if (sides.length !== 3 || !first?.mode.startsWith('100')) return null;
  if (sides.some(({ mode, stage }, place) => mode !== first.mode || stage !== String(place + 1))) return null;
  const [before, now, next] = await Promise.all(
    sides.map(async ({ blob }) => (await gitOf(repository, ['cat-file', 'blob', blob])).stdout),
  );
  if (!before || !now || !next || ![before, now, next].every(isText)) return null;
  const folder = await makeScratch(scratch, 'merge');
  try {
    await writeFile(join(folder, 'before'), before);
    await writeFile(join(folder, 'next'), next);
    return await replaceLines(folder, now.toString('utf8'));
  } finally {
    await removeScratch(folder);
  }
}

function isText(content: Buffer): boolean {
  return Buffer.from(content.toString('utf8'), 'utf8').equals(content);
}
