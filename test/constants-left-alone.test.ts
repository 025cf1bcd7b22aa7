import { describe, expect, test } from 'vitest';
import { findConstants } from '../src/engine/proposers/search/constants.ts';
import { isLeftAlone, isSeed } from '../src/engine/proposers/search/left-alone.ts';

const names = (file: string, source: string) => findConstants(file, source).map(({ name }) => name);

describe('sections', () => {
  test('end at a heading, at a comment that allows changes, and with their block', () => {
    const source = `# ---- Evaluation (fixed) ----
A = 1
# how many
B = 2

# one more of it
C = 3
# ---- Model ----
D = 4
E = 5  # do not change
# Don't touch these.
F = 6

G = 7

# The optimizer
H = 8
# DO_NOT_EDIT
I = 9
# Hyperparameters, edit these
J = 10
`;
    expect(names('f.py', source)).toEqual(['D', 'H', 'J']);
    expect(names('f.sh', source)).toEqual(['D', 'H', 'J']);
    expect(names('f.py', '# DO NOT CHANGE ANYTHING BELOW\nA = 1\n\n# more\nB = 2\n')).toEqual([]);
    const nested = 'class X:\n    # never change this\n    y = 1\nA = 1\n';
    expect(names('f.py', nested)).toEqual(['A']);
    expect(names('f.c', '// do not modify\nconst int A = 1;\n\n// tunable\nconst int B = 2;\n')).toEqual([
      'B',
    ]);
  });

  test('of C are read behind definitions and values, also between stars; a directive is no comment', () => {
    const source = `#define N 256 // do not change
#define TILE 8 /* columns */
#define RUNS 5 /* never change this */
# define PAD 4
static const int ROWS = 64; /* do not touch */
static const int LANES = 8;
/* Do not change: */
#define FIXED 4
#define ALSO 4

/* Tunable */
#define FREE 4
`;
    expect(names('bench.c', source)).toEqual(['TILE', 'PAD', 'LANES', 'FREE']);
  });

  test('of a shell may begin with a word of the preprocessor', () => {
    expect(names('run.sh', '# if you must: do not change\nRATE=1\n\n# tunable\nWIDTH=2\n')).toEqual([
      'WIDTH',
    ]);
  });

  test('a comment within a string is none', () => {
    expect(names('f.py', '"""\n# do not change\n"""\nA = 1\n')).toEqual(['A']);
  });
});

test('names that are not for turning are told from those that sound like them', () => {
  const left = `H100_BF16_PEAK_FLOPS FINAL_EVAL_BATCH_SIZE EVAL_EVERY AUTOTUNE_WARMUP_STEPS NUM_WORKERS num_threads SEED
    random_seed DATA_DIR LOG_EVERY print_interval VAL_TOKENS val_loss_every TEST_SIZE TIME_BUDGET PEAK_MEMORY_BANDWIDTH DEVICE
    Config.evalBatchSize data.seed --num-workers SAVE_EVERY CHECKPOINT_EVERY_STEPS
    always_save_checkpoint --save-model init_from --resume backend sample_every WORLD_SIZE n_gpus WARP_SIZE vocab_size
    max_iters NUM_EPOCHS --epochs Config.iterations --num-train-epochs trainer.max_steps total_timesteps TRAIN_STEPS
    REPEATS BENCH_ROUNDS n_episodes NUM_EPISODES max_episodes total_frames trainer.min_epochs generations n_trials
    N N_ROWS TrainConfig.n_samples num_examples max_train_samples data.train_size data_fraction N_TRAIN PROBLEM_SIZE MATRIX_SIZE
    CFG.n_splits N_FOLDS --folds num_classes dimensions net.output_size input_shape INPUT_DIM Config.dataset
    Args.cuda --no-cuda use_cuda trainer.devices trainer.num_nodes num_jobs pin_memory tensor_parallelism Args.torch_deterministic
    Args.track --do-train capture_video upload_model push_to_hub print_config restore_checkpoints trainer.enable_progress_bar
    enable_model_summary enable_checkpointing fast_dev_run trainer.barebones inference_mode use_distributed_sampler --dry-run detect_anomaly overfit_batches limit_train_batches`;
  const free = `PEAK_LR DEVICE_BATCH_SIZE CLIP_VAL LOG_SIGMA_INIT WARMUP_STEPS HEADS EVALUE LATEST_WEIGHT THREADED_SCALE
    gradient_checkpointing optimizer.lr layers[0].width VALUE_DIM DIRICHLET_ALPHA warmup_iters lr_decay_iters NEWTON_ITERATIONS update_epochs
    n_steps NS_STEPS SAMPLE_STEPS LORA_RANK --rank ATTENTION_BACKEND SAVED_SHARE K C min_samples_split max_samples ROWS_PER_THREAD THREADS_PER_BLOCK SPLIT_K
    n_estimators num_boost_round hidden_size input_dropout OUTPUT_SCALE track_running_stats CUDA_TILE frame_stack n_startup_trials
    train_batch_size num_leaves n_samples_per_step num_envs`;
  const split = (text: string) => text.split(/\s+/).filter(Boolean);
  expect(split(left).filter(name => !isLeftAlone(name))).toEqual([]);
  expect(split(free).filter(name => isLeftAlone(name))).toEqual([]);
});

test('an integer of minus one stands for none or all, and is left alone', () => {
  const options = "add('--top-k', type=int, default=-1)\nadd('--depth', type=int, default=8)\n";
  expect(names('f.py', options.replaceAll('add(', 'parser.add_argument('))).toEqual(['--depth']);
  expect(names('f.py', 'MAX_STEPS = -1\nWEIGHT = -1.0\nSHIFT = -2\n')).toEqual(['WEIGHT', 'SHIFT']);
  expect(names('f.c', 'const int LIMIT = -1;\nconst int SIZE = 8;\n')).toEqual(['SIZE']);
  expect(names('c.yaml', 'top_k: -1\nwidth: 8\n')).toEqual(['width']);
});

test('a seed is what decides chance in a training, and nothing else that has the word', () => {
  const seeds = 'SEED seed data_seed --data-seed RNG_SEED Config.seed RANDOM_STATE SEED_VALUE seed_1'.split(
    ' ',
  );
  const others =
    'EVAL_SEED VAL_SEED test_seed EvalConfig.seed SEED_LEN SEED_DIR SEEDS VAL_RANDOM_STATE LR'.split(' ');
  expect([...seeds, ...others].filter(isSeed)).toEqual(seeds);
});
