/** Influences of the machine, rather than the code, on a run's number. */
export const FLAG_KINDS = [
  'suspended',
  'clock_skew',
  'throttled',
  'clocks',
  'speed',
  'shared',
  'memory_full',
  'claim',
  'cold',
  'contended',
  'cores',
  'other_gpu',
  'other_hardware',
  'lost',
] as const;
export type FlagKind = (typeof FLAG_KINDS)[number];

/** The number a run printed, and the one its scorer gave. */
export type Claim = { readonly printed: number; readonly scored: number };

/** Models of what a run trained on, as the driver and the kernel name them; null where that is not known. */
export type Hardware = { readonly gpu: string | null; readonly processor: string | null };

/**
 * What a number from other hardware than the baseline's is compared with: the nearest ancestor that was trained on
 * the same, and its number there.
 */
export type Screening = { readonly experiment: number; readonly value: number };

/** A screening that showed no gain, and the run's own number. */
export type ScreenedOut = Screening & { readonly own: number };

export type FairnessFlag = {
  readonly kind: FlagKind;
  /** The measurement, in words. */
  readonly detail: string;
  /** Whether the run's number must not decide a verdict. */
  readonly isUnfair: boolean;
};

/** What is stored about a run, in order to judge it and later ones. */
export type Fairness = {
  readonly flags: readonly FairnessFlag[];
  /** Median while the GPU was busy; null if that was not measured. */
  readonly smClockMhz: number | null;
  /** Over the second half of the run; null if it printed no steps, absent if not measured. */
  readonly stepsPerSecond?: number | null;
  /** The number of steps; null or absent as above. */
  readonly steps?: number | null;
  /** How long the training took from start to exit, by Pawl's clock; absent if not recorded. */
  readonly seconds?: number;
  /** How long its scoring took; absent if nothing was scored. */
  readonly scoreSeconds?: number;
  /** The number of GPU samples used to judge it. */
  readonly samples: number;
  /** Absent if not recorded. */
  readonly hardware?: Hardware;
  /** Name of the machine that trained it; absent if it was this one. */
  readonly node?: string;
  /** Names of other programs that computed on the GPU during the run. */
  readonly foreign: readonly string[];
};

const FLAG_WORDS: Readonly<Record<FlagKind, string>> = {
  suspended: 'the machine slept or Pawl was stopped',
  clock_skew: 'its own clock is off',
  throttled: 'the GPU was throttled',
  clocks: 'the GPU ran at other clocks',
  speed: 'the same code ran at another speed before',
  shared: 'another program computed on the GPU',
  memory_full: 'GPU memory was nearly full',
  contended: 'other programs used the processors',
  cores: 'it used more processor cores than its budget',
  other_gpu: 'it computed on a GPU that it was not given',
  other_hardware: 'it did not train on the hardware of the baseline',
  cold: 'its compiler caches differed from those of the other runs',
  lost: 'its job ended for no reason of its own',
  claim: 'it printed a different number from its score',
};

/** The meaning of a kind of flag, in words. */
export function describeFlagKind(kind: FlagKind): string {
  return FLAG_WORDS[kind];
}

/** Why a run on other hardware is followed by one on the baseline's, in words that stay true. */
export function describeHandOver({
  n,
  flags,
}: {
  readonly n: number;
  readonly flags: readonly Pick<FairnessFlag, 'kind' | 'detail'>[];
}): string {
  const why = flags.map(flag =>
    flag.kind === 'other_hardware' ? `it was trained ${flag.detail}` : describeFlag(flag),
  );
  return `#${n} was set aside for a lane with the hardware of the baseline: ${why.join('; ')}`;
}

/** A flag as a sentence for the user. */
export function describeFlag({ kind, detail }: Pick<FairnessFlag, 'kind' | 'detail'>): string {
  return `${FLAG_WORDS[kind]}, ${detail}`;
}
