import { constants } from 'node:os';
import type { EngineEventBody } from '../../../shared/events.ts';
import type { Crash, RunOutcome, Summary } from '../../../shared/study.ts';
import type { GuardFailure } from '../../../shared/verdicts/guard.ts';
import { measure } from '../../metrics/measure.ts';
import { studyFolder } from '../../paths.ts';
import type { TrainingResult } from '../../process/run-training.ts';
import { FolderSilent, inFolder } from '../../remote/shared-folder.ts';
import { encodeSummary } from '../../store/run-record.ts';
import type { RunResult } from '../../store/runs.ts';
import { findUnmet } from '../judge/requirements.ts';
import { type MeasuredByCommands, measureAttempt } from '../measure/measure-attempt.ts';
import { measureElsewhere } from '../measure/measure-elsewhere.ts';
import type { Ask } from '../score/artifacts.ts';
import { withClaims } from '../score/claims.ts';
import { type Scored, scoreAttempt } from '../score/score-attempt.ts';
import { exchanged, fingerprints } from '../set-up/preserved.ts';
import { discardSetUp } from '../set-up/set-up.ts';
import { type BegunRun, setPhase } from './begin-run.ts';
import type { ConductedRun } from './conduct-run.ts';
import { describeOutcome, type EndedRun, endedWell } from './ended-run.ts';
import { explainCrash, findCrash } from './explain-crash.ts';
import { type Findings, fairnessOfRun } from './fairness-of-run.ts';
import { type FullDisk, findFullDisk, makeRoom, mayHaveFilled } from './full-disk.ts';
import { findLoss } from './train-elsewhere.ts';
import type { TrainPorts } from './train-ports.ts';

/** The outcome of a run that the user stopped while the study's other runs continue. */
const BY_USER: RunOutcome = { kind: 'signal', signal: constants.signals.SIGTERM };
const STOPPED: Crash = { class: 'killed', message: 'You stopped this run.', tail: [] };
const DELETED = 'Somebody deleted its worktree.';
const FILLED = 'Something else filled the disk, perhaps the run of another lane.';
const CUT_LOG = 'Only the first 256 KiB of its output were kept.';

/** The user has stopped it while the folder with its results did not answer. */
const ABORTED: MeasuredByCommands = {
  ...{ isAborted: true, summary: null, units: {}, crash: null, guard: null, addedBytes: 0, survivors: [] },
};

/** Facts about a run that were determined after its training. */
type Conclusion = Findings & {
  readonly measured: MeasuredByCommands | null;
  readonly guard: GuardFailure | null;
  readonly survivors: readonly number[];
};

/**
 * Determines a training's results: its number, the files it touched, its score, whether it was fair. Rejects with
 * `disk_full` if the output could not be kept and the run was not what filled the disk.
 */
export async function concludeRun(
  begun: BegunRun,
  conducted: ConductedRun,
  ports: TrainPorts,
): Promise<EndedRun> {
  const { observer, trained, there } = conducted;
  const fullDisk = findFullDisk(trained, observer.broken, ports.paths.home, there === null);
  if (fullDisk) {
    ports.reserve.release();
    // The disk may have been too full for the training's last output.
    ports.ledger.write(() => setPhase(begun, 'measuring', ports));
  } else observer.broken.throwIfAborted();
  ports.emit({ type: 'phase', n: begun.n, phase: 'measuring' });
  const found = await findOut(begun, conducted, fullDisk, ports);
  const fairness = await fairnessOfRun(begun, conducted, found, ports);
  const { measured, scored } = found;
  const result: RunResult = {
    fairness,
    gpuEnergyWh: observer.machine.energyWh(),
    ...{ outcome: found.outcome, summary: found.summary, crash: found.crash },
    resources: trained.resources,
    outputBytes: trained.outputBytes + (measured?.addedBytes ?? 0) + (scored?.addedBytes ?? 0),
    units: { ...Object.fromEntries(observer.reader.units), ...measured?.units },
  };
  return endedRun(begun, conducted, found, result, ports);
}

