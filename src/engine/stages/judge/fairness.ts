import { type GpuSample, THROTTLE, throttleWords } from '../../../shared/machines/telemetry.ts';
import { formatSeconds } from '../../../shared/numbers.ts';
import { shortNumber } from '../../../shared/short-number.ts';
import type { Summary } from '../../../shared/study.ts';
import type { Claim, Fairness, FairnessFlag, Hardware } from '../../../shared/verdicts/fairness.ts';
import type { ForeignProcess } from '../../machine/foreign-processes.ts';
import { hardwareDifference } from '../../machine/hardware.ts';
import { median } from '../../metrics/number.ts';

/** Fewer samples prove nothing. */
const LEAST_SAMPLES = 3;
/** A flag of this many runs in a row counts as usual. */
export const USUAL_RUNS = 3;
/** A clock that is set over the network may jump this far although the machine never slept. */
const SLEPT_SECONDS = 2;
/** A script may count its start-up time differently, but cannot have had more time than passed. */
const SKEW_SHARE = 0.02;
const SKEW_SECONDS = 1;
/**
 * A run that was slowed in a larger share of its samples does not compare. The power limit does not count, because
 * many GPUs train at it.
 */
const THROTTLED_SHARE = 0.1;
const SLOWED = THROTTLE.hardwareSlowdown | THROTTLE.thermal | THROTTLE.hardwareThermal | THROTTLE.powerBrake;
const SHARED_SHARE = 0.1;
/** A clock speed this far from the study's usual one does not compare. */
const CLOCKS_SHARE = 0.05;
/** The number of runs needed for a norm. */
const NORM_RUNS = 3;
/** Wall time is noisy; a larger difference between runs of the same code is flagged. */
const SPEED_SHARE = 0.1;
const BUSY_PERCENT = 50;
/** Above this share, an allocator begins to work around its limits. */
const FULL_SHARE = 0.98;

/** In shorter runs, contention does not show. */
const LEAST_CONTENDED_SECONDS = 30;
/** If the machine is this busy, the run lacked what other programs used. */
const FULL_MACHINE = 0.95;
const OTHERS_SHARE = 0.1;

/** Tolerance, because the first and last moments of a run are not measured exactly. */
const CORES_SHARE = 0.05;

export type ProcessorTime = { readonly own: number; readonly all: number; readonly cores: number };

/** The share of the processors that other programs used while none was free; null if it was too small to matter. */
function othersShare({ own, all, cores }: ProcessorTime, seconds: number): number | null {
  const room = seconds * cores;
  if (seconds < LEAST_CONTENDED_SECONDS || all < FULL_MACHINE * room) return null;
  const share = Math.max(0, all - own) / room;
  return share >= OTHERS_SHARE ? share : null;
}

export type FairnessInput = {
  /** Samples of the GPU that trains, oldest first; empty if there is none. */
  readonly gpu: readonly GpuSample[];
  /** Duration of the run by the wall clock, and by a clock that stands still while the machine sleeps or Pawl is stopped. */
  readonly wallSeconds: number;
  readonly awakeSeconds: number;
  readonly summary: Summary | null;
  /** A printed number that differs from the score, or null. */
  readonly claim?: Claim | null;
  readonly stepsPerSecond: number | null;
  readonly steps?: number | null;
  /** How its compiler caches differed from other runs'; null if they did not. */
  readonly cold?: string | null;
  /** Processor time during the run in seconds: of its own processes and of the whole machine. Null if unknown. */
  readonly processors?: ProcessorTime | null;
  /** Why a run on another machine ended, if its code did not cause that. */
  readonly loss?: string | null;
  /** How many processor cores the contract lets a run use; null if it does not say. */
  readonly cores?: number | null;
  /** What it trained on, and what the baseline trained on; null for the baseline. */
  readonly hardware?: Hardware;
  readonly baselineHardware?: Hardware | null;
  /** The machine that trained it; null if it was this one. */
  readonly node?: string | null;
  /** Other GPUs on which the run computed. */
  readonly otherGpus?: readonly string[];
  /** How long the training took from start to exit, without its scoring. */
  readonly seconds?: number;
  readonly scoreSeconds?: number;
  /** The fairness of earlier runs of the same commit that ended by themselves. */
  readonly sameCode: readonly Fairness[];
  /** Processes on that GPU that do not belong to the run. */
  readonly foreign: readonly ForeignProcess[];
  /** Whether the run itself was seen on the GPU; null if processes are not reported. */
  readonly isUsed: boolean | null;
  /** The fairness of the study's earlier runs, newest first. */
  readonly earlier: readonly Fairness[];
};

/**
 * Whether other programs took the processors from each of the last runs, so that another run would not be fairer. This
 * does not depend on whether a GPU was sampled.
 * @param earlier the fairness of earlier runs, newest first
 */
export function isUsuallyContended(earlier: readonly Fairness[]): boolean {
  const lastRuns = earlier.slice(0, USUAL_RUNS);
  return lastRuns.length === USUAL_RUNS && lastRuns.every(({ flags }) => flags.some(isContention));
}

/** Other programs took the processors. */
export function isContention({ kind }: FairnessFlag): boolean {
  return kind === 'contended';
}

