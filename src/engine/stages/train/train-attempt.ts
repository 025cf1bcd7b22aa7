import { mkdir, readFile } from 'node:fs/promises';
import { availableParallelism, constants } from 'node:os';
import { dirname } from 'node:path';
import type { Contract } from '../../../shared/contract.ts';
import { type EarlyEnd, reasonOf } from '../../../shared/early-end.ts';
import type { EngineEventBody } from '../../../shared/events.ts';
import type { GuardFailure } from '../../../shared/guard.ts';
import type { Crash, RepeatPurpose, Run, RunOutcome, Study, Summary } from '../../../shared/study.ts';
import { lastTrial } from '../../../shared/study.ts';
import { adviseOnOutputs } from '../../contract/outputs.ts';
import type { DiskReserve } from '../../machine/disk-reserve.ts';
import { busyProcessorSeconds } from '../../machine/host-sampler.ts';
import { measure } from '../../metrics/measure.ts';
import { OutputReader } from '../../metrics/output-reader.ts';
import { StepRate } from '../../metrics/step-rate.ts';
import { runLog, studyFolder } from '../../paths.ts';
import type { KillTimes } from '../../process/kill-tree.ts';
import { limitsFor } from '../../process/limits.ts';
import { runMarker } from '../../process/markers.ts';
import { runTraining, type TrainingResult } from '../../process/run-training.ts';
import type { RemotePhase, RemoteResult, RemoteTraining } from '../../remote/remote-training.ts';
import { settleCaches } from '../../sandbox/run-caches.ts';
import { keptFrom } from '../../sandbox/training-jail.ts';
import { encodeSummary, type RunResult } from '../../store/runs.ts';
import { namePaths } from '../edit/judge-edit.ts';
import { judgeFairness, type ProcessorTime } from '../judge/fairness.ts';
import { findUnmet } from '../judge/requirements.ts';
import { studyBudget } from '../judge/study-budget.ts';
import { measureAttempt } from '../measure/measure-attempt.ts';
import { measureElsewhere } from '../measure/measure-elsewhere.ts';
import { claimOf, withClaims } from '../score/claims.ts';
import { scoreAttempt } from '../score/score-attempt.ts';
import { exchanged, fingerprints } from '../set-up/preserved.ts';
import { discardSetUp } from '../set-up/set-up.ts';
import { BudgetWatch } from './budget-watch.ts';
import { findFullDisk, makeRoom } from './full-disk.ts';
import { MachineWatch } from './machine-watch.ts';
import type { Pruner } from './pruner.ts';
import { findSealedPath } from './sealed-path.ts';
import { ProgressEmitter, SeriesWriter } from './series-writer.ts';
import { type SurroundingsPorts, surroundingsOf } from './surroundings.ts';
import { describePhase, findLoss, isContainedElsewhere, trainElsewhere } from './train-elsewhere.ts';

/** A baseline that fails is more often the sandbox's doing than the code's. */
const SANDBOX_HINT =
  'It ran in the sandbox: add to sandbox.reads what it may read, and to sandbox.writes which set-up files it may write; a file cannot be renamed from outside into a folder with locked files. PAWL_SANDBOX=off runs it without a sandbox.';
/** As many earlier runs say what the study's clocks are. */
const NORM_RUNS = 50;
/** A path has at most 4,096 bytes. */
const MAX_FAULT_BYTES = 8 * 1024;
const STOPPED_ALONE: Crash = { class: 'killed', message: 'You stopped this run.', tail: [] };
const CUT_LOG = 'Only the first 256 KiB of its output were kept.';

export type TrainPorts = SurroundingsPorts & {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly killTimes: KillTimes | undefined;
  readonly signal: AbortSignal;
  readonly pruner: Pruner;
  /** By experiment, the last `k` that a run of this sitting has: it is written down a little later. */
  readonly claimed: Map<number, number>;
  /** By experiment, what ends the run of it that is under way, because the user wants no more of it. */
  readonly running: Map<number, () => void>;
  readonly reserve: DiskReserve;
};

