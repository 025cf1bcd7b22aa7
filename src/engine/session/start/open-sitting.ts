import { existsSync } from 'node:fs';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { PawlError } from '../../../shared/errors.ts';
import type { EngineEventBody } from '../../../shared/events.ts';
import { once } from '../../../shared/once.ts';
import { proposerLabel } from '../../../shared/proposers/proposers.ts';
import type { Study } from '../../../shared/study.ts';
import { branchRef } from '../../git/refs.ts';
import { removeBelow } from '../../git/remove.ts';
import type { Repository } from '../../git/repository.ts';
import { openWorktree } from '../../git/worktree.ts';
import type { Elsewhere, LanePlace } from '../../lanes/find-lanes.ts';
import { describeScreening, markScreening } from '../../lanes/screening-lanes.ts';
import type { DiskReserve } from '../../machine/disk-reserve.ts';
import { laneFolder, laneWorktree, studyFolder } from '../../paths.ts';
import { createProposer, type ProposerSurroundings } from '../../proposers/create-proposer.ts';
import type { Proposer } from '../../proposers/proposer.ts';
import { findIdleSearch, findSeed, refuseConstantless } from '../../proposers/search/survey.ts';
import { findCluster } from '../../remote/find-cluster.ts';
import { findCompiledModules } from '../../sandbox/compiled-modules.ts';
import { DATA_VIEW } from '../../sandbox/contain.ts';
import { removeCaches } from '../../sandbox/run-caches.ts';
import { Workbench } from '../../stages/edit/workbench.ts';
import { canProbe, canRepeat, ruleOf } from '../../stages/judge/verdict-rule.ts';
import { settleBranch } from '../../stages/record/branch.ts';
import { SCORE } from '../../stages/score/score-place.ts';
import { copyFromCheckout, runSetUp, type SettingUp, setUpOnce } from '../../stages/set-up/set-up.ts';
import type { Tell } from '../../stages/tell.ts';
import { baselineHardware } from '../../stages/train/fairness-of-run.ts';
import { Pruner } from '../../stages/train/pruner.ts';
import type { LanePorts } from '../../stages/train/surroundings.ts';
import type { Ledger } from '../../store/ledger.ts';
import { AwayHosts } from '../away-hosts.ts';
import type { EngineOptions } from '../engine-options.ts';
import { LeftJobs } from '../jobs/left-jobs.ts';
import { stopLimits } from '../loop/stop-rules.ts';
import { Sitting } from '../sitting.ts';
import { Thoughts } from '../thoughts.ts';
import { type Containment, findContainment } from './containment.ts';
import { findPlaces, requireSameHardware } from './find-places.ts';
import { findRepository } from './find-repository.ts';
import { openRemotes } from './open-remotes.ts';
import { describeMissing, refuseLanes } from './refuse-lanes.ts';

const NO_AUDIT =
  'Its numbers cannot be measured again: they come later (metric.wait), or the training asks a model, which answers the same question only once.';

type Ports = Tell & {
  readonly ledger: Ledger;
  readonly options: EngineOptions;
  readonly surroundings: ProposerSurroundings;
  readonly reserve: DiskReserve;
  readonly now: () => number;
  /** Ends what runs now. */
  readonly signal: AbortSignal;
  /** Aborted if the user wants a stop before the sitting has begun. */
  readonly opening: AbortSignal;
  /** Whether the user wants something other than continuing. */
  readonly hasWish: () => boolean;
  /** Notices that the first sitting of this engine reports. */
  readonly takeNotices: () => readonly { readonly code: string; readonly message: string }[];
};

export type OpenSitting = {
  readonly sitting: Sitting;
  /**
   * Aborts the proposer; no more events are sent.
   * @param isInOrder whether nothing failed: then jobs elsewhere that nothing has taken over are ended, otherwise the
   *   next sitting takes them
   */
  readonly close: (isInOrder: boolean) => Promise<void>;
};

/** How a sitting differs from a usual one. */
export type SittingPlan = {
  /** Where the repository may be now. */
  readonly movedTo?: string | undefined;
  /** How many runs may make its claims more certain, without trying anything new; null or absent for none. */
  readonly audit?: number | null | undefined;
  /** How often the baseline is trained, and the proposer that replaces the study's. */
  readonly check?: { readonly baselineRuns: number; readonly proposer: Proposer } | undefined;
};

/**
 * Prepares everything a sitting needs, from the repository to the proposer, and reports its beginning. Rejects if
 * something is missing, before the study counts as running, and with the reason of `opening` if that was aborted while
 * other machines were asked.
 */
