import { PawlError } from '../../shared/errors.ts';

/**
 * What git's messages mean, in English (see LC_ALL in git.ts). git ends with 128 for whatever went wrong, so where the exit
 * code says no more than that, its words are all there is. Seen with git 2.39.
 */

const FULL_DISK =
  /No space left on device|Disk quota exceeded|Out of diskspace|couldn't write '|unable to write .* file/i;
const NOT_WRITABLE =
  /Permission denied|Read-only file system|insufficient permission|unable to create (?:new )?directory/i;

/** The error for a call that ended with a code that is no answer. */
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

/** The error for a file of git's that cannot be written; any other than for a full disk is returned as it is. */
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

/** Path of the lock that was in a call's way; null where none was. */
export function findLock(stderr: string): string | null {
  return LOCKED.exec(stderr)?.[1] ?? null;
}

/** Whether `update-ref` did nothing because the ref was not what it was said to be. */
export function isRefRefused(stderr: string): boolean {
  return REFUSED.test(stderr);
}

/** Whether git does not read a repository because somebody else owns it. */
export function isOwnedByOthers(stderr: string): boolean {
  return /dubious ownership/.test(stderr);
}

/** Whether a commit of named paths met one that git does not know. */
export function isPathUnknown(stderr: string): boolean {
  return /did not match any file/.test(stderr);
}
