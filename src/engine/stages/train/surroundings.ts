import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Swap } from '../../../shared/contract/contract.ts';
import { PawlError } from '../../../shared/errors.ts';
import type { Study } from '../../../shared/study.ts';
import type { Repository } from '../../git/repository.ts';
import type { LanePlace } from '../../lanes/find-lanes.ts';
import { gpuVariables } from '../../machine/bind-gpu.ts';
import type { Telemetry } from '../../machine/telemetry.ts';
import type { AskedModel } from '../../model-in-training/asked-model.ts';
import { type DataPaths, studyFolder } from '../../paths.ts';
import type { Owner } from '../../process/terminal.ts';
import type { RemoteTraining } from '../../remote/remote-training.ts';
import { contain, containAndTry, environmentOf, type Place } from '../../sandbox/contain.ts';
import type { Bubblewrap } from '../../sandbox/find-sandbox.ts';
import { wayByPort } from '../../sandbox/model-access.ts';
import { layOutCaches, type RunCaches } from '../../sandbox/run-caches.ts';
import type { Seals } from '../../sandbox/seals.ts';
import { findInstallFrom } from '../../sandbox/shared-install.ts';
import type { Ledger } from '../../store/ledger.ts';
import type { Workbench } from '../edit/workbench.ts';
import type { Tell } from '../tell.ts';

/** How long to wait for a driver's answer. */
const GPU_WAIT_MS = 5_000;
/** Longer if the user chose a GPU: many GPUs without persistence mode take their time. */
const CHOSEN_GPU_WAIT_MS = 60_000;

export type SittingSandbox = Bubblewrap & {
  /** The error if the sandbox does not work for the given reason; null if runs may go without it. */
  readonly refuse: (why: string) => PawlError | null;
  /** Whether the study's own jail works; null until it was tried. */
  isWorking: boolean | null;
};

/** What each lane has for itself. */
export type LanePorts = {
  /** The lane's index in its study. */
  readonly lane: number;
  readonly workbench: Workbench;
  readonly place: LanePlace;
  /** For files that its runs need outside the worktree. */
  readonly folder: string;
  /** The variables that bind its runs to one GPU, once known. */
  readonly gpu: { variables: Readonly<Record<string, string>> };
  /** Trains its runs on another machine; null for this one. */
  readonly remote: RemoteTraining | null;
};

export type SurroundingsPorts = Tell &
  LanePorts & {
    readonly ledger: Ledger;
    readonly paths: DataPaths;
    readonly repository: Repository;
    readonly userEnvironment: NodeJS.ProcessEnv;
    readonly telemetry: Telemetry | undefined;
    /** The sandbox of the sitting's trainings; null for none. */
    readonly sandbox: SittingSandbox | null;
    /** The folders that the repository calls its data. */
    readonly namedData: readonly string[];
    /** Modules that were compiled in the checkout, which a fresh worktree lacks. */
    readonly compiled: readonly string[];
    /** The model that the contract lets runs ask; null if it names none. */
    readonly model: AskedModel | null;
  };

/** How a run is started: its environment, and the command that contains it. */
export type Surroundings = {
  readonly environment: Readonly<Record<string, string>>;
  readonly sandbox?: readonly string[];
  readonly owner?: Owner | null;
  /** The run's read-only paths, and its caches; absent without a sandbox. */
  readonly seals?: Seals;
  readonly caches?: RunCaches;
};

/**
 * Plans how a run is started.
 * @param swaps data that is swapped for it
 */
export async function surroundingsOf(
  study: Study,
  ports: SurroundingsPorts,
  marker: string,
  swaps: readonly Swap[] = [],
): Promise<Surroundings> {
  const { sandbox, namedData, paths, workbench, repository, userEnvironment } = ports;
  const chosen = ports.place.gpu;
  const patienceMs = chosen === null ? GPU_WAIT_MS : CHOSEN_GPU_WAIT_MS;
  const gpus = (await ports.telemetry?.knownGpus(patienceMs)) ?? [];
  if (Object.keys(ports.gpu.variables).length === 0) {
    ports.gpu.variables = gpuVariables(gpus, userEnvironment, chosen);
  }
  const { contract } = study;
  const folder = studyFolder(paths, study.id);
  const seen = {
    ...environmentOf(
      {
        contract,
        repository,
        folder,
        userEnvironment,
        worktree: workbench.path,
      },
      marker,
    ),
    ...ports.gpu.variables,
  };
  if (ports.folder !== folder) await refuseSharedInstall(seen.UV_PROJECT_ENVIRONMENT, study, ports);
  const own = ports.model ? await ports.model.withoutKey(seen) : seen;
  const access = ports.model?.access ?? null;
  const bare = async () => ({
    environment: access ? { ...own, ...(await wayByPort(access, own)).variables } : own,
  });
  if (!sandbox || sandbox.isWorking === false) return bare();
  const caches = await layOutCaches(folder, ports.folder);
  const seals = workbench.seals(contract.sandbox.writes);
  const place: Place = {
    ...{
      contract,
      repository,
      paths,
      folder,
      laneFolder: ports.folder,
      userEnvironment,
      namedData,
      model: access,
    },
    ...{ worktree: workbench.path, seals, preserved: workbench.preservedPaths() },
    adminDir: workbench.worktree.adminDir,
    hasBaseline: ports.ledger.experiments.incumbent(study.id) !== null,
    swaps,
  };
  const isTried = sandbox.isWorking !== null;
  const { argv, environment, fault } = isTried
    ? { ...(await contain(place, sandbox, own)), fault: null }
    : await containAndTry(place, sandbox, own);
  if (!isTried) {
    sandbox.isWorking = fault === null;
    if (fault !== null) {
      const refusal = sandbox.refuse(fault);
      if (refusal) throw refusal;
      ports.emit({ type: 'warning', code: 'sandbox', message: `The runs are not contained. ${fault}` });
      return bare();
    }
  }
  return { environment, sandbox: argv, owner: sandbox.identity, seals, caches };
}

/** All lanes share the baseline's environment. Rejects with `cannot_train` if the first lane's code is installed there. */
async function refuseSharedInstall(
  venv: string | undefined,
  { worktreeName }: Study,
  { paths }: SurroundingsPorts,
): Promise<void> {
  const first = join(await realpath(paths.worktrees), worktreeName);
  const trace = venv === undefined ? null : await findInstallFrom(venv, first);
  if (trace === null) return;
  throw new PawlError(
    'cannot_train',
    `The project is installed in the study's Python environment from the folder of the first lane (${trace}), so every other lane would train that code. Use one lane, or do not install the project itself ("uv sync --no-install-project").`,
  );
}
