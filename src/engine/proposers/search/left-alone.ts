/**
 * Words in names of constants that must not be changed: a better seed is luck, an evaluation of another size or an
 * easier problem gives another number, a longer run is not faster training, and reporting, logging, saving or splitting
 * work among processors changes no result.
 */
const WORDS = new Set(
  `SEED SEEDS PATH PATHS DIR FILE FILES FILENAME URL NAME VERSION PORT HOST ID
  FLOPS FLOP TFLOPS GFLOPS EVAL EVALS EVALUATION VALIDATION HOLDOUT TEST TESTS BENCH BENCHMARK REPS REPEATS RESUME AUTOTUNE AUTOTUNING
  RNG DURATION CAPITAL COMMISSION COMMISSIONS FEE FEES SLIPPAGE BASELINE BALANCE CASH
  FOLD FOLDS PROBLEM WORKER WORKERS NTHREAD NTHREADS PARALLELISM DETERMINISTIC
  VERBOSE VERBOSITY DEBUG LOGGING LOGGER WANDB TENSORBOARD UPLOAD VIDEO TIMEOUT WALLCLOCK`
    .split(/\s+/)
    .filter(Boolean),
);

/** The same for phrases, with `_` between and around the words. */
const PHRASES = new RegExp(
  [
    '^_(?:DEVICE|BACKEND)_$',
    '_(?:LOG|PRINT|SAVE|CHECKPOINT|CKPT|REPORT)_(?:[A-Z0-9]+_)?(?:EVERY|INTERVAL|FREQ|FREQUENCY|PERIOD|LEVEL|STEPS|DIR|N)_',
    '_SAMPLE_(?:EVERY|INTERVAL)_',
    '_SAVE_(?:CHECKPOINTS?|CKPTS?|MODELS?|BEST|LAST)_',
    '_(?:ENABLE|PRINT|SHOW)_(?:CHECKPOINTING|PROGRESS_BAR|MODEL_SUMMARY|CONFIG)_',
    '_PUSH_TO_HUB_',
    '_(?:DRY|DEV)_RUN_',
    '_DETECT_ANOMALY_',
    '_INIT_FROM_',
    '_RESTORE_CHECKPOINTS?_',
    '_VAL_(?!$)',
    '_(?:TIME|WALL)_(?:BUDGET|LIMIT|CLOCK)_',
    '_(?:MAX|BUDGET|TRAIN|TRAINING|RUN)_(?:SECONDS|MINUTES|HOURS|TIME)_',
    '_(?:N|NUM)_(?:GPUS?|DEVICES|PROCS?|PROCESSES|JOBS)_',
    '_TRAINER_NUM_NODES_',
    // Of a processor; `THREADS_PER_BLOCK` and `ROWS_PER_THREAD` are a kernel's shape.
    '(?<!_PER)_THREADS?_(?!PER_)',
    '_WORLD_SIZE_',
    '_WARP_SIZE_',
    // The tokenizer's.
    '_VOCAB_SIZE_',
    '_RANDOM_STATE_',
    '_PEAK_(?:BANDWIDTH|BW|MEM|MEMORY|TOPS)_',
  ].join('|'),
);

/**
 * Whole names, after the name of a class or table. More training or measuring is a longer run; `n_steps` is not among
 * these, because it is the length of a rollout. Another amount or shape of data is another problem.
 */
const WHOLE = new RegExp(
  [
    '(?:(?:MIN|MAX|N|NUM|TOTAL|TRAIN|TRAINING)_)*(?:ITERS?|ITERATIONS|EPOCHS?|EPISODES?|GENERATIONS?|TRIALS?)',
    '(?:NUM_)?(?:MAX|TOTAL|TRAIN|TRAINING)_(?:TRAIN_|TRAINING_)?(?:(?:TIME)?STEPS|FRAMES)',
    'N',
    '(?:N|NUM|TRAIN|MAX_TRAIN|N_TRAIN|NUM_TRAIN)_(?:ROWS|SAMPLES|EXAMPLES|RECORDS)',
    '(?:N|NUM)_TRAIN',
    '(?:TRAIN|DATA|DATASET|MATRIX)_(?:SIZE|FRACTION|FRAC|SPLIT)',
    '(?:OVERFIT|LIMIT_[A-Z]+)_BATCHES',
    'DATASET|(?:N_|NUM_)?(?:SPLITS|CLASSES|LABELS|DIMENSIONS)',
    '(?:INPUT|OUTPUT)_(?:SIZE|SHAPE|DIMS?|CHANNELS|FEATURES)',
    '(?:USE_|NO_)?(?:CUDA|MPS|GPUS?)|DEVICES|PIN_MEMORY',
    'TRACK|(?:DO_)?TRAIN|BAREBONES|INFERENCE_MODE|USE_DISTRIBUTED_SAMPLER',
  ]
    .map(name => `^_(?:${name})_$`)
    .join('|'),
);

function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase()
    .split(/[^A-Z0-9]+/)
    .filter(Boolean);
}

/** Words for randomness itself. */
const CHANCE = new Set(['SEED', 'RNG']);

/**
 * Whether a constant of this name sets the randomness of a training: `SEED`, `random_state`, `--data-seed`. A name
 * that is also left alone for another reason does not count (`EVAL_SEED`), nor does something that belongs to a seed
 * (`SEED_LEN`).
 */
export function isSeed(name: string): boolean {
  const phrase = phraseOf(wordsOf(name)).replace('_RANDOM_STATE_', '_SEED_');
  if (!/_SEED_(?:VALUE_|\d+_)?$/.test(phrase) || PHRASES.test(phrase)) return false;
  return !wordsOf(phrase).some(word => WORDS.has(word) && !CHANCE.has(word));
}

/**
 * Whether a constant of this name must not be changed, in upper or lower case; the name of a class or table applies
 * to everything in it.
 */
export function isLeftAlone(name: string): boolean {
  const words = wordsOf(name);
  const last = wordsOf(name.split('.').at(-1) ?? '');
  return words.some(word => WORDS.has(word)) || PHRASES.test(phraseOf(words)) || WHOLE.test(phraseOf(last));
}

function phraseOf(words: readonly string[]): string {
  return `_${words.join('_')}_`;
}
