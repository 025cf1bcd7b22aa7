import { chmodSync, lstatSync, readdirSync, readFileSync, realpathSync, renameSync } from 'node:fs';
import { mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PawlError } from '../../shared/errors.ts';
import { hasContentNow, readWhole, writeNew } from '../small-files.ts';
import { NO_HEAD_FILE } from './checkouts.ts';
import { type GitOptions, type GitResult, git } from './git.ts';
import { gitFailure, isPathUnknown, writeFailure } from './git-errors.ts';
import { removeAt } from './remove.ts';
import { gitOf, type Repository } from './repository.ts';

/**
 * A study's own checkout. git is always given its paths (`--git-dir`, `--work-tree`), so a training cannot redirect
 * git by changing the `.git` file.
 */
export type Worktree = {
  readonly path: string;
  /** git's administrative folder for it: `<common dir>/worktrees/<name>`. */
  readonly adminDir: string;
};

/**
 * Runs git on the worktree with Pawl's own index. The worktree's usual index and HEAD exist for the programs that run
 * in it; their changes to those (`git add`, `git checkout`, flags on entries) have no effect.
 */
export function gitIn(
  worktree: Worktree,
  args: readonly string[],
  options: GitOptions = {},
): Promise<GitResult> {
  return git(worktree.path, ['--git-dir', worktree.adminDir, '--work-tree', worktree.path, ...args], {
    ...options,
    env: { ...options.env, GIT_INDEX_FILE: indexPath(worktree) },
  });
}

function indexPath(worktree: Pick<Worktree, 'path'>): string {
  return `${worktree.path}.index`;
}

/** Where new objects of the study are written before git stores them. */
export function objectsFolder(worktree: Pick<Worktree, 'path'>): string {
  return `${worktree.path}.objects`;
}

/**
 * Opens the worktree at `path`, and creates or repairs it if needed: at the first start, after the folder was deleted
 * or replaced, the `.git` file or git's record was rewritten, or the repository was moved, and if dead processes left
 * locks. Its files stay as they are; see `resetWorktree`.
 * @param path absolute, without symbolic links
 */
export async function openWorktree(
  repository: Repository,
  path: string,
  commit: string,
  signal?: AbortSignal,
): Promise<{ readonly worktree: Worktree; readonly isNew: boolean }> {
  const worktree: Worktree = { path, adminDir: join(repository.gitDir, 'worktrees', basename(path)) };
  if (await mendWorktree(worktree, commit)) return { worktree, isNew: false };
  // A link is unlinked, never followed: its target is not Pawl's.
  for (const stale of [path, worktree.adminDir, indexPath(worktree)]) {
    await removeAt(Buffer.from(stale), signal);
  }
  await mkdir(dirname(path), { recursive: true });
  await gitOf(repository, [
    ...['worktree', 'add', '--force', '--force', '--quiet', '--detach', '--no-checkout', '--lock'],
    ...['--reason', 'used by a Pawl study', '--', path, commit],
  ]);
  if (!isRealFolder(worktree.adminDir)) {
    throw new PawlError('git_failed', `git did not make the worktree's record at ${worktree.adminDir}.`);
  }
  return { worktree, isNew: true };
}

/** Removes a worktree with its index and git's record of it, if the repository still exists and has one. */
export async function removeWorktree(repository: Repository | null, path: string): Promise<void> {
  for (const own of [path, indexPath({ path }), `${indexPath({ path })}.lock`, objectsFolder({ path })]) {
    await removeAt(Buffer.from(own));
  }
  if (!repository) return;
  const records = join(repository.gitDir, 'worktrees');
  await removeAt(Buffer.from(join(records, basename(path))));
  // git removes this folder with the last worktree.
  await rmdir(records).catch(() => {});
}

/**
 * Repairs what programs in the worktree did to it as a worktree. False if the folder or git's record of it is gone,
 * so that it has to be made anew.
 */
export async function mendWorktree(worktree: Worktree, commit: string): Promise<boolean> {
  if (isInOrder(worktree, commit)) return true;
  if (!isRealFolder(worktree.path) || !isRealFolder(worktree.adminDir)) return false;
  chmodSync(worktree.path, OWNER_ONLY);
  await mendLinks(worktree);
  // Also completes a half-made record: without a HEAD, git does not recognise it.
  await detachHead(worktree, commit);
  return true;
}

/** Whether a folder exists with no link on the way to it. */
function isRealFolder(path: string): boolean {
  try {
    return lstatSync(path).isDirectory() && realpathSync.native(path) === path;
  } catch {
    return false;
  }
}

