import { access, constants, realpath, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { PawlError } from '../../shared/errors.ts';
import { type GitOptions, type GitResult, git, gitFields, gitText } from './git.ts';
import { isOwnedByOthers } from './git-errors.ts';
import { openObjects } from './objects.ts';
import { MAX_REMEMBERED_BYTES, remember } from './remember.ts';

/** A git repository with a checkout, as found on disk. */
export type Repository = {
  /** Absolute path of the top of the user's checkout, with symbolic links resolved. */
  readonly path: string;
  /** Absolute path of the common git directory. */
  readonly gitDir: string;
};

/** Runs git on the repository itself, whatever the current folder and the user's settings for bare repositories. */
export function gitOf(
  repository: Repository,
  args: readonly string[],
  options?: GitOptions,
): Promise<GitResult> {
  return git(repository.gitDir, ['--git-dir', repository.gitDir, ...args], options);
}

const opened = new Map<string, { readonly repository: Repository; readonly proof: string }>();

/**
 * The repository that contains `path`. git is asked again only if what it goes by has changed. Rejects with
 * `not_a_repository`.
 */
export async function openRepository(path: string): Promise<Repository> {
  const start = await realpath(path).catch(() => {
    throw new PawlError('not_a_repository', `There is no folder ${resolve(path)}.`);
  });
  const proof = await proveCheckout(start);
  const known = opened.get(start);
  if (known && known.proof === proof) return known.repository;
  if (known) openObjects(known.repository).renew();
  const repository = await findRepository(start);
  if (proof !== null && repository.path === start) opened.set(start, { repository, proof });
  return repository;
}

/**
 * What makes git take a folder for the top of a checkout, and where it finds objects, to be compared; null for a folder
 * that is none, or whose `.git` is no folder. Source: gitrepository-layout(5).
 */
async function proveCheckout(folder: string): Promise<string | null> {
  const stats = await Promise.all(
    ['', '.git', '.git/config', '.git/HEAD', '.git/objects', '.git/refs'].map(name =>
      stat(join(folder, name), { bigint: true }).catch(() => null),
    ),
  );
  const [top, git, config] = stats;
  if (stats.includes(null) || !git?.isDirectory()) return null;
  const lenders = await stat(join(folder, '.git/objects/info/alternates'), { bigint: true }).catch(
    () => null,
  );
  const files = [config, lenders].flatMap(file => [file?.ino, file?.ctimeNs, file?.size]);
  return [top?.uid, git.uid, git.ino, git.dev, ...files].join(' ');
}

async function findRepository(start: string): Promise<Repository> {
  const { exitCode, stdout, stderr } = await git(
    start,
    ['rev-parse', '--path-format=absolute', '--show-toplevel', '--git-common-dir'],
    { accept: [0, 128] },
  );
  const [top, gitDir] = splitTwoLines(stdout.toString('utf8'));
  if (exitCode !== 0 || !top || !gitDir) {
    const why = isOwnedByOthers(stderr)
      ? `git does not trust the folder's owner; run: git config --global --add safe.directory ${start}`
      : 'run "git init" there and commit your files, or choose another folder';
    throw new PawlError('not_a_repository', `${start} is not a checkout of a git repository: ${why}.`);
  }
  return { path: top, gitDir: await realpath(gitDir) };
}

/** A path may contain a newline; except in odd set-ups, the common directory is the `.git` of the top folder. */
function splitTwoLines(text: string): [string | undefined, string | undefined] {
  const body = text.replace(/\n$/, '');
  const lines = body.split('\n');
  if (lines.length === 2) return [lines[0], lines[1]];
  const half = lines.length / 2;
  return Number.isInteger(half)
    ? [lines.slice(0, half).join('\n'), lines.slice(half).join('\n')]
    : [undefined, undefined];
}

/** The checkout's HEAD, as a ref: a linked worktree has its own. Source: gitrepository-layout(5), "worktrees". */
async function headOf({ path, gitDir }: Repository): Promise<string> {
  const isElsewhere = await stat(join(path, '.git')).then(
    found => found.isFile(),
    () => false,
  );
  if (!isElsewhere) return 'HEAD';
  const own = relative(gitDir, await gitText(path, ['rev-parse', '--absolute-git-dir']));
  return own.startsWith('worktrees/') ? `${own}/HEAD` : 'HEAD';
}

/** The commit that the checkout's HEAD points at, or null on an unborn branch. */
export async function readHeadCommit(repository: Repository): Promise<string | null> {
  return readRef(repository, await headOf(repository));
}

/** Short name of the checked-out branch; null for a detached HEAD. */
export async function readBranch(repository: Repository): Promise<string | null> {
  const args = ['symbolic-ref', '--quiet', '--short', await headOf(repository)];
  const { exitCode, stdout } = await gitOf(repository, args, { accept: [0, 1, 128] });
  return exitCode === 0 ? stdout.toString('utf8').trim() : null;
}

/** The commit that a ref or revision names, or null if there is none. */
export async function readRef(repository: Repository, ref: string): Promise<string | null> {
  const name = `${ref}^{commit}`;
  const answer = await openObjects(repository).askForHeads([name]);
  if (answer.kind === 'answer') return answer.value[0]?.id ?? null;
  const { exitCode, stdout } = await gitOf(
    repository,
    ['rev-parse', '--verify', '--quiet', '--end-of-options', name],
    { accept: [0, 1, 128] },
  );
  return exitCode === 0 ? stdout.toString('utf8').trim() : null;
}

export type TreeEntry = { readonly mode: string; readonly path: string };

/** The incumbent's and the attempt's in a few lanes. */
const REMEMBERED_TREES = 16;

/**
 * Paths of a commit's tree, `/`-separated and spelled as `spellPath` does, with git's mode (`100644`, `120000` link,
 * `160000` submodule).
 */
export const listTree: (repository: Repository, commit: string) => Promise<readonly TreeEntry[]> = remember(
  REMEMBERED_TREES,
  readTree,
);

async function readTree(repository: Repository, commit: string): Promise<readonly TreeEntry[]> {
  const { stdout } = await gitOf(repository, ['ls-tree', '-r', '-z', '--full-tree', commit]);
  const entries: TreeEntry[] = [];
  for (let start = 0; start < stdout.length; ) {
    const end = stdout.indexOf(0, start);
    const tab = stdout.indexOf('\t', start);
    entries.push({
      mode: stdout.toString('latin1', start, start + 6),
      path: spellPath(stdout.subarray(tab + 1, end)),
    });
    start = end + 1;
  }
  return entries;
}

/** A path as text. Parts that are not UTF-8 become NUL and hex digits, which no other path can contain. */
export function spellPath(path: Buffer): string {
  const text = path.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(path)) return text;
  return path
    .toString('latin1')
    .split('/')
    .map(part => {
      const bytes = Buffer.from(part, 'latin1');
      const spelled = bytes.toString('utf8');
      return Buffer.from(spelled, 'utf8').equals(bytes) ? spelled : `\0${bytes.toString('hex')}`;
    })
    .join('/');
}

