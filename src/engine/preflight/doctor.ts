import { execFile } from 'node:child_process';
import { stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Contract } from '../../shared/contract/contract.ts';
import { type ContractChoices, contractOfDraft, type Recognition } from '../../shared/contract/findings.ts';
import type { PreflightCheck } from '../../shared/contract/set-up.ts';
import { PawlError } from '../../shared/errors.ts';
import { listed } from '../../shared/listed.ts';
import { counted } from '../../shared/numbers.ts';
import { describeBadTag, isValidTag } from '../../shared/study-name.ts';
import { matchEditable } from '../contract/editable.ts';
import { EXAMPLE_CONTRACT } from '../contract/example-contract.ts';
import { NAME_THEM, OPTIONS, readContract } from '../contract/load-contract.ts';
import { howToGetGit, isRecentGit } from '../git/git-binary.ts';
import { isPrefixBlocked, isTagUsed, PREFIX_BLOCKED } from '../git/refs.ts';
import {
  gitVersion,
  isWritable,
  listDirtyPaths,
  listTree,
  openRepository,
  type Repository,
  readHeadCommit,
} from '../git/repository.ts';
import { AmdSampler } from '../machine/amd-sampler.ts';
import { findNvidiaSmi } from '../machine/find-nvidia-smi.ts';
import type { DataPaths } from '../paths.ts';
import { LINUX_ONLY } from '../process/process-table.ts';
import type { ProposerSurroundings } from '../proposers/create-proposer.ts';
import { NO_CONSTANTS } from '../proposers/search/search-proposer.ts';
import { surveyConstants } from '../proposers/search/survey.ts';
import type { Ledger } from '../store/ledger.ts';
import { checkAgents } from './check-agents.ts';
import { checkBudget } from './check-budget.ts';
import { checkCluster } from './check-cluster.ts';
import { type FileFault, findFileFaults } from './check-files.ts';
import { checkModel } from './check-model.ts';
import { checkTraining } from './check-training.ts';
import type { Add } from './training-input.ts';

export type DoctorInput = {
  readonly path: string;
  readonly tag: string | null;
  readonly paths: DataPaths;
  readonly environment: NodeJS.ProcessEnv;
  /** As in `ProposerSurroundings`. */
  readonly storedKey?: ProposerSurroundings['storedKey'];
  /** Replaces findings from the last commit. */
  readonly choices?: ContractChoices | undefined;
  /** Replaces the contract of the last commit. */
  readonly contract?: Contract | undefined;
  /** Whether to look for agents on the machine and to ask the cluster, which may take long. */
  readonly withAgents?: boolean | undefined;
  /** Stores how long a baseline took; without it, that is unknown. */
  readonly ledger?: Ledger | undefined;
  /** Where the kernel lists graphics cards. */
  readonly cards?: string | undefined;
};

/** How many constants are read at most, which is enough for a summary. */
const MANY_CONSTANTS = 200;
/** How many files or constants a check names. */
const MOST_NAMED = 4;
/** With less space, the night's logs and commits may not fit. */
const LOW_DISK_BYTES = 1024 ** 3;
/** A hanging driver must not make the check hang. */
const GPU_QUERY_TIMEOUT_MS = 10_000;

const CONTRACT_SOURCES: Readonly<Record<Contract['source'], string>> = {
  'pawl.toml': 'pawl.toml',
  autoresearch: 'shaped like autoresearch, no file needed',
  'pi-autoresearch': 'shaped like pi-autoresearch, no file needed',
  form: 'as filled in for this study',
};

