import { type Contract, defaultLimitSeconds, VERDICT_RULES } from '../../../shared/contract/contract.ts';
import type { ContractChoices } from '../../../shared/contract/findings.ts';
import { PawlError } from '../../../shared/errors.ts';
import type { ProposerSettings } from '../../../shared/proposers/proposers.ts';
import type { Study } from '../../../shared/study.ts';
import { describeBadTag, isValidTag } from '../../../shared/study-name.ts';
import { loadContract } from '../../contract/load-contract.ts';
import { branchRef, createNewRef, isPrefixBlocked, isTagUsed, PREFIX_BLOCKED } from '../../git/refs.ts';
import { listTree, openRepository, type Repository, readHeadCommit } from '../../git/repository.ts';
import { askSettings } from '../../model-in-training/ask-settings.ts';
import { findFileFaults } from '../../preflight/check-files.ts';
import { checkProposer, type ProposerSurroundings } from '../../proposers/create-proposer.ts';
import { makeMemory } from '../../proposers/study-memory.ts';
import type { CommitFiles } from '../../sandbox/contain.ts';
import type { Ledger } from '../../store/ledger.ts';
import { newStudyId } from '../../store/studies.ts';
import type { LastingSettings } from './sitting-settings.ts';

export type NewStudy = LastingSettings & {
  readonly repositoryPath: string;
  /** Default: today, as upstream writes it (`mar5`), with a number appended if it is taken. */
  readonly tag?: string | undefined;
  readonly proposer: ProposerSettings;
  readonly budgetSeconds?: number | undefined;
  /** Whether to end runs that can no longer reach the incumbent. */
  readonly prune?: boolean | undefined;
  /** Approve mode from the start. */
  readonly asksApproval?: boolean | undefined;
  /** From now on, model-written code may run without a sandbox on this machine. */
  readonly agreesUncontained?: boolean | undefined;
  /** The digest of the set-up command that the user was shown and agreed to. */
  readonly agreesSetUp?: string | undefined;
  /** Replaces the values in the last commit. */
  readonly choices?: ContractChoices | undefined;
  /** Replaces the contract in the last commit. */
  readonly contract?: Contract | undefined;
};

/** What is known of a study before anything of it is made. */
export type StudyDraft = {
  readonly repository: Repository;
  readonly commit: string;
  readonly contract: Contract;
  readonly tree: CommitFiles['tree'];
};

/**
 * Records a study and makes its branch at the repository's HEAD. Rejects with `not_a_repository`, `contract_…`,
 * `branch_exists`, `usage`, and with the errors of `refuse`, before anything is made.
 */
export async function createStudy(
  ledger: Ledger,
  input: NewStudy,
  now: number,
  surroundings: ProposerSurroundings,
  refuse: (draft: StudyDraft) => Promise<void>,
): Promise<Study> {
  const repository = await openRepository(input.repositoryPath);
  const baseCommit = await readHeadCommit(repository);
  if (!baseCommit) {
    throw new PawlError(
      'contract_not_found',
      `${repository.path} has no commit yet: commit your files first.`,
    );
  }
  const contract = applyOverrides(
    input.contract ?? (await loadContract(repository, baseCommit, input.choices)),
    input,
    surroundings.environment,
  );
  const tree = await listTree(repository, baseCommit);
  const fault = findFileFaults(tree, contract)[0];
  if (fault) throw new PawlError('contract_invalid', fault.message);
  await refuse({ repository, commit: baseCommit, contract, tree });
  const tag = input.tag
    ? await checkTag(ledger, repository, input.tag)
    : await findFreeTag(ledger, repository, now);
  const id = newStudyId(now);
  const study: Study = {
    id,
    tag,
    repositoryPath: repository.path,
    gitDir: repository.gitDir,
    contract,
    baseCommit,
    proposer: input.proposer,
    // A form shows every rule, so a missing one is left out on purpose.
    stop: input.contract ? { ...input.stop } : { ...contract.stop, ...input.stop },
    state: 'ready',
    stopReason: null,
    stopDetail: null,
    createdAt: now,
    preserved: [],
    outputs: [],
    writtenFolders: null,
    worktreeName: `pawl-${tag}-${id.slice(-6)}`,
    importedFrom: null,
    importColumns: null,
    asksApproval: input.asksApproval ?? false,
    gpu: input.gpu ?? null,
    lanes: input.lanes ?? [],
    otherLines: input.otherLines ?? 'off',
    capUsd: input.capUsd ?? null,
    title: null,
    archivedAt: null,
  };
  await checkProposer(study.proposer, surroundings);
  await askSettings(study, surroundings);
  const memory = makeMemory(ledger, study);
  ledger.write(() => {
    ledger.studies.insert(study);
    ledger.memories.add(id, 'pawl', memory, now);
  });
  try {
    if (!(await createNewRef(repository, branchRef(tag), baseCommit))) throw branchExists(tag);
  } catch (error) {
    ledger.write(() => ledger.studies.remove(id));
    throw error;
  }
  return study;
}

async function isTaken(ledger: Ledger, repository: Repository, tag: string): Promise<boolean> {
  if (await isTagUsed(repository, tag)) return true;
  return ledger.studies.list().some(study => study.tag === tag && study.gitDir === repository.gitDir);
}

async function checkTag(ledger: Ledger, repository: Repository, tag: string): Promise<string> {
  if (await isPrefixBlocked(repository)) throw new PawlError('branch_exists', PREFIX_BLOCKED);
  if (!isValidTag(tag)) {
    throw new PawlError('usage', describeBadTag(tag));
  }
  if (await isTaken(ledger, repository, tag)) throw branchExists(tag);
  return tag;
}

/** The day as upstream writes it (`mar5`), with a number appended if it is taken. */
export async function findFreeTag(ledger: Ledger, repository: Repository, now: number): Promise<string> {
  if (await isPrefixBlocked(repository)) throw new PawlError('branch_exists', PREFIX_BLOCKED);
  const date = new Date(now);
  const base = `${date.toLocaleString('en', { month: 'short' }).toLowerCase()}${date.getDate()}`;
  for (let index = 1; ; index += 1) {
    const tag = index === 1 ? base : `${base}-${index}`;
    if (!(await isTaken(ledger, repository, tag))) return tag;
  }
}

function branchExists(tag: string): PawlError {
  return new PawlError(
    'branch_exists',
    `The branch autoresearch/${tag} exists already, or attempts of an earlier study at refs/pawl/${tag}. Choose another ` +
      `--tag, or continue with "pawl resume --tag ${tag}".`,
  );
}

function applyOverrides(contract: Contract, input: NewStudy, { PAWL_VERDICT }: NodeJS.ProcessEnv): Contract {
  const seconds = input.budgetSeconds ?? contract.budget.seconds;
  const limitSeconds =
    input.limitSeconds ??
    (input.budgetSeconds === undefined
      ? contract.budget.limitSeconds
      : Math.max(contract.budget.limitSeconds, defaultLimitSeconds(seconds)));
  const prune = input.prune ?? contract.budget.prune;
  const ofMachine = VERDICT_RULES.find(rule => rule === PAWL_VERDICT) ?? 'honest';
  const metric = { ...contract.metric, verdict: contract.metric.verdict ?? ofMachine };
  return { ...contract, metric, budget: { ...contract.budget, seconds, limitSeconds, prune } };
}