const REMEMBERED_BLOBS = 64;

/** Bytes of a file in a commit, or null where the commit has none at that path. */
export const readBlob: (repository: Repository, commit: string, path: string) => Promise<Buffer | null> =
  remember(REMEMBERED_BLOBS, askForBlob, bytes => bytes !== null && bytes.length <= MAX_REMEMBERED_BYTES);

async function askForBlob(repository: Repository, commit: string, path: string): Promise<Buffer | null> {
  const name = `${commit}:${path}`;
  const answer = await openObjects(repository).ask([name]);
  if (answer.kind === 'answer') return answer.value[0]?.type === 'blob' ? answer.value[0].content : null;
  const { exitCode, stdout } = await gitOf(repository, ['cat-file', 'blob', name], { accept: [0, 128] });
  return exitCode === 0 ? stdout : null;
}

/** Size of a file in a commit, or null where the commit has none at that path. */
export async function blobBytes(
  repository: Repository,
  commit: string,
  path: string,
): Promise<number | null> {
  const name = `${commit}:${path}`;
  const answer = await openObjects(repository).askForHeads([name]);
  if (answer.kind === 'answer') return answer.value[0]?.type === 'blob' ? answer.value[0].bytes : null;
  const { exitCode, stdout } = await gitOf(repository, ['cat-file', '-s', name], { accept: [0, 128] });
  return exitCode === 0 ? Number(stdout.toString('utf8')) : null;
}

/** Uncommitted paths of the user's checkout (they are not part of a study). */
export async function listDirtyPaths(repository: Repository): Promise<readonly string[]> {
  const fields = await gitFields(repository.path, ['status', '--porcelain', '-z', '--no-renames']);
  return fields.map(field => field.slice(3));
}

export async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}

export async function gitVersion(): Promise<string> {
  return (await gitText('/', ['--version'])).replace(/^git version /, '');
}

/** Variables that set git's author and committer. */
export function identityOf(name: string, email: string): Readonly<Record<string, string>> {
  return {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
  };
}

/** For commits if the user has set no name. */
export const PAWL_IDENTITY = identityOf('Pawl', 'pawl@localhost');

/** The name and e-mail for commits: the user's, or Pawl's if none is set. */
export async function readIdentity(repository: Repository): Promise<Readonly<Record<string, string>>> {
  const user = await readUser(repository);
  return user ? identityOf(user.name, user.email) : PAWL_IDENTITY;
}

/** The user in git's settings for the repository; null if name or e-mail is missing. */
export async function readUser(
  repository: Repository,
): Promise<{ readonly name: string; readonly email: string } | null> {
  const args = ['config', '-z', '--get-regexp', '^user\\.(name|email)$'];
  const { stdout } = await gitOf(repository, args, { accept: [0, 1] });
  // git prints a setting as its key, a newline and its value; of several values the last one counts.
  const settings = new Map(
    stdout
      .toString('utf8')
      .split('\0')
      .map(setting => [setting.split('\n', 1)[0], setting.replace(/^.*\n?/, '').trim()] as const),
  );
  const [name, email] = [settings.get('user.name'), settings.get('user.email')];
  return name && email ? { name, email } : null;
}
