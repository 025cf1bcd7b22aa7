import { isDataVariable } from './data-variables.ts';

/**
 * Variables of the user's environment that the training may see. An allow-list, because a desktop session's
 * environment contains keys and tokens, and a model wrote the training's code.
 */
export const ALLOWED: ReadonlySet<string> = new Set([
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LANGUAGE', 'TZ', 'TMPDIR', 'TMP', 'TEMP'],
  ...['LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'VIRTUAL_ENV', 'PYTHONPATH', 'PYTHONHOME', 'CC', 'CXX'],
  ...['CARGO_HOME', 'RUSTUP_HOME', 'RUSTUP_TOOLCHAIN'],
  ...[
    'HF_HOME',
    'HF_HUB_CACHE',
    'HF_DATASETS_CACHE',
    'HF_ASSETS_CACHE',
    'HUGGINGFACE_HUB_CACHE',
    'TRANSFORMERS_CACHE',
  ],
  ...['KERNELS_CACHE', 'KAGGLEHUB_CACHE', 'TIKTOKEN_CACHE_DIR', 'DATA_GYM_CACHE_DIR', 'NLTK_DATA'],
  ...['SCIKIT_LEARN_DATA', 'TFDS_DATA_DIR', 'GENSIM_DATA_DIR'],
  // Keeps libraries from using the network, or from asking questions.
  ...[
    'HF_HUB_OFFLINE',
    'HF_DATASETS_OFFLINE',
    'TRANSFORMERS_OFFLINE',
    'WANDB_MODE',
    'WANDB_DISABLED',
    'WANDB_SILENT',
  ],
  ...['HF_HUB_DISABLE_TELEMETRY', 'DO_NOT_TRACK', 'NEPTUNE_MODE', 'COMET_MODE', 'COMET_START_ONLINE'],
  ...['CLEARML_OFFLINE_MODE', 'SWANLAB_MODE'],
  ...['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'REQUESTS_CA_BUNDLE', 'DISPLAY', 'SYSTEMROOT', 'USERPROFILE'],
]);
export const ALLOWED_PREFIXES: readonly string[] = [
  ...[
    'LC_',
    'XDG_',
    'CUDA_',
    'NVIDIA_',
    'NCCL_',
    'CUDNN_',
    'CUBLAS_',
    'TORCH_',
    'PYTORCH_',
    'TORCHINDUCTOR_',
  ],
  ...['TRITON_', 'XLA_', 'JAX_', 'TF_', 'OMP_', 'MKL_', 'OPENBLAS_', 'NUMEXPR_', 'UV_', 'CONDA_', 'PYENV_'],
  ...['ROCM_', 'ROCR_', 'HIP_', 'HSA_', 'GPU_', 'KERAS_', 'ACCELERATE_'],
];
/** Without a network, trackers ask for a key, try for minutes, or fail. A user who chose another mode keeps it. */
export const TRACKERS_OFFLINE = {
  WANDB_MODE: 'offline',
  SWANLAB_MODE: 'offline',
  NEPTUNE_MODE: 'offline',
  COMET_START_ONLINE: '0',
  CLEARML_OFFLINE_MODE: '1',
} as const;
/** Keep libraries from asking a network that is not there. */
export const OFFLINE = {
  HF_HUB_OFFLINE: '1',
  HF_DATASETS_OFFLINE: '1',
  UV_OFFLINE: '1',
  CARGO_NET_OFFLINE: 'true',
} as const;
export const SECRET = /KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH|COOKIE/i;

/** Every process of a run carries it, even daemons that left its session; it identifies orphans. */
export const RUN_MARKER = 'PAWL_RUN';

export type EnvironmentInput = {
  readonly user: NodeJS.ProcessEnv;
  /** Names from the contract; they pass even if they look like secrets, because the user chose them. */
  readonly named: readonly string[];
  readonly marker: string;
  /** The environment that uv must use, so that a worktree does not create its own; null without uv. */
  readonly uvProjectEnvironment: string | null;
  /** Whether uv may install and remove packages in it. */
  readonly uvMaySync: boolean;
};

export function trainingEnvironment(input: EnvironmentInput): Record<string, string> {
  const named = new Set(input.named);
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(input.user)) {
    if (value === undefined) continue;
    const isAllowed =
      (ALLOWED.has(name) ||
        ALLOWED_PREFIXES.some(prefix => name.startsWith(prefix)) ||
        isDataVariable(name)) &&
      !SECRET.test(name);
    if (isAllowed || named.has(name)) environment[name] = value;
  }
  return {
    ...environment,
    PYTHONUNBUFFERED: '1',
    TERM: 'xterm-256color',
    ...(input.uvProjectEnvironment === null || named.has('UV_PROJECT_ENVIRONMENT')
      ? {}
      : {
          UV_PROJECT_ENVIRONMENT: input.uvProjectEnvironment,
          ...(input.uvMaySync ? {} : { UV_NO_SYNC: '1' }),
        }),
    [RUN_MARKER]: input.marker,
  };
}
