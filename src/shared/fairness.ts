/** What can make a run's number depend more on the machine than on the code. */
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
  'lost',
] as const;
export type FlagKind = (typeof FLAG_KINDS)[number];

/** What a run printed, beside the number its scorer gave. */
export type Claim = { readonly printed: number; readonly scored: number };

export type FairnessFlag = {
  readonly kind: FlagKind;
  /** What was measured, in words. */
  readonly detail: string;
  /** Whether the run's number must not decide. */
  readonly isUnfair: boolean;
};

/** What is kept of a run for judging it and later ones. */
export type Fairness = {
  readonly flags: readonly FairnessFlag[];
  /** Median while the GPU was busy; null where that was not measured. */
  readonly smClockMhz: number | null;
  /** Over the later half of the run; null where it printed none, absent if not measured. */
  readonly stepsPerSecond?: number | null;
  /** How many it made, on the same terms. */
  readonly steps?: number | null;
  /** How long the training took, start to exit, by Pawl's clock; absent if not recorded. */
  readonly seconds?: number;
  /** How long scoring it took; absent where nothing scored it. */
  readonly scoreSeconds?: number;
  /** Samples of the GPU it was judged by. */
  readonly samples: number;
  /** Names of the processes of others that computed on the GPU meanwhile. */
  readonly foreign: readonly string[];
};

const FLAG_WORDS: Readonly<Record<FlagKind, string>> = {
  suspended: 'the machine slept',
  clock_skew: 'its own clock is off',
  throttled: 'the GPU was throttled',
  clocks: 'the GPU ran at other clocks',
  speed: 'the same code ran at another speed before',
  shared: 'another program computed on the GPU',
  memory_full: 'GPU memory was nearly full',
  contended: 'other programs used the processors',
  cores: 'it used more processor cores than its budget',
  other_gpu: 'it computed on a GPU that it was not given',
  cold: 'its compiler caches differed from those of the other runs',
  lost: 'its job ended for no reason of its own',
  claim: 'it printed a different number from its score',
};

/** What a kind of flag means, in words. */
export function describeFlagKind(kind: FlagKind): string {
  return FLAG_WORDS[kind];
}

/** A flag, as a sentence for a reader. */
export function describeFlag({ kind, detail }: Pick<FairnessFlag, 'kind' | 'detail'>): string {
  return `${FLAG_WORDS[kind]}, ${detail}`;
}
