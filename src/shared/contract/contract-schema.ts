import { z } from 'zod';
import { clusterFileSchema } from '../machines/cluster.ts';
import { MAX_SECONDS, SANDBOX_MODES, VERDICT_RULES } from './contract.ts';
import { directionOf } from './metric-direction.ts';
import { stopRulesSchema } from './stop-rules.ts';

const relativePattern = z
  .string()
  .min(1)
  .refine(pattern => !pattern.startsWith('/') && !pattern.split('/').includes('..'), {
    message: 'must be a path inside the repository, without ".."',
  })
  .refine(pattern => !pattern.startsWith('!'), {
    message: 'must not begin with "!": name what to include, not what to exclude',
  })
  .transform(pattern => pattern.replace(/^(?:\.\/+)+/, ''));

const positive = z.number().positive().finite();
const seconds = positive.max(MAX_SECONDS);
/** Names that can appear in output; see `SummaryReader`. `Sharpe Ratio`, `recall@1`, `total_µs` and `ns/op` are names. */
const metricName = z
  .string()
  .trim()
  .regex(
    /^(?!.*(?: {2}|::))[\p{L}_][\p{L}\p{N}\p{M} _.\-/%@+*#()[\]²³±]{0,63}$/u,
    'must be a name as it is printed before the colon, of at most 64 characters',
  );

/** `7d`, `12h`, `30m`, `45s`: seconds. */
const duration = z
  .string()
  .trim()
  .regex(/^\d+(?:\.\d+)?\s*[smhd]$/, 'must be a time like "7d", "12h", "30m" or "45s"')
  .refine(text => durationSeconds(text) > 0, { message: 'must be longer than zero' })
  .refine(text => durationSeconds(text) <= MAX_WAIT_SECONDS, { message: 'must be at most a year' });
const MAX_WAIT_SECONDS = 366 * 86_400;
const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** For a text that the schema accepts. */
export function durationSeconds(text: string): number {
  return Number.parseFloat(text) * (UNIT_SECONDS[text.trim().slice(-1)] ?? Number.NaN);
}

/** How a printed value is compared: `=` (the default), `!=`, `<`, `<=`, `>`, `>=`. */
export const COMPARISON = /^(==?|!=|<=?|>=?)?\s*(.*)$/s;
const requirement = z.union([z.boolean(), z.number().finite(), z.string().trim().min(1).max(200)]).refine(
  value => {
    if (typeof value !== 'string') return true;
    const [, how = '=', what = ''] = COMPARISON.exec(value) ?? [];
    // `=>`, `=<` and `≥` are not comparisons here, and nobody means them as text.
    if (what === '' || /^[<>=≤≥≠]/.test(what)) return false;
    return !/^[<>]/.test(how) || /^[-+]?\.?\d[\d.eE+-]*\s?(?:%|[\p{L}/]{1,24})?$/u.test(what);
  },
  { message: 'must be a value, or a comparison with a number like "< 40000"' },
);

const command = z.string().trim().min(1);
const outsidePath = z
  .string()
  .regex(/^(?:~\/|\/)./, 'must be an absolute path, or one that begins with "~/"')
  .refine(path => !path.split('/').includes('..'), { message: 'must not contain ".."' });
const APART = 'must name paths that do not contain each other, without any of * ? [ ] { }';
/** Whether no two paths are equal or inside each other. */
function areApart(pairs: Readonly<Record<string, string>>): boolean {
  const all = Object.entries(pairs)
    .flat()
    .map(path => `${path.replace(/\/+$/, '')}/`);
  const isApart = (path: string, at: number) =>
    !/[*?[\]{}]/.test(path) && !all.some((other, place) => place !== at && other.startsWith(path));
  return all.every(isApart);
}

/** In the repository or outside it. */
const dataPath = z.union([outsidePath, relativePattern], {
  error: 'must be a path inside the repository, an absolute one, or one that begins with "~/", without ".."',
});

/** pawl.toml as written: everything is optional except the values that cannot be guessed. */
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
        message: 'is required: the name does not say whether to minimize or maximize it',
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
        processes: z.number().int().min(1).optional(),
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
    cluster: clusterFileSchema.optional(),
  })
  .superRefine(({ score, metric }, issues) => {
    if (!score) return;
    for (const key of ['command', 'wait', 'pattern'] as const) {
      if (metric[key] === undefined) continue;
      const message = 'cannot be combined with [score], which alone gives the number';
      issues.addIssue({ code: 'custom', path: ['metric', key], message });
    }
  });
export type ContractFile = z.infer<typeof contractFileSchema>;
