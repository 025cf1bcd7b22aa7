import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, normalize, relative } from 'node:path';
import type { Contract } from '../../shared/contract/contract.ts';
import { whereToWrite } from '../../shared/contract/where-to-write.ts';
import { PawlError } from '../../shared/errors.ts';
import { type Repository, readBlob } from '../git/repository.ts';
import { compilePattern } from '../metrics/pattern.ts';
import { isBelow } from '../paths.ts';
import { findProgram, firstProgram, splitFolder, usesUv } from '../process/find-program.ts';
import { type CommitFiles, readCommitFiles, type Trial, tryContainment } from '../sandbox/contain.ts';
import { sandboxMode } from '../sandbox/find-sandbox.ts';
import { isEnvironment, usersVenv, VENV } from '../sandbox/python-environments.ts';
import { inHome } from '../sandbox/withheld.ts';
import { checkNodeModules } from './check-node.ts';
import { checkCompiled, checkImports, findForeignPython } from './check-python.ts';
import { checkSwaps } from './check-swaps.ts';
import { checkUncommitted } from './check-uncommitted.ts';
import type { Add, TrainingInput } from './training-input.ts';

const TRAIN = { key: 'contract.train', field: 'training command', option: '--train' };

const IN_WORKTREE =
  'Install it or correct the command: a worktree holds only what is committed, and in the sandbox the .venv of your checkout. To use another environment, give an absolute path or activate it.';

/** Whether a study of this commit could train: its commands, files, data and sandbox. */
export async function checkTraining(input: TrainingInput, add: Add): Promise<Trial> {
  const { repository, commit, contract, paths, environment: userEnvironment } = input;
  const files = await readCommitFiles(repository, commit, input.tree);
  const trial = await tryContainment({ contract, repository, paths, userEnvironment, ...files });
  checkPattern(contract, add);
  await checkCommands(input, files, trial, add);
  checkImports(input, files, add);
  await checkCompiled(input, add);
  await checkNodeModules(input, files, add);
  await checkLargeFiles(input, files, add);
  checkData(input, files, trial, add);
  await checkUncommitted(input, files, add);
  checkSandbox(input, trial, add);
  checkScoreEnvironment(input, add);
  await checkScoreData(input, files, trial, add);
  checkSwaps(input, files, trial, add);
  return trial;
}

/** Throws `cannot_train` with every failure of {@link checkTraining}. */
export async function refuseUntrainable(input: TrainingInput): Promise<Trial> {
  const faults: string[] = [];
  const trial = await checkTraining(input, (name, outcome, detail) => {
    if (outcome === 'failed') faults.push(`${name}: ${detail}`);
  });
  if (faults.length > 0) throw new PawlError('cannot_train', `Nothing was started. ${faults.join(' ')}`);
  return trial;
}

function checkPattern({ metric }: Contract, add: Add): void {
  if (metric.pattern === null) return;
  try {
    compilePattern(metric.pattern);
    add('metric pattern', 'ok', metric.pattern);
  } catch (error) {
    if (!(error instanceof PawlError)) throw error;
    add('metric pattern', 'failed', error.message);
  }
}