/** Judges whether a run's number was measured fairly. Pure. */
export function judgeFairness(input: FairnessInput): Fairness {
  const { wallSeconds, awakeSeconds, summary, hardware } = input;
  // Another GPU has other clocks, and another speed.
  const isAlike = (run: Fairness) =>
    !hardware || !run.hardware || hardwareDifference(hardware, run.hardware) === null;
  const earlier = input.earlier.filter(isAlike);
  // A GPU that the run does not use says nothing about it.
  const gpu = input.isUsed === false ? [] : input.gpu;
  const comparable = earlier.filter(({ samples }) => samples >= LEAST_SAMPLES).slice(0, USUAL_RUNS);
  /** A flag that the last runs had too is normal on this machine, and another run would not help. */
  const isUsual = (has: (run: Fairness) => boolean) =>
    comparable.length === USUAL_RUNS && comparable.every(has);
  const hadFlag = (kind: FairnessFlag['kind']) => (run: Fairness) =>
    run.flags.some(flag => flag.kind === kind);
  const earlierClocks = earlier.flatMap(({ smClockMhz }) => smClockMhz ?? []);
  const flags: FairnessFlag[] = [];
  const flag = (kind: FairnessFlag['kind'], detail: string, isUnfair = true) =>
    flags.push({ kind, detail, isUnfair });

  const slept = wallSeconds - awakeSeconds;
  if (slept > SLEPT_SECONDS)
    flag('suspended', `for ${formatSeconds(slept, 0)} of ${formatSeconds(wallSeconds, 0)}`);

  const own = summary?.training_seconds;
  if (own !== undefined && own > awakeSeconds * (1 + SKEW_SHARE) + SKEW_SECONDS) {
    // Another run would not fix a timer.
    flag(
      'clock_skew',
      `it says it trained for ${formatSeconds(own, 1)}, but it had only ${formatSeconds(awakeSeconds, 1)}`,
      false,
    );
  }

  if (input.cold) flag('cold', input.cold);
  if (input.loss) flag('lost', input.loss);

  const share = input.processors && othersShare(input.processors, awakeSeconds);
  if (share) {
    const detail = `${Math.round(100 * share)} % of them, and none was free`;
    flag('contended', detail, !isUsuallyContended(earlier));
  }

  const used = input.processors ? input.processors.own / Math.max(1, awakeSeconds) : null;
  const { cores = null } = input;
  // The code would use as many cores again.
  if (cores !== null && used !== null && used > cores * (1 + CORES_SHARE))
    flag('cores', `${used.toFixed(1)} cores, but budget.cores is ${cores}`, false);
  for (const name of input.otherGpus ?? []) flag('other_gpu', name, false);

  const { baselineHardware = null } = input;
  const difference = hardware && hardwareDifference(hardware, baselineHardware);
  if (difference) flag('other_hardware', difference);

  if (input.claim) {
    flag('claim', `${input.claim.printed} against a score of ${input.claim.scored}`, false);
  }

  const told = gpu.flatMap(({ throttleReasons }) => (throttleReasons === undefined ? [] : [throttleReasons]));
  const slowed = told.filter(reasons => (reasons & SLOWED) !== 0);
  if (slowed.length >= LEAST_SAMPLES && slowed.length > told.length * THROTTLED_SHARE) {
    const words = throttleWords(slowed.reduce((all, reasons) => all | (reasons & SLOWED), 0)).join(', ');
    const share = Math.round((100 * slowed.length) / told.length);
    flag('throttled', `${words} in ${share} % of its seconds`, !isUsual(hadFlag('throttled')));
  }

  const smClockMhz = median(
    gpu
      .filter(({ utilizationPercent = 0 }) => utilizationPercent >= BUSY_PERCENT)
      .flatMap(sample => sample.smClockMhz ?? []),
  );
  const norm = earlierClocks.length < NORM_RUNS ? null : median(earlierClocks);
  // At its power limit, a GPU's clock speed depends on the code.
  const capped = told.filter(reasons => (reasons & THROTTLE.powerCap) !== 0);
  const isCapped = capped.length > told.length / 2;
  if (!isCapped && smClockMhz !== null && norm !== null && Math.abs(smClockMhz / norm - 1) > CLOCKS_SHARE) {
    flag('clocks', `${smClockMhz} MHz, against ${norm} MHz in earlier runs`, !isUsual(hadFlag('clocks')));
  }

  const { stepsPerSecond } = input;
  const usualRate = median(input.sameCode.filter(isAlike).flatMap(run => run.stepsPerSecond ?? []));
  if (stepsPerSecond !== null && usualRate !== null) {
    const change = stepsPerSecond / usualRate - 1;
    const detail = `${shortNumber(stepsPerSecond, 3)} steps per second, against ${shortNumber(usualRate, 3)} before`;
    // Other flags report what slowed the run; a change of speed alone may come from the code.
    if (Math.abs(change) > SPEED_SHARE) flag('speed', detail, false);
  }

  const foreign = (input.isUsed === false ? [] : input.foreign).filter(
    ({ samples }) => samples >= LEAST_SAMPLES && samples > gpu.length * SHARED_SHARE,
  );
  for (const { pid, name, memoryMib } of foreign) {
    flag(
      'shared',
      `process ${pid} (${name})${memoryMib === null ? '' : ` with ${memoryMib} MiB`}`,
      !isUsual(run => run.foreign.includes(name)),
    );
  }

  const shares = gpu.flatMap(({ memoryUsedMib, memoryTotalMib }) =>
    memoryUsedMib !== undefined && memoryTotalMib ? [memoryUsedMib / memoryTotalMib] : [],
  );
  const fullest = shares.reduce((most, share) => Math.max(most, share), 0);
  if (fullest >= FULL_SHARE) flag('memory_full', `${(100 * fullest).toFixed(1)} % at most`, false);
  return {
    flags,
    smClockMhz,
    stepsPerSecond,
    ...(input.steps === undefined ? {} : { steps: input.steps }),
    ...(input.seconds === undefined ? {} : { seconds: input.seconds }),
    ...(input.scoreSeconds === undefined ? {} : { scoreSeconds: input.scoreSeconds }),
    ...(hardware ? { hardware } : {}),
    ...(input.node ? { node: input.node } : {}),
    samples: gpu.length,
    foreign: input.foreign.map(({ name }) => name),
  };
}
