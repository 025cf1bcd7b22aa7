import { type Contract, defaultLimitSeconds, type StopRules } from '../../shared/contract.ts';
import { PawlError } from '../../shared/errors.ts';
import type { ProposerSettings, Study } from '../../shared/study.ts';
import { findFileFaults } from '../contract/check-files.ts';
import { loadContract } from '../contract/load-contract.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { newStudyId } from '../ledger/studies.ts';
import { createProposer } from '../proposers/create-proposer.ts';
import {
  branchRef,
  createRef,
  isPrefixBlocked,
  isTagUsed,
  isValidTag,
  PREFIX_BLOCKED,
} from '../repo/refs.ts';
import { listTree, openRepository, type Repository, readHeadCommit } from '../repo/repository.ts';

export type NewStudy = {
  readonly repositoryPath: string;
  /** Default: today, as upstream writes it (`mar5`), with a number behind it where taken. */
  readonly tag?: string | undefined;
  readonly proposer: ProposerSettings;
  readonly stop?: StopRules | undefined;
  readonly budgetSeconds?: number | undefined;
  readonly limitSeconds?: number | undefined;
};

/**
 * Writes a study down and makes its branch at the repository's HEAD. Rejects with `not_a_repository`,
 * `contract_…`, `branch_exists`, `usage`.
 */
export async function createStudy(ledger: Ledger, input: NewStudy, now: number): Promise<Study> {
  const repository = await openRepository(input.repositoryPath);
  const baseCommit = await readHeadCommit(repository);
  if (!baseCommit) {
    throw new PawlError(
      'contract_not_found',
      `${repository.path} has no commit yet: commit your files first.`,
    );
  }
  const contract = applyOverrides(await loadContract(repository, baseCommit), input);
  const fault = findFileFaults(await listTree(repository, baseCommit), contract)[0];
  if (fault) throw new PawlError('contract_invalid', fault.message);
  const tag = await chooseTag(ledger, repository, input.tag, now);
  const id = newStudyId(now);
  const study: Study = {
    id,
    tag,
    repositoryPath: repository.path,
    gitDir: repository.gitDir,
    contract,
    baseCommit,
    proposer: input.proposer,
    stop: { ...contract.stop, ...input.stop },
    state: 'ready',
    stopReason: null,
    stopDetail: null,
    createdAt: now,
    preserved: [],
    worktreeName: `pawl-${tag}-${id.slice(-6)}`,
    importedFrom: null,
    importColumns: null,
  };
  await createProposer(study.proposer);
  ledger.write(() => ledger.studies.insert(study));
  try {
    if (!(await createRef(repository, branchRef(tag), baseCommit))) throw branchExists(tag);
  } catch (error) {
    ledger.write(() => ledger.studies.remove(id));
    throw error;
  }
  return study;
}

async function chooseTag(
  ledger: Ledger,
  repository: Repository,
  wanted: string | undefined,
  now: number,
): Promise<string> {
  if (await isPrefixBlocked(repository)) throw new PawlError('branch_exists', PREFIX_BLOCKED);
  const isTaken = async (tag: string) =>
    (await isTagUsed(repository, tag)) ||
    ledger.studies.list().some(study => study.tag === tag && study.gitDir === repository.gitDir);
  if (wanted !== undefined) {
    if (!isValidTag(wanted)) {
      throw new PawlError('usage', `"${wanted}" is no valid tag: use letters, digits, ".", "_" and "-".`);
    }
    if (await isTaken(wanted)) {
      throw branchExists(wanted);
    }
    return wanted;
  }
  const date = new Date(now);
  const base = `${date.toLocaleString('en', { month: 'short' }).toLowerCase()}${date.getDate()}`;
  for (let index = 1; ; index += 1) {
    const tag = index === 1 ? base : `${base}-${index}`;
    if (!(await isTaken(tag))) return tag;
  }
}

function branchExists(tag: string): PawlError {
  return new PawlError(
    'branch_exists',
    `The branch autoresearch/${tag} exists already, or attempts of an earlier study at refs/pawl/${tag}. Choose another ` +
      `--tag, or go on with "pawl resume --tag ${tag}".`,
  );
}

function applyOverrides(contract: Contract, input: NewStudy): Contract {
  const seconds = input.budgetSeconds ?? contract.budget.seconds;
  const limitSeconds =
    input.limitSeconds ??
    (input.budgetSeconds === undefined
      ? contract.budget.limitSeconds
      : Math.max(contract.budget.limitSeconds, defaultLimitSeconds(seconds)));
  return { ...contract, budget: { seconds, limitSeconds } };
}
