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
 * A study's own checkout. git is always told where it is (`--git-dir`, `--work-tree`), so nothing the training
 * does to the `.git` file in it can lead git elsewhere.
 */
export type Worktree = {
  readonly path: string;
  /** git's own folder for it: `<common dir>/worktrees/<name>`. */
  readonly adminDir: string;
};

/**
 * git on the worktree with an index of Pawl's own beside it. The worktree's usual index and HEAD are there for the
 * programs that run in it; what they do to them (`git add`, `git checkout`, flags on entries) does not count.
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

/** Where objects of the worktree's study lie until git has them. */
export function objectsFolder(worktree: Pick<Worktree, 'path'>): string {
  return `${worktree.path}.objects`;
}

/**
 * The worktree at `path`, made or mended where needed: first start, folder deleted or put in another's place, `.git`
 * file or git's record rewritten, repository moved, locks of dead processes. Its files are whatever they were; see
 * `resetWorktree`.
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
  // A link is unlinked, never followed: what it points to is not ours.
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

/** Takes a worktree away, with its index and git's record of it, where there still is a repository that has one. */
export async function removeWorktree(repository: Repository | null, path: string): Promise<void> {
  for (const own of [path, indexPath({ path }), `${indexPath({ path })}.lock`, objectsFolder({ path })]) {
    await removeAt(Buffer.from(own));
  }
  if (!repository) return;
  const records = join(repository.gitDir, 'worktrees');
  await removeAt(Buffer.from(join(records, basename(path))));
  // git has no such folder where there is no worktree.
  await rmdir(records).catch(() => {});
}

/**
 * Puts right what programs in the worktree did to it as a worktree. False where the folder or git's record of it is
 * gone, and there is nothing to mend.
 */
export async function mendWorktree(worktree: Worktree, commit: string): Promise<boolean> {
  if (isInOrder(worktree, commit)) return true;
  if (!isRealFolder(worktree.path) || !isRealFolder(worktree.adminDir)) return false;
  chmodSync(worktree.path, OWNER_ONLY);
  await mendLinks(worktree);
  // Also for a record that is only half made: without a HEAD git does not take it for one.
  await detachHead(worktree, commit);
  return true;
}

/** Whether there is a folder, with no link on the way to it. */
function isRealFolder(path: string): boolean {
  try {
    return lstatSync(path).isDirectory() && realpathSync.native(path) === path;
  } catch {
    return false;
  }
}

/** Nobody else may look into a worktree. */
const OWNER_ONLY = 0o700;

/** A merge or pick that a program began: `git commit` would end it, with a second parent or another's name. */
const HALF_DONE = ['MERGE_HEAD', 'MERGE_MODE', 'CHERRY_PICK_HEAD', 'REVERT_HEAD'];

/** What does not belong into git's record of the worktree. Only this study uses it, so a lock left there is a dead process's. */
function isLeft(name: string): boolean {
  return (
    ['index.lock', 'HEAD.lock', 'config.worktree', ...HALF_DONE].includes(name) ||
    /^next-index-\d+\.lock$/.test(name)
  );
}

/** The files that lead from the worktree to git's record of it and back, with what they say. */
function linksOf({ path, adminDir }: Worktree): readonly (readonly [path: string, content: string])[] {
  return [
    [join(path, '.git'), `gitdir: ${adminDir}\n`],
    [join(adminDir, 'gitdir'), `${join(path, '.git')}\n`],
    [join(adminDir, 'commondir'), '../..\n'],
  ];
}

/** Whether there is nothing to mend, as after most trainings. It reads files of some bytes only, at once. */
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

/** Whether the worktree's `.git` is still the file git made, and leads to git's record. */
export function hasIntactLink({ path, adminDir }: Worktree): boolean {
  return hasContentNow(join(path, '.git'), `gitdir: ${adminDir}\n`) && isRealFolder(adminDir);
}

async function writeIfDifferent(path: string, content: string): Promise<void> {
  if (hasContentNow(path, content)) return;
  await removeAt(Buffer.from(path));
  await writeFile(path, content);
}

