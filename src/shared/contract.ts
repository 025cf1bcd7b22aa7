import { z } from 'zod';
import {
  CHECK_SECONDS,
  DEFAULT_AUDIT,
  DEFAULT_BUDGET,
  DEFAULT_METRIC,
  DEFAULT_SANDBOX,
} from './contract-defaults.ts';
import { directionOf } from './metric-direction.ts';

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
/** What output can name; see `SummaryReader`. `Sharpe Ratio`, `recall@1`, `total_µs` and `ns/op` are names. */
const metricName = z
  .string()
  .trim()
  .regex(
    /^(?!.*(?: {2}|::))[\p{L}_][\p{L}\p{N}\p{M} _.\-/%@+*#()[\]²³±]{0,63}$/u,
    'must be a name as it stands before the colon in the output, of at most 64 characters',
  );

/** `7d`, `12h`, `30m`, `45s`: seconds. */
const duration = z
  .string()
  .trim()
  .regex(/^\d+(?:\.\d+)?\s*[smhd]$/, 'must be a time like "7d", "12h", "30m" or "45s"')
  .refine(text => durationSeconds(text) > 0, { message: 'must be more than nothing' })
  .refine(text => durationSeconds(text) <= MAX_WAIT_SECONDS, { message: 'must be at most a year' });
const MAX_WAIT_SECONDS = 366 * 86_400;
const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

function durationSeconds(text: string): number {
  return Number.parseFloat(text) * (UNIT_SECONDS[text.trim().slice(-1)] ?? Number.NaN);
}

/** How a printed value is compared: `=`, which is meant where none is written, `!=`, `<`, `<=`, `>`, `>=`. */
const COMPARISON = /^(==?|!=|<=?|>=?)?\s*(.*)$/s;
const requirement = z.union([z.boolean(), z.number().finite(), z.string().trim().min(1).max(200)]).refine(
  value => {
    if (typeof value !== 'string') return true;
    const [, how = '=', what = ''] = COMPARISON.exec(value) ?? [];
    // `=>`, `=<` and `≥` are no comparisons here, and nobody means them as text.
    if (what === '' || /^[<>=≤≥≠]/.test(what)) return false;
    return !/^[<>]/.test(how) || /^[-+]?\.?\d[\d.eE+-]*\s?(?:%|[\p{L}/]{1,24})?$/u.test(what);
  },
  { message: 'must be a value, or a comparison with a number like "< 40000"' },
);

const command = z.string().trim().min(1);
const outsidePath = z
  .string()
  .regex(/^(?:~\/|\/)./, 'must be an absolute path, or one that begins with "~/"')
  .refine(path => !path.split('/').includes('..'), { message: 'must not hold ".."' });
const APART = 'must name paths that are apart from each other, without any of * ? [ ] { }';
/** Of which none is another, or lies in another. */
function areApart(pairs: Readonly<Record<string, string>>): boolean {
  const all = Object.entries(pairs)
    .flat()
    .map(path => `${path.replace(/\/+$/, '')}/`);
  const isApart = (path: string, at: number) =>
    !/[*?[\]{}]/.test(path) && !all.some((other, place) => place !== at && other.startsWith(path));
  return all.every(isApart);
}

/** In the repository or outside of it. */
const dataPath = z.union([outsidePath, relativePattern], {
  error: 'must be a path inside the repository, an absolute one, or one that begins with "~/", without ".."',
});
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

/**
 * How a number becomes a verdict. `honest` knows that the same code gives another number each time: it repeats the baseline,
 * measures an incumbent again that nothing beats any more, and says how sure a gain is. `greedy` takes each number as it is.
 */
export const VERDICT_RULES = ['honest', 'greedy'] as const;
export type VerdictRule = (typeof VERDICT_RULES)[number];

/** pawl.toml as written: everything but the three things nobody can guess is optional. */
export const contractFileSchema = z
  .strictObject({
    contract: z.strictObject({
      editable: z.array(relativePattern).min(1),
      locked: z.array(relativePattern).optional(),
      instructions: relativePattern.optional(),
      train: z.string().trim().min(1),
      setup: z.string().trim().min(1).optional(),
      environment: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/)).optional(),
    }),
    metric: z
      .strictObject({
        name: metricName,
        goal: z.enum(['minimize', 'maximize']).optional(),
        memory: metricName.optional(),
        memory_limit: positive.optional(),
        pattern: z.string().min(1).max(1000).optional(),
        command: command.optional(),
        command_seconds: seconds.optional(),
        wait: duration.optional(),
        poll: duration.optional(),
        require: z.record(metricName, requirement).optional(),
        verdict: z.enum(VERDICT_RULES).optional(),
        least_gain: positive.optional(),
        bound: z
          .number()
          .finite()
          .transform(value => value + 0)
          .optional(),
      })
      .refine(({ goal, name }) => goal !== undefined || directionOf(name) !== null, {
        path: ['goal'],
        message: 'is required: the name does not tell whether "minimize" or "maximize" is meant',
      }),
    budget: z
      .strictObject({
        seconds: seconds.default(300),
        limit_seconds: seconds.optional(),
        prune: z.boolean().optional(),
        tolerance: z.number().min(0).max(10).optional(),
        startup_seconds: z.number().min(0).max(MAX_SECONDS).optional(),
        cores: positive.optional(),
      })
      .default({ seconds: 300 }),
    stop: stopRulesSchema.default({}),
    checks: z
      .record(
        z
          .string()
          .regex(/^[A-Za-z0-9][\w.-]{0,39}$/, 'must be a short name of letters, digits, "_", "." and "-"'),
        z.union([command, z.strictObject({ command, seconds: seconds.optional() })]),
      )
      .default({}),
    score: z
      .strictObject({
        command,
        artifacts: z.array(relativePattern).min(1),
        model: command.optional(),
        twin: z.boolean().optional(),
        reads: z.array(outsidePath).optional(),
        seconds: seconds.optional(),
      })
      .optional(),
    audit: z
      .strictObject({
        swap: z.record(dataPath, dataPath).refine(areApart, { message: APART }).optional(),
        approve_hints: z.boolean().optional(),
      })
      .default({}),
    model: z
      .strictObject({
        name: z.string().trim().min(1).max(200),
        base_url: z.url({ protocol: /^https?$/ }).optional(),
      })
      .optional(),
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
        reads: z.array(outsidePath).optional(),
        cache_mb: z.number().nonnegative().finite().optional(),
      })
      .default({}),
  })
  .superRefine(({ score, metric }, issues) => {
    if (!score) return;
    for (const key of ['command', 'wait', 'pattern'] as const) {
      if (metric[key] === undefined) continue;
      const message = 'cannot be used together with [score], which alone gives the number';
      issues.addIssue({ code: 'custom', path: ['metric', key], message });
    }
  });