/** Other users may not look into a worktree. */
const OWNER_ONLY = 0o700;

/** A merge or cherry-pick that a program began: `git commit` would finish it, with a second parent or another author. */
const HALF_DONE = ['MERGE_HEAD', 'MERGE_MODE', 'CHERRY_PICK_HEAD', 'REVERT_HEAD'];

/**
 * Files that do not belong into git's record of the worktree. Only this study uses it, so a lock in it belongs to a
 * dead process.
 */
function isLeft(name: string): boolean {
  return (
    ['index.lock', 'HEAD.lock', 'config.worktree', ...HALF_DONE].includes(name) ||
    /^next-index-\d+\.lock$/.test(name)
  );
}

/** The files that link the worktree to git's record of it and back, with their content. */
function linksOf({ path, adminDir }: Worktree): readonly (readonly [path: string, content: string])[] {
  return [
    [join(path, '.git'), `gitdir: ${adminDir}\n`],
    [join(adminDir, 'gitdir'), `${join(path, '.git')}\n`],
    [join(adminDir, 'commondir'), '../..\n'],
  ];
}

/** Whether nothing needs repair, as after most trainings. Reads only small files, synchronously. */
function isInOrder(worktree: Worktree, commit: string): boolean {
  const { path, adminDir } = worktree;
  try {
    return (
      isRealFolder(path) &&
      isRealFolder(adminDir) &&
      (lstatSync(path).mode & 0o7777) === OWNER_ONLY &&
      linksOf(worktree).every(([file, content]) => hasContentNow(file, content)) &&
      hasContentNow(join(adminDir, 'HEAD'), `${commit}\n`) &&
      !readdirSync(adminDir).some(isLeft) &&
      lstatSync(`${indexPath(worktree)}.lock`, { throwIfNoEntry: false }) === undefined
    );
  } catch {
    return false;
  }
}

async function mendLinks(worktree: Worktree): Promise<void> {
  const { adminDir } = worktree;
  for (const [path, content] of linksOf(worktree)) await writeIfDifferent(path, content);
  const names = await readdir(adminDir).catch(() => []);
  for (const left of [
    ...names.filter(isLeft).map(name => join(adminDir, name)),
    `${indexPath(worktree)}.lock`,
  ])
    await removeAt(Buffer.from(left));
}

/** Whether the worktree's `.git` is still git's own file and leads to git's record. */
export function hasIntactLink({ path, adminDir }: Worktree): boolean {
  return hasContentNow(join(path, '.git'), `gitdir: ${adminDir}\n`) && isRealFolder(adminDir);
}

async function writeIfDifferent(path: string, content: string): Promise<void> {
  if (hasContentNow(path, content)) return;
  await removeAt(Buffer.from(path));
  await writeFile(path, content);
}

/** Detaches HEAD at `commit`, whatever branch it is on; no branch moves. */
async function detachHead(worktree: Worktree, commit: string): Promise<void> {
  const path = join(worktree.adminDir, 'HEAD');
  const now = readSmallFile(path);
  if (now.startsWith(NO_HEAD_FILE)) await gitIn(worktree, ['update-ref', '--no-deref', 'HEAD', commit]);
  else if (now !== `${commit}\n`) await putFile(path, Buffer.from(`${commit}\n`), { flush: true });
}

/** Empty if it is not a file. */
function readSmallFile(path: string): string {
  try {
    return lstatSync(path).isFile() ? readFileSync(path, 'utf8') : '';
  } catch {
    return '';
  }
}

/**
 * Makes the next reset write every file anew, whatever git's index says. Also removes objects that a killed engine
 * had not stored yet.
 */
export async function forgetIndex(worktree: Worktree): Promise<void> {
  await rm(indexPath(worktree), { force: true });
  await rm(objectsFolder(worktree), { recursive: true, force: true });
}

/** Makes tracked files, index and (detached) HEAD those of `commit`. Leaves untracked files alone. */
export async function resetWorktree(worktree: Worktree, commit: string, signal?: AbortSignal): Promise<void> {
  await gitIn(worktree, ['read-tree', '--reset', '-u', commit], { signal });
  await showHead(worktree, commit);
}

/** Pawl's index of the worktree; null if there is none. */
export function readIndex(worktree: Worktree): Promise<Buffer | null> {
  return readWhole(indexPath(worktree));
}