/** A run that has ended. Its end is not in the ledger yet: it is written together with what follows from it. */
export type EndedRun = {
  readonly n: number;
  readonly commit: string;
  /** The run's row in the ledger; its end is not written yet. */
  readonly run: number;
  readonly k: number;
  readonly result: RunResult;
  readonly metric: number | null;
  readonly memory: number | null;
  /** Why it was ended before its time; null where it was not. */
  readonly early: EarlyEnd | null;
  /** The condition or check of the contract that failed; null if all passed. */
  readonly guard: GuardFailure | null;
  /** Milliseconds since the epoch, both. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** To be sent once the run's end is written. */
  readonly finished: EngineEventBody;
};

/**
 * One run: written down, trained, measured. The worktree must be exactly the attempt. Rejects with `disk_full` when
 * the output could not be kept.
 * @param purpose of a run of a commit that has its verdict: its experiment stays recorded, and the run is never hopeless
 */
export async function trainAttempt(
  study: Study,
  n: number,
  commit: string,
  ports: TrainPorts,
  purpose: RepeatPurpose | null = null,
): Promise<EndedRun> {
  const { ledger, paths, workbench, now, emit, signal, userEnvironment } = ports;
  const { contract } = study;
  // What the ledger still takes may come out of the reserve.
  await ports.reserve.requireRoom();
  await ports.reserve.fill();
  const limits = await limitsFor(contract.limits, paths.home);
  await ports.reserve.requireRoom(limits.disk.minFreeBytes);
  const freeBefore = await ports.reserve.free();
  const k = claimIndex(study, n, ports);
  const baseline = lastTrial(ledger.runs.list(study.id, 0));
  await workbench.watchFolders();
  const swaps = purpose === 'probe' ? contract.audit.swaps : [];
  const { remote } = ports;
  const surround = () => surroundingsOf(study, ports, runMarker(study.id, n, k), swaps);
  const { seals, caches, ...contained } = remote ? ELSEWHERE : await surround();
  const isHopeless = purpose ? () => null : await ports.pruner.watch();
  const setPhase = (phase: 'training' | 'measuring') => {
    if (purpose === null) ledger.experiments.setPhase(study.id, n, phase);
  };
  let startedAt = now();
  const run = ledger.write(() => {
    setPhase('training');
    const isContained = remote ? isContainedElsewhere(study, ports) : contained.sandbox !== undefined;
    const begun = { k, commit, purpose, isContained, lane: ports.place.label };
    return ledger.runs.begin(study.id, n, begun, startedAt);
  });
  emit({ type: 'phase', n, phase: 'training' });
  const logPath = runLog(paths, study.id, n, k);
  await mkdir(dirname(logPath), { recursive: true });

  // In a queue it has not begun.
  let began = remote ? null : performance.now();
  const elapsed = () => (began === null ? 0 : (performance.now() - began) / 1000);
  const progress = new ProgressEmitter(values =>
    emit({ type: 'progress', n, k, elapsedSeconds: elapsed(), values }),
  );
  // An unwritable ledger ends the training: its result could not be recorded.
  const broken = new AbortController();
  const attempt = (work: () => void) => {
    try {
      work();
    } catch (error) {
      broken.abort(error);
    }
  };
  const series = new SeriesWriter(points =>
    attempt(() => ledger.write(() => ledger.runs.addPoints(run, points))),
  );
  const machine = new SeriesWriter(points =>
    attempt(() => ledger.write(() => ledger.runs.addTelemetry(run, points))),
  );
  const stopped = new AbortController();
  ports.running.set(n, () => stopped.abort(new DOMException('ended by the user', 'AbortError')));
  const steps = new StepRate();
  const enough = new AbortController();
  let early: EarlyEnd | null = null;
  const end = (found: EarlyEnd) => {
    early ??= found;
    enough.abort(reasonOf(early));
  };
  const budget = new BudgetWatch({
    // What the user began with is what the others are held to, and other data may take another time.
    budget:
      n === 0 || commit === study.baseCommit || purpose === 'probe'
        ? { kind: 'fixed' }
        : studyBudget(study, ledger),
    startupSeconds: contract.budget.startupSeconds,
    elapsed,
    onOver: overBudget => end({ overBudget }),
  });
  const reader = new OutputReader(
    point => {
      series.add(point);
      progress.add(point);
      steps.add(point);
      if (point.values.has('step')) budget.step();
      const pruned = isHopeless(point);
      if (pruned) end({ pruned });
    },
    elapsed,
    {
      metric: contract.metric,
      units: n === 0 ? {} : (baseline?.units ?? {}),
    },
  );
  const watch = new MachineWatch({
    ...{ telemetry: remote ? undefined : ports.telemetry, marker: runMarker(study.id, n, k), elapsed },
    environment: { ...userEnvironment, ...ports.gpu.variables },
    onPoint: point => machine.add(point),
    onGpu: ({ utilizationPercent }) => budget.gpu(utilizationPercent),
  });
  const kept = contained.sandbox ? keptFrom(contract, workbench.preservedPaths()) : [];
  const keptBefore = await fingerprints(workbench.path, kept);
  const { cores: own } = ports.place;
  const [wallBegan, awakeBegan, busyBegan] = [now(), performance.now(), busyProcessorSeconds(own)];
  const place = {
    ...{ cwd: workbench.path, ...contained, logPath, limits, cores: ports.place.cores ?? undefined },
    signal: AbortSignal.any([signal, broken.signal, stopped.signal]),
    ...(ports.killTimes ? { killTimes: ports.killTimes } : {}),
  };
  const trainIn = (where: typeof place) =>
    runTraining({
      ...where,
      command: contract.train,
      limitSeconds: contract.budget.limitSeconds,
      onOutput: chunk => attempt(() => reader.push(chunk)),
      onStart: pid => {
        watch.isBelow(pid);
        emit({ type: 'run_started', n, k, pid, log: logPath });
      },
      enough: enough.signal,
    });
  const onState = (phase: RemotePhase) => {
    const where = describePhase(ports.place, phase);
    if (phase.kind === 'running') [began, startedAt] = [performance.now(), now()];
    attempt(() => ledger.write(() => ledger.runs.setPlace(run, where, now())));
    if (phase.kind === 'running') emit({ type: 'run_started', n, k, pid: null, log: logPath });
    else emit({ type: 'phase', n, phase: 'training' });
  };
  const trainThere = (there: RemoteTraining) =>
    trainElsewhere(
      study,
      { n, k, commit, purpose, logPath },
      there,
      {
        ...{ onState, signal: place.signal, enough: enough.signal },
        onOutput: chunk => attempt(() => reader.push(chunk)),
      },
      ports,
    );
  const trainHere = async () => {
    const first = await trainIn(place);
    if (!contained.sandbox || !(await isJailFault(first, logPath))) return first;
    // What was to be mounted has gone since the jail was planned, a socket for instance: nothing was trained yet.
    const { seals: _seals, caches: _caches, ...again } = await surround();
    return trainIn({ ...place, ...again });
  };
  const train = async (): Promise<{
    readonly trained: TrainingResult;
    readonly there: RemoteResult | null;
  }> => {
    if (!remote) return { trained: await trainHere(), there: null };
    const there = await trainThere(remote);
    return { trained: there, there };
  };
  const { trained, there } = await train().finally(() => {
    watch.stop();
    budget.stop();
    attempt(() => reader.end());
    series.flush();
    machine.flush();
    progress.flush();
  });
  const [wallEnd, awakeEnd, busyEnd] = [now(), performance.now(), busyProcessorSeconds(own)];
  const fullDisk = findFullDisk(trained, broken.signal, paths.home);
  if (fullDisk) ports.reserve.release();
  else broken.signal.throwIfAborted();
  ledger.write(() => setPhase('measuring'));
  emit({ type: 'phase', n, phase: 'measuring' });
  const ended: RunOutcome = fullDisk?.outcome ?? trained.outcome;
  const isDone = ended.kind === 'exit' && ended.code === 0;
  const loss = there && findLoss(there);
  const measured = !isDone
    ? null
    : there
      ? await measureElsewhere(contract, reader, there, logPath)
      : await measureAttempt(contract, reader, place);
  let outcome: RunOutcome = measured?.isAborted ? { kind: 'aborted' } : ended;

  const lost = exchanged(keptBefore, await fingerprints(workbench.path, kept));
  if (lost.length > 0) await discardSetUp(ports.folder, workbench);
  const touched =
    outcome.kind === 'aborted' ? [] : [...(there?.touched ?? (await workbench.findTouchedLocks())), ...lost];
  const { score, metric: wanted } = contract;
  const printsMetric = wanted.command === null && wanted.waitSeconds === null && score === null;
  const unscored =
    lockCrash(touched, contract) ??
    // What another machine took from it is no crash of its own.
    (loss === null
      ? reader.classify(outcome, printsMetric ? wanted.name : null, contract.budget.limitSeconds)
      : null) ??
    measured?.crash ??
    null;
  const isScored =
    score !== null && measured !== null && outcome.kind === 'exit' && !unscored && !measured.guard;
  const roomBytes = async () => (await ports.reserve.free()) - limits.disk.minFreeBytes;
  const baselineSeconds = n === 0 ? null : (baseline?.fairness?.scoreSeconds ?? null);
  const from = there?.artifacts.folder ?? workbench.path;
  const scoreRun = { commit, from, marker: runMarker(study.id, n, k), baselineSeconds };
  const scored = isScored ? await scoreAttempt(study, score, scoreRun, place, { ...ports, roomBytes }) : null;
  if (scored?.isAborted) outcome = { kind: 'aborted' };
  const isStoppedAlone = outcome.kind === 'aborted' && stopped.signal.aborted && !signal.aborted;
  if (isStoppedAlone) outcome = { kind: 'signal', signal: constants.signals.SIGTERM };
  const survivors = [trained, measured, scored].flatMap(part => part?.survivors ?? []);
  if (there && !there.isVerified) {
    const message = `Whether job ${there.job ?? ''} has ended is not known: ${ports.place.label} cannot be asked.`;
    emit({ type: 'warning', code: 'survivors', message });
  }
  if (survivors.length > 0) {
    const message = `Processes that could not be ended: ${survivors.join(', ')}.`;
    emit({ type: 'warning', code: 'survivors', message });
  }
  const printed = joined(reader.summary(), measured?.summary ?? null);
  const summary = score ? withClaims(printed, scored?.values ?? null, wanted.name) : printed;
  const guard =
    measured?.guard ??
    (scored?.values ? findUnmet(wanted.require, name => textOf(scored.values?.[name])) : null);
  const found = isStoppedAlone ? STOPPED_ALONE : (unscored ?? scored?.crash ?? null);
  const cut =
    fullDisk && (await makeRoom(fullDisk, freeBefore, commit, logPath, studyFolder(paths, study.id), ports))
      ? ` ${CUT_LOG}`
      : '';
  const isHinted = found !== null && n === 0 && contained.sandbox !== undefined && outcome.kind !== 'limited';
  const hint = isHinted ? ` ${SANDBOX_HINT}` : '';
  const crash =
    found &&
    (findSealedPath(found, seals, workbench.path, contract) ?? {
      ...found,
      message: found.message + hint + cut,
    });
  const numSteps = summary?.num_steps ?? steps.last();
  const isTrial = n === 0 && purpose === null && isDone && crash === null && outcome.kind === 'exit';
  const cold =
    caches && isTrial
      ? await settleCaches(studyFolder(paths, study.id), ports.folder, {
          ...{ ...caches, steps: numSteps, maxBytes: contract.sandbox.cacheMb * 1024 ** 2 },
          stepsWhenCold: coldRun(ledger.runs.list(study.id, 0))?.fairness?.steps ?? null,
        })
      : null;
  const fairness = judgeFairness({
    summary,
    claim: score ? claimOf(summary, baseline?.summary ?? null, wanted.name) : null,
    ...{ cold, loss, steps: numSteps, seconds: trained.seconds },
    ...(scored?.values ? { scoreSeconds: scored.seconds } : {}),
    processors: there
      ? null
      : processorTime(
          trained.resources.cpuSeconds,
          busyBegan,
          busyEnd,
          own?.length ?? availableParallelism(),
        ),
    cores: contract.budget.cores,
    stepsPerSecond: outcome.kind === 'exit' ? steps.get() : null,
    sameCode: ledger.runs
      .list(study.id, n)
      .filter(
        earlier =>
          earlier.commit === commit &&
          earlier.outcome?.kind === 'exit' &&
          (earlier.purpose === 'probe') === (purpose === 'probe'),
      )
      .flatMap(({ fairness }) => fairness ?? [])
      // At other clocks it may have been faster than it should.
      .filter(({ flags }) => flags.every(({ kind }) => kind !== 'clocks')),
    wallSeconds: there ? there.seconds : (wallEnd - wallBegan) / 1000,
    awakeSeconds: there ? there.seconds : (awakeEnd - awakeBegan) / 1000,
    ...(await watch.seen()),
    earlier: ledger.runs.latestFairness(study.id, NORM_RUNS),
  });
  const result: RunResult = {
    fairness,
    gpuEnergyWh: watch.energyWh(),
    outcome,
    summary,
    crash,
    resources: trained.resources,
    outputBytes: trained.outputBytes + (measured?.addedBytes ?? 0) + (scored?.addedBytes ?? 0),
    units: { ...Object.fromEntries(reader.units), ...measured?.units },
  };
  const finished: EngineEventBody = {
    type: 'run_finished',
    n,
    k,
    outcome: describeOutcome(outcome),
    seconds: trained.seconds,
    summary: summary && encodeSummary(summary),
    outputBytes: result.outputBytes ?? 0,
    ...trained.resources,
    survivors,
  };
  const numbers = measure(summary, contract.metric);
  // It may have ended by itself at the same moment. What one that was ended printed on its way out is no result.
  const isEarly = (outcome.kind === 'pruned' || outcome.kind === 'over_budget') && !crash;
  return {
    ...{ n, commit },
    run,
    k,
    result,
    metric: crash || isEarly || loss ? null : numbers.metric,
    memory: isEarly ? null : numbers.memory,
    early: isEarly ? early : null,
    guard: crash ? null : guard,
    startedAt,
    endedAt: now(),
    finished,
  };
}

