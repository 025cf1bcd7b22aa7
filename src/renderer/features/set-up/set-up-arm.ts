import type { z } from 'zod';
import type { NewStudyForm } from '../../../shared/calls/call-inputs.ts';
import {
  type ArmSettings,
  DEFAULT_STRATEGY,
  type ModelSettings,
  type SearchSettings,
} from '../../../shared/proposers/proposers.ts';

/** One proposer as text fields: the user's input, valid or not. */
export type ArmForm = {
  /** Stays the same when the order changes. */
  readonly id: number;
  readonly kind: ArmSettings['kind'];
  readonly seed: string;
  readonly strategy: NonNullable<SearchSettings['strategy']>;
  readonly command: string;
  readonly timeout: string;
  readonly patches: string;
  readonly agent: string;
  readonly agentModel: string;
  readonly model: string;
  readonly effort: '' | NonNullable<ModelSettings['effort']>;
  readonly baseUrl: string;
  readonly key: ModelSettings['key'];
  readonly studyCap: string;
  readonly sittingCap: string;
};
export type ArmProblems = Partial<Record<keyof ArmForm, string>>;

let arms = 0;

export function newArm(kind: ArmForm['kind']): ArmForm {
  arms += 1;
  return {
    id: arms,
    kind,
    seed: '1',
    strategy: DEFAULT_STRATEGY,
    command: '',
    timeout: '600',
    patches: '',
    agent: 'claude',
    agentModel: '',
    model: 'claude-opus-5-5',
    effort: '',
    baseUrl: '',
    key: 'environment',
    studyCap: '20',
    sittingCap: '',
  };
}

/** The form filled in from a study's settings. */
export function armFormOf(settings: ArmSettings): ArmForm {
  const fresh = newArm(settings.kind);
  const text = (value: number | null) => (value === null ? '' : String(value));
  switch (settings.kind) {
    case 'search':
      return { ...fresh, seed: String(settings.seed), strategy: settings.strategy ?? 'ladder' };
    case 'command':
      return { ...fresh, command: settings.command, timeout: String(settings.timeoutSeconds) };
    case 'patches':
      return { ...fresh, patches: settings.folder };
    case 'agent': {
      const { agent, model, timeoutSeconds } = settings;
      return { ...fresh, agent, agentModel: model ?? '', timeout: String(timeoutSeconds) };
    }
    case 'model': {
      const { model, effort, baseUrl, key, capUsd } = settings;
      return {
        ...{ ...fresh, model, effort: effort ?? '', baseUrl: baseUrl ?? '', key },
        ...{ studyCap: text(capUsd.study), sittingCap: text(capUsd.sitting) },
      };
    }
    default:
      return settings satisfies never;
  }
}

/** A number, or NaN, which the schema will reject; null for an empty field. */
export function numberOf(text: string): number | null {
  return text.trim() === '' ? null : Number(text);
}

export function armOf(form: ArmForm): Extract<NewStudyForm['proposer'], { kind: 'route' }>['arms'][number] {
  switch (form.kind) {
    case 'search':
      return { kind: 'search', seed: Number(form.seed), strategy: form.strategy };
    case 'command':
      return { kind: 'command', command: form.command, timeoutSeconds: Number(form.timeout) };
    case 'patches':
      return { kind: 'patches', folder: form.patches.trim() };
    case 'agent':
      return {
        kind: 'agent',
        agent: form.agent,
        model: form.agentModel.trim() || null,
        timeoutSeconds: Number(form.timeout),
      };
    case 'model':
      return {
        kind: 'model',
        model: form.model,
        effort: form.effort === '' ? null : form.effort,
        baseUrl: form.baseUrl.trim() || null,
        key: form.key,
        capUsd: { study: numberOf(form.studyCap), sitting: numberOf(form.sittingCap) },
      };
    default:
      return form.kind satisfies never;
  }
}

/** The field for a path in the schema. */
const FIELDS: Readonly<Record<string, keyof ArmForm>> = {
  seed: 'seed',
  command: 'command',
  timeoutSeconds: 'timeout',
  folder: 'patches',
  model: 'model',
  baseUrl: 'baseUrl',
  'capUsd.study': 'studyCap',
  'capUsd.sitting': 'sittingCap',
};

/** Messages for missing values, which the schema would not describe in the user's words. */
const EMPTY: ArmProblems = {
  command: 'Write the command line of the proposer.',
  patches: 'Name the folder with the patches.',
  model: 'Choose a model.',
};

type Issue = z.core.$ZodIssue;

/** The field that an issue is about, and its message; null if the form has no such field. */
export function readArmIssue(
  form: ArmForm | undefined,
  issue: Issue,
  path: readonly string[],
): ArmProblems | null {
  const name = FIELDS[path.join('.')];
  // The agent's model has a separate field.
  const field = name === 'model' && form?.kind === 'agent' ? 'agentModel' : name;
  if (!form || !field) return null;
  const isEmpty = String(form[field]).trim() === '';
  return { [field]: (isEmpty ? EMPTY[field] : undefined) ?? wordsOf(issue) };
}

/** A schema's message as a sentence. */
export function wordsOf(issue: Issue): string {
  if (issue.code === 'invalid_type' && issue.expected === 'number') return 'Write a number.';
  return `${issue.message[0]?.toUpperCase()}${issue.message.slice(1)}.`.replace(/\.\.$/, '.');
}
