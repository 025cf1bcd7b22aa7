import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Swap } from '../../../shared/contract.ts';
import { PawlError } from '../../../shared/errors.ts';
import type { Study } from '../../../shared/study.ts';
import type { AskedModel } from '../../asked-model/asked-model.ts';
import type { Repository } from '../../git/repository.ts';
import type { LanePlace } from '../../lanes/find-lanes.ts';
import { gpuVariables } from '../../machine/bind-gpu.ts';
import type { Telemetry } from '../../machine/telemetry.ts';
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

/** A driver that has not answered by then is not waited for. */
const GPU_WAIT_MS = 5_000;
/** Longer if the user chose one: many GPUs without a persistent driver take their time. */
const CHOSEN_GPU_WAIT_MS = 60_000;

export type SittingSandbox = Bubblewrap & {
  /** Why nothing may run without it, for a reason it does not work; null where something may. */
  readonly refuse: (why: string) => PawlError | null;
  /** What the repository calls its data. */
  readonly namedData: readonly string[];
  /** Whether the study's own jail works; null before it was tried. */
  isWorking: boolean | null;
};

/** What a lane has of its own. */
export type LanePorts = {
  /** Place among the lanes of its study. */
  readonly lane: number;
  readonly workbench: Workbench;
  readonly place: LanePlace;
  /** For what its runs need beside the worktree. */
  readonly folder: string;
  /** What binds its runs to one GPU, once it is known. */
  readonly gpu: { variables: Readonly<Record<string, string>> };
  /** What trains its runs on another machine; null for this one. */
  readonly remote: RemoteTraining | null;
};

export type SurroundingsPorts = Tell &
  LanePorts & {
    readonly ledger: Ledger;
    readonly paths: DataPaths;
    readonly repository: Repository;
    readonly userEnvironment: NodeJS.ProcessEnv;
    readonly telemetry: Telemetry | undefined;
    /** What the sitting's trainings are contained with; null for nothing. */
    readonly sandbox: SittingSandbox | null;
    /** The model that the contract lets its runs ask; null where it names none. */
    readonly model: AskedModel | null;
  };

/** What a run is started with: its environment, and the sandbox it is run behind. */
export type Surroundings = {
  readonly environment: Readonly<Record<string, string>>;
  readonly sandbox?: readonly string[];
  readonly owner?: Owner | null;
  /** What the run finds read-only, and of caches; absent where nothing contains it. */
  readonly seals?: Seals;
  readonly caches?: RunCaches;
};

/**
 * Plans what a run is started with.
 * @param swaps data that it finds exchanged
 */
export async function surroundingsOf(
  study: Study,
  ports: SurroundingsPorts,
  marker: string,
  swaps: readonly Swap[] = [],
): Promise<Surroundings> {
  const { sandbox, paths, workbench, repository, userEnvironment } = ports;
  const chosen = ports.place.gpu;
  const patienceMs = chosen === null ? GPU_WAIT_MS : CHOSEN_GPU_WAIT_MS;
  const gpus = (await ports.telemetry?.knownGpus(patienceMs)) ?? [];
  if (Object.keys(ports.gpu.variables).length === 0) {
    ports.gpu.variables = gpuVariables(gpus, userEnvironment, chosen);
  }
  const { contract } = study;
  const folder = studyFolder(paths, study.id);
  const seen = {
    ...environmentOf({ contract, repository, folder, userEnvironment, worktree: workbench.path }, marker),
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
      namedData: sandbox.namedData,
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

/** All lanes share the environment that the baseline made. Rejects with `cannot_train` where the code of the first lane is installed there. */
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
