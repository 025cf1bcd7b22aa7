import { setTimeout as delay } from 'node:timers/promises';
import { type IPty, spawn } from 'node-pty';
import type { ResourceUse, RunOutcome } from '../../shared/study.ts';
import { TERMINAL_COLUMNS } from '../../shared/terminal.ts';
import { RUN_MARKER } from './environment.ts';
import { KILL_TIMES, type KillTimes, killTree } from './kill-tree.ts';
import { OutputLog } from './output-log.ts';
import { readIdentity } from './process-table.ts';
import { ResourceSampler } from './resource-sampler.ts';

export type TrainingOptions = {
  /** Shell command line. */
  readonly command: string;
  readonly cwd: string;
  /** Program and arguments that a command is run behind, to contain it; none for no sandbox. */
  readonly sandbox?: readonly string[] | undefined;
  /** With the run marker in it; see `trainingEnvironment`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly logPath: string;
  readonly limitSeconds: number;
  readonly onOutput: (chunk: Buffer) => void;
  readonly onStart?: (pid: number) => void;
  readonly signal: AbortSignal;
  /** Ends it because enough is known of it. */
  readonly enough?: AbortSignal | undefined;
  readonly killTimes?: KillTimes;
  /** Default: {@link MAX_OUTPUT_BYTES}. */
  readonly maxOutputBytes?: number;
};

export type TrainingResult = {
  readonly outcome: RunOutcome;
  readonly seconds: number;
  readonly outputBytes: number;
  readonly resources: ResourceUse;
  /** Processes that could not be ended. */
  readonly survivors: readonly number[];
  /** Why the output is not wholly on disk; null when it is. */
  readonly logError: NodeJS.ErrnoException | null;
};

/**
 * The terminal is told not to turn `\n` into `\r\n` (the log is what the program wrote). The outer shell stays: it keeps
 * the terminal open when the command closes its own output and lives on. It outlives SIGTERM, so that the command can
 * end in its own way, but not the hang-up when the engine dies, which then reaches the command. The inner one, which waits for
 * a line of several commands, outlives it too: with it the outer one would end, and hang up on what still ends.
 */
const SHELL = '/bin/sh';
const PRELUDE = `stty -onlcr -echo 2>/dev/null; trap : TERM
/bin/sh -c 'trap : TERM; eval "$1"' pawl "$1"; exit $?`;

/**
 * Behind a sandbox the same. The sandbox itself does not hear that the command is to end, and everything in it ends with its
 * first process: so that one waits for the others, which have been asked too.
 */
const CONTAINED_PRELUDE = `stty -onlcr -echo 2>/dev/null; trap : TERM; command=$1; inside=$2; shift 2
(trap '' TERM; exec "$@" env --default-signal=TERM /bin/sh -c "$inside" pawl "$command"); exit $?`;
const INSIDE = `trap asked=1 TERM; /bin/sh -c "$1"; code=$?
if [ "$asked" ]; then while set -- /proc/[0-9]*; [ $# -gt 2 ]; do sleep 0.05; done; fi; exit $code`;

/** A shell reports a command that died by signal n as 128 + n; there are 64 signals. */
const SIGNAL_EXIT = 128;
const MAX_SIGNAL = 64;

const ROWS = 50;

/** A training that prints more is not printing progress; without an end it would fill the disk. */
const MAX_OUTPUT_BYTES = 2 * 1024 ** 3;

/** How often to look whether a process that is not read from (backpressure) has ended. */
const PAUSED_LOOK_MS = 50;

/**
 * Runs a command on a terminal of its own, as the leader of its own session and process group, and returns when
 * it and all its descendants are gone. The command's end is decided here and nowhere else: it exits, the limit
 * passes, a signal aborts, or the log cannot be written.
 */
