import { PawlError } from '../../shared/errors.ts';

/** Why nothing was changed, in one sentence. */
export function refuse(message: string): PawlError {
  return new PawlError('contract_unclear', `${message} Nothing was changed.`);
}