async function findOut(
  begun: BegunRun,
  conducted: ConductedRun,
  fullDisk: FullDisk | null,
  ports: TrainPorts,
): Promise<Conclusion> {
  const { trained, there } = conducted;
  const loss = there ? findLoss(there) : await findLossHere(begun, trained, fullDisk, ports);
  const isLostHere = loss !== null && !there;
  const ended = isLostHere ? { kind: 'interrupted' as const } : (fullDisk?.outcome ?? trained.outcome);
  const measured = await measureRun(begun, conducted, ended);
  const measuredOutcome: RunOutcome = measured?.isAborted ? { kind: 'aborted' } : ended;
  const touched = isLostHere ? [] : await findTouched(conducted, measuredOutcome, ports);
  const isLost = loss !== null;
  const unscored = findCrash(begun, conducted, measuredOutcome, touched, measured?.crash ?? null, isLost);
  const isScored = measured !== null && measuredOutcome.kind === 'exit' && !unscored && !measured.guard;
  const scored = isScored ? await scoreRun(begun, conducted, ports) : null;
  const scoredOutcome: RunOutcome = scored?.isAborted ? { kind: 'aborted' } : measuredOutcome;
  const isStopped = isStoppedAlone(conducted, scoredOutcome, ports);
  const outcome: RunOutcome = isStopped ? BY_USER : scoredOutcome;
  const survivors = [trained, measured, scored].flatMap(part => part?.survivors ?? []);
  warnOfSurvivors(conducted, survivors, ports);
  const summary = summaryOf(begun, conducted, measured, scored);
  const guard = measured?.guard ?? unmetByScore(begun, scored);
  const cut = fullDisk && (await clearDisk(fullDisk, loss === null, begun, ports)) ? ` ${CUT_LOG}` : '';
  const found = unscored ?? scored?.crash ?? null;
  const crash = isStopped ? STOPPED : found && explainCrash(found, begun, conducted, outcome, cut);
  return { outcome, measured, scored, survivors, summary, guard, crash, loss };
}

/** Why a run on this machine says nothing about its commit, whatever it printed; null where it counts. */
async function findLossHere(
  { study, n, k, freeBefore }: BegunRun,
  trained: TrainingResult,
  fullDisk: FullDisk | null,
  ports: TrainPorts,
): Promise<string | null> {
  if (trained.outcome.kind === 'aborted') return null;
  if (!ports.workbench.isThere()) {
    const before = ports.ledger.runs.list(study.id, n).find(run => run.k === k - 1);
    // If that happens again, the code did it.
    return before?.fairness?.flags.some(({ detail }) => detail === DELETED) ? null : DELETED;
  }
  return fullDisk && !(await mayHaveFilled(trained, freeBefore, ports)) ? FILLED : null;
}

/** Whether the user ended only this run, not the study. */
function isStoppedAlone({ observer }: ConductedRun, outcome: RunOutcome, { signal }: TrainPorts): boolean {
  return outcome.kind === 'aborted' && observer.stopped.aborted && !signal.aborted;
}

/** The results of the commands that run after a successful training; null if it was not successful. */
async function measureRun(
  { study: { contract }, logPath }: BegunRun,
  { observer: { reader }, there, place }: ConductedRun,
  ended: RunOutcome,
): Promise<MeasuredByCommands | null> {
  if (!endedWell(ended)) return null;
  if (!there) return measureAttempt(contract, reader, place);
  const measured = inFolder(() => measureElsewhere(contract, reader, there, logPath), place.signal);
  return measured.catch(error => {
    if (error instanceof FolderSilent) return ABORTED;
    throw error;
  });
}