export async function openSitting(
  study: Study,
  { movedTo, audit = null, check }: SittingPlan,
  ports: Ports,
): Promise<OpenSitting> {
  if (audit !== null && !canRepeat(study.contract)) throw new PawlError('usage', NO_AUDIT);
  const { ledger, options, surroundings, reserve, now, signal, emit, enter } = ports;
  const { paths, environment, killTimes, telemetry, callTimes, askAgainMs, isLookingAhead } = options;
  const repository = await findRepository(ledger, study, movedTo);
  const hasBaseline = ledger.experiments.incumbent(study.id) !== null;
  if (!hasBaseline) await refuseConstantless(repository, study.baseCommit, study);
  const containment = await findContainment(study, repository, { ledger, paths, environment });
  const { sandbox, namedData } = containment;
  const cluster = await findCluster(study.contract, paths.home);
  const found = await findPlaces(study, telemetry, cluster?.lanes ?? null, ports.opening);
  await refuseLanes(study.contract, found, cluster, paths.home);
  const { away } = found;
  const baselineGpu = hasBaseline ? baselineHardware(ledger, study.id)?.gpu : null;
  const mark = (own: readonly LanePlace[]) =>
    markScreening(own, baselineGpu ?? found.places[0]?.model ?? null);
  const places = mark(found.places);
  const mostLanes = places.length + away.length;
  const requireSame = (own: readonly LanePlace[]) =>
    requireSameHardware(own, baselineHardware(ledger, study.id), telemetry);
  if (hasBaseline) await requireSame(places);
  const elsewhere: readonly Elsewhere[] = [
    ...places.flatMap(place => place.elsewhere ?? []),
    ...away.map(({ host }) => ({ kind: 'ssh' as const, host })),
  ];
  const remotes = await openRemotes(elsewhere, { ledger, cluster, paths, environment });
  const thoughts = new Thoughts(text => {
    const n = findProposing(ledger, study.id);
    if (n !== null && !ports.hasWish()) emit({ type: 'thought', n, text });
  });
  // Without proposals no key is needed.
  const proposing: Study = audit === null ? study : { ...study, proposer: { kind: 'search', seed: 1 } };
  const createOwn = () =>
    createProposer(proposing, {
      ...{ sandbox, ...surroundings, ledger, paths, repository, now, callTimes, lanes: mostLanes },
      onThought: text => thoughts.add(text),
      onRest: rest => emit({ type: 'proposer_rests', ...rest }),
      onRested: rested => emit({ type: 'proposer_rested', ...rested }),
      hasWish: ports.hasWish,
    });
  const proposer = check?.proposer ?? (await createOwn());
  const model =
    study.contract.model &&
    // Few studies have one, and the user waits for every start.
    (await (
      await import('../../model-in-training/asked-model.ts')
    ).AskedModel.open(study, {
      ...{ ...surroundings, ledger, scratch: paths.scratch, now, signal, callTimes },
    }));
  const compiled = await findCompiled(study, repository, environment);
  const trainPorts = {
    ...{ sandbox, namedData, compiled, model, reserve, pruner: new Pruner(study, ledger) },
    claimed: new Map<number, number>(),
    running: new Map<number, () => void>(),
    ...{ ledger, paths, repository, emit, enter, userEnvironment: environment, killTimes, signal, telemetry },
  };
  await mkdir(paths.worktrees, { recursive: true });
  const settingUp = settingUpOf(study, compiled);
  const worktrees = await realpath(paths.worktrees);
  const openLane = (place: LanePlace, lane: number): LanePorts => {
    const gpu = { variables: {} };
    const folder = laneFolder(paths, study.id, lane);
    const remote = remotes.of(place);
    const workbench = new Workbench(
      repository,
      join(worktrees, laneWorktree(study, lane)),
      // Includes what a baseline has shown since.
      ledger.studies.get(study.id) ?? study,
      signal,
      // Elsewhere each job sets up its own worktree.
      settingUp === null || remote
        ? null
        : (bench, isNew) =>
            setUpOnce(study, settingUp, bench, isNew, { ...trainPorts, lane, place, gpu, folder, remote }),
    );
    return { lane, workbench, place, folder, gpu, remote };
  };
  const lanes = places.map((place, lane) => once(() => openLane(place, lane)));
  const [first] = lanes;
  if (!first) throw new Error('a study has at least one lane');
  const { workbench } = first();
  await makeRoom(study, workbench, ports);
  await settleBranch({ ledger, repository, study, workbench });
  // One after the other, and before anything runs: git cannot read its record of a worktree that is being made.
  const makeWorktree = (lane: number) =>
    openWorktree(repository, join(worktrees, laneWorktree(study, lane)), study.baseCommit, signal);
  for (const lane of places.keys()) if (mostLanes > 1) await makeWorktree(lane);
  tellStart(study, repository, places, containment, ports);
  const idle = hasBaseline ? null : await findIdleSearch(repository, study.baseCommit, study);
  if (idle !== null) emit({ type: 'warning', code: 'constants', message: idle });
  const tellScreening = (own: readonly LanePlace[]) => {
    const message = describeScreening(own);
    if (message !== null) emit({ type: 'warning', code: 'screening', message });
  };
  tellScreening(places);
  const hasSeed =
    ruleOf(study.contract) === 'honest' &&
    (await findSeed(repository, study.baseCommit, study.contract)) !== null;
  const missing = elsewhere.length > 0 ? describeMissing(study.contract, hasSeed) : null;
  if (missing !== null) emit({ type: 'warning', code: 'elsewhere', message: missing });
  for (const notice of ports.takeNotices()) emit({ type: 'warning', ...notice });
  const sitting = new Sitting(
    study,
    stopLimits(study.stop, now()),
    {
      ...{ ...trainPorts, lanes, proposer, now, askAgainMs, isLookingAhead },
      places,
    },
    {
      ...{ audit, baselineRuns: check?.baselineRuns },
      canProbe: sandbox !== null && canProbe(study.contract),
      hasSeed,
    },
  );
  const jobs = new LeftJobs(study, remotes.places, { ledger, paths, environment, emit });
  let laneCount = places.length;
  const awayHosts = new AwayHosts(away, {
    emit,
    join: async (host, own) => {
      const marked = mark(own);
      const isSame = marked.every(({ isScreening }) => isScreening);
      if (!isSame && ledger.experiments.incumbent(study.id) !== null) await requireSame(marked);
      const joining = marked.map((place, at) => ({ place, lane: laneCount + at }));
      for (const { lane } of joining) await makeWorktree(lane);
      tellScreening(marked);
      jobs.hostJoined(host);
      laneCount += own.length;
      sitting.addLanes(
        joining.map(({ place, lane }) => once(() => openLane(place, lane))),
        marked,
      );
    },
  });
  const close = async (isInOrder: boolean) => {
    proposer.end?.();
    thoughts.stop();
    await awayHosts.close();
    await jobs.close(isInOrder, await remotes.close());
  };
  return { sitting, close };
}

