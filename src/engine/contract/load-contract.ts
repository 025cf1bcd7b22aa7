import type { Contract } from '../../shared/contract.ts';
import { PawlError } from '../../shared/errors.ts';
import { listTree, type Repository, readBlob } from '../repo/repository.ts';
import { AUTORESEARCH_FILES, autoresearchContract } from './autoresearch.ts';
import { CONTRACT_FILE_NAME } from './editable.ts';
import { parsePawlToml } from './pawl-toml.ts';

/**
 * The contract of a commit: its pawl.toml, else the shape it is recognised by. Read from the commit and not
 * from the checkout, because that is what the study will run. Rejects with `contract_invalid` or
 * `contract_not_found`.
 */
export async function loadContract(repository: Repository, commit: string): Promise<Contract> {
  const toml = await readBlob(repository, commit, CONTRACT_FILE_NAME);
  if (toml) return parsePawlToml(decode(toml), CONTRACT_FILE_NAME);
  const paths = new Set((await listTree(repository, commit)).map(entry => entry.path));
  const missing = AUTORESEARCH_FILES.filter(file => !paths.has(file));
  if (missing.length > 0) {
    throw new PawlError(
      'contract_not_found',
      `The repository has no committed pawl.toml, and it is not shaped like autoresearch: ${missing.join(' and ')} ` +
        `${missing.length === 1 ? 'is' : 'are'} missing. Write a pawl.toml that names what may change, how to ` +
        'train and which number counts, and commit it.',
    );
  }
  const preparePy = await readBlob(repository, commit, 'prepare.py');
  return autoresearchContract(preparePy?.toString('utf8') ?? '', paths.has('pyproject.toml'));
}

/** TOML is UTF-8 by definition; a guess would change paths and commands. */
function decode(toml: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(toml);
  } catch (cause) {
    throw new PawlError(
      'contract_invalid',
      `${CONTRACT_FILE_NAME}:1: not valid TOML: the file is not UTF-8.`,
      { cause },
    );
  }
}
