/**
 * Words in names of constants that must not be changed: a better seed is luck, an evaluation of another size gives
 * another number, a longer time budget is not faster training, and reporting, logging or splitting work among
 * processors changes no result.
 */
const WORDS = new Set(
  `SEED SEEDS PATH PATHS DIR FILE FILES FILENAME URL NAME VERSION PORT HOST ID
  FLOPS FLOP TFLOPS GFLOPS EVAL EVALS EVALUATION VALIDATION HOLDOUT TEST TESTS BENCHMARK AUTOTUNE AUTOTUNING
  RNG DURATION CAPITAL COMMISSION COMMISSIONS FEE FEES SLIPPAGE BASELINE BALANCE CASH
  WORKER WORKERS THREAD THREADS VERBOSE VERBOSITY DEBUG LOGGING LOGGER WANDB TENSORBOARD TIMEOUT WALLCLOCK`
    .split(/\s+/)
    .filter(Boolean),
);

/** The same for phrases, with `_` between and around the words. */
const PHRASES =
  /^_DEVICE_$|_(?:LOG|PRINT|SAVE|CHECKPOINT|CKPT|REPORT)_(?:[A-Z0-9]+_)?(?:EVERY|INTERVAL|FREQ|FREQUENCY|PERIOD|LEVEL|STEPS|DIR|N)_|_VAL_(?!$)|_(?:TIME|WALL)_(?:BUDGET|LIMIT|CLOCK)_|_(?:MAX|BUDGET|TRAIN|TRAINING|RUN)_(?:SECONDS|MINUTES|HOURS|TIME)_|_RANDOM_STATE_|_PEAK_(?:BANDWIDTH|BW|MEM|MEMORY|TOPS)_/;

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
  const phrase = `_${wordsOf(name).join('_')}_`.replace('_RANDOM_STATE_', '_SEED_');
  if (!/_SEED_(?:VALUE_|\d+_)?$/.test(phrase) || PHRASES.test(phrase)) return false;
  return !wordsOf(phrase).some(word => WORDS.has(word) && !CHANCE.has(word));
}

/**
 * Whether a constant of this name must not be changed, in upper or lower case; the name of a class or table applies
 * to everything in it.
 */
export function isLeftAlone(name: string): boolean {
  const words = wordsOf(name);
  return words.some(word => WORDS.has(word)) || PHRASES.test(`_${words.join('_')}_`);
}
