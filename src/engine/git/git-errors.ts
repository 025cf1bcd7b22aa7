import { PawlError } from '../../shared/errors.ts';

/**
 * What git's messages mean, in English (see LC_ALL in git.ts). git exits with 128 for most errors, so only its
 * messages tell them apart. Seen with git 2.39.
 */

const FULL_DISK =
  /No space left on device|Disk quota exceeded|Out of diskspace|couldn't write '|unable to write (?:\w+[ _])?index file/i;
const NOT_WRITABLE =
  /Permission denied|Read-only file system|insufficient permission|unable to create (?:new )?directory/i;

/** The error for a call whose exit code is not an answer. */
export function gitFailure(
  cwd: string,
  args: readonly string[],
  exitCode: number,
  stderr: string,
): PawlError {
  const said = stderr
    .trim()
    .replace(/\s*\n\s*/g, ' ')
    .slice(-600);
  const subcommand =
    args.find(
      (argument, index) => !argument.startsWith('-') && !/-(?:dir|tree)$/.test(args[index - 1] ?? ''),
    ) ?? '';
  const place = args.includes('--git-dir') ? args[args.indexOf('--git-dir') + 1] : cwd;
  if (FULL_DISK.test(stderr)) {
    return new PawlError(
      'disk_full',
      `The disk is full: git ${subcommand} could not write in ${place} (${said}). Make room, then "pawl resume".`,
    );
  }
  if (NOT_WRITABLE.test(stderr)) {
    return new PawlError(
      'repository_unwritable',
      `git ${subcommand} is not allowed to write to the repository: ${said}`,
    );
  }
  return new PawlError('git_failed', `git ${subcommand} ended with ${exitCode}: ${said || 'no message'}`);
}

/** The error for a file in git's folder that cannot be written; returns any other error than a full disk unchanged. */
export function writeFailure(path: string, error: NodeJS.ErrnoException): Error {
  if (error.code !== 'ENOSPC' && error.code !== 'EDQUOT') return error;
  return new PawlError(
    'disk_full',
    `The disk is full: ${path} could not be written (${error.message}). Make room, then "pawl resume".`,
    { cause: error },
  );
}

const LOCKED = /Unable to create '(.+\.lock)': File exists/s;
const REFUSED = /reference already exists|but expected|reference is missing|unable to resolve reference/;

/** The path of the lock that blocked a call, or null. */
export function findLock(stderr: string): string | null {
  return LOCKED.exec(stderr)?.[1] ?? null;
}

/** Whether `update-ref` refused because the ref did not have the expected value. */
export function isRefRefused(stderr: string): boolean {
  return REFUSED.test(stderr);
}

/** Whether git refuses a repository because another user owns it. */
export function isOwnedByOthers(stderr: string): boolean {
  return /dubious ownership/.test(stderr);
}

/** Whether a commit named a path that git does not know. */
export function isPathUnknown(stderr: string): boolean {
  return /did not match any file/.test(stderr);
}
