import { posix } from 'node:path';
import { z } from 'zod';
import type { Goal } from '../../shared/contract/contract.ts';
import { contractFileSchema } from '../../shared/contract/contract-schema.ts';
import type { Finding, Recognition } from '../../shared/contract/findings.ts';
import { counted, formatSeconds } from '../../shared/numbers.ts';
import { assemble } from './assemble.ts';
import { autoresearchContract } from './autoresearch.ts';
import type { Claim } from './claims.ts';
import { codeSpans, type Document, readPassages, sourceOf } from './document.ts';
import type { PiSession, Shape } from './find-shape.ts';
import { type CommandLine, inFolder } from './read-command.ts';
import { readFileRoles } from './read-file-roles.ts';
import { type MetricClaim, readDirections, readGeneralDirections, readMetrics } from './read-metric.ts';
import { readRules } from './read-rules.ts';
import type { TrackedPaths } from './tracked-paths.ts';

export type PiTexts = {
  readonly prompt: Document | null;
  readonly measure: Document;
  readonly config: Document | null;
  readonly log: PiLog | null;
};

/** The last configuration in a log, and how much history the log holds. */
export type PiLog = {
  readonly runs: number;
  readonly metric: Claim<string> | null;
  readonly goal: Claim<Goal> | null;
};

/** How long pi-autoresearch 1.6.0 lets a benchmark and its checks run by default. */
const BENCHMARK_SECONDS = 600;
const CHECKS_SECONDS = 300;

const configSchema = z.object({
  type: z.literal('config'),
  metricName: contractFileSchema.shape.metric.shape.name.optional(),
  bestDirection: z.enum(['lower', 'higher']).optional(),
});