async function checkCommands(
  { contract, environment, repository, isElsewhere = false }: TrainingInput,
  { tree }: CommitFiles,
  { sandbox }: Trial,
  add: Add,
): Promise<void> {
  const executables = tree.filter(entry => entry.mode === '100755').map(entry => entry.path);
  const commands = [
    ['training command', contract.train],
    ...(contract.setup === null ? [] : [['set-up command', contract.setup]]),
    ...(contract.metric.command === null ? [] : [['metric command', contract.metric.command]]),
    ...contract.checks.map(({ name, command }) => [`check "${name}"`, command]),
    ...(contract.score === null ? [] : [['score command', contract.score.command]]),
    ...(contract.score?.model ? [['score model', contract.score.model]] : []),
  ] as const;
  for (const [name = '', command = ''] of commands) {
    const program = firstProgram(command);
    if (program === null) {
      add(name, 'skipped', `"${command}" is a shell construct; it cannot be checked before it runs.`);
      continue;
    }
    const isInRepository = program.includes('/') && !isAbsolute(program);
    const path = normalize(join(splitFolder(command).folder, program));
    // The set-up command runs outside of the sandbox, and a job on another machine without the checkout.
    const isShown = sandbox !== null && !isElsewhere && name !== 'set-up command';
    // In a worktree there is what is committed, and of the rest of the checkout only its environment, in the sandbox.
    const found = isInRepository
      ? (executables.find(committed => committed === path) ??
        (isShown ? inUsersVenv(path, repository) : null))
      : await findProgram(program, environment.PATH ?? '');
    const advice: Record<string, string> = {
      uv: `Install uv (docs.astral.sh/uv), or give another training command as ${whereToWrite(contract.source, TRAIN)}.`,
      python: 'Install Python 3 (Debian: apt-get install python3).',
      python3: 'Install Python 3 (Debian: apt-get install python3).',
    };
    if (!found && isInRepository && name !== 'set-up command' && contract.setup !== null) {
      add(name, 'warning', `"${program}" is not committed: the set-up command has to make it.`);
      continue;
    }
    const foreign = found ? findForeignPython(found) : null;
    if (foreign) {
      add(name, foreign.outcome, foreign.detail);
      continue;
    }
    const unused = found ? unusedVenv(program, { environment, repository }) : null;
    if (unused !== null) {
      const advice = `To use it, activate it before you start Pawl, or write ${unused} in place of ${program}.`;
      add(name, 'warning', `${command} (${found}) does not use the environment in your checkout. ${advice}`);
      continue;
    }
    add(
      name,
      found ? 'ok' : 'failed',
      found
        ? `${command} (${found})`
        : `"${program}" ${isInRepository ? 'is not a committed executable' : 'was not found'}. ${advice[program] ?? (isInRepository ? IN_WORKTREE : 'Install it or correct the command.')}`,
    );
  }
}

/** A program of the checkout's `.venv`, absolute; null where it is none. */
function inUsersVenv(path: string, repository: Repository): string | null {
  const place = join(repository.path, path);
  const isThere = isEnvironment(join(repository.path, VENV)) && existsSync(place);
  return path.startsWith(`${VENV}/`) && isThere ? place : null;
}

/** The Python of the checkout's `.venv`, where a command starts another because no environment is activated; otherwise null. */
function unusedVenv(
  program: string,
  { environment, repository }: Pick<TrainingInput, 'environment' | 'repository'>,
): string | null {
  const own = join(repository.path, VENV, 'bin', 'python');
  const isActivated = environment.VIRTUAL_ENV !== undefined || environment.CONDA_PREFIX !== undefined;
  const isOnPath = (environment.PATH ?? '').split(delimiter).includes(dirname(own));
  return /^python3?$/.test(program) && !isActivated && !isOnPath && existsSync(own) ? own : null;
}

/**
 * The baseline's training creates uv's environment, with network access; a scorer has neither the network nor
 * permission to write there.
 */
function checkScoreEnvironment({ contract, repository }: TrainingInput, add: Add): void {
  const { score, train, setup } = contract;
  if (!score || ![score.command, score.model ?? ''].some(usesUv)) return;
  if (usesUv(`${train} ${setup ?? ''}`) || usersVenv(repository) !== null) return;
  add(
    'score environment',
    'failed',
    'score.command uses uv, but nothing creates the environment before it: train with uv too, or make a .venv in your checkout.',
  );
}

/** Data that only the scorer may read: does it exist, and could other programs read it? */
async function checkScoreData(
  { contract, repository, environment }: TrainingInput,
  { tree }: CommitFiles,
  { sandbox }: Trial,
  add: Add,
): Promise<void> {
  for (const named of contract.score?.reads ?? []) {
    const path = inHome(named, environment.HOME ?? homedir());
    const inside = isBelow(path, repository.path) ? relative(repository.path, path) : null;
    if (!existsSync(path)) add('score data', 'failed', `${named}, which score.reads names, does not exist.`);
    else if (inside !== null && tree.some(file => isBelow(file.path, inside)))
      add(
        'score data',
        'failed',
        `${named} is committed, so every training could read it. Keep it outside the repository.`,
      );
    else if (sandbox === null)
      add(
        'score data',
        'warning',
        `${named} exists, but nothing hides it from the training: the runs are not contained.`,
      );
    else add('score data', 'ok', `${named}, hidden from trainings and proposers`);
  }
}

