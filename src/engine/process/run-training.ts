import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { IPty } from 'node-pty';
import type { ResourceUse, RunOutcome } from '../../shared/study.ts';
import { TERMINAL_COLUMNS } from '../../shared/terminal.ts';
import { readAtOnce } from '../small-files.ts';
import { awakeDelay, awakeMs } from './awake-clock.ts';
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
  /** Program and arguments that contain the command; none runs it without a sandbox. */
  readonly sandbox?: readonly string[] | undefined;
  /** The user it runs as in the sandbox, if that is another one. */
  readonly owner?: Owner | null | undefined;
  /** Including the run marker; see `trainingEnvironment`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly logPath: string;
  readonly limitSeconds: number;
  /** Numbers of the processor cores it may use; none for all. */
  readonly cores?: readonly number[] | undefined;
  readonly onOutput: (chunk: Buffer) => void;
  readonly onStart?: (pid: number) => void;
  readonly signal: AbortSignal;
  /** Ends the run early because enough is known; the abort reason names the outcome. */
  readonly enough?: AbortSignal | undefined;
  readonly killTimes?: KillTimes;
  /** Default: {@link MAX_OUTPUT_BYTES}. */
  readonly maxOutputBytes?: number;
  /** Limits on what it may use; none for a command that the user wrote. */
  readonly limits?: RunLimits | undefined;
};

export type TrainingResult = {
  readonly outcome: RunOutcome;
  readonly seconds: number;
  readonly outputBytes: number;
  readonly resources: ResourceUse;
  /** Processes that could not be ended. */
  readonly survivors: readonly number[];
  /** Why the output is not completely on disk; null if it is. */
  readonly logError: NodeJS.ErrnoException | null;
};

/**
 * The shell script that starts a training. `$1`: the file in which the shell writes when the command ended, in seconds
 * since the machine started. `$2`: the file that takes the shell's process number to apply limits, or nothing. `$3`: the
 * command. `$4`: the script that runs it inside a sandbox. `$5`: the cores it may use, or nothing. The sandbox follows.
 *
 * The terminal must not turn `\n` into `\r\n`, because the log is what the program wrote. Whoever reads from it gets the end
 * of the input at once, because nobody is there to answer. When memory runs out, the kernel should kill these processes
 * first.
 *
 * This shell stays, because it keeps the terminal open if the command closes its own output and lives on. It survives
 * SIGTERM, so that the command can end in its own way, but not the hang-up when the engine dies, which then reaches the
 * command. The inner shell, which runs a command of several lines, survives SIGTERM too: otherwise this shell would end
 * with it and hang up on processes that are still ending. A sandbox ignores SIGTERM, because everything in it ends with
 * its first process.
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

/** The sandbox's first process waits for the others, which are asked to end as well. */
const INSIDE = `trap asked=1 TERM; /bin/sh -c "$1"; code=$?
if [ "$asked" ]; then while set -- /proc/[0-9]*; [ $# -gt 2 ]; do sleep 0.05; done; fi; exit $code`;

/** A shell reports a command that died of signal n as 128 + n; there are 64 signals. */
const SIGNAL_EXIT = 128;
const MAX_SIGNAL = 64;

const SHELL = '/bin/sh';
const ROWS = 50;

/** More output than this is not progress; without a limit it would fill the disk. */
const MAX_OUTPUT_BYTES = 2 * 1024 ** 3;

/** The clock's file contains the uptime as digits. */
const CLOCK_BYTES = 64;

/** How much the shell's clock and the engine's may differ in normal operation. */
const SLACK_SECONDS = 0.5;

/**
 * Runs a command on its own terminal, in its own session and process group, and returns once it and all its
 * descendants are gone. Only this function decides how the command ends: it exits, the limit passes, a signal aborts,
 * or the log cannot be written.
 */
export async function runTraining(options: TrainingOptions): Promise<TrainingResult> {
  const { command, sandbox, owner = null, killTimes = KILL_TIMES } = options;
  const started = awakeMs();
  const elapsed = () => (awakeMs() - started) / 1000;
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
      // Later output of survivors is ignored.
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
    // Whatever happened, even an error in the caller's functions, nothing may keep running.
    ending.abort();
    resources = sampler.stop();
    const marker = options.environment[RUN_MARKER];
    survivors = await killTree(
      { hasMarker: found => found === marker, root, tracked: sampler.tracked.values() },
      killTimes,
      { ask: !hasExited },
    );
    // Even if the disk is slow: the last output of an ended run is still read.
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
  const timeout = awakeDelay(limitSeconds * 1000, ended).then(
    // If the engine was held up, it notices the end after the limit although the command ended before it.
    (): RunOutcome | Promise<RunOutcome> => (readIdentity(pid) ? { kind: 'timeout' } : exited),
    (): RunOutcome => ({ kind: 'aborted' }),
  );
  const stopped = (by: AbortSignal, kind: () => 'aborted' | 'pruned' | 'over_budget') =>
    new Promise<RunOutcome>(resolve => {
      const stop = () => resolve({ kind: kind() });
      by.addEventListener('abort', stop, { once: true, signal: ended });
      // The signal may have been aborted while the process was being started.
      if (by.aborted) stop();
    });
  const { enough } = options;
  const early = enough
    ? [stopped(enough, () => (enough.reason === 'over_budget' ? 'over_budget' : 'pruned'))]
    : [];
  return Promise.race([exited, timeout, stopped(signal, () => 'aborted'), ...others, ...early]);
}

/**
 * How long the command really took by the shell's clock, if that is clearly less than the engine saw, because the
 * engine was suspended or busy. Null otherwise, and if the shell was killed.
 */
function secondsBeforeHeldUp(
  clock: { readonly path: string; readonly began: number },
  elapsed: number,
): number | null {
  const ended = Number.parseFloat(readAtOnce(clock.path, CLOCK_BYTES)?.toString('latin1') ?? '');
  const seconds = ended - clock.began;
  return elapsed - seconds > SLACK_SECONDS ? seconds : null;
}

/** A name for the run's control group that no concurrent run has. */
function groupName(logPath: string): string {
  return `pawl-${process.pid}-${createHash('sha256').update(logPath).digest('hex').slice(0, 12)}`;
}

/** Seconds since the machine started. Source: proc(5). */
function readUptime(): number {
  return Number.parseFloat(readFileSync('/proc/uptime', 'latin1'));
}

/** node-pty reports code 0 together with a signal, so only a code without a signal is an exit. */
function outcomeOf(code: number, signal: number | undefined): RunOutcome {
  if (signal) return { kind: 'signal', signal };
  const reported = code - SIGNAL_EXIT;
  if (reported > 0 && reported <= MAX_SIGNAL) return { kind: 'signal', signal: reported };
  return { kind: 'exit', code };
}