/** Runs every check, even after one has failed, except those that need the failed one. */
export async function runDoctor(input: DoctorInput): Promise<readonly PreflightCheck[]> {
  const checks: PreflightCheck[] = [];
  const add = (name: string, outcome: PreflightCheck['outcome'], detail: string) =>
    checks.push({ name, outcome, detail });

  const isLinux = process.platform === 'linux';
  add('system', isLinux ? 'ok' : 'failed', isLinux ? 'Linux' : LINUX_ONLY);
  await checkGit(add);
  const repository = await attempt(add, 'repository', () => openRepository(input.path));
  const head = repository && (await readHeadCommit(repository));
  if (repository) {
    if (head) add('repository', 'ok', `${repository.path} at ${head.slice(0, 7)}`);
    else add('repository', 'failed', `${repository.path} has no commit yet: commit your files first.`);
    await checkRepository(repository, head, add);
  }
  const found =
    repository && head
      ? await attempt(input.contract ? () => {} : add, 'contract', () =>
          readContract(repository, head, input.choices),
        )
      : null;
  const contract = input.contract ?? (found && tell(found, add));
  if (repository && head && contract) {
    if (input.contract) add('contract', 'ok', CONTRACT_SOURCES[contract.source]);
    await checkFiles(repository, head, contract, add);
    await checkConstants(repository, head, contract, add);
    const finding = found?.findings.find(({ name }) => name === 'budget');
    const said = found && { finding, seconds: found.draft.budget.seconds };
    checkBudget(repository, contract, said, input.ledger ?? null, add);
    const { paths, environment } = input;
    const trial = await checkTraining({ repository, commit: head, contract, paths, environment }, add);
    await checkModel(contract, trial, input, add);
    if (input.withAgents) await checkCluster(contract, { dataFolder: paths.home, environment }, add);
  }
  await checkDataFolder(input.paths, add);
  await checkDisk(input.paths, add);
  await checkGpu(input, add);
  if (input.withAgents) await checkAgents(input.paths.home, input.environment, add);
  await checkTag(repository, input.tag, add);
  return checks;
}

/** What the commit says about its contract, line by line with sources; null if the user has to answer something first. */
function tell({ draft, findings, unclear }: Recognition, add: Add): Contract | null {
  add('contract', 'ok', CONTRACT_SOURCES[draft.source]);
  for (const { name, value, source } of findings) add(`found: ${name}`, 'ok', `${value} (${source})`);
  for (const { name, why } of unclear)
    add(`found: ${name}`, 'failed', `${why} Give it with ${OPTIONS[name]}.`);
  return contractOfDraft(draft);
}

async function attempt<T>(add: Add, name: string, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PawlError)) throw error;
    const example = error.code === 'contract_not_found' ? ` ${NAME_THEM}\n${EXAMPLE_CONTRACT}` : '';
    add(name, 'failed', error.message + example);
    return null;
  }
}

async function checkGit(add: Add): Promise<void> {
  const version = await attempt(add, 'git', gitVersion);
  if (version === null) return;
  add(
    'git',
    isRecentGit(version) ? 'ok' : 'failed',
    isRecentGit(version) ? version : `${version}. ${howToGetGit}`,
  );
}

async function checkRepository(repository: Repository, head: string | null, add: Add): Promise<void> {
  const canWrite =
    (await isWritable(repository.gitDir)) && (await isWritable(join(repository.gitDir, 'objects')));
  if (!canWrite) {
    add('repository', 'failed', `${repository.gitDir} is not writable, but attempts are committed there.`);
  }
  if (!head) return;
  const dirty = await listDirtyPaths(repository);
  if (dirty.length > 0) {
    add(
      'checkout',
      'warning',
      `${counted(dirty.length, 'uncommitted change')}: a study starts from the last commit, without them.`,
    );
  } else add('checkout', 'ok', 'no uncommitted changes');
  const submodules = (await listTree(repository, head)).filter(entry => entry.mode === '160000');
  if (submodules.length > 0) {
    add(
      'submodules',
      'warning',
      `${submodules.map(entry => entry.path).join(', ')}: empty in a study's worktree. If the training needs them, ` +
        'fill them with a setup command ("git submodule update --init").',
    );
  }
}

async function checkFiles(repository: Repository, head: string, contract: Contract, add: Add): Promise<void> {
  const tree = await listTree(repository, head);
  const faults = findFileFaults(tree, contract);
  const report = (name: string, about: FileFault['about'], found: string) => {
    const messages = faults.filter(fault => fault.about === about).map(fault => fault.message);
    add(name, messages.length > 0 ? 'failed' : 'ok', messages.join(' ') || found);
  };
  const editable = tree.map(entry => entry.path).filter(matchEditable(contract.editable));
  report('editable files', 'editable', listed(editable, MOST_NAMED));
  const count = tree.length - editable.length;
  const others = count === 0 ? 'no other file is tracked' : `the other ${counted(count, 'tracked file')}`;
  report('locked files', 'locked', contract.locked?.join(', ') ?? others);
  if (contract.score !== null)
    report('score', 'score', `${contract.metric.name} by ${contract.score.command}`);
  if (contract.instructions !== null) report('instructions', 'instructions', contract.instructions);
}

