import type { z } from 'zod';
import {
  type NewStudyForm,
  newStudySchema,
  proposerSettingsSchema,
} from '../../../shared/calls/call-inputs.ts';
import type { Goal, SandboxMode } from '../../../shared/contract/contract.ts';
import { contractFileSchema } from '../../../shared/contract/contract-schema.ts';
import type { Draft } from '../../../shared/contract/findings.ts';
import { clusterToFile } from '../../../shared/machines/cluster.ts';
import type { ProposerSettings, RouteSettings } from '../../../shared/proposers/proposers.ts';
import { shareOf } from '../../../shared/proposers/spend-plan.ts';
import type { OtherLines } from '../../../shared/study.ts';
import { describeBadTag, isValidTag } from '../../../shared/study-name.ts';
import { laneWordsOf } from './lane-words.ts';
import {
  type ArmForm,
  type ArmProblems,
  armFormOf,
  armOf,
  newArm,
  numberOf,
  readArmIssue,
  wordsOf,
} from './set-up-arm.ts';
import { type MeasuresForm, measuresOf, metricMeasures, tableMeasures } from './set-up-measures.ts';

/** The proposers as text fields: the user's input, valid or not. */
export type ProposerForm = {
  /** In order; at least one. */
  readonly arms: readonly ArmForm[];
  readonly routing: RouteSettings['mode'];
  /** Whether the search proposes while the only proposer cannot. */
  readonly standsIn: boolean;
};

type Parts = MeasuresForm & ProposerForm;

/** The set-up form as text fields. */
export type SetUpForm = Parts & {
  /** The draft from which the form was filled, for values without a field. */
  readonly kept: Draft | null;
  readonly editable: string;
  readonly locked: string;
  readonly instructions: string;
  readonly train: string;
  readonly setup: string;
  readonly environment: string;
  readonly sandbox: SandboxMode;
  /** One path or pattern a line. */
  readonly writes: string;
  readonly network: boolean;
  readonly reads: string;
  readonly metric: string;
  /** Empty if the name implies it, or if it is still open. */
  readonly goal: '' | Goal;
  readonly memory: string;
  readonly memoryLimit: string;
  /** UUID of the GPU; empty leaves the choice to the machine. */
  readonly gpu: string;
  /** Separated by commas; empty for one experiment at a time. */
  readonly lanes: string;
  readonly otherLines: OtherLines;
  /** Whether to end hopeless runs. */
  readonly prune: boolean;
  readonly budget: string;
  readonly limit: string;
  /** GiB, a count, GiB. */
  readonly memoryGb: string;
  readonly processes: string;
  readonly freeDiskGb: string;
  readonly tag: string;
  readonly asksApproval: boolean;
  /** Spending limit for models in US dollars, if the contract lets the training ask one. */
  readonly cap: string;
  readonly experiments: string;
  readonly hours: string;
  readonly deadline: string;
  readonly target: string;
  readonly patience: string;
  readonly crashes: string;
};
export type FormProblems = Partial<Record<Exclude<keyof SetUpForm, 'arms' | 'kept'>, string>> & {
  /** By index; undefined if nothing is wrong. */
  readonly arms?: readonly (ArmProblems | undefined)[];
};

/** A night of five-minute runs is about a hundred experiments. */
const DEFAULT_EXPERIMENTS = '100';

/**
 * The form filled in from what was found, with empty fields for what is unclear; if nothing was found, with the
 * defaults.
 */
