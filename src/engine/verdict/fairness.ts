import type { Fairness, FairnessFlag } from '../../shared/fairness.ts';
import type { Summary } from '../../shared/study.ts';
import { type GpuSample, THROTTLE, throttleWords } from '../../shared/telemetry.ts';

/** A clock that is set by a network may jump this much without anybody having slept. */
const SLEPT_SECONDS = 2;
/** A script's timer may count its own start-up a little otherwise, but no more time than there was. */
const SKEW_SHARE = 0.02;
const SKEW_SECONDS = 1;
/** Slowed for a larger share of its samples a run is another run. A power limit is not meant: many GPUs train at it. */
const THROTTLED_SHARE = 0.1;
const THROTTLED_SAMPLES = 3;
const SLOWED = THROTTLE.hardwareSlowdown | THROTTLE.thermal | THROTTLE.hardwareThermal | THROTTLE.powerBrake;
const SHARED_SHARE = 0.1;
const SHARED_SAMPLES = 3;
/** Clocks this far from the study's own are another machine's. */
const CLOCKS_SHARE = 0.05;
/** So many runs make a norm. */
const NORM_RUNS = 3;
const BUSY_PERCENT = 50;
/** Beyond this an allocator begins to work around its limits. */
const FULL_SHARE = 0.98;

export type FairnessInput = {
  /** Samples of the GPU that trains, oldest first; empty where there is none. */
  readonly gpu: readonly GpuSample[];
  /** Of the run, by the clock on the wall and by one that stands still while the machine sleeps. */
  readonly wallSeconds: number;
  readonly awakeSeconds: number;
  readonly summary: Summary | null;
  /** Processes on that GPU that are not of the run, with the number of samples they were in. */
  readonly foreign: readonly {
    readonly pid: number;
    readonly name: string;
    readonly samples: number;
    readonly memoryMib: number | null;
  }[];
  /** What the study's earlier runs were judged by. */
  readonly earlier: readonly Fairness[];
};

/** Judges whether a run's number was fairly come by. Pure. */
export function judgeFairness(input: FairnessInput): Fairness {
  const { gpu, wallSeconds, awakeSeconds, summary, earlier } = input;
  const earlierClocks = earlier.flatMap(({ smClockMhz }) => smClockMhz ?? []);
  const flags: FairnessFlag[] = [];
  const flag = (kind: FairnessFlag['kind'], detail: string, isUnfair = true) =>
    flags.push({ kind, detail, isUnfair });

  const slept = wallSeconds - awakeSeconds;
  if (slept > SLEPT_SECONDS) flag('suspended', `for ${Math.round(slept)} s of ${Math.round(wallSeconds)} s`);

  const own = summary?.training_seconds;
  if (own !== undefined && own > awakeSeconds * (1 + SKEW_SHARE) + SKEW_SECONDS) {
    // Running it again would not mend a timer.
    flag('clock_skew', `it says it trained ${own.toFixed(1)} s, and had ${awakeSeconds.toFixed(1)} s`, false);
  }

  const told = gpu.flatMap(({ throttleReasons }) => (throttleReasons === undefined ? [] : [throttleReasons]));
  const slowed = told.filter(reasons => (reasons & SLOWED) !== 0);
  if (slowed.length >= THROTTLED_SAMPLES && slowed.length > told.length * THROTTLED_SHARE) {
    const words = throttleWords(slowed.reduce((all, reasons) => all | (reasons & SLOWED), 0)).join(', ');
    flag('throttled', `${words} in ${Math.round((100 * slowed.length) / told.length)} % of its seconds`);
  }

  const smClockMhz = median(
    gpu
      .filter(({ utilizationPercent = 0 }) => utilizationPercent >= BUSY_PERCENT)
      .flatMap(sample => sample.smClockMhz ?? []),
  );
  const norm = earlierClocks.length < NORM_RUNS ? null : median(earlierClocks);
  if (smClockMhz !== null && norm !== null && Math.abs(smClockMhz / norm - 1) > CLOCKS_SHARE) {
    flag('clocks', `${smClockMhz} MHz, and ${norm} MHz in the runs before`);
  }

  const foreign = input.foreign.filter(
    ({ samples }) => samples >= SHARED_SAMPLES && samples > gpu.length * SHARED_SHARE,
  );
  for (const { pid, name, memoryMib } of foreign) {
    // What was there in every run before, a desktop for instance, is part of the machine the study knows.
    const isUsual = earlier.length > 0 && earlier.every(run => run.foreign.includes(pid));
    flag('shared', `process ${pid} (${name})${memoryMib === null ? '' : ` with ${memoryMib} MiB`}`, !isUsual);
  }

  const shares = gpu.flatMap(({ memoryUsedMib, memoryTotalMib }) =>
    memoryUsedMib !== undefined && memoryTotalMib ? [memoryUsedMib / memoryTotalMib] : [],
  );
  const fullest = Math.max(0, ...shares);
  if (fullest >= FULL_SHARE) flag('memory_full', `${(100 * fullest).toFixed(1)} % at most`, false);
  return { flags, smClockMhz, foreign: foreign.map(({ pid }) => pid) };
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