/** Installs this index, and makes the commit HEAD. Its files must already be in place. */
export async function showIndex(worktree: Worktree, commit: string, index: Buffer): Promise<void> {
  await Promise.all([putFile(indexPath(worktree), index), showHead(worktree, commit, index)]);
}

/** Shows programs in the worktree Pawl's HEAD and index. */
export async function showHead(worktree: Worktree, commit: string, index?: Buffer): Promise<void> {
  const content = index ?? (await readIndex(worktree));
  if (!content) throw new PawlError('git_failed', `There is no index at ${indexPath(worktree)}.`);
  const shown = putFile(join(worktree.adminDir, 'index'), content);
  await Promise.all([detachHead(worktree, commit), shown]);
}

/**
 * A reader always finds the whole old file or the whole new one. Uses its own temporary name, because an editor that
 * watches the worktree may hold git's lock.
 */
async function putFile(path: string, content: Buffer, { flush = false } = {}): Promise<void> {
  const next = `${path}.next`;
  const write = () => writeNew(next, content, { flush });
  await write()
    .catch(async error => {
      if (error.code !== 'EEXIST') throw error;
      // A killed engine left a file of this name, or a program made one.
      await removeAt(Buffer.from(next));
      await write();
    })
    .catch(error => {
      throw writeFailure(path, error);
    });
  try {
    renameSync(next, path);
  } catch {
    // A program may have made a folder there.
    await removeAt(Buffer.from(path));
    await rename(next, path);
  }
}

/** Which of the untracked paths git ignores. */
export async function filterIgnored(
  worktree: Worktree,
  paths: readonly string[],
): Promise<ReadonlySet<string>> {
  if (paths.length === 0) return new Set();
  const { stdout } = await gitIn(worktree, ['check-ignore', '-z', '--stdin'], {
    stdin: paths.map(path => `${path}\0`).join(''),
    // 128: some path lies in a submodule or behind a link, which git does not ignore.
    accept: [0, 1, 128],
  });
  return new Set(stdout.toString('utf8').split('\0').filter(Boolean));
}

const COMMIT = ['commit', '--no-verify', '--no-gpg-sign'];
const LITERAL = { GIT_LITERAL_PATHSPECS: '1' };
/** The system limits arguments and environment to about two megabytes. */
const MAX_ARGUMENT_BYTES = 64 * 1024;

function commitOnly(worktree: Worktree, { message, paths, identity }: Commit): Promise<GitResult> {
  return gitIn(worktree, [...COMMIT, '--file=-', '--only', '--', ...paths], {
    stdin: message,
    env: { ...identity, ...LITERAL },
    accept: [0, 1],
  });
}

async function addAndCommit(worktree: Worktree, { message, paths, identity }: Commit): Promise<GitResult> {
  await gitIn(worktree, ['add', '--force', '--all', '--pathspec-from-file=-', '--pathspec-file-nul'], {
    stdin: paths.map(path => `${path}\0`).join(''),
    env: LITERAL,
  });
  return gitIn(worktree, [...COMMIT, '--file=-'], { stdin: message, env: identity, accept: [0, 1] });
}

export type Commit = {
  /** The attempt's parent. The index must hold the parent's tree, or that of an earlier attempt on it. */
  readonly parent: string;
  readonly message: string;
  /** Changed, added and deleted paths; the commit contains nothing else. */
  readonly paths: readonly string[];
  /** Whether the index holds the parent's tree and contains every path: then a single git call is enough. */
  readonly isPlain: boolean;
  readonly identity: Readonly<Record<string, string>>;
};

/** Commits the paths as they are on disk. Returns the commit's full id, or null if nothing changed. */
export async function commitPaths(worktree: Worktree, commit: Commit): Promise<string | null> {
  await detachHead(worktree, commit.parent);
  const isShort = Buffer.byteLength(commit.paths.join(' ')) < MAX_ARGUMENT_BYTES;
  const { exitCode, stdout, stderr } =
    commit.isPlain && isShort ? await commitOnly(worktree, commit) : await addAndCommit(worktree, commit);
  if (exitCode === 1 && isPathUnknown(stderr)) throw gitFailure(worktree.path, ['commit'], exitCode, stderr);
  if (exitCode === 1) return null;
  // With `core.abbrev=no` this line contains the full id, which saves one process per experiment.
  const said = /^\[[^\]]*?([0-9a-f]{40,64})\]/.exec(stdout.toString('utf8'))?.[1];
  const name = said ?? (await gitIn(worktree, ['rev-parse', 'HEAD'])).stdout.toString('utf8').trim();
  await showHead(worktree, name);
  return name;
}
