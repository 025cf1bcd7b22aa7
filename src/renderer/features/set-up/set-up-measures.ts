import type { z } from 'zod';
import type { Contract, VerdictRule } from '../../../shared/contract/contract.ts';
import type { contractFileSchema } from '../../../shared/contract/contract-schema.ts';
import type { Draft } from '../../../shared/contract/findings.ts';

/**
 * Fields that the form folds away: how the number is found, further conditions, checks, and a model. Several entries
 * are one per line. Values without a field (time limits, poll interval) are taken from `kept`.
 */
export type MeasuresForm = {
  readonly pattern: string;
  readonly metricCommand: string;
  /** `name = value` or `name < value`, one per line. */
  readonly require: string;
  /** `name: command`, one per line. */
  readonly checks: string;
  readonly wait: string;
  /** '' uses the machine's setting. */
  readonly verdict: VerdictRule | '';
  readonly leastGain: string;
  readonly bound: string;
  /** `path = other`, one per line. */
  readonly swaps: string;
  readonly approvesHints: boolean;
  readonly scoreCommand: string;
  /** One per line, like the hidden ones. */
  readonly artifacts: string;
  readonly scoreModel: string;
  readonly scoreReads: string;
  readonly model: string;
  readonly modelUrl: string;
};

type ContractInput = z.input<typeof contractFileSchema>;

export function measuresOf(contract: Draft | null): MeasuresForm {
  return {
    pattern: contract?.metric.pattern ?? '',
    metricCommand: contract?.metric.command ?? '',
    require:
      contract?.metric.require.map(({ name, how, value }) => `${name} ${how} ${value}`).join('\n') ?? '',
    checks: contract?.checks.map(({ name, command }) => `${name}: ${command}`).join('\n') ?? '',
    wait: waitText(contract?.metric.waitSeconds ?? null),
    verdict: contract?.metric.verdict ?? '',
    leastGain: contract?.metric.leastGain ? String(contract.metric.leastGain) : '',
    bound: contract?.metric.bound == null ? '' : String(contract.metric.bound),
    swaps: contract?.audit.swaps.map(({ path, other }) => `${path} = ${other}`).join('\n') ?? '',
    approvesHints: contract?.audit.approvesHints ?? false,
    scoreCommand: contract?.score?.command ?? '',
    artifacts: contract?.score?.artifacts.join('\n') ?? '',
    scoreModel: contract?.score?.model ?? '',
    scoreReads: contract?.score?.reads.join('\n') ?? '',
    model: contract?.model?.name ?? '',
    modelUrl: contract?.model?.baseUrl ?? '',
  };
}

/** Whether any of these fields is filled, so that the group starts open. */
export function hasMeasures(form: MeasuresForm): boolean {
  const { pattern, metricCommand, require, checks, wait, verdict, leastGain, model, modelUrl } = form;
  const { scoreCommand, artifacts, scoreModel, scoreReads, bound, swaps } = form;
  const texts = [pattern, metricCommand, require, checks, wait, verdict, leastGain, model, modelUrl];
  const more = [scoreCommand, artifacts, scoreModel, scoreReads, bound, swaps];
  return form.approvesHints || [...texts, ...more].some(text => text.trim() !== '');
}

/** The keys of the `metric` table. */
export function metricMeasures(
  form: MeasuresForm,
  kept: Draft | null,
): Omit<ContractInput['metric'], 'name' | 'goal' | 'memory' | 'memory_limit'> {
  const { commandSeconds, pollSeconds } = kept?.metric ?? {};
  const require = byName(lines(form.require).map(readRequirement));
  return {
    ...filled('pattern', form.pattern),
    ...filled('command', form.metricCommand),
    ...(form.metricCommand.trim() !== '' && commandSeconds !== undefined
      ? { command_seconds: commandSeconds }
      : {}),
    ...filled('wait', form.wait),
    ...(form.wait.trim() !== '' && pollSeconds !== undefined ? { poll: `${pollSeconds}s` } : {}),
    ...(Object.keys(require).length > 0 ? { require } : {}),
    ...(form.verdict === '' ? {} : { verdict: form.verdict }),
    ...(form.leastGain.trim() === '' ? {} : { least_gain: Number(form.leastGain) }),
    ...(form.bound.trim() === '' ? {} : { bound: Number(form.bound) }),
  };
}