/** Reads the lines of a `log.jsonl`: a later configuration replaces an earlier one, as in its own reader. */
export function readPiLog(path: string, text: string): PiLog {
  let log: PiLog = { runs: 0, metric: null, goal: null };
  let line = 0;
  for (let start = 0; start < text.length; line += 1) {
    const end = text.indexOf('\n', start);
    const raw = text.slice(start, end < 0 ? text.length : end);
    start = end < 0 ? text.length : end + 1;
    if (/^\s*\{.{0,400}?"run"\s*:/.test(raw.slice(0, 500))) log = { ...log, runs: log.runs + 1 };
    if (!raw.slice(0, 2_000).includes('"config"')) continue;
    const entry = configSchema.safeParse(parseJson(raw));
    if (!entry.success) continue;
    const source = `${path}:${line + 1}`;
    const { metricName, bestDirection } = entry.data;
    if (metricName !== undefined) log = { ...log, metric: { value: metricName, source, strength: 2 } };
    // If nothing is set, its reader assumes "lower"; here that counts as nothing said.
    const value = bestDirection === 'higher' ? 'maximize' : 'minimize';
    log = { ...log, goal: bestDirection === undefined ? null : { value, source, strength: 2 } };
  }
  return log;
}

function parseJson(text: string): unknown {
  try {
    return text.length > 100_000 ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

/** Recognises pi-autoresearch's session files. */
export function recognizePi(
  { folder, session }: Extract<Shape, { kind: 'pi' }>,
  { prompt, measure, config, log }: PiTexts,
  tracked: TrackedPaths,
  isExecutable: (path: string) => boolean,
): Recognition {
  const base = autoresearchContract('', false);
  const roles = prompt
    ? readFileRoles(prompt, tracked)
    : { editable: [], locked: [], guarded: [], missing: [] };
  const rules = prompt ? readRules(prompt) : { stop: {}, findings: [] };
  const limit = config ? readIterations(config) : null;
  const run = (path: string) => commandOf(posix.relative(folder, path), isExecutable(path));
  const checks =
    session.checks === null
      ? []
      : [{ name: 'checks', command: inFolder(folder, run(session.checks)), seconds: CHECKS_SECONDS }];
  const findings: Finding[] = [
    {
      name: 'budget',
      value: `ended after ${formatSeconds(BENCHMARK_SECONDS)}`,
      source: "pi-autoresearch's limit for a benchmark",
      isDefault: true,
    },
    ...checks.map(({ command }) => ({
      name: 'checks' as const,
      value: command,
      source: session.checks ?? '',
    })),
    ...(prompt ? [{ name: 'instructions' as const, value: prompt.path, source: 'by its name' }] : []),
    ...(limit ? [limit.finding] : []),
    ...session.hooks.map(path => ({ name: 'rules' as const, value: 'Its hooks are not run.', source: path })),
    ...(log && log.runs > 0
      ? [{ name: 'history' as const, value: counted(log.runs, 'experiment'), source: session.log ?? '' }]
      : []),
    ...rules.findings,
  ];
  return assemble({
    ...{ tracked, roles, findings, parts: [] },
    isReserved: path => isOfSession(path, session, folder),
    naming: new Map(),
    commands: [commandClaim(prompt, measure.path, folder, run(measure.path))],
    metrics: metricsOf(prompt, measure, log),
    goals: metric => [
      ...(prompt && metric !== null ? readDirections(prompt, metric) : []),
      ...(prompt ? readGeneralDirections(prompt) : []),
      ...(log?.goal && log.metric?.value === metric ? [log.goal] : []),
    ],
    code: [measure],
    base: {
      ...base,
      source: 'pi-autoresearch',
      instructions: prompt?.path ?? null,
      checks,
      metric: { ...base.metric, memory: null, name: null, goal: null },
      budget: { ...base.budget, limitSeconds: BENCHMARK_SECONDS },
      stop: { ...rules.stop, ...(limit ? { experiments: limit.experiments } : {}) },
      sandbox: { ...base.sandbox, reads: [] },
    },
  });
}

function commandOf(path: string, isExecutable: boolean): string {
  return isExecutable ? `./${path}` : `bash ${path}`;
}

/** The command line that the prompt gives for the script, with its arguments; else the script alone. */
function commandClaim(
  prompt: Document | null,
  path: string,
  folder: string,
  plain: string,
): Claim<CommandLine> {
  const name = posix.relative(folder, path);
  for (const { text, line, kind, heading } of prompt ? readPassages(prompt) : []) {
    if (!/how to run/i.test(heading)) continue;
    for (const span of kind === 'code' ? [text] : codeSpans(text)) {
      const found = /^(?:bash\s+)?(?:\.\/)?(\S+)((?:\s+[\w=./:-]+){0,8})\s*(?:#.*)?$/.exec(span);
      if (!prompt || !found || found[1] !== name) continue;
      const value = { line: inFolder(folder, `${plain}${found[2] ?? ''}`.trimEnd()), script: path };
      return { value, source: sourceOf(prompt, line), strength: 3 };
    }
  }
  return { value: { line: inFolder(folder, plain), script: path }, source: path, strength: 3 };
}

/** The session's own files are its records and what judges. */
function isOfSession(path: string, { hooks, ...files }: PiSession, folder: string): boolean {
  if ([...Object.values(files), ...hooks].includes(path)) return true;
  const name = posix.relative(folder, path);
  // A script at the top may call one of the same name elsewhere.
  return name.startsWith('.auto/') || /(?:^|\/)autoresearch\.[\w.]+$/.test(name);
}

/** The prompt's "Primary" and the log's name, which have to agree; else the only number that the script itself prints. */
function metricsOf(prompt: Document | null, measure: Document, log: PiLog | null): readonly MetricClaim[] {
  const claims = prompt ? readMetrics(prompt) : [];
  const primary = claims.filter(({ kind }) => kind === 'named').slice(0, 1);
  const named = [...primary, ...(log?.metric ? [log.metric] : [])].map(claim => ({
    ...claim,
    kind: 'named' as const,
  }));
  if (named.length > 0) return named;
  const printed = measure.lines.flatMap((text, index) => {
    const name = /\bMETRIC ([\p{L}_][\p{L}\p{N}_.\-/%@+]{0,63})=/u.exec(text)?.[1];
    return name === undefined
      ? []
      : [{ value: name, source: sourceOf(measure, index + 1), strength: 1, kind: 'named' as const }];
  });
  return printed.length > 0 ? printed : claims;
}

/** `maxIterations` counts the baseline. */
function readIterations(
  config: Document,
): { readonly experiments: number; readonly finding: Finding } | null {
  const parsed = z
    .object({ maxIterations: z.number().int().positive() })
    .safeParse(parseJson(config.lines.join('\n')));
  if (!parsed.success) return null;
  const experiments = parsed.data.maxIterations - 1;
  return {
    experiments,
    finding: {
      name: 'stop',
      value: `after ${counted(experiments, 'experiment')}, not counting the baseline`,
      source: config.path,
    },
  };
}