/** Locked files that the run changed, and files of the set-up that are no longer the same. */
async function findTouched(
  { keptBefore, there }: ConductedRun,
  outcome: RunOutcome,
  { workbench, folder }: TrainPorts,
): Promise<readonly string[]> {
  const lost = exchanged(keptBefore, await fingerprints(workbench.path, [...keptBefore.keys()]));
  if (lost.length > 0) await discardSetUp(folder, workbench);
  if (outcome.kind === 'aborted') return [];
  if (there?.written) workbench.learn(there.written);
  return [...(there?.touched ?? (await workbench.findTouchedLocks())), ...lost];
}

async function scoreRun(
  { study, n, commit, marker, baseline, limits }: BegunRun,
  { there, place }: ConductedRun,
  ports: TrainPorts,
): Promise<Scored | null> {
  const { score } = study.contract;
  if (score === null) return null;
  const from = there?.artifacts.folder ?? ports.workbench.path;
  const baselineSeconds = n === 0 ? null : (baseline?.fairness?.scoreSeconds ?? null);
  const ask: Ask = work => (there ? inFolder(work, place.signal) : work());
  const roomBytes = () => ports.reserve.free() - limits.disk.minFreeBytes;
  return scoreAttempt(study, score, { commit, from, ask, marker, baselineSeconds }, place, {
    ...{ ...ports, roomBytes },
  });
}

function warnOfSurvivors(
  { there }: ConductedRun,
  survivors: readonly number[],
  { emit, place }: TrainPorts,
): void {
  if (there && !there.isVerified) {
    const job = there.job === null ? 'its job' : `job ${there.job}`;
    const message = `Whether ${job} has ended is not known: ${place.label} cannot be asked.`;
    emit({ type: 'warning', code: 'survivors', message });
  }
  if (survivors.length > 0) {
    const message = `Processes that could not be ended: ${survivors.join(', ')}.`;
    emit({ type: 'warning', code: 'survivors', message });
  }
}

/** The training's printed values, overridden by the metric command's, and those by the scorer's. */
function summaryOf(
  { study: { contract } }: BegunRun,
  { observer }: ConductedRun,
  measured: MeasuredByCommands | null,
  scored: Scored | null,
): Summary | null {
  const training = observer.reader.summary();
  const command = measured?.summary ?? null;
  const printed = training && command ? { ...training, ...command } : (command ?? training);
  return contract.score ? withClaims(printed, scored?.values ?? null, contract.metric.name) : printed;
}

function unmetByScore({ study: { contract } }: BegunRun, scored: Scored | null): GuardFailure | null {
  const values = scored?.values;
  if (!values) return null;
  return findUnmet(contract.metric.require, name => {
    const value = values[name];
    return value === undefined ? null : String(value);
  });
}

function clearDisk(
  fullDisk: FullDisk,
  isOwn: boolean,
  { study, commit, logPath, freeBefore }: BegunRun,
  ports: TrainPorts,
): Promise<boolean> {
  return makeRoom(fullDisk, isOwn, freeBefore, commit, logPath, studyFolder(ports.paths, study.id), ports);
}

function endedRun(
  { study, n, commit, row, k }: BegunRun,
  { observer, trained }: ConductedRun,
  { outcome, summary, crash, guard, survivors, loss }: Conclusion,
  result: RunResult,
  { now }: TrainPorts,
): EndedRun {
  const finished: EngineEventBody = {
    ...{ type: 'run_finished', n, k },
    outcome: describeOutcome(outcome),
    seconds: trained.seconds,
    summary: summary && encodeSummary(summary),
    outputBytes: result.outputBytes ?? 0,
    ...trained.resources,
    survivors: [...survivors],
  };
  const numbers = measure(summary, study.contract.metric);
  // It may have crashed at the same moment. Output that a run printed after it was told to end is not a result.
  const isEarly = (outcome.kind === 'pruned' || outcome.kind === 'over_budget') && !crash;
  return {
    ...{ n, commit, run: row, k, result },
    metric: crash || isEarly || loss !== null ? null : numbers.metric,
    memory: isEarly ? null : numbers.memory,
    early: isEarly ? observer.early : null,
    guard: crash ? null : guard,
    startedAt: observer.startedAt,
    endedAt: now(),
    finished,
  };
}