export type ContractFile = z.infer<typeof contractFileSchema>;

/** What may change, what must not, how to train, which number counts, for how long. Fixed for a study's life. */
export type Contract = {
  /** `pawl.toml`, the shape that was recognised without one, or what the user filled in for this study. */
  readonly source: 'pawl.toml' | 'autoresearch' | 'pi-autoresearch' | 'form';
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
    /** Regular expression in RE2's syntax, whose only group is the number; null finds it by its name. */
    readonly pattern: string | null;
    /** Prints the number after the training, which then need not. */
    readonly command: string | null;
    readonly commandSeconds: number;
    /** How long the number may take to come, after the training; null where it is there when that ends. */
    readonly waitSeconds: number | null;
    /** How often `command` is asked meanwhile. */
    readonly pollSeconds: number;
    /** What must hold for a keep, besides the metric. */
    readonly require: readonly Requirement[];
    /** null is the machine's (`PAWL_VERDICT`), and `honest` where that says nothing. */
    readonly verdict: VerdictRule | null;
    /** A smaller gain than this is none; in the metric's unit. */
    readonly leastGain: number;
    /** No number can be better than this: 0 for most losses, 1 for an accuracy. Null where nobody says so. */
    readonly bound: number | null;
  };
  /** Commands that must succeed after the training for a keep: tests, linters. */
  readonly checks: readonly Check[];
  /** Where the number comes from, if not from the training: see docs/scoring.md. Null where that prints it. */
  readonly score: Score | null;
  readonly audit: {
    /** Data that is exchanged to see whether a number comes from it: see docs/trust.md. */
    readonly swaps: readonly Swap[];
    /** Whether an edit that gives a reason to look closer waits for the user. */
    readonly approvesHints: boolean;
  };
  /** Which model the training and its scorer may ask, through Pawl; null for none. */
  readonly model: { readonly name: string; readonly baseUrl: string | null } | null;
  readonly budget: {
    readonly seconds: number;
    readonly limitSeconds: number;
    /** Whether a run is ended that cannot reach the incumbent any more; see `judgeCurve`. */
    readonly prune: boolean;
    /** How much longer than the baseline a run may take, as a share of `seconds`; see `budgetOf`. */
    readonly tolerance: number;
    /** Seconds that compiling may take besides, before the first step and while the GPU is idle. */
    readonly startupSeconds: number;
    /** How many processor cores a run may use on average; null where nobody says so. */
    readonly cores: number | null;
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
    /** MiB of what the baseline compiled that each run gets a copy of; 0 starts every run with empty caches. */
    readonly cacheMb: number;
  };
};

