import { join } from 'node:path';
import { PawlError } from '../../shared/errors.ts';
import { findLock, gitFailure, isRefRefused } from './git-errors.ts';
import { LOCK_PATIENCE, type LockPatience, outwaitLock } from './outwait-lock.ts';
import { writeRefs } from './ref-writer.ts';
import { gitOf, type Repository, readRef } from './repository.ts';

export function branchRef(tag: string): string {
  return `refs/heads/autoresearch/${tag}`;
}

/** The ref that keeps an attempt for good; repair `k` of the same experiment gets `<n>.<k>`. */
export function attemptRef(tag: string, n: number, k: number): string {
  return k === 0 ? `refs/pawl/${tag}/${n}` : `refs/pawl/${tag}/${n}.${k}`;
}

/** The ref that keeps a proposal which the user has still to review, or has turned down. */
export function reviewRef(tag: string, id: number): string {
  return `refs/pawl/${tag}/proposed/${id}`;
}

export const PREFIX_BLOCKED =
  'There is a branch named "autoresearch", so git cannot make autoresearch/<tag>. Rename it first.';

/** Whether git accepts it as a branch name. */
export async function isBranchName(repository: Repository, name: string): Promise<boolean> {
  const { exitCode } = await gitOf(repository, ['check-ref-format', '--branch', name], {
    accept: [0, 1, 128, 129],
  });
  // `--branch` also accepts `@{-1}` and the like, which refer to another branch.
  return exitCode === 0 && !name.startsWith('@') && !name.startsWith('-');
}

/** Whether a branch named `autoresearch` exists, which keeps git from creating any `autoresearch/<tag>`. */
export async function isPrefixBlocked(repository: Repository): Promise<boolean> {
  return (await readRef(repository, 'refs/heads/autoresearch')) !== null;
}

/** Whether the repository has a branch, or attempts of an earlier study, with this tag. */
export async function isTagUsed(repository: Repository, tag: string): Promise<boolean> {
  if ((await readRef(repository, branchRef(tag))) !== null) return true;
  const { stdout } = await gitOf(repository, ['for-each-ref', '--count=1', `refs/pawl/${tag}/`]);
  return stdout.length > 0;
}

/** Creates a ref; does nothing if it already points there. False if it points elsewhere. */
export function createRef(
  repository: Repository,
  ref: string,
  commit: string,
  patience?: LockPatience,
): Promise<boolean> {
  return writeRef(repository, ref, `create ${ref}\0${commit}\0`, commit, patience);
}

/** Creates a ref. False if it exists, wherever it points: another process may have just made it. */
export function createNewRef(repository: Repository, ref: string, commit: string): Promise<boolean> {
  const readAnswer = async (stderr: string) => (isRefRefused(stderr) ? false : null);
  return writePatiently(repository, [ref], `create ${ref}\0${commit}\0`, readAnswer);
}

/**
 * Moves a ref by compare-and-swap. True when it points at `to` afterwards; false when it pointed at neither
 * `from` nor `to`, in which case nothing moved.
 */
export function moveRef(
  repository: Repository,
  ref: string,
  from: string,
  to: string,
  patience?: LockPatience,
): Promise<boolean> {
  return writeRef(repository, ref, `update ${ref}\0${to}\0${from}\0`, to, patience);
}

/** Counts a tag's refs, including its branch. */
export async function countRefs(repository: Repository, tag: string): Promise<number> {
  return (await listRefs(repository, tag)).length;
}

async function listRefs(repository: Repository, tag: string): Promise<readonly string[]> {
  const patterns = [branchRef(tag), `refs/pawl/${tag}/`];
  const { stdout } = await gitOf(repository, ['for-each-ref', '--format=%(refname)', ...patterns]);
  return stdout.toString('utf8').split('\n').filter(Boolean);
}

/** Removes the branch and every attempt of a tag. Missing refs are fine. Rejects if git fails. */
export async function removeTag(repository: Repository, tag: string, patience?: LockPatience): Promise<void> {
  const refs = await listRefs(repository, tag);
  if (refs.length === 0) return;
  const stdin = refs.map(ref => `delete ${ref}\0\0`).join('');
  await writePatiently(repository, refs, stdin, async () => null, patience);
}

/** Refs that only Pawl writes: any stale lock on them is Pawl's own. */
const OWN_REF = /^refs\/(?:heads\/autoresearch|pawl)\//;
/** Another process may keep writing the same ref. */
const MAX_TRIES = 10;

function writeRef(
  repository: Repository,
  ref: string,
  stdin: string,
  wanted: string,
  patience?: LockPatience,
): Promise<boolean> {
  const readAnswer = async (stderr: string) => {
    // If the ref is where it should be, an earlier engine put it there.
    if ((await readRef(repository, ref)) === wanted) return true;
    return isRefRefused(stderr) ? false : null;
  };
  return writePatiently(repository, [ref], stdin, readAnswer, patience);
}

/**
 * Writes refs in one transaction, and waits for other processes' locks. Rejects if git fails.
 * @param readAnswer turns git's refusal into an answer; null if it is a failure
 */
async function writePatiently(
  repository: Repository,
  refs: readonly string[],
  stdin: string,
  readAnswer: (stderr: string) => Promise<boolean | null>,
  patience = LOCK_PATIENCE,
): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    const { exitCode, stderr } = await writeRefs(repository, stdin);
    if (exitCode === 0) return true;
    const answer = await readAnswer(stderr);
    if (answer !== null) return answer;
    const lock = findLock(stderr);
    if (lock === null || tries === MAX_TRIES) {
      throw gitFailure(repository.gitDir, ['update-ref'], exitCode, stderr);
    }
    const locked = refs.find(ref => lock === join(repository.gitDir, `${ref}.lock`));
    if (await outwaitLock(lock, locked !== undefined && OWN_REF.test(locked), patience)) continue;
    throw new PawlError(
      'git_failed',
      `git cannot write ${locked ?? refs[0]}: ${lock} is in the way, left by a git that was killed. ` +
        'Delete it if no git is running there, and try again.',
    );
  }
}