export function formOf(contract: Draft | null, tag: string): SetUpForm {
  const text = (value: number | null | undefined) =>
    value === null || value === undefined ? '' : String(value);
  return {
    ...measuresOf(contract),
    kept: contract,
    editable: contract?.editable?.join('\n') ?? '',
    locked: contract?.locked?.join('\n') ?? '',
    instructions: contract?.instructions ?? '',
    train: contract?.train ?? '',
    setup: contract?.setup ?? '',
    environment: contract?.environment.join(' ') ?? '',
    sandbox: contract?.sandbox.mode ?? 'preferred',
    network: contract?.sandbox.network ?? false,
    reads: contract?.sandbox.reads.join('\n') ?? '',
    writes: contract?.sandbox.writes.join('\n') ?? '',
    metric: contract?.metric.name ?? '',
    goal: contract?.metric.goal ?? '',
    memory: contract?.metric.memory ?? '',
    memoryLimit: text(contract?.metric.memoryLimit),
    budget: text(contract?.budget.seconds ?? 300),
    limit: text(contract?.budget.limitSeconds),
    prune: contract?.budget.prune ?? false,
    memoryGb: text(contract?.limits.memoryGb),
    processes: text(contract?.limits.processes),
    freeDiskGb: text(contract?.limits.freeDiskGb),
    gpu: '',
    lanes: '',
    otherLines: 'off',
    tag,
    arms: [newArm('search')],
    routing: 'fallback',
    standsIn: true,
    asksApproval: false,
    cap: '',
    experiments: text(contract?.stop.experiments) || DEFAULT_EXPERIMENTS,
    hours: text(contract?.stop.hours),
    deadline: contract?.stop.deadline ? toLocalInput(contract.stop.deadline) : '',
    target: text(contract?.stop.target),
    patience: text(contract?.stop.patience),
    crashes: text(contract?.stop.crashes) || '10',
  };
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '');
}

/** An object with the number under its key; empty for an empty field. */
function number<K extends string>(key: K, text: string): { [P in K]?: number } {
  const value = numberOf(text);
  return value === null ? {} : ({ [key]: value } as { [P in K]?: number });
}

function optional<K extends string>(key: K, text: string): { [P in K]?: string } {
  const trimmed = text.trim();
  return trimmed === '' ? {} : ({ [key]: trimmed } as { [P in K]?: string });
}

