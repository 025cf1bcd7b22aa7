/**
 * Words that say of a name that turning it is no progress: a better seed is luck, an evaluation of another size is another
 * number, a longer clock is not a faster training, and what is reported, logged or shared out among processors changes no result.
 */
const WORDS = new Set(
  `SEED SEEDS PATH PATHS DIR FILE FILES FILENAME URL NAME VERSION PORT HOST ID
  FLOPS FLOP TFLOPS GFLOPS EVAL EVALS EVALUATION VALIDATION HOLDOUT TEST TESTS BENCHMARK AUTOTUNE AUTOTUNING
  RNG DURATION CAPITAL COMMISSION COMMISSIONS FEE FEES SLIPPAGE BASELINE BALANCE CASH
  WORKER WORKERS THREAD THREADS VERBOSE VERBOSITY DEBUG LOGGING LOGGER WANDB TENSORBOARD TIMEOUT WALLCLOCK`
    .split(/\s+/)
    .filter(Boolean),
);

/** The same for several words together, with `_` between and around them. */
const PHRASES =
  /^_DEVICE_$|_(?:LOG|PRINT|SAVE|CHECKPOINT|CKPT|REPORT)_(?:[A-Z0-9]+_)?(?:EVERY|INTERVAL|FREQ|FREQUENCY|PERIOD|LEVEL|STEPS|DIR|N)_|_VAL_(?!$)|_(?:TIME|WALL)_(?:BUDGET|LIMIT|CLOCK)_|_(?:MAX|BUDGET|TRAIN|TRAINING|RUN)_(?:SECONDS|MINUTES|HOURS|TIME)_|_RANDOM_STATE_|_PEAK_(?:BANDWIDTH|BW|MEM|MEMORY|TOPS)_/;

function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase()
    .split(/[^A-Z0-9]+/)
    .filter(Boolean);
}

/** Words that speak of chance itself. */
const CHANCE = new Set(['SEED', 'RNG']);

/**
 * Whether a constant of this name decides what chance does in a training: `SEED`, `random_state`, `--data-seed`. One that is left
 * alone for something else besides is none, as `EVAL_SEED`, nor is what only belongs to a seed, as `SEED_LEN`.
 */
export function isSeed(name: string): boolean {
  const phrase = `_${wordsOf(name).join('_')}_`.replace('_RANDOM_STATE_', '_SEED_');
  if (!/_SEED_(?:VALUE_|\d+_)?$/.test(phrase) || PHRASES.test(phrase)) return false;
  return !wordsOf(phrase).some(word => WORDS.has(word) && !CHANCE.has(word));
}

/** Whether a constant of this name is none to turn, in whatever case; what is said of a class or a table holds for all in it. */
export function isLeftAlone(name: string): boolean {
  const words = wordsOf(name);
  return words.some(word => WORDS.has(word)) || PHRASES.test(`_${words.join('_')}_`);
}
