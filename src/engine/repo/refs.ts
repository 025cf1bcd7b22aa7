import { gitFailure } from './git.ts';
import { gitOf, type Repository, readRef } from './repository.ts';

export function branchRef(tag: string): string {
  return `refs/heads/autoresearch/${tag}`;
}

/** Ref that keeps an attempt for ever; a repair `k` of the same experiment gets `<n>.<k>`. */
export function attemptRef(tag: string, n: number, k: number): string {
  return k === 0 ? `refs/pawl/${tag}/${n}` : `refs/pawl/${tag}/${n}.${k}`;
}

/** Ref that keeps a proposal which waits for the user, or was turned down by them. */
export function reviewRef(tag: string, id: number): string {
  return `refs/pawl/${tag}/proposed/${id}`;
}

/** Tags are stricter than git's ref names, so that they can stand in a path or a table without quoting. */
export function isValidTag(tag: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(tag) && !tag.includes('..') && !/(\.lock|\.)$/.test(tag);
}

export const PREFIX_BLOCKED =
  'There is a branch named "autoresearch", so git cannot make autoresearch/<tag>. Rename it first.';

/** Whether git takes it as the name of a branch. */
export async function isBranchName(repository: Repository, name: string): Promise<boolean> {
  const { exitCode } = await gitOf(repository, ['check-ref-format', '--branch', name], {
    accept: [0, 1, 128, 129],
  });
  // `--branch` also takes `@{-1}` and the like, which name another branch.
  return exitCode === 0 && !name.startsWith('@') && !name.startsWith('-');
}

/** Whether a branch `autoresearch` keeps git from making any `autoresearch/<tag>`. */
export async function isPrefixBlocked(repository: Repository): Promise<boolean> {
  return (await readRef(repository, 'refs/heads/autoresearch')) !== null;
}

/** Whether the repository has a branch, or attempts of an earlier study, with this tag. */
export async function isTagUsed(repository: Repository, tag: string): Promise<boolean> {
  if ((await readRef(repository, branchRef(tag))) !== null) return true;
  const { stdout } = await gitOf(repository, ['for-each-ref', '--count=1', `refs/pawl/${tag}/`]);
  return stdout.length > 0;
}

/** Creates a ref, or does nothing where it already points there. False where it points elsewhere. */
export async function createRef(repository: Repository, ref: string, commit: string): Promise<boolean> {
  const { exitCode, stderr } = await gitOf(repository, ['update-ref', '--stdin', '-z'], {
    stdin: `create ${ref}\0${commit}\0`,
    accept: [0, 128],
  });
  return exitCode === 0 || settleRefusal(repository, ref, commit, stderr);
}

/**
 * Moves a ref by compare-and-swap. True when it points at `to` afterwards; false when it pointed at neither
 * `from` nor `to`, in which case nothing moved.
 */
export async function moveRef(
  repository: Repository,
  ref: string,
  from: string,
  to: string,
): Promise<boolean> {
  const { exitCode, stderr } = await gitOf(repository, ['update-ref', '--stdin', '-z'], {
    stdin: `update ${ref}\0${to}\0${from}\0`,
    accept: [0, 128],
  });
  return exitCode === 0 || settleRefusal(repository, ref, to, stderr);
}

/** git refused. If the ref is where it should be, an earlier life of the engine put it there. */
async function settleRefusal(
  repository: Repository,
  ref: string,
  wanted: string,
  stderr: string,
): Promise<boolean> {
  const now = await readRef(repository, ref);
  if (now === wanted) return true;
  if (/reference already exists|but expected|reference is missing|unable to resolve reference/.test(stderr)) {
    return false;
  }
  throw gitFailure(repository.gitDir, ['update-ref'], 128, stderr);
}