/** Files in git LFS: without git-lfs, each would be a few lines of text. */
async function checkLargeFiles(
  { repository, commit, environment, isElsewhere = false }: TrainingInput,
  { tree }: CommitFiles,
  add: Add,
): Promise<void> {
  const attributes = tree.filter(({ path }) => /(?:^|\/)\.gitattributes$/.test(path));
  const texts = await Promise.all(attributes.map(({ path }) => readBlob(repository, commit, path)));
  if (!texts.some(text => /^[^#\n]*\bfilter=lfs\b/m.test(text?.toString('utf8') ?? ''))) return;
  if (isElsewhere) {
    const detail =
      'The repository keeps files with git-lfs, which other machines do not fetch: train in lanes of this machine.';
    return add('git-lfs', 'failed', detail);
  }
  const program = await findProgram('git-lfs', environment.PATH ?? '');
  add(
    'git-lfs',
    program ? 'ok' : 'failed',
    program ??
      'The repository keeps files with git-lfs, which was not found: no worktree can be made. Install it (Debian: apt-get install git-lfs), then run "git lfs install".',
  );
}

/** Data that was downloaded before: libraries' caches, and folders that the repository's `prepare.py` names. */
function checkData(
  { contract, environment }: TrainingInput,
  { preparePy }: CommitFiles,
  { data, namedData }: Trial,
  add: Add,
): void {
  const upstream = join(environment.HOME ?? homedir(), '.cache', 'autoresearch');
  const isUpstream = /\.cache.{0,40}autoresearch(?![\w-])/s.test(preparePy ?? '');
  const named = new Set([...namedData, ...(isUpstream && namedData.length === 0 ? [upstream] : [])]);
  const missing = [...named].filter(path => !existsSync(path));
  const found = data.map(({ folder, variable }) => (variable === null ? folder : `${folder} (${variable})`));
  if (missing.length > 0) {
    const python = firstProgram(contract.train) === 'uv' ? 'uv run' : 'python3';
    // Only autoresearch's own folders are certain; a script or a set-up command may create others.
    const isSure = contract.setup === null && missing.some(path => path.startsWith(upstream));
    add(
      'data cache',
      isSure ? 'failed' : 'warning',
      `${missing.join(', ')} is missing: run "${python} prepare.py" once in the repository.`,
    );
  } else if (found.length > 0) add('data cache', 'ok', found.join(', '));
}

function checkSandbox(
  { contract, environment }: TrainingInput,
  { sandbox, why, hiddenCommand }: Trial,
  add: Add,
): void {
  const mode = sandboxMode(contract, environment);
  if (mode === 'off') {
    add('sandbox', 'warning', 'Switched off: the training can change whatever you can.');
    return;
  }
  if (!sandbox) {
    const isRequired = mode === 'required';
    const consent = 'Before code from a model or an agent runs that way, Pawl asks you once.';
    add(
      'sandbox',
      isRequired ? 'failed' : 'warning',
      isRequired ? (why ?? '') : `The training runs without a sandbox. ${consent} ${why}`,
    );
    return;
  }
  if (hiddenCommand !== null) {
    const advice = 'name its folder under sandbox.reads, or put it on the PATH';
    add('sandbox', 'failed', `${hiddenCommand} is not visible in the sandbox: ${advice}.`);
    return;
  }
  const { network, reads } = contract.sandbox;
  const more = [
    network ? 'with network' : 'without network',
    ...(sandbox.identity ? ['as nobody'] : []),
    ...(sandbox.filter === null ? ['without a system call filter'] : []),
    ...(reads.length > 0 ? [`reads ${reads.join(', ')}`] : []),
  ];
  add('sandbox', 'ok', `bubblewrap ${sandbox.version}, ${more.join(', ')}`);
}