/** The tables `checks`, `score`, `audit` and `model`. */
export function tableMeasures(
  form: MeasuresForm,
  kept: Draft | null,
): Pick<ContractInput, 'checks' | 'score' | 'audit' | 'model'> {
  const checks = byName(lines(form.checks).map(line => readCheck(line, kept?.checks ?? [])));
  return {
    ...(Object.keys(checks).length > 0 ? { checks } : {}),
    ...scoreTable(form, kept),
    ...auditTable(form),
    ...(form.model.trim() === '' && form.modelUrl.trim() === ''
      ? {}
      : { model: { name: form.model, ...filled('base_url', form.modelUrl) } }),
  };
}

/** There is no field for the time limit. */
function scoreTable(form: MeasuresForm, kept: Draft | null): Pick<ContractInput, 'score'> {
  const [artifacts, reads] = [lines(form.artifacts), lines(form.scoreReads)];
  const texts = [form.scoreCommand, form.scoreModel, ...artifacts, ...reads];
  if (texts.every(text => text.trim() === '')) return {};
  return {
    score: {
      ...{ command: form.scoreCommand, artifacts: [...artifacts] },
      ...filled('model', form.scoreModel),
      ...(reads.length > 0 ? { reads: [...reads] } : {}),
      ...(kept?.score ? { seconds: kept.score.seconds, twin: kept.score.hasTwin } : {}),
    },
  };
}

function auditTable(form: MeasuresForm): Pick<ContractInput, 'audit'> {
  const swap = byName(
    lines(form.swaps).map(line => {
      const [path = '', ...others] = line.split('=');
      return [path.trim(), others.join('=').trim()] as const;
    }),
  );
  const audit = {
    ...(Object.keys(swap).length > 0 ? { swap } : {}),
    ...(form.approvesHints ? { approve_hints: true } : {}),
  };
  return Object.keys(audit).length > 0 ? { audit } : {};
}

/** A duplicate gets a name that the schema rejects, so that neither is lost silently. */
function byName<T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  const found: Record<string, T> = {};
  for (const [name, value] of entries) found[name in found ? `${name}: named twice` : name] = value;
  return found;
}

/** `recall@1 >= 0.5`, `correctness = PASS`; the value follows the first comparison sign. */
function readRequirement(line: string): readonly [string, string] {
  const found = /^([^=<>!]*)((?:==?|!=|<=?|>=?).*)$/.exec(line);
  return [found?.[1]?.trim() ?? line, found?.[2]?.trim() ?? ''];
}

/** A check keeps its own time limit as long as it keeps its name. */
function readCheck(
  line: string,
  kept: Contract['checks'],
): readonly [string, { readonly command: string; readonly seconds?: number }] {
  const colon = line.indexOf(':');
  const name = colon < 0 ? line : line.slice(0, colon).trim();
  const seconds = kept.find(check => check.name === name)?.seconds;
  const command = colon < 0 ? '' : line.slice(colon + 1).trim();
  return [name, { command, ...(seconds === undefined ? {} : { seconds }) }];
}

/** In the largest unit that gives a whole number. */
function waitText(seconds: number | null): string {
  if (seconds === null) return '';
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
  ] as const;
  const unit = units.find(([, size]) => seconds % size === 0);
  return unit ? `${seconds / unit[1]}${unit[0]}` : `${seconds}s`;
}

function lines(text: string): readonly string[] {
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '');
}

function filled<K extends string>(key: K, text: string): { [P in K]?: string } {
  return text.trim() === '' ? {} : ({ [key]: text.trim() } as { [P in K]?: string });
}
