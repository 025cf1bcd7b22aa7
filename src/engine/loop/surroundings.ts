import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { PawlError } from '../../shared/errors.ts';
import type { EngineEventBody } from '../../shared/events.ts';
import type { Study } from '../../shared/study.ts';
import { matchEditable } from '../contract/editable.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type DataPaths, studyFolder } from '../paths.ts';
import type { Repository } from '../repo/repository.ts';
import { type Sandbox, trySandbox } from '../sandbox/find-sandbox.ts';
import { jailArguments } from '../sandbox/jail.ts';
import { cacheVariables, trainingJail } from '../sandbox/training-jail.ts';
import { gpuVariables } from '../telemetry/bind-gpu.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { trainingEnvironment } from '../training/environment.ts';
import type { Workbench } from './workbench.ts';

/** A driver that has not answered by then is not waited for. */
const GPU_WAIT_MS = 5_000;
/** But where the user chose one: many GPUs whose driver is not kept loaded take their time. */
const CHOSEN_GPU_WAIT_MS = 60_000;

export type SittingSandbox = Extract<Sandbox, { kind: 'bubblewrap' }> & {
  readonly isRequired: boolean;
  /** Whether the study's own jail works; null before it was tried. */
  isWorking: boolean | null;
};

export type SurroundingsPorts = {
  readonly ledger: Ledger;
  readonly paths: DataPaths;
  readonly repository: Repository;
  readonly workbench: Workbench;
  readonly emit: (event: EngineEventBody) => void;
  readonly userEnvironment: NodeJS.ProcessEnv;
  readonly telemetry: Telemetry | undefined;
  /** What the sitting's trainings are contained with; null for nothing. */
  readonly sandbox: SittingSandbox | null;
  /** What binds the sitting's runs to one GPU, once it is known. */
  readonly gpu: { variables: Readonly<Record<string, string>> };
};

/** @param why with what to do about it */
export function sandboxMissing(why: string): PawlError {
  return new PawlError('sandbox_missing', `This study runs nothing without a sandbox. ${why}`);
}

/** What the training of a study sees, with uv pointed at the user's own environment where there is one. */
export function environmentFor(
  study: Study,
  ports: Pick<SurroundingsPorts, 'paths' | 'repository' | 'userEnvironment'>,
  marker: string,
): Record<string, string> {
  const { repository, paths, userEnvironment } = ports;
  const own = usersVenv(repository);
  return trainingEnvironment({
    user: userEnvironment,
    named: study.contract.environment,
    marker,
    uvProjectEnvironment: own ?? join(studyFolder(paths, study.id), 'venv'),
    // The user's environment is used as it is: synchronising it would write in their checkout.
    uvMaySync: own === null,
  });
}

/** The environment in the user's checkout; null where there is none. */
function usersVenv(repository: Repository): string | null {
  const path = join(repository.path, '.venv');
  return existsSync(path) ? path : null;
}

/** Where uv keeps the user's own Pythons. */
function usersPythons(environment: Readonly<Record<string, string>>): string {
  const home = environment.HOME ?? homedir();
  return environment.UV_PYTHON_INSTALL_DIR ?? join(home, '.local', 'share', 'uv', 'python');
}

/**
 * The environment uv makes of the study's own where the user has none. The baseline makes it, which takes the network; from
 * then on no training may change what the later ones run in, but where the contract lets proposals change what is in it.
 */
function ownVenv(
  study: Study,
  { repository, ledger }: SurroundingsPorts,
  environment: Readonly<Record<string, string>>,
): { readonly folders: readonly string[]; readonly isWritable: boolean } | null {
  const path = environment.UV_PROJECT_ENVIRONMENT;
  const { train, setup } = study.contract;
  if (usersVenv(repository) !== null || !/\buv\b/.test(`${train} ${setup ?? ''}`) || !path) return null;
  const isEditable = matchEditable(study.contract.editable);
  const isFixed = !isEditable('pyproject.toml') && !isEditable('uv.lock');
  // One whose Python is gone has to be mended; a script's own environment is none of the project's.
  const isBroken = existsSync(join(path, 'pyvenv.cfg')) && !existsSync(join(path, 'bin', 'python'));
  const isMade = ledger.experiments.incumbent(study.id) !== null && !isBroken;
  return { folders: [path, pythonsBeside(path)], isWritable: !isFixed || !isMade };
}

/** Where uv puts the Pythons it fetches for an environment of the study's own: home is gone with each run. */
function pythonsBeside(venv: string): string {
  return `${venv}-pythons`;
}

/** What a run is started with: its environment, and the sandbox it is run behind. */
export async function surroundingsOf(
  study: Study,
  ports: SurroundingsPorts,
  marker: string,
): Promise<{
  readonly environment: Readonly<Record<string, string>>;
  readonly sandbox?: readonly string[];
}> {
  const { sandbox, paths, workbench, repository } = ports;
  const patienceMs = study.gpu === null ? GPU_WAIT_MS : CHOSEN_GPU_WAIT_MS;
  const gpus = (await ports.telemetry?.knownGpus(patienceMs)) ?? [];
  if (Object.keys(ports.gpu.variables).length === 0) {
    ports.gpu.variables = gpuVariables(gpus, ports.userEnvironment, study.gpu);
  }
  const own = { ...environmentFor(study, ports, marker), ...ports.gpu.variables };
  if (!sandbox || sandbox.isWorking === false) return { environment: own };
  const caches = join(studyFolder(paths, study.id), 'caches');
  const venv = ownVenv(study, ports, own);
  const network = study.contract.sandbox.network || venv?.isWritable === true;
  const environment: Readonly<Record<string, string>> = {
    ...own,
    ...cacheVariables(caches, network),
    TMPDIR: '/tmp',
    ...(venv && !venv.isWritable ? { UV_NO_SYNC: '1' } : {}),
    ...(venv && !existsSync(usersPythons(own))
      ? { UV_PYTHON_INSTALL_DIR: pythonsBeside(own.UV_PROJECT_ENVIRONMENT ?? '') }
      : {}),
  };
  const jail = await trainingJail({
    ...{ contract: study.contract, worktree: workbench.path, locked: workbench.lockedFiles(), caches },
    ...{ preserved: workbench.preservedPaths(), venv, network },
    checkout: [repository.path, repository.gitDir],
    ...{ environment, devices: sandbox.devices, home: environment.HOME ?? homedir() },
    dataFolder: paths.home,
    history: ['HEAD', 'refs', 'objects', 'packed-refs']
      .map(name => join(repository.gitDir, name))
      .concat(workbench.worktree.adminDir),
  });
  const args = jailArguments(jail);
  if (sandbox.isWorking === null) {
    const fault = await trySandbox(sandbox.program, args, environment);
    sandbox.isWorking = fault === null;
    if (fault !== null) {
      if (sandbox.isRequired) throw sandboxMissing(fault);
      ports.emit({ type: 'warning', code: 'sandbox', message: `The runs are not contained. ${fault}` });
      return { environment: own };
    }
  }
  return { environment, sandbox: [sandbox.program, ...args] };
}