function toLocalInput(iso: string): string {
  const date = new Date(iso);
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/** Whether a proposer may be unavailable for a while and come back, like one behind a server. */
export function mayBeAway({ kind }: Pick<ArmForm, 'kind'>): boolean {
  return kind === 'model' || kind === 'agent';
}

export function proposerOf({ arms: forms, routing, standsIn }: ProposerForm): NewStudyForm['proposer'] {
  const [first, ...others] = forms.map(armOf);
  if (!first) throw new Error('a form has at least one proposer');
  if (others.length > 0) return { kind: 'route', mode: routing, arms: [first, ...others] };
  if (!standsIn || !mayBeAway(first)) return first;
  return { kind: 'route', mode: 'stand_in', arms: [first, armOf(newArm('search'))] };
}

/** The form filled in from a study's settings. */
export function proposerFormOf(settings: ProposerSettings): ProposerForm {
  if (settings.kind !== 'route') return { arms: [armFormOf(settings)], routing: 'fallback', standsIn: false };
  const { arms, mode } = settings;
  const [first, second] = arms;
  const isPair = mode === 'stand_in' && arms.length === 2 && first !== undefined && mayBeAway(first);
  if (isPair && second?.kind === 'search')
    return { arms: [armFormOf(first)], routing: 'fallback', standsIn: true };
  return { arms: arms.map(armFormOf), routing: mode, standsIn: false };
}

/** The problems of each proposer's fields; undefined if there are none. */
export function readProposer(form: ProposerForm): readonly (ArmProblems | undefined)[] | undefined {
  const issues = proposerSettingsSchema.safeParse(proposerOf(form)).error?.issues ?? [];
  const arms = armProblems(
    form,
    issues.map(issue => [issue, issue.path.map(String)]),
  );
  return arms.length > 0 ? arms : undefined;
}

/** @param issues each with its path in the proposer's settings */
function armProblems(
  form: ProposerForm,
  issues: readonly (readonly [z.core.$ZodIssue, readonly string[]])[],
): readonly (ArmProblems | undefined)[] {
  const arms: (ArmProblems | undefined)[] = [];
  for (const [issue, path] of issues) {
    const isOne = path[0] !== 'arms';
    const place = isOne ? 0 : Number(path[1]);
    const found = readArmIssue(form.arms[place], issue, path.slice(isOne ? 0 : 2));
    if (found) arms[place] = { ...found, ...arms[place] };
  }
  return arms;
}

/** The form's information about how often a model will be asked. */
export type SpendBasisForm = {
  readonly path: string;
  readonly editable: readonly string[];
  readonly instructions: string | null;
  readonly budgetSeconds: number | null;
  /** Experiments of one proposer; null if their number is not limited. */
  readonly experiments: number | null;
};

/** Invalid fields count as empty here, because they have their own messages. */
export function spendBasisOf(path: string, form: SetUpForm): SpendBasisForm {
  const count = numberOf(form.experiments);
  const seconds = numberOf(form.budget);
  return {
    ...{ path, editable: lines(form.editable), instructions: form.instructions.trim() || null },
    budgetSeconds: seconds !== null && seconds > 0 ? seconds : null,
    experiments: shareOf(
      count !== null && Number.isInteger(count) && count >= 0 ? count : null,
      form.arms.length,
      form.arms.length > 1 && form.routing === 'alternate',
    ),
  };
}

export function contractOf(form: SetUpForm): NonNullable<NewStudyForm['contract']> {
  const locked = lines(form.locked);
  const environment = form.environment.split(/[\s,]+/).filter(name => name !== '');
  return {
    contract: {
      editable: lines(form.editable),
      ...(locked.length > 0 ? { locked } : {}),
      ...optional('instructions', form.instructions),
      train: form.train,
      ...optional('setup', form.setup),
      ...(environment.length > 0 ? { environment } : {}),
    },
    metric: {
      name: form.metric,
      ...(form.goal === '' ? {} : { goal: form.goal }),
      ...metricMeasures(form, form.kept),
      ...optional('memory', form.memory),
      ...number('memory_limit', form.memoryLimit),
    },
    ...tableMeasures(form, form.kept),
    budget: {
      ...number('seconds', form.budget),
      ...number('limit_seconds', form.limit),
      ...(form.prune ? { prune: true } : {}),
      ...(form.kept
        ? { tolerance: form.kept.budget.tolerance, startup_seconds: form.kept.budget.startupSeconds }
        : {}),
    },
    limits: {
      ...number('memory_gb', form.memoryGb),
      ...number('processes', form.processes),
      ...number('free_disk_gb', form.freeDiskGb),
    },
    sandbox: {
      ...{ mode: form.sandbox, network: form.network, reads: lines(form.reads) },
      ...(lines(form.writes).length > 0 ? { writes: lines(form.writes) } : {}),
      ...(form.kept ? { cache_mb: form.kept.sandbox.cacheMb } : {}),
    },
    // The form does not show the cluster, but a study with lanes on it needs it.
    ...(form.kept?.cluster ? { cluster: clusterToFile(form.kept.cluster) } : {}),
  };
}

function stopOf(form: SetUpForm): NonNullable<NewStudyForm['stop']> {
  const deadline = form.deadline === '' ? {} : { deadline: new Date(form.deadline).toISOString() };
  return {
    ...number('experiments', form.experiments),
    ...number('hours', form.hours),
    ...deadline,
    ...number('target', form.target),
    ...number('patience', form.patience),
    ...number('crashes', form.crashes),
  };
}

/** The field for a path in the schema. */
const FIELDS: Readonly<Record<string, Exclude<keyof FormProblems, 'arms'>>> = {
  'contract.contract.editable': 'editable',
  'contract.contract.locked': 'locked',
  'contract.contract.instructions': 'instructions',
  'contract.contract.train': 'train',
  'contract.contract.setup': 'setup',
  'contract.contract.environment': 'environment',
  'contract.sandbox.reads': 'reads',
  'contract.sandbox.writes': 'writes',
  'contract.metric.name': 'metric',
  'contract.metric.goal': 'goal',
  'contract.metric.pattern': 'pattern',
  'contract.metric.command': 'metricCommand',
  'contract.metric.wait': 'wait',
  'contract.metric.require': 'require',
  'contract.metric.verdict': 'verdict',
  'contract.metric.least_gain': 'leastGain',
  'contract.metric.bound': 'bound',
  'contract.audit.swap': 'swaps',
  'contract.checks': 'checks',
  'contract.score.command': 'scoreCommand',
  'contract.score.artifacts': 'artifacts',
  'contract.score.model': 'scoreModel',
  'contract.score.reads': 'scoreReads',
  'contract.model.name': 'model',
  'contract.model.base_url': 'modelUrl',
  'contract.metric.memory': 'memory',
  'contract.metric.memory_limit': 'memoryLimit',
  'contract.budget.seconds': 'budget',
  'contract.budget.limit_seconds': 'limit',
  'contract.limits.memory_gb': 'memoryGb',
  'contract.limits.processes': 'processes',
  'contract.limits.free_disk_gb': 'freeDiskGb',
  'stop.experiments': 'experiments',
  'stop.hours': 'hours',
  'stop.deadline': 'deadline',
  'stop.target': 'target',
  'stop.patience': 'patience',
  'stop.crashes': 'crashes',
  tag: 'tag',
  lanes: 'lanes',
  capUsd: 'cap',
};

/** Messages for missing values, which the schema would not describe in the user's words. */
const EMPTY: FormProblems = {
  editable: 'Name at least one file that may change.',
  train: 'Write the command that trains.',
  metric: 'Name the number that counts.',
  goal: 'Say whether lower or higher is better.',
  scoreCommand: 'Write the command that scores.',
  artifacts: 'Name the files that the training writes for it.',
};

/** The study to start, or the problems by field. */
export function readForm(
  path: string,
  form: SetUpForm,
): { readonly study: NewStudyForm; readonly problems: FormProblems } {
  const lanes = laneWordsOf(form.lanes);
  const study: NewStudyForm = {
    path,
    ...optional('tag', form.tag),
    proposer: proposerOf(form),
    stop: stopOf(form),
    asksApproval: form.asksApproval,
    ...optional('gpu', form.gpu),
    ...(lanes.length > 0 ? { lanes } : {}),
    ...(form.otherLines === 'off' ? {} : { otherLines: form.otherLines }),
    ...number('capUsd', form.cap),
    contract: contractOf(form),
  };
  const parsed = newStudySchema.safeParse(study);
  const problems: { -readonly [K in keyof FormProblems]: FormProblems[K] } = {};
  const ofProposer: (readonly [z.core.$ZodIssue, readonly string[]])[] = [];
  for (const issue of parsed.error?.issues ?? []) {
    const path = issue.path.map(String);
    if (path[0] === 'proposer') {
      ofProposer.push([issue, path.slice(1)]);
      continue;
    }
    const field = [path.length, 3, 2, 1].map(length => FIELDS[path.slice(0, length).join('.')]).find(Boolean);
    if (!field) continue;
    // A metric without a name has no direction either; one message is enough.
    if (field === 'goal' && form.metric.trim() === '') continue;
    const isEmpty = String(form[field]).trim() === '';
    problems[field] ??= (isEmpty ? EMPTY[field] : undefined) ?? wordsOf(issue);
  }
  const { tag } = study;
  if (tag !== undefined && !isValidTag(tag)) problems.tag = describeBadTag(tag);
  const arms = armProblems(form, ofProposer);
  if (arms.length > 0) problems.arms = arms;
  return { study, problems };
}

/** Whether the contract part is complete enough for the host to check. */
export function isContractWhole(form: SetUpForm): boolean {
  return contractFileSchema.safeParse(contractOf(form)).success;
}
