import { directionOf } from '../../shared/contract/metric-direction.ts';
import { plainHeading } from './raw-table.ts';
import { isVerdictHeading } from './verdict-words.ts';

const words = (text: string): readonly string[] => text.split(/\s+/).filter(Boolean);

/** Headings of the line that says what was tried, the likeliest first. */
const DESCRIPTIONS = words(
  `description hypothesis idea change changes change_description what what_changed summary desc title name label
   experiment_name experiment variant config notes note comment comments reason rationale tags.mlflow.runname experiment_id run_name
   arm_name id`,
);

const COMMITS = words(
  'commit commit_hash commit_sha commit_id git_commit git_sha git_hash sha hash tags.mlflow.source.git.commit',
);

/** Headings of memory columns, with the factor that makes megabytes. */
const MEMORY = new Map<string, number>([
  ...words(
    'memory_gb ram_gb peak_memory_gb peak_mem_gb mem_gb vram_gb peak_vram_gb gpu_memory_gb memory',
  ).map(name => [name, 1024] as const),
  ...words('memory_mb ram_mb peak_memory_mb peak_mem_mb mem_mb vram_mb peak_vram_mb gpu_memory_mb').map(
    name => [name, 1] as const,
  ),
]);

/** Headings that name the metric, the surest first. */
const METRICS = words(
  `val_bpb metric metric_value primary_metric primary_metric_value primary objective objective_value combined_score
   composite_score composite total_score final_score overall_score weighted_score score fitness val_score mean_score
   avg_score average_score`,
);

/** Whether a heading is typical of results, so that a table without verdicts counts as one of results. */
export function isResultHeading(heading: string): boolean {
  const name = plainHeading(heading);
  return METRICS.includes(name) || COMMITS.includes(name) || directionOf(name) !== null;
}

/** Whether a column was measured on data that the training did not see. */
export function isHeldOut(heading: string): boolean {
  return HELD_OUT.test(joined(plainHeading(heading)));
}

/** The name in `metrics.loss` and `val/loss` is their last part. */
function lastPart(name: string): string {
  return (name.split(/[./]/).at(-1) || name).replace(/^_+/, '');
}

/** All parts of a name as one word. */
function joined(name: string): string {
  return name.replace(/[./]+/g, '_');
}

/** Never the metric: counters, names, dates, seeds, descriptions. */
const NEVER = new Set(
  words(
    `# n no num number idx index i iter iters iteration iterations it run run_id run_name run_number global_step run_no exp experiment
     experiment_id experiment_number exp_id exp_no trial trial_id round generation gen attempt attempts try cycle seq
     segment exit_code epoch step steps timestamp ts date datetime when rounds generations started ended start end created_at finished_at seed guard
     guard_metric confidence p_value pvalue p z t stderr std stdev sd ci ci_low ci_high noise sigma line lines rank
     parent parent_id priority gpu gpu_id worker agent phase stage batch session fold version day week asi`,
  ),
);

/** Relative to another row: only if there is no other column. */
const DERIVED =
  /(?:^|_)(?:delta|diff|change|improvement|improve|improved|gain|vs|baseline|base|prev|previous|best_so_far|running_best|incumbent|before|rel|relative|cumulative|expected|predicted|target|threshold)(?:_|$)/;

/** What a run cost, and how it was set up: only if there is no other column. */
const SECONDARY =
  /(?:^|_)(?:memory|mem|ram|vram|gpu|params?|param_count|num_params|size|cost|usd|price_usd|tokens|duration|elapsed|runtime|walltime|wall|training_seconds|train_seconds|total_seconds|train_time|training_time|run_time|time|seconds|minutes|hours|secs|steps?|epochs?|lr|learning_rate|batch|depth|width|layers|dim|heads|n|num|count|mfu|seed|trades?|loc|files?)(?:_|$)/;

const IDENTIFIER =
  /(?:^|_)(?:exit|id|ids|hash|sha|commit|uuid|date|timestamp|datetime|at|url|path|branch|file)$|^datetime_/;

/** Settings of a run, in an object of their own. */
const SETTINGS = /^(?:params?|config|args|hparams|hyperparameters|hyperparams|settings|[a-z]+_changes)\./;

/** The other numbers of a mean. */
const SPREAD = /^(?:min|max|std|best|worst|first|last|var)_/;

const HELD_OUT = /(?:^|_)(?:val|valid|validation|test|eval|dev|holdout|oos)(?:_|$)/;
const TRAINING = /(?:^|_)(?:train|training|is|in_sample)(?:_|$)/;

/** How likely a column is the metric, by its heading: `sure` with a rank, or a class. */
export type MetricRole =
  | { readonly kind: 'sure'; readonly rank: number }
  | { readonly kind: 'plain' | 'secondary' | 'derived' | 'never' };

export function metricRole(heading: string, all: readonly string[]): MetricRole {
  const name = plainHeading(heading);
  const last = lastPart(name);
  const rank = METRICS.indexOf(name);
  if (rank >= 0) return { kind: 'sure', rank };
  if (/^primary_./.test(name)) return { kind: 'sure', rank: METRICS.indexOf('primary_metric') };
  if (isVerdictHeading(name) || SETTINGS.test(name)) return { kind: 'never' };
  if (NEVER.has(last) || IDENTIFIER.test(last) || COMMITS.includes(last) || last === '')
    return { kind: 'never' };
  if (MEMORY.has(last)) return { kind: 'secondary' };
  if (DERIVED.test(last) || /^best(?:_(?:val|test|score|metric|loss|acc).*)?$/.test(last))
    return { kind: 'derived' };
  const names = all.map(plainHeading);
  // `fitness_after` beside `fitness_before` is the result.
  if (last.endsWith('_after') && names.includes(name.replace(/_after$/, '_before'))) {
    return { kind: 'sure', rank: METRICS.length };
  }
  const isBefore = last.endsWith('_before') && names.includes(name.replace(/_before$/, '_after'));
  const isSpread =
    SPREAD.test(name) &&
    ['mean_', 'avg_', 'median_'].some(mean => names.includes(name.replace(SPREAD, mean)));
  const isBehind = isBefore || isSpread || (TRAINING.test(joined(name)) && all.some(isHeldOut));
  return { kind: isBehind || isResource(last) ? 'secondary' : 'plain' };
}

/** `total_ms` and `tokens_per_second` can be metrics; `training_seconds` and `num_steps` are only costs. */
function isResource(name: string): boolean {
  if (/(?:_per_|\/|_ps$|_p\d\d$|^p\d\d)/.test(name)) return false;
  return SECONDARY.test(name);
}

/** Columns that say what was tried, the likeliest first. */
export function descriptionColumns(columns: readonly string[]): readonly number[] {
  const plain = columns.map(plainHeading);
  return DESCRIPTIONS.flatMap(name => (plain.includes(name) ? [plain.indexOf(name)] : []));
}

/** -1 where there is none. */
export function commitColumn(columns: readonly string[]): number {
  return firstOf(columns, COMMITS);
}

/** The column of the memory, and the factor that makes its numbers megabytes. */
export function memoryColumn(
  columns: readonly string[],
): { readonly index: number; readonly factor: number } | null {
  for (const [index, column] of columns.entries()) {
    const factor = MEMORY.get(plainHeading(column));
    if (factor !== undefined) return { index, factor };
  }
  return null;
}

function firstOf(columns: readonly string[], names: readonly string[]): number {
  const plain = columns.map(plainHeading);
  return plain.indexOf(names.find(known => plain.includes(known)) ?? '');
}
