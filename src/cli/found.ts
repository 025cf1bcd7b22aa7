import type { ContractChoices, Finding, FindingName } from '../shared/findings.ts';
import { clip, tableText } from './format.ts';

/** What the terminal is told in place of what was found. */
export type ContractFlags = ContractChoices;

/** The choices among a command's other options. */
export function choicesOf({ editable, locked, train, metric, goal }: ContractFlags): ContractChoices {
  return { editable, locked, train, metric, goal };
}

/** What a finding is called, in the order they are shown. */
const LABELS: Readonly<Record<FindingName, string>> = {
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
};

const VALUE_COLUMNS = 110;

export function labelOf({ name }: Pick<Finding, 'name'>): string {
  return LABELS[name];
}

/** In the order of {@link LABELS}. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  const order = Object.keys(LABELS);
  return [...findings].sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
}

/** What a finding says, in words. */
export function wordsOf({ name, value }: Finding): string {
  if (name !== 'goal') return value;
  return value === 'minimize' ? 'lower (minimize)' : 'higher (maximize)';
}

/** A line for each finding, with where it was read. */
export function findingsText(findings: readonly Finding[]): string {
  const rows = sortFindings(findings).map(finding => [
    `  ${labelOf(finding)}`,
    clip(wordsOf(finding), VALUE_COLUMNS),
    clip(finding.source, VALUE_COLUMNS),
  ]);
  return tableText(rows, ['left', 'left', 'left']);
}
