import { type BigIntStats, lstatSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readWhole, statNow, writeNew } from '../small-files.ts';
import type { Conversions } from './conversions.ts';
import { changeIndex, MAX_BYTES } from './index-file.ts';
import { ObjectBatch, openObjects } from './objects.ts';
import type { Repository } from './repository.ts';
import { changeTree, type TreeChange } from './trees.ts';
import { type Commit, gitIn, objectsFolder, readIndex, showIndex, type Worktree } from './worktree.ts';

/**
 * A commit that differs from its parent only in the content of plain files, and the way back to the parent. Most
 * edits are like this, and long-lived git processes can handle them, where `git commit` and `git read-tree` would
 * each start a process. Those two handle everything else: new, removed and converted files, other modes, odd names.
 */
export type PlainCommit = {
  readonly commit: string;
  readonly parent: string;
  readonly files: ReadonlyMap<string, TreeChange>;
};

export type PlainPlace = {
  readonly repository: Repository;
  readonly worktree: Worktree;
  readonly conversions: Conversions;
};

/**
 * A newline or NUL in a name would end the request to a long-lived git. git refuses a message with NUL, and takes one
 * with noncharacters for another encoding.
 */
const ODD_NAME = /[\0\n]/;
const ODD_MESSAGE = /[\0\p{Noncharacter_Code_Point}]/u;

/**
 * Commits files as they are on disk; the index must hold the parent's tree. Returns `unchanged` if the files equal
 * the parent's. Returns null if this is no plain edit or a git process failed; the worktree, its index and its HEAD
 * are then as before.
 */
export async function commitPlainEdit(
  place: PlainPlace,
  { parent, message, paths, identity }: Omit<Commit, 'isPlain'>,
): Promise<PlainCommit | 'unchanged' | null> {
  const { worktree } = place;
  const isOdd = (path: string) => ODD_NAME.test(path) || basename(path) === '.gitattributes';
  if (paths.some(isOdd) || ODD_MESSAGE.test(message) || !(await place.conversions.areNone(paths)))
    return null;
  const objects = openObjects(place.repository);
  const before = readIndex(worktree);
  const batch = new ObjectBatch(objects, objectsFolder(worktree), parent);
  const stats = new Map<string, BigIntStats>();
  const blobs = new Map<string, Pick<TreeChange, 'after' | 'isExecutable'>>();
  for (const path of paths) {
    const file = join(worktree.path, path);
    const stat = statNow(file);
    if (!stat?.isFile() || stat.size > MAX_BYTES) return null;
    const content = await readWhole(file, stat);
    if (!content) return null;
    stats.set(path, stat);
    blobs.set(path, { after: batch.addFile(file, content), isExecutable: (stat.mode & 0o100n) !== 0n });
  }
  const tree = await changeTree(`${parent}^{tree}`, blobs, {
    read: name => objects.read(name),
    add: content => batch.add('tree', content),
  });
  const index = tree && indexWith(await before, tree.files, stats, 'after');
  if (!tree || !index || tree.id === tree.before) {
    await batch.areStored();
    return tree && index ? 'unchanged' : null;
  }
  const who = await identify(worktree, identity);
  const head = `tree ${tree.id}\nparent ${parent}\nauthor ${who}\ncommitter ${who}\n`;
  const commit = batch.add('commit', Buffer.from(`${head}\n${message}`));
  if (!(await batch.areStored())) return null;
  await showIndex(worktree, commit, index);
  return { commit, parent, files: tree.files };
}

/**
 * Restores the parent's files; nothing else may have changed since the commit. Returns false if a file could not be
 * read or written; some files may then already be restored.
 */
export async function takeBackPlainEdit(place: PlainPlace, { parent, files }: PlainCommit): Promise<boolean> {
  const { repository, worktree, conversions } = place;
  if (!(await conversions.areNone([...files.keys()]))) return false;
  const objects = openObjects(repository);
  const after = readIndex(worktree);
  const stats = new Map<string, BigIntStats>();
  for (const [path, { before, isExecutable }] of files) {
    const blob = await objects.read(before);
    if (!blob) return false;
    const file = join(worktree.path, path);
    try {
      // Create a new file, as git does: the training may have changed the old one's permissions or made hard links to
      // it.
      unlinkSync(file);
      await writeNew(file, blob.content, { mode: isExecutable ? 0o777 : 0o666 });
    } catch {
      return false;
    }
    stats.set(path, lstatSync(file, { bigint: true }));
  }
  const index = indexWith(await after, files, stats, 'before');
  if (index) await showIndex(worktree, parent, index);
  return index !== null;
}

function indexWith(
  index: Buffer | null,
  files: ReadonlyMap<string, TreeChange>,
  stats: ReadonlyMap<string, BigIntStats>,
  side: 'before' | 'after',
): Buffer | null {
  const changes = [...files].flatMap(([path, change]) => {
    const stat = stats.get(path);
    return stat ? [[path, { blob: change[side], stat }] as const] : [];
  });
  return index && changeIndex(index, new Map(changes));
}

type Identity = Commit['identity'];
const identified = new WeakMap<Identity, Promise<string>>();

/** The author, who is the committer too, with the time, in git's format. */
async function identify(worktree: Worktree, identity: Identity): Promise<string> {
  const known = identified.get(identity) ?? askWho(worktree, identity);
  identified.set(identity, known);
  const minutes = -new Date().getTimezoneOffset();
  const digits = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const zone = `${minutes < 0 ? '-' : '+'}${digits(Math.abs(minutes) / 60)}${digits(Math.abs(minutes) % 60)}`;
  return `${await known} ${Math.floor(Date.now() / 1000)} ${zone}`;
}

async function askWho(worktree: Worktree, identity: Identity): Promise<string> {
  const { stdout } = await gitIn(worktree, ['var', 'GIT_AUTHOR_IDENT'], { env: identity });
  return stdout.toString('utf8').replace(/ \d+ [+-]\d{4}\n$/, '');
}
