import { PawlError } from '../../shared/errors.ts';

/** File system errors get a name the user can act on; anything else is reported as a bug, with its cause. */
export function toPawlError(error: unknown, home: string): PawlError {
  if (error instanceof PawlError) return error;
  const { code, message = String(error) } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new PawlError('disk_full', `The disk that holds ${home} is full: ${message}`, { cause: error });
  }
  return new PawlError('internal', `Something unexpected ended the sitting: ${message}`, { cause: error });
}