export async function runTraining(options: TrainingOptions): Promise<TrainingResult> {
  const { killTimes = KILL_TIMES } = options;
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  let pty: IPty | null = null;
  const flow = new FlowControl(() => pty);
  const log = await OutputLog.create(options.logPath, flow.pause, flow.resume);
  try {
    const { command, sandbox } = options;
    const script = sandbox
      ? [CONTAINED_PRELUDE, 'pawl', command, INSIDE, ...sandbox]
      : [PRELUDE, 'pawl', command];
    pty = spawn(SHELL, ['-c', ...script], {
      cwd: options.cwd,
      env: { ...options.environment },
      encoding: null,
      cols: TERMINAL_COLUMNS,
      rows: ROWS,
    });
  } catch (cause) {
    await log.close();
    const message = `The training could not be started: ${String((cause as Error).message ?? cause)}`;
    return {
      outcome: { kind: 'spawn_failed', message },
      seconds: seconds(),
      outputBytes: 0,
      resources: { peakRssBytes: null, cpuSeconds: null },
      survivors: [],
      logError: null,
    };
  }
  const child = pty;
  const exited = new Promise<RunOutcome>(resolve => {
    child.onExit(({ exitCode, signal: number }) => resolve(outcomeOf(exitCode, number)));
  });
  const root = readIdentity(child.pid);
  const sampler = new ResourceSampler(child.pid);
  const ending = new AbortController();
  let outcome: RunOutcome = { kind: 'aborted' };
  let resources: ResourceUse;
  let survivors: readonly number[];
  try {
    outcome = await firstEnd(child, exited, log, ending.signal, options);
  } finally {
    // Whatever happened, also in the caller's own functions: nothing goes on running.
    ending.abort();
    resources = sampler.stop();
    const marker = options.environment[RUN_MARKER];
    const endedByItself = outcome.kind === 'exit' || outcome.kind === 'signal';
    survivors = await killTree(
      { hasMarker: found => found === marker, root, tracked: sampler.tracked.values() },
      killTimes,
      { ask: !endedByItself },
    );
    flow.stop();
    if (!endedByItself) await Promise.race([exited, delay(killTimes.verifyMs, undefined, { ref: false })]);
    await log.close();
  }
  return { outcome, seconds: seconds(), outputBytes: log.bytes, resources, survivors, logError: log.error };
}

/** Waits for whatever ends a run first. Output is taken until `ended`. */
async function firstEnd(
  child: IPty,
  exited: Promise<RunOutcome>,
  log: OutputLog,
  ended: AbortSignal,
  options: TrainingOptions,
): Promise<RunOutcome> {
  const { signal, limitSeconds, maxOutputBytes = MAX_OUTPUT_BYTES } = options;
  options.onStart?.(child.pid);
  const flooded = new Promise<RunOutcome>(resolve => {
    const listener = child.onData(data => {
      // With `encoding: null` node-pty hands over bytes, whatever its types say.
      const chunk = data as unknown as Buffer;
      log.write(chunk);
      if (log.error) resolve({ kind: 'aborted' });
      else if (log.bytes > maxOutputBytes) resolve({ kind: 'flooded' });
      else options.onOutput(chunk);
    });
    // What a survivor prints later belongs to nothing.
    void exited.then(() => listener.dispose());
  });
  const timeout = delay(limitSeconds * 1000, undefined, { signal: ended }).then(
    (): RunOutcome => ({ kind: 'timeout' }),
    (): RunOutcome => ({ kind: 'aborted' }),
  );
  const stopped = (by: AbortSignal, kind: 'aborted' | 'pruned') =>
    new Promise<RunOutcome>(resolve => {
      const stop = () => resolve({ kind });
      by.addEventListener('abort', stop, { once: true, signal: ended });
      // It may have come while the process was being started.
      if (by.aborted) stop();
    });
  const pruned = options.enough ? [stopped(options.enough, 'pruned')] : [];
  return Promise.race([exited, timeout, stopped(signal, 'aborted'), flooded, ...pruned]);
}

/** node-pty reports code 0 together with a signal; only a code without a signal is an exit. */
function outcomeOf(code: number, signal: number | undefined): RunOutcome {
  if (signal) return { kind: 'signal', signal };
  const reported = code - SIGNAL_EXIT;
  if (reported > 0 && reported <= MAX_SIGNAL) return { kind: 'signal', signal: reported };
  return { kind: 'exit', code };
}

/**
 * Pauses reading from the terminal while the disk is behind, which stops the program at its next write. node-pty
 * closes the terminal soon after its process ends, also while paused, so a paused one is looked after: once the
 * process has ended what is left (one kernel buffer) is read at once.
 */
class FlowControl {
  readonly #pty: () => IPty | null;
  #look: NodeJS.Timeout | null = null;

  constructor(pty: () => IPty | null) {
    this.#pty = pty;
  }

  readonly pause = (): void => {
    const pty = this.#pty();
    if (!pty) return;
    pty.pause();
    this.#look = setInterval(() => {
      if (!readIdentity(pty.pid)) this.resume();
    }, PAUSED_LOOK_MS);
  };

  readonly resume = (): void => {
    this.stop();
    this.#pty()?.resume();
  };

  stop(): void {
    if (this.#look) clearInterval(this.#look);
    this.#look = null;
  }
}