/** Detaches HEAD at `commit`, whatever branch somebody put it on; no branch moves. */
async function detachHead(worktree: Worktree, commit: string): Promise<void> {
  const path = join(worktree.adminDir, 'HEAD');
  const now = readSmallFile(path);
  if (now.startsWith(NO_HEAD_FILE)) await gitIn(worktree, ['update-ref', '--no-deref', 'HEAD', commit]);
  else if (now !== `${commit}\n`) await putFile(path, Buffer.from(`${commit}\n`), { flush: true });
}

/** Empty for what is no file. */
function readSmallFile(path: string): string {
  try {
    return lstatSync(path).isFile() ? readFileSync(path, 'utf8') : '';
  } catch {
    return '';
  }
}

/**
 * Makes the next reset write every file anew, whatever git believes to know of them. What a killed engine was about to store
 * goes too.
 */
export async function forgetIndex(worktree: Worktree): Promise<void> {
  await rm(indexPath(worktree), { force: true });
  await rm(objectsFolder(worktree), { recursive: true, force: true });
}

/** Makes tracked files, index and (detached) HEAD those of `commit`. Untracked files are left. */
export async function resetWorktree(worktree: Worktree, commit: string, signal?: AbortSignal): Promise<void> {
  await gitIn(worktree, ['read-tree', '--reset', '-u', commit], { signal });
  await showHead(worktree, commit);
}

/** Pawl's index of the worktree; null where there is none. */
export function readIndex(worktree: Worktree): Promise<Buffer | null> {
  return readWhole(indexPath(worktree));
}

/** Makes this the index, and the commit HEAD, whose files lie there already. */
export async function showIndex(worktree: Worktree, commit: string, index: Buffer): Promise<void> {
  await Promise.all([putFile(indexPath(worktree), index), showHead(worktree, commit, index)]);
}

/** Lets programs in the worktree see HEAD and index as Pawl has them. */
export async function showHead(worktree: Worktree, commit: string, index?: Buffer): Promise<void> {
  const content = index ?? (await readIndex(worktree));
  if (!content) throw new PawlError('git_failed', `There is no index at ${indexPath(worktree)}.`);
  const shown = putFile(join(worktree.adminDir, 'index'), content);
  await Promise.all([detachHead(worktree, commit), shown]);
}

/**
 * Whoever reads it meanwhile finds the old file or the new one, whole. Under a name of its own until then: git's lock may be held by
 * an editor that looks at the worktree.
 */
async function putFile(path: string, content: Buffer, { flush = false } = {}): Promise<void> {
  const next = `${path}.next`;
  const write = () => writeNew(next, content, { flush });
  await write()
    .catch(async error => {
      if (error.code !== 'EEXIST') throw error;
      // What a killed engine left under that name, or a program put there.
      await removeAt(Buffer.from(next));
      await write();
    })
    .catch(error => {
      throw writeFailure(path, error);
    });
  try {
    renameSync(next, path);
  } catch {
    // Programs may have put a folder there.
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
/** The system takes no more than some two megabytes of arguments and environment. */
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
  /** The attempt's parent. The index must hold its tree, or that of an attempt on it. */
  readonly parent: string;
  readonly message: string;
  /** Changed, added and deleted paths; nothing else goes into the commit. */
  readonly paths: readonly string[];
  /** Whether the index holds the parent's tree, and every path is in it: then one call of git does it all. */
  readonly isPlain: boolean;
  readonly identity: Readonly<Record<string, string>>;
};

/** Commits the paths as they are on disk and returns the commit's full name, or null when git saw no change. */
export async function commitPaths(worktree: Worktree, commit: Commit): Promise<string | null> {
  await detachHead(worktree, commit.parent);
  const isShort = Buffer.byteLength(commit.paths.join(' ')) < MAX_ARGUMENT_BYTES;
  const { exitCode, stdout, stderr } =
    commit.isPlain && isShort ? await commitOnly(worktree, commit) : await addAndCommit(worktree, commit);
  if (exitCode === 1 && isPathUnknown(stderr)) throw gitFailure(worktree.path, ['commit'], exitCode, stderr);
  if (exitCode === 1) return null;
  // `core.abbrev=no` makes this line carry the whole name, which saves a process per experiment.
  const said = /^\[[^\]]*?([0-9a-f]{40,64})\]/.exec(stdout.toString('utf8'))?.[1];
  const name = said ?? (await gitIn(worktree, ['rev-parse', 'HEAD'])).stdout.toString('utf8').trim();
  await showHead(worktree, name);
  return name;
}