/** The next `k` of an experiment, which no run in another lane gets. */
function claimIndex({ id }: Study, n: number, { ledger, claimed }: TrainPorts): number {
  const k = Math.max(ledger.runs.nextIndex(id, n), 1 + (claimed.get(n) ?? -1));
  claimed.set(n, k);
  return k;
}

/** What a run on another machine is given of this one. */
const ELSEWHERE: Awaited<ReturnType<typeof surroundingsOf>> = { environment: {} };

/** What the training printed, and over it what the command for the metric did. */
function joined(training: Summary | null, command: Summary | null): Summary | null {
  return training && command ? { ...training, ...command } : (command ?? training);
}

function processorTime(
  own: number | null,
  began: number | null,
  ended: number | null,
  cores: number,
): ProcessorTime | null {
  if (own === null || began === null || ended === null) return null;
  return { own, all: ended - began, cores };
}

/** Whether a run ended before its command began, because the sandbox could not be built: bubblewrap says so in one line. */
async function isJailFault({ outcome, outputBytes }: TrainingResult, logPath: string): Promise<boolean> {
  if (outcome.kind !== 'exit' || outcome.code !== 1 || outputBytes > MAX_FAULT_BYTES) return false;
  return /^bwrap: Can't [^\n]*\n*$/.test(await readFile(logPath, 'utf8'));
}

/** The run of a baseline that filled its caches. */
function coldRun(runs: readonly Run[]): Run | undefined {
  return runs.find(({ fairness }) => fairness?.flags.some(({ kind }) => kind === 'cold'));
}

function textOf(value: number | undefined): string | null {
  return value === undefined ? null : String(value);
}

export function lockCrash(touched: readonly string[], contract: Contract): Crash | null {
  if (touched.length === 0) return null;
  return {
    class: 'locked_file_touched',
    message: `The training changed locked files: ${namePaths(touched)}. Its numbers do not count.${adviseOnOutputs(touched, contract)}`,
    tail: [],
  };
}

export function describeOutcome(outcome: RunOutcome): string {
  if (outcome.kind === 'exit') return `exit ${outcome.code}`;
  return outcome.kind === 'signal' ? `signal ${outcome.signal}` : outcome.kind;
}
