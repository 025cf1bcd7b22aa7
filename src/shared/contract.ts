import { z } from 'zod';

/** Seconds that are added to twice the budget when the contract sets no limit: start-up and evaluation. */
export const LIMIT_GRACE_SECONDS = 30;

const relativePattern = z
  .string()
  .min(1)
  .refine(pattern => !pattern.startsWith('/') && !pattern.split('/').includes('..'), {
    message: 'must be a path inside the repository, without ".."',
  })
  .refine(pattern => !pattern.startsWith('!'), {
    message: 'must not begin with "!": name what is meant, not what is not',
  })
  .transform(pattern => pattern.replace(/^(?:\.\/+)+/, ''));

const positive = z.number().positive().finite();
/** Timers take at most 2^31 milliseconds. */
const MAX_SECONDS = 2_000_000;
const seconds = positive.max(MAX_SECONDS);
/** What a line of output can name; see `SummaryReader`. */
const metricName = z
  .string()
  .trim()
  .regex(
    /^[A-Za-z_][\w.\-/%]{0,63}$/,
    'must be a name without spaces, as it stands before the colon in the output',
  );
const count = z.number().int().nonnegative();

/** `[stop]` of pawl.toml. Each rule is optional; a study without any runs until its user stops it. */
export const stopRulesSchema = z.strictObject({
  /** Experiments after the baseline. */
  experiments: count.optional(),
  /** Wall-clock hours of this sitting, counted from its start. */
  hours: positive.optional(),
  /** ISO 8601 instant after which no experiment starts. */
  deadline: z.iso.datetime({ offset: true }).optional(),
  /** The study ends when the incumbent's metric is at least this good. */
  target: z
    .number()
    // No file can tell -0 from 0.
    .transform(value => value + 0)
    .optional(),
  /** Experiments in a row without a keep. */
  patience: count.min(1).optional(),
  /** Crashes in a row. */
  crashes: count.min(1).optional(),
});
export type StopRules = z.infer<typeof stopRulesSchema>;

/** `required` runs nothing without containment, `preferred` says so where there is none, `off` asks for none. */
export const SANDBOX_MODES = ['required', 'preferred', 'off'] as const;
export type SandboxMode = (typeof SANDBOX_MODES)[number];

/** pawl.toml as written: everything but the three things nobody can guess is optional. */
export const contractFileSchema = z.strictObject({
  contract: z.strictObject({
    editable: z.array(relativePattern).min(1),
    locked: z.array(relativePattern).optional(),
    instructions: relativePattern.optional(),
    train: z.string().trim().min(1),
    setup: z.string().trim().min(1).optional(),
    environment: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/)).optional(),
  }),
  metric: z.strictObject({
    name: metricName,
    goal: z.enum(['minimize', 'maximize']).default('minimize'),
    memory: metricName.optional(),
    memory_limit: positive.optional(),
  }),
  budget: z
    .strictObject({
      seconds: seconds.default(300),
      limit_seconds: seconds.optional(),
      prune: z.boolean().optional(),
    })
    .default({ seconds: 300 }),
  stop: stopRulesSchema.default({}),
  limits: z
    .strictObject({
      memory_gb: positive.optional(),
      processes: count.min(1).optional(),
      free_disk_gb: z.number().nonnegative().finite().optional(),
    })
    .default({}),
  sandbox: z
    .strictObject({
      mode: z.enum(SANDBOX_MODES).optional(),
      network: z.boolean().optional(),
      writes: z.array(relativePattern).optional(),
      reads: z
        .array(
          z
            .string()
            .regex(/^(?:~\/|\/)./, 'must be an absolute path, or one that begins with "~/"')
            .refine(path => !path.split('/').includes('..'), { message: 'must not hold ".."' }),
        )
        .optional(),
    })
    .default({}),
});
export type ContractFile = z.infer<typeof contractFileSchema>;