/** A printed value beside the one that is wanted: text is compared without regard to case, `<` and its like as numbers. */
export type Requirement = {
  readonly name: string;
  readonly how: '=' | '!=' | '<' | '<=' | '>' | '>=';
  readonly value: string;
};

/** Two files or two folders, relative to the repository, absolute, or below `~/`; either stands in the place of the other. */
export type Swap = { readonly path: string; readonly other: string };

export type Score = {
  /** Shell command line, of locked files. */
  readonly command: string;
  /** What the training leaves for it: glob patterns, relative to the repository root. */
  readonly artifacts: readonly string[];
  /** Runs the attempt's code, apart from the scorer and connected with it; null where the artifacts are all it needs. */
  readonly model: string | null;
  /** Whether that is started twice, so that no program can know from its own answers what it was asked before. */
  readonly hasTwin: boolean;
  /** Files and folders outside of the repository that nobody but the scorer sees. */
  readonly reads: readonly string[];
  readonly seconds: number;
};

export type Check = { readonly name: string; readonly command: string; readonly seconds: number };

/** Fills in the defaults of a valid file. */
export function contractFromFile(file: ContractFile, source: Contract['source'] = 'pawl.toml'): Contract {
  const { contract, metric, checks, score, audit, model, budget, stop, limits, sandbox } = file;
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
      // The schema lets none through without either.
      goal: metric.goal ?? directionOf(metric.name) ?? 'minimize',
      memory: metric.memory ?? null,
      memoryLimit: metric.memory_limit ?? null,
      pattern: metric.pattern ?? null,
      command: metric.command ?? null,
      commandSeconds: metric.command_seconds ?? DEFAULT_METRIC.commandSeconds,
      waitSeconds: metric.wait === undefined ? null : durationSeconds(metric.wait),
      pollSeconds: metric.poll === undefined ? DEFAULT_METRIC.pollSeconds : durationSeconds(metric.poll),
      require: Object.entries(metric.require ?? {}).map(([name, value]) => requirementOf(name, value)),
      verdict: metric.verdict ?? null,
      leastGain: metric.least_gain ?? DEFAULT_METRIC.leastGain,
      bound: metric.bound ?? DEFAULT_METRIC.bound,
    },
    checks: Object.entries(checks).map(([name, check]) => ({
      name,
      ...(typeof check === 'string'
        ? { command: check, seconds: CHECK_SECONDS }
        : { command: check.command, seconds: check.seconds ?? CHECK_SECONDS }),
    })),
    score: score
      ? {
          ...{ command: score.command, artifacts: score.artifacts, model: score.model ?? null },
          hasTwin: score.twin ?? true,
          ...{ reads: score.reads ?? [], seconds: score.seconds ?? CHECK_SECONDS },
        }
      : null,
    audit: {
      swaps: Object.entries(audit.swap ?? {}).map(([path, other]) => ({ path, other })),
      approvesHints: audit.approve_hints ?? DEFAULT_AUDIT.approvesHints,
    },
    model: model === undefined ? null : { name: model.name, baseUrl: model.base_url ?? null },
    budget: {
      seconds: budget.seconds,
      limitSeconds: budget.limit_seconds ?? defaultLimitSeconds(budget.seconds),
      prune: budget.prune ?? false,
      tolerance: budget.tolerance ?? DEFAULT_BUDGET.tolerance,
      startupSeconds: budget.startup_seconds ?? DEFAULT_BUDGET.startupSeconds,
      cores: budget.cores ?? DEFAULT_BUDGET.cores,
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
      cacheMb: sandbox.cache_mb ?? DEFAULT_SANDBOX.cacheMb,
    },
  };
}

