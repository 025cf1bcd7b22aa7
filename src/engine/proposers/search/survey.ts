import type { Contract } from '../../../shared/contract/contract.ts';
import { PawlError } from '../../../shared/errors.ts';
import type { Study } from '../../../shared/study.ts';
import { matchProposable } from '../../contract/editable.ts';
import { readBlobs } from '../../git/read-blobs.ts';
import { listTree, type Repository, readBlob } from '../../git/repository.ts';
import type { Constant } from './constant.ts';
import { findConstants } from './constants.ts';
import { isSeed } from './left-alone.ts';
import { givenTo, MAX_OVERRIDE_BYTES, readOverrides } from './overrides.ts';
import { MAX_SOURCE_BYTES, NO_CONSTANTS } from './search-proposer.ts';

/** Only this many editable files are read. */
const MAX_FILES = 100;
/** How many files one git process reads. */
const FILES_AT_ONCE = 20;
/** Nobody uses more seeds. */
const MAX_SEEDS = 20;

export type Survey = {
  readonly constants: readonly Constant[];
  /** Whether all editable files were read. */
  readonly isWhole: boolean;
};

/**
 * The constants the search would find in a commit's editable files.
 * @param enough how many are wanted; once there are that many, no further file is read
 * @param isWanted as in `findConstants`
 */
export async function surveyConstants(
  repository: Repository,
  commit: string,
  contract: Contract,
  enough: number,
  isWanted?: (name: string) => boolean,
): Promise<Survey> {
  const isProposable = matchProposable(contract);
  const files = (await listTree(repository, commit)).filter(
    ({ mode, path }) => mode.startsWith('100') && isProposable(path),
  );
  const overrides = await readOverrides(contract.train, async path => {
    const content = await readBlob(repository, commit, path);
    return content && content.length <= MAX_OVERRIDE_BYTES ? content.toString('latin1') : null;
  });
  const constants: Constant[] = [];
  const names = files.slice(0, MAX_FILES).map(({ path }) => ({ commit, path }));
  for (let from = 0; from < names.length; from += FILES_AT_ONCE) {
    const some = names.slice(from, from + FILES_AT_ONCE);
    const contents = await readBlobs(repository, some, MAX_SOURCE_BYTES);
    for (const [place, { path }] of some.entries()) {
      if (constants.length >= enough) return { constants, isWhole: false };
      const content = contents[place];
      if (!content) continue;
      const given = givenTo(path, contract, overrides);
      constants.push(...findConstants(path, content.toString('latin1'), given, isWanted));
    }
  }
  return { constants, isWhole: files.length <= MAX_FILES };
}

/** The first integer in a commit's editable files that seeds random numbers; null if there is none. */
export async function findSeed(
  repository: Repository,
  commit: string,
  contract: Contract,
): Promise<(Pick<Constant, 'file' | 'name'> & { readonly value: number; readonly text: string }) | null> {
  const { constants } = await surveyConstants(repository, commit, contract, MAX_SEEDS, isSeed);
  for (const { file, name, literal } of constants) {
    if (literal.kind === 'integer') return { file, name, value: literal.value, text: literal.text };
  }
  return null;
}

/** Rejects with `proposer_invalid` if a study would train its baseline although the search has nothing to change. */
export async function refuseConstantless(
  repository: Repository,
  commit: string,
  study: Pick<Study, 'proposer' | 'contract' | 'stop'>,
): Promise<void> {
  if (study.proposer.kind !== 'search' || !(await lacksConstants(repository, commit, study))) return;
  throw new PawlError(
    'proposer_invalid',
    `Nothing was started. ${NO_CONSTANTS} Choose another proposer (in the terminal: --agent, --model, --command or --patches), or make files with constants editable.`,
  );
}

/** A warning if the search is one of several proposers and has no constants to change; otherwise null. */
export async function findIdleSearch(
  repository: Repository,
  commit: string,
  study: Pick<Study, 'proposer' | 'contract' | 'stop'>,
): Promise<string | null> {
  const { proposer } = study;
  // A stand-in may never be asked.
  const isArm =
    proposer.kind === 'route' &&
    proposer.mode !== 'stand_in' &&
    proposer.arms.some(({ kind }) => kind === 'search');
  if (!isArm || !(await lacksConstants(repository, commit, study))) return null;
  return `The search will have nothing to propose. ${NO_CONSTANTS}`;
}

async function lacksConstants(
  repository: Repository,
  commit: string,
  { contract, stop }: Pick<Study, 'contract' | 'stop'>,
): Promise<boolean> {
  // A study of only the baseline needs no proposer.
  if (stop.experiments === 0) return false;
  const { constants, isWhole } = await surveyConstants(repository, commit, contract, 1);
  return constants.length === 0 && isWhole;
}