/** What may change, what must not, how to train, which number counts, for how long. Fixed for a study's life. */
export type Contract = {
  /** `pawl.toml`, the shape that was recognised without one, or what the user filled in for this study. */
  readonly source: 'pawl.toml' | 'autoresearch' | 'form';
  /** Glob patterns, relative to the repository root, `/` as separator. */
  readonly editable: readonly string[];
  /** Glob patterns; `null` is every tracked file that is not editable. */
  readonly locked: readonly string[] | null;
  readonly instructions: string | null;
  /** Shell command lines, run in the worktree. */
  readonly train: string;
  readonly setup: string | null;
  /** Names of further variables the training may see. */
  readonly environment: readonly string[];
  readonly metric: {
    readonly name: string;
    readonly goal: 'minimize' | 'maximize';
    readonly memory: string | null;
    /** In the unit of `memory`; a run above it is discarded. */
    readonly memoryLimit: number | null;
  };
  readonly budget: {
    readonly seconds: number;
    readonly limitSeconds: number;
    /** Whether a run is ended that cannot reach the incumbent any more; see `judgeCurve`. */
    readonly prune: boolean;
  };
  readonly stop: StopRules;
  /** What a run may take of the machine; null is Pawl's own measure. */
  readonly limits: {
    /** GiB, of all its processes together. */
    readonly memoryGb: number | null;
    readonly processes: number | null;
    /** GiB that stay free on the disk of Pawl's data. */
    readonly freeDiskGb: number | null;
  };
  readonly sandbox: {
    readonly mode: SandboxMode;
    readonly network: boolean;
    /** Of what the set-up command left, what a training may write: `build`, say. Paths or patterns. */
    readonly writes: readonly string[];
    /** Folders outside the repository that the training reads, absolute or below `~/`: data, caches. */
    readonly reads: readonly string[];
  };
};

/** Of a contract that says nothing of them. */
export const DEFAULT_LIMITS: Contract['limits'] = { memoryGb: null, processes: null, freeDiskGb: null };

/** Of a contract that says nothing of it. */
export const DEFAULT_SANDBOX: Contract['sandbox'] = {
  mode: 'preferred',
  network: false,
  writes: [],
  reads: [],
};

/** Fills in the defaults of a valid file. */
export function contractFromFile(file: ContractFile, source: Contract['source'] = 'pawl.toml'): Contract {
  const { contract, metric, budget, stop, limits, sandbox } = file;
  return {
    source,
    editable: contract.editable,
    locked: contract.locked ?? null,
    instructions: contract.instructions ?? null,
    train: contract.train,
    setup: contract.setup ?? null,
    environment: contract.environment ?? [],
    metric: {
      name: metric.name,
      goal: metric.goal,
      memory: metric.memory ?? null,
      memoryLimit: metric.memory_limit ?? null,
    },
    budget: {
      seconds: budget.seconds,
      limitSeconds: budget.limit_seconds ?? defaultLimitSeconds(budget.seconds),
      prune: budget.prune ?? false,
    },
    stop,
    limits: {
      memoryGb: limits.memory_gb ?? null,
      processes: limits.processes ?? null,
      freeDiskGb: limits.free_disk_gb ?? null,
    },
    sandbox: {
      mode: sandbox.mode ?? DEFAULT_SANDBOX.mode,
      network: sandbox.network ?? DEFAULT_SANDBOX.network,
      writes: sandbox.writes ?? DEFAULT_SANDBOX.writes,
      reads: sandbox.reads ?? DEFAULT_SANDBOX.reads,
    },
  };
}

export function defaultLimitSeconds(budgetSeconds: number): number {
  return Math.min(2 * budgetSeconds + LIMIT_GRACE_SECONDS, MAX_SECONDS);
}

/** The file that says what a contract says; `contractFromFile` undoes it. */
export function contractToFile(contract: Contract): z.input<typeof contractFileSchema> {
  const { editable, locked, instructions, train, setup, environment, metric, budget, stop, limits, sandbox } =
    contract;
  const { memoryGb, processes, freeDiskGb } = limits;
  const { mode, network, writes, reads } = sandbox;
  return {
    contract: {
      editable: [...editable],
      ...(locked === null ? {} : { locked: [...locked] }),
      ...(instructions === null ? {} : { instructions }),
      train,
      ...(setup === null ? {} : { setup }),
      ...(environment.length === 0 ? {} : { environment: [...environment] }),
    },
    metric: {
      name: metric.name,
      goal: metric.goal,
      ...(metric.memory === null ? {} : { memory: metric.memory }),
      ...(metric.memoryLimit === null ? {} : { memory_limit: metric.memoryLimit }),
    },
    budget: {
      ...{ seconds: budget.seconds, limit_seconds: budget.limitSeconds },
      ...(budget.prune ? { prune: true } : {}),
    },
    ...(Object.keys(stop).length === 0 ? {} : { stop }),
    ...(memoryGb === null && processes === null && freeDiskGb === null
      ? {}
      : {
          limits: {
            ...(memoryGb === null ? {} : { memory_gb: memoryGb }),
            ...(processes === null ? {} : { processes }),
            ...(freeDiskGb === null ? {} : { free_disk_gb: freeDiskGb }),
          },
        }),
    ...(mode === 'preferred' && !network && reads.length === 0 && writes.length === 0
      ? {}
      : {
          sandbox: {
            ...{ mode, network, reads: [...reads] },
            ...(writes.length === 0 ? {} : { writes: [...writes] }),
          },
        }),
  };
}