/** What the search can work with; other proposers do not need it. */
async function checkConstants(
  repository: Repository,
  head: string,
  contract: Contract,
  add: Add,
): Promise<void> {
  const { constants, isWhole } = await surveyConstants(repository, head, contract, MANY_CONSTANTS);
  if (constants.length > 0) {
    const names = listed(
      constants.map(({ name }) => name),
      MOST_NAMED,
    );
    add(
      'constants',
      'ok',
      `${isWhole ? '' : 'at least '}${constants.length} for the search to change: ${names}`,
    );
  } else add('constants', 'warning', `${NO_CONSTANTS} Choose a proposer other than the search.`);
}

/** The data folder, or the folder in which it will be created. */
async function checkDataFolder({ home }: DataPaths, add: Add): Promise<void> {
  let folder = home;
  let found = await stat(folder).catch(() => null);
  while (!found && dirname(folder) !== folder) {
    folder = dirname(folder);
    found = await stat(folder).catch(() => null);
  }
  const isUsable = found?.isDirectory() === true && (await isWritable(folder));
  add(
    'data folder',
    isUsable ? 'ok' : 'failed',
    isUsable
      ? home
      : `${home} cannot be used: ${folder} is not a folder you can write to. Set PAWL_HOME to another.`,
  );
}

async function checkDisk(paths: DataPaths, add: Add): Promise<void> {
  let folder = paths.home;
  for (;;) {
    const free = await statfs(folder).catch(() => null);
    if (free) {
      const bytes = free.bavail * free.bsize;
      const text = `${(bytes / 1024 ** 3).toFixed(1)} GB free for ${paths.home}`;
      add(
        'disk space',
        bytes < LOW_DISK_BYTES ? 'warning' : 'ok',
        bytes < LOW_DISK_BYTES ? `${text}: make room.` : text,
      );
      return;
    }
    if (dirname(folder) === folder) return;
    folder = dirname(folder);
  }
}

async function checkTag(repository: Repository | null, tag: string | null, add: Add): Promise<void> {
  if (tag !== null && !isValidTag(tag)) {
    add('branch', 'failed', describeBadTag(tag));
  } else if (repository && (await isPrefixBlocked(repository))) {
    add('branch', 'failed', PREFIX_BLOCKED);
  } else if (repository && tag !== null) {
    const isUsed = await isTagUsed(repository, tag);
    const advice = `autoresearch/${tag} exists: choose another --tag, or continue with "pawl resume".`;
    add('branch', isUsed ? 'failed' : 'ok', isUsed ? advice : `autoresearch/${tag} is free`);
  } else {
    add('branch', 'skipped', 'Pawl chooses a free name unless --tag gives one.');
  }
}

async function checkGpu({ environment, cards }: DoctorInput, add: Add): Promise<void> {
  const tool = await findNvidiaSmi(environment);
  if (!tool) {
    const amd = new AmdSampler(cards);
    await Promise.race([amd.read(), delay(GPU_QUERY_TIMEOUT_MS, undefined, { ref: false })]);
    const names = amd.gpus().map(({ name, memoryTotalMib }) => `${name}, ${memoryTotalMib ?? '?'} MiB`);
    if (names.length > 0) add('GPU', 'ok', `${names.join('; ')}, by the amdgpu driver`);
    else {
      const found = 'No GPU found: no nvidia-smi, and no card with the amdgpu driver.';
      add('GPU', 'warning', `${found} Fine for a training that needs none.`);
    }
    return;
  }
  try {
    const query = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader'];
    const { stdout } = await promisify(execFile)(tool, query, { timeout: GPU_QUERY_TIMEOUT_MS });
    add('GPU', 'ok', stdout.trim().split('\n').join('; '));
  } catch (error) {
    const said = String((error as { stdout?: string }).stdout || (error as Error).message).trim();
    add('GPU', 'warning', `nvidia-smi cannot reach a GPU: ${said.split('\n')[0]}`);
  }
}