function requirementOf(name: string, value: string | number | boolean): Requirement {
  const [, how = '=', what = ''] = COMPARISON.exec(String(value)) ?? [];
  return { name, how: (how === '==' ? '=' : how) as Requirement['how'], value: what };
}

export function defaultLimitSeconds(budgetSeconds: number): number {
  return Math.min(2 * budgetSeconds + LIMIT_GRACE_SECONDS, MAX_SECONDS);
}

/** The file that says what a contract says; `contractFromFile` undoes it. */
export function contractToFile(contract: Contract): z.input<typeof contractFileSchema> {
  const { editable, locked, instructions, train, setup, environment } = contract;
  const { metric, checks, score, audit, model, budget, stop, limits, sandbox } = contract;
  const { commandSeconds, pollSeconds } = DEFAULT_METRIC;
  const { memoryGb, processes, freeDiskGb } = limits;
  const { mode, network, writes, reads, cacheMb } = sandbox;
  const cache = cacheMb === DEFAULT_SANDBOX.cacheMb ? {} : { cache_mb: cacheMb };
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
      ...(metric.pattern === null ? {} : { pattern: metric.pattern }),
      ...(metric.command === null ? {} : { command: metric.command }),
      ...(metric.commandSeconds === commandSeconds ? {} : { command_seconds: metric.commandSeconds }),
      ...(metric.waitSeconds === null ? {} : { wait: `${metric.waitSeconds}s` }),
      ...(metric.pollSeconds === pollSeconds ? {} : { poll: `${metric.pollSeconds}s` }),
      ...(metric.require.length === 0
        ? {}
        : {
            require: Object.fromEntries(
              metric.require.map(({ name, how, value }) => [name, `${how} ${value}`]),
            ),
          }),
      ...(metric.verdict === null ? {} : { verdict: metric.verdict }),
      ...(metric.leastGain === DEFAULT_METRIC.leastGain ? {} : { least_gain: metric.leastGain }),
      ...(metric.bound === null ? {} : { bound: metric.bound }),
    },
    ...(checks.length === 0
      ? {}
      : {
          checks: Object.fromEntries(
            checks.map(({ name, command, seconds }) => [
              name,
              seconds === CHECK_SECONDS ? command : { command, seconds },
            ]),
          ),
        }),
    ...(score === null
      ? {}
      : {
          score: {
            ...{ command: score.command, artifacts: [...score.artifacts] },
            ...(score.model === null ? {} : { model: score.model }),
            ...(score.hasTwin ? {} : { twin: false }),
            ...(score.reads.length === 0 ? {} : { reads: [...score.reads] }),
            ...(score.seconds === CHECK_SECONDS ? {} : { seconds: score.seconds }),
          },
        }),
    ...(audit.swaps.length === 0 && !audit.approvesHints
      ? {}
      : {
          audit: {
            ...(audit.swaps.length === 0
              ? {}
              : { swap: Object.fromEntries(audit.swaps.map(({ path, other }) => [path, other])) }),
            ...(audit.approvesHints ? { approve_hints: true } : {}),
          },
        }),
    ...(model === null
      ? {}
      : { model: { name: model.name, ...(model.baseUrl === null ? {} : { base_url: model.baseUrl }) } }),
    budget: {
      ...{ seconds: budget.seconds, limit_seconds: budget.limitSeconds },
      ...(budget.prune ? { prune: true } : {}),
      ...(budget.tolerance === DEFAULT_BUDGET.tolerance ? {} : { tolerance: budget.tolerance }),
      ...(budget.startupSeconds === DEFAULT_BUDGET.startupSeconds
        ? {}
        : { startup_seconds: budget.startupSeconds }),
      ...(budget.cores === null ? {} : { cores: budget.cores }),
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
    ...(mode === 'preferred' &&
    !network &&
    reads.length === 0 &&
    writes.length === 0 &&
    !('cache_mb' in cache)
      ? {}
      : {
          sandbox: {
            ...{ mode, network, reads: [...reads] },
            ...(writes.length === 0 ? {} : { writes: [...writes] }),
            ...cache,
          },
        }),
  };
}
