import { lstat, mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PawlError } from '../../shared/errors.ts';
import { type GitOptions, type GitResult, git } from './git.ts';
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

export function gitIn(worktree: Worktree, args: readonly string[], options?: GitOptions): Promise<GitResult> {
  return git(worktree.path, ['--git-dir', worktree.adminDir, '--work-tree', worktree.path, ...args], options);
}

/**
 * The worktree at `path`, made or mended where needed: first start, folder deleted, `.git` file gone or
 * rewritten, repository moved. Its content is whatever it was; see `resetWorktree`.
 */
export async function openWorktree(
  repository: Repository,
  path: string,
  commit: string,
): Promise<{ readonly worktree: Worktree; readonly isNew: boolean }> {
  const worktree: Worktree = { path, adminDir: join(repository.gitDir, 'worktrees', basename(path)) };
  const [folder, admin] = await Promise.all([exists(path), exists(join(worktree.adminDir, 'HEAD'))]);
  if (folder && admin) {
    await writeLinks(worktree);
    // Only this study uses the folder and only one engine runs, so a lock left there is a dead process's.
    await rm(join(worktree.adminDir, 'index.lock'), { force: true });
    await rm(join(worktree.adminDir, 'HEAD.lock'), { force: true });
    return { worktree, isNew: false };
  }
  await rm(path, { recursive: true, force: true });
  await mkdir(dirname(path), { recursive: true });
  await gitOf(repository, [
    ...['worktree', 'add', '--force', '--force', '--quiet', '--detach', '--lock'],
    ...['--reason', 'used by a Pawl study', '--', path, commit],
  ]);
  const link = await readFile(join(path, '.git'), 'utf8');
  const made = await realpath(link.replace(/^gitdir: /, '').trim());
  if (made !== (await realpath(worktree.adminDir))) {
    throw new PawlError('git_failed', `git made the worktree's record at ${made}, not ${worktree.adminDir}.`);
  }
  return { worktree, isNew: true };
}

/** Puts both halves of git's link right: the file in the worktree and the one in the repository. */
async function writeLinks(worktree: Worktree): Promise<void> {
  const dotGit = join(worktree.path, '.git');
  await writeIfDifferent(dotGit, `gitdir: ${worktree.adminDir}\n`);
  await writeIfDifferent(join(worktree.adminDir, 'gitdir'), `${dotGit}\n`);
}

async function writeIfDifferent(path: string, content: string): Promise<void> {
  const isPlainFile = await lstat(path).then(
    stat => stat.isFile(),
    () => false,
  );
  if (isPlainFile && (await readFile(path, 'utf8')) === content) return;
  await rm(path, { recursive: true, force: true });
  await writeFile(path, content);
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Makes tracked files, index and (detached) HEAD those of `commit`. Untracked files are left. */
export async function resetWorktree(worktree: Worktree, commit: string): Promise<void> {
  await gitIn(worktree, ['reset', '--hard', '--quiet', commit]);
}

/** Takes the worktree and git's record of it away. Refs and commits stay. */
export async function removeWorktree(repository: Repository, path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await rm(join(repository.gitDir, 'worktrees', basename(path)), { recursive: true, force: true });
}

/** Which of the untracked paths git ignores. */
export async function filterIgnored(
  worktree: Worktree,
  paths: readonly string[],
): Promise<ReadonlySet<string>> {
  if (paths.length === 0) return new Set();
  const { stdout } = await gitIn(worktree, ['check-ignore', '-z', '--stdin'], {
    stdin: paths.map(path => `${path}\0`).join(''),
    accept: [0, 1],
  });
  return new Set(stdout.toString('utf8').split('\0').filter(Boolean));
}

export type Commit = {
  readonly message: string;
  /** Changed, added and deleted paths; nothing else goes into the commit. */
  readonly paths: readonly string[];
  /** True when some path is not tracked yet; then git needs one more call. */
  readonly hasNewPaths: boolean;
  readonly identity: Readonly<Record<string, string>>;
};

/** Commits on the detached HEAD and returns the commit's full name. Returns null when git saw no change. */
export async function commitPaths(worktree: Worktree, commit: Commit): Promise<string | null> {
  if (commit.hasNewPaths) {
    await gitIn(worktree, ['add', '--force', '--all', '--pathspec-from-file=-', '--pathspec-file-nul'], {
      stdin: commit.paths.map(path => `${path}\0`).join(''),
      env: { GIT_LITERAL_PATHSPECS: '1' },
    });
  }
  const { exitCode, stdout } = await gitIn(
    worktree,
    ['commit', '--no-verify', '--no-gpg-sign', '--all', '--file=-'],
    { stdin: commit.message, env: commit.identity, accept: [0, 1] },
  );
  if (exitCode === 1) return null;
  // `core.abbrev=no` makes this line carry the whole name, which saves a process per experiment.
  const name = /^\[[^\]]*?([0-9a-f]{40,64})\]/.exec(stdout.toString('utf8'))?.[1];
  if (name) return name;
  const head = await gitIn(worktree, ['rev-parse', 'HEAD']);
  return head.stdout.toString('utf8').trim();
}