/** What a fresh worktree gets of the checkout's compiled modules; a set-up command makes its own. */
async function findCompiled(
  { contract, baseCommit }: Study,
  repository: Repository,
  environment: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  if (contract.setup !== null) return [];
  const found = await findCompiledModules(repository, baseCommit, contract, environment);
  return found.editableSource === null ? found.modules : [];
}

/** How a fresh worktree is set up; null if nothing is to be done. */
function settingUpOf(study: Study, compiled: readonly string[]): SettingUp | null {
  const { setup } = study.contract;
  if (setup !== null) return (workbench, ports) => runSetUp(study, setup, workbench, ports);
  if (compiled.length === 0) return null;
  return (workbench, ports) => copyFromCheckout(compiled, workbench, ports);
}

function tellStart(
  study: Study,
  repository: Repository,
  places: readonly LanePlace[],
  { sandbox, why }: Containment,
  { ledger, emit, enter }: Ports,
): void {
  const { id, tag, baseCommit, contract, proposer } = study;
  const started: EngineEventBody = {
    ...{ type: 'study_started', tag, baseCommit },
    repository: repository.path,
    branch: branchRef(tag).replace('refs/heads/', ''),
    metric: contract.metric.name,
    goal: contract.metric.goal,
    budgetSeconds: contract.budget.seconds,
    limitSeconds: contract.budget.limitSeconds,
    proposer: proposerLabel(proposer),
    resumed: ledger.experiments.lastNumber(id) !== null,
    best: ledger.experiments.incumbent(id)?.metric ?? null,
    uncontained: sandbox ? null : (why ?? 'The sandbox is switched off.'),
    lanes: places.flatMap(({ label }) => label ?? []),
  };
  enter(() => {
    ledger.studies.setState(id, 'running', null, null);
    return [started];
  });
  if (why !== null) {
    emit({ type: 'warning', code: 'sandbox', message: `The runs are not contained. ${why}` });
  }
}

/** Cleans up before anything is written: files left by a run may be what fills the disk. Rejects with `disk_full`. */
async function makeRoom(
  study: Study,
  workbench: Workbench,
  { ledger, options, reserve }: Ports,
): Promise<void> {
  if (!reserve.hasRoom() && existsSync(workbench.path)) {
    await workbench.checkout(ledger.experiments.incumbent(study.id)?.commit ?? study.baseCommit);
    const folder = studyFolder(options.paths, study.id);
    for (const name of [DATA_VIEW, SCORE]) {
      if (!reserve.hasRoom()) await removeBelow(folder, name);
    }
    if (!reserve.hasRoom()) await removeCaches(folder, folder);
  }
  reserve.requireRoom();
  await reserve.fill();
}

/** Number of the experiment that is being proposed now; null if there is none. */
function findProposing(ledger: Ledger, studyId: string): number | null {
  try {
    return ledger.experiments.unfinished(studyId).findLast(({ phase }) => phase === 'proposing')?.n ?? null;
  } catch {
    // A faulty disk will show at the loop's next write.
    return null;
  }
}
