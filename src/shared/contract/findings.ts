import type { Contract, Goal } from './contract.ts';

/** What is looked for in a repository, with labels, in the order in which it is shown. */
export const FINDING_LABELS = {
  editable: 'editable',
  locked: 'locked',
  train: 'command',
  setup: 'set-up',
  metric: 'metric',
  goal: 'better is',
  budget: 'budget',
  memory: 'memory metric',
  data: 'data folder',
  checks: 'check',
  stop: 'stops',
  instructions: 'instructions',
  history: 'history',
  rules: 'rule',
} as const;
export type FindingName = keyof typeof FINDING_LABELS;

/** Something that a repository says about its contract. */
export type Finding = {
  readonly name: FindingName;
  /** One line for the user. */
  readonly value: string;
  /** Where it was read: `program.md:12`, or a description if no line says it. */
  readonly source: string;
  /** Set if nothing says it, so that Pawl uses its own default. */
  readonly isDefault?: true;
};

/** In the order they are shown. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  const order = Object.keys(FINDING_LABELS);
  return [...findings].sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
}

/** What a finding says, in words. */
export function findingWords({ name, value }: Finding): string {
  if (name !== 'goal') return value;
  return value === 'minimize' ? 'lower' : 'higher';
}

/** A study needs these; if one is missing, the user is asked rather than guessed at. */
const ASKED_NAMES = ['editable', 'train', 'metric', 'goal'] as const;
export type AskedName = (typeof ASKED_NAMES)[number];

/** Something that the repository does not say, or says in contradictory ways. */
export type Unclear = {
  readonly name: AskedName;
  /** A sentence about what the repository says and where. */
  readonly why: string;
  readonly candidates: readonly string[];
};

/** A contract with null for whatever the repository does not say, or contradicts itself about. */
export type Draft = Omit<Contract, 'editable' | 'train' | 'metric'> & {
  readonly editable: readonly string[] | null;
  readonly train: string | null;
  readonly metric: Omit<Contract['metric'], 'name' | 'goal'> & {
    readonly name: string | null;
    readonly goal: Goal | null;
  };
};

/** What was found before anything runs. */
export type Recognition = {
  readonly draft: Draft;
  readonly findings: readonly Finding[];
  readonly unclear: readonly Unclear[];
};

/** The user's choices that override what was found. */
export type ContractChoices = {
  readonly editable?: readonly string[] | undefined;
  readonly locked?: readonly string[] | undefined;
  readonly train?: string | undefined;
  readonly metric?: string | undefined;
  readonly goal?: Goal | undefined;
};

/** The contract of a complete draft; null if something has to be asked. */
export function contractOfDraft(draft: Draft): Contract | null {
  const { editable, train, metric } = draft;
  const { name, goal } = metric;
  if (editable === null || train === null || name === null || goal === null) return null;
  return { ...draft, editable, train, metric: { ...metric, name, goal } };
}
