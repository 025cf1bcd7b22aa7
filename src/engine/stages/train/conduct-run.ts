import { readFile } from 'node:fs/promises';
import { busyProcessorSeconds } from '../../machine/host-sampler.ts';
import { awakeMs } from '../../process/awake-clock.ts';
import { runTraining, type TrainingResult } from '../../process/run-training.ts';
import type { RemotePhase, RemoteResult, RemoteTraining } from '../../remote/remote-training.ts';
import { keptFrom } from '../../sandbox/training-jail.ts';
import type { CommandPlace } from '../measure/measure-attempt.ts';
import { fingerprints } from '../set-up/preserved.ts';
import { type BegunRun, setPhase, surround } from './begin-run.ts';
import { RunObserver } from './run-observer.ts';
import { describePhase, trainElsewhere } from './train-elsewhere.ts';
import type { TrainPorts } from './train-ports.ts';

/** A path has at most 4,096 bytes. */
const MAX_FAULT_BYTES = 8 * 1024;

/** A training that has ended but was not yet examined. */
export type ConductedRun = {
  readonly observer: RunObserver;
  readonly trained: TrainingResult;
  /** The result from another machine; null for a run on this one. */
  readonly there: RemoteResult | null;
  /** Where the training ran. */
  readonly place: CommandPlace;
  /** The set-up's files that the run must leave alone, as they were before. */
  readonly keptBefore: ReadonlyMap<string, string>;
  /** By the wall clock, and by a clock that stands still while the machine sleeps or Pawl is stopped. */
  readonly wallSeconds: number;
  readonly awakeSeconds: number;
  /** Processor time of the whole machine during the run; null if unknown. */
  readonly busySeconds: number | null;
};

/** Trains a run from its beginning to its end, here or on another machine, and observes it. */
export async function conductRun(begun: BegunRun, ports: TrainPorts): Promise<ConductedRun> {
  const { workbench, remote } = ports;
  const observer = new RunObserver(begun, ports);
  const { sandbox } = begun.surroundings;
  const kept = sandbox ? keptFrom(begun.study.contract, workbench.preservedPaths()) : [];
  const keptBefore = await fingerprints(workbench.path, kept);
  const readClocks = startClocks(ports);
  const place = placeOf(begun, observer, ports);
  const train = async () => {
    if (!remote) return { trained: await trainHere(begun, place, observer, ports), there: null };
    const there = await trainThere(begun, remote, observer, ports);
    return { trained: there, there };
  };
  const result = await train().catch(error => {
    observer.stop();
    throw error;
  });
  observer.stop(() => setPhase(begun, 'measuring', ports));
  return { ...result, observer, place, keptBefore, ...readClocks() };
}

/** Returns a function that says how much time has passed since this call. */
function startClocks({
  now,
  place: { cores, elsewhere },
}: TrainPorts): () => Pick<ConductedRun, 'wallSeconds' | 'awakeSeconds' | 'busySeconds'> {
  const own = elsewhere ? null : cores;
  const [wall, awake, busy] = [now(), awakeMs(), busyProcessorSeconds(own)];
  return () => {
    const [wallEnd, awakeEnd, busyEnd] = [now(), awakeMs(), busyProcessorSeconds(own)];
    return {
      wallSeconds: (wallEnd - wall) / 1000,
      awakeSeconds: (awakeEnd - awake) / 1000,
      busySeconds: busy === null || busyEnd === null ? null : busyEnd - busy,
    };
  };
}

function placeOf(
  { surroundings, logPath, limits }: BegunRun,
  observer: RunObserver,
  { workbench, place: { cores, elsewhere }, signal, killTimes }: TrainPorts,
): CommandPlace {
  const { seals: _seals, caches: _caches, ...contained } = surroundings;
  return {
    ...{ cwd: workbench.path, ...contained, logPath, limits, cores: (!elsewhere && cores) || undefined },
    signal: AbortSignal.any([signal, observer.broken, observer.stopped]),
    ...(killTimes ? { killTimes } : {}),
  };
}

async function trainHere(
  begun: BegunRun,
  place: CommandPlace,
  observer: RunObserver,
  ports: TrainPorts,
): Promise<TrainingResult> {
  const first = await trainIn(begun, place, observer, ports);
  if (!place.sandbox || !(await isJailFault(first, place.logPath))) return first;
  // A path to be mounted, for instance a socket, has disappeared since the jail was planned; nothing was trained yet.
  const { seals: _seals, caches: _caches, ...again } = await surround(begun, ports);
  return trainIn(begun, { ...place, ...again }, observer, ports);
}

function trainIn(
  { study: { contract }, n, k, logPath }: BegunRun,
  place: CommandPlace,
  observer: RunObserver,
  { emit }: TrainPorts,
): Promise<TrainingResult> {
  return runTraining({
    ...place,
    command: contract.train,
    limitSeconds: contract.budget.limitSeconds,
    onOutput: chunk => observer.push(chunk),
    onStart: pid => {
      observer.machine.isBelow(pid);
      emit({ type: 'run_started', n, k, pid, log: logPath });
    },
    enough: observer.enough,
  });
}

function trainThere(
  begun: BegunRun,
  there: RemoteTraining,
  observer: RunObserver,
  ports: TrainPorts,
): Promise<RemoteResult> {
  const { ledger, now, emit } = ports;
  const { n, k, row, logPath } = begun;
  const onState = (phase: RemotePhase) => {
    const where = describePhase(ports.place, phase);
    if (phase.kind === 'running') observer.begin();
    observer.attempt(() => ledger.write(() => ledger.runs.setPlace(row, where, now())));
    if (phase.kind === 'running') emit({ type: 'run_started', n, k, pid: null, log: logPath });
    else emit({ type: 'phase', n, phase: 'training' });
  };
  const onOutput = (chunk: Buffer) => observer.push(chunk);
  const signal = endOfJob(observer, ports);
  const watch = { onState, onOutput, signal, enough: observer.enough, putOff: ports.putOff };
  return trainElsewhere(begun.study, begun, there, watch, ports);
}

/**
 * Ends a job whose output cannot be recorded. A failure in another lane is passed on unchanged, which leaves the job
 * to the next engine.
 */
function endOfJob({ broken, stopped }: RunObserver, { signal }: TrainPorts): AbortSignal {
  const unrecorded = new AbortController();
  broken.addEventListener('abort', () => unrecorded.abort(), { once: true });
  if (broken.aborted) unrecorded.abort();
  return AbortSignal.any([signal, stopped, unrecorded.signal]);
}

/** Whether a run ended before its command began, because bubblewrap could not build the sandbox and said so in one line. */
async function isJailFault({ outcome, outputBytes }: TrainingResult, logPath: string): Promise<boolean> {
  if (outcome.kind !== 'exit' || outcome.code !== 1 || outputBytes > MAX_FAULT_BYTES) return false;
  return /^bwrap: Can't [^\n]*\n*$/.test(await readFile(logPath, 'utf8'));
}
