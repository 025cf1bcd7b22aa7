import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { IPty } from 'node-pty';
import type { ResourceUse, RunOutcome } from '../../shared/study.ts';
import { TERMINAL_COLUMNS } from '../../shared/terminal.ts';
import { readAtOnce } from '../small-files.ts';
import { makeCgroup, userScope } from './cgroup.ts';
import { RUN_MARKER } from './environment.ts';
import { KILL_TIMES, type KillTimes, killTree } from './kill-tree.ts';
import { limitWatch, outOfMemory, type RunLimits } from './limits.ts';
import { OutputLog } from './output-log.ts';
import { readIdentity } from './process-table.ts';
import { ResourceSampler } from './resource-sampler.ts';
import { type Owner, openTerminal } from './terminal.ts';

export type TrainingOptions = {
  /** Shell command line. */
  readonly command: string;
  readonly cwd: string;
  /** Program and arguments that a command is run behind, to contain it; none for no sandbox. */
  readonly sandbox?: readonly string[] | undefined;
  /** Who it runs as behind the sandbox, where that is somebody else. */
  readonly owner?: Owner | null | undefined;
  /** With the run marker in it; see `trainingEnvironment`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly logPath: string;
  readonly limitSeconds: number;
  /** Numbers of the processor cores it may use; none for all. */
  readonly cores?: readonly number[] | undefined;
  readonly onOutput: (chunk: Buffer) => void;
  readonly onStart?: (pid: number) => void;
  readonly signal: AbortSignal;
  /** Ends it because enough is known of it; the reason it is aborted with is what the outcome is called. */
  readonly enough?: AbortSignal | undefined;
  readonly killTimes?: KillTimes;
  /** Default: {@link MAX_OUTPUT_BYTES}. */
  readonly maxOutputBytes?: number;
  /** What it may take of the machine; none for a command that the user wrote. */
  readonly limits?: RunLimits | undefined;
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
 * What a training is started by: `$1` is where the shell writes when the command ended, in seconds since the machine was
 * started, `$2` a file that takes the shell's number to limit what it may take, or nothing, `$3` the command, `$4` what runs
 * it inside of a sandbox, `$5` the cores it may use, or nothing, and the sandbox follows.
 *
 * The terminal is told not to turn `\n` into `\r\n` (the log is what the program wrote), and that whoever reads from it
 * finds the end of the input at once: nobody is there to answer. Of all processes of the machine the kernel shall take
 * these first when memory runs out.
 *
 * This shell stays: it keeps the terminal open when the command closes its own output and lives on. It outlives SIGTERM,
 * so that the command can end in its own way, but not the hang-up when the engine dies, which then reaches the command. The
 * inner shell, which waits for a line of several commands, outlives SIGTERM too: with it this one would end, and hang up on
 * what still ends. A sandbox does not hear that the command is to end, and everything in it ends with its first process.
 */
const PRELUDE = `LC_ALL=C stty -onlcr -echo -icanon min 0 time 0 2>/dev/null; exec </dev/null
{ echo 900 >/proc/$$/oom_score_adj; } 2>/dev/null
[ -z "$2" ] || echo $$ >"$2"
[ -z "$5" ] || taskset -pc "$5" $$ >/dev/null || exit 126
trap : TERM
clock=$1; command=$3; inside=$4; shift 5
if [ $# -eq 0 ]; then (trap : TERM; set -- "$command"; unset clock command inside; eval "$1")
else (trap '' TERM; exec "$@" env --default-signal=TERM /bin/sh -c "$inside" pawl "$command")
fi
code=$?; read -r up rest </proc/uptime; echo "$up" >"$clock"; exit $code`;

/** The sandbox's first process waits for the others, which have been asked to end as well. */
const INSIDE = `trap asked=1 TERM; /bin/sh -c "$1"; code=$?
if [ "$asked" ]; then while set -- /proc/[0-9]*; [ $# -gt 2 ]; do sleep 0.05; done; fi; exit $code`;

/** A shell reports a command that died by signal n as 128 + n; there are 64 signals. */
const SIGNAL_EXIT = 128;
const MAX_SIGNAL = 64;

const SHELL = '/bin/sh';
const ROWS = 50;

/** A training that prints more is not printing progress; without an end it would fill the disk. */
const MAX_OUTPUT_BYTES = 2 * 1024 ** 3;

/** Its clock says how long the machine runs, in digits. */
const CLOCK_BYTES = 64;

/** What the shell's clock and the engine's may differ by although nothing held the engine up. */
const SLACK_SECONDS = 0.5;

/**
 * Runs a command on a terminal of its own, as the leader of its own session and process group, and returns when
 * it and all its descendants are gone. The command's end is decided here and nowhere else: it exits, the limit
 * passes, a signal aborts, or the log cannot be written.
 */
export async function runTraining(options: TrainingOptions): Promise<TrainingResult> {
  const { command, sandbox, owner = null, killTimes = KILL_TIMES } = options;
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  const { limits } = options;
  let pty: IPty | null = null;
  const [group, log] = await Promise.all([
    limits ? makeCgroup(groupName(options.logPath), limits) : null,
    OutputLog.create(
      options.logPath,
      () => pty?.pause(),
      () => pty?.resume(),
    ),
  ]);
  const scope = limits && !group && sandbox ? await userScope(options.environment, limits) : [];
  const clock = { path: `${options.logPath}.end`, began: readUptime() };
  let take = (_chunk: Buffer): void => {};
  const flooded = new Promise<RunOutcome>(resolve => {
    take = chunk => {
      log.write(chunk);
      if (log.error) resolve({ kind: 'aborted' });
      else if (log.bytes > (options.maxOutputBytes ?? MAX_OUTPUT_BYTES)) resolve({ kind: 'flooded' });
      else options.onOutput(chunk);
    };
  });
  try {
    pty = openTerminal({
      ...{ program: SHELL, cwd: options.cwd, environment: options.environment, owner },
      args: [
        ...['-c', PRELUDE, 'pawl', clock.path, group?.processes ?? '', command, INSIDE],
        (options.cores ?? []).join(','),
        ...[...scope, ...(sandbox ?? [])],
      ],
      ...{ columns: TERMINAL_COLUMNS, rows: ROWS, onData: chunk => take(chunk) },
    });
  } catch (cause) {
    await log.close();
    await group?.remove();
    const message = `The training could not be started: ${String((cause as Error).message ?? cause)}`;
    return {
      outcome: { kind: 'spawn_failed', message },
      seconds: elapsed(),
      outputBytes: 0,
      resources: { peakRssBytes: null, cpuSeconds: null },
      survivors: [],
      logError: null,
    };
  }
  const { pid } = pty;
  let hasExited = false;
  const exited = new Promise<RunOutcome>(resolve => {
    pty?.onExit(({ exitCode, signal }) => {
      hasExited = true;
      // What a survivor prints later belongs to nothing.
      take = () => {};
      resolve(outcomeOf(exitCode, signal));
    });
  });
  const root = readIdentity(pid);
  const passed = Promise.withResolvers<RunOutcome>();
  const passedIn = limits ? limitWatch(limits) : null;
  const sampler = new ResourceSampler(pid, async tree => {
    const limit = passedIn ? await passedIn(tree) : null;
    if (limit) passed.resolve(limit);
  });
  const ending = new AbortController();
  let outcome: RunOutcome = { kind: 'aborted' };
  let resources: ResourceUse;
  let survivors: readonly number[];
  let heldUpSeconds: number | null = null;
  try {
    outcome = await firstEnd(pid, exited, [flooded, passed.promise], ending.signal, options);
    if (limits && (await group?.hasRunOut())) outcome = outOfMemory(null, limits.memoryBytes);
    if (hasExited) heldUpSeconds = secondsBeforeHeldUp(clock, elapsed());
    if (heldUpSeconds !== null && heldUpSeconds > options.limitSeconds + SLACK_SECONDS) {
      outcome = { kind: 'timeout' };
    }
  } finally {
    // Whatever happened, also in the caller's own functions: nothing goes on running.
    ending.abort();
    resources = sampler.stop();
    const marker = options.environment[RUN_MARKER];
    survivors = await killTree(
      { hasMarker: found => found === marker, root, tracked: sampler.tracked.values() },
      killTimes,
      { ask: !hasExited },
    );
    // Also while the disk is behind: of what was asked to end the last words are read.
    pty.resume();
    if (!hasExited) await Promise.race([exited, delay(killTimes.verifyMs, undefined, { ref: false })]);
    take = () => {};
    await log.close();
    rmSync(clock.path, { force: true });
    await group?.remove();
  }
  return {
    outcome,
    seconds: heldUpSeconds ?? elapsed(),
    outputBytes: log.bytes,
    resources,
    survivors,
    logError: log.error,
  };
}

/** Waits for whatever ends a run first. */
async function firstEnd(
  pid: number,
  exited: Promise<RunOutcome>,
  others: readonly Promise<RunOutcome>[],
  ended: AbortSignal,
  options: TrainingOptions,
): Promise<RunOutcome> {
  const { signal, limitSeconds } = options;
  options.onStart?.(pid);
  const timeout = delay(limitSeconds * 1000, undefined, { signal: ended }).then(
    // An engine that was held up learns of the end after the limit, although it was before.
    (): RunOutcome | Promise<RunOutcome> => (readIdentity(pid) ? { kind: 'timeout' } : exited),
    (): RunOutcome => ({ kind: 'aborted' }),
  );
  const stopped = (by: AbortSignal, kind: () => 'aborted' | 'pruned' | 'over_budget') =>
    new Promise<RunOutcome>(resolve => {
      const stop = () => resolve({ kind: kind() });
      by.addEventListener('abort', stop, { once: true, signal: ended });
      // It may have come while the process was being started.
      if (by.aborted) stop();
    });
  const { enough } = options;
  const early = enough
    ? [stopped(enough, () => (enough.reason === 'over_budget' ? 'over_budget' : 'pruned'))]
    : [];
  return Promise.race([exited, timeout, stopped(signal, () => 'aborted'), ...others, ...early]);
}

/**
 * How long the command really took, by the shell's clock, where that is clearly less than what the engine saw of it, because
 * the engine was suspended or busy. Null otherwise, and where the shell was killed.
 */
function secondsBeforeHeldUp(
  clock: { readonly path: string; readonly began: number },
  elapsed: number,
): number | null {
  const ended = Number.parseFloat(readAtOnce(clock.path, CLOCK_BYTES)?.toString('latin1') ?? '');
  const seconds = ended - clock.began;
  return elapsed - seconds > SLACK_SECONDS ? seconds : null;
}

/** A name for the control group of a run that no other run has at the same time. */
function groupName(logPath: string): string {
  return `pawl-${process.pid}-${createHash('sha256').update(logPath).digest('hex').slice(0, 12)}`;
}

/** Seconds since the machine was started. Source: proc(5). */
function readUptime(): number {
  return Number.parseFloat(readFileSync('/proc/uptime', 'latin1'));
}

/** node-pty reports code 0 together with a signal; only a code without a signal is an exit. */
function outcomeOf(code: number, signal: number | undefined): RunOutcome {
  if (signal) return { kind: 'signal', signal };
  const reported = code - SIGNAL_EXIT;
  if (reported > 0 && reported <= MAX_SIGNAL) return { kind: 'signal', signal: reported };
  return { kind: 'exit', code };
}
