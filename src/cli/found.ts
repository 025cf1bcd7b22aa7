import {
  type ContractChoices,
  FINDING_LABELS,
  type Finding,
  findingWords,
  sortFindings,
} from '../shared/findings.ts';
import { clip, tableText } from './format.ts';

/** What the terminal is told in place of what was found. */
export type ContractFlags = ContractChoices;

/** The choices among a command's other options. */
export function choicesOf({ editable, locked, train, metric, goal }: ContractFlags): ContractChoices {
  return { editable, locked, train, metric, goal };
}

const VALUE_COLUMNS = 110;

/** A line for each finding, with where it was read. */
export function findingsText(findings: readonly Finding[]): string {
  const rows = sortFindings(findings).map(finding => [
    `  ${FINDING_LABELS[finding.name]}`,
    clip(findingWords(finding), VALUE_COLUMNS),
    clip(finding.source, VALUE_COLUMNS),
  ]);
  return tableText(rows, ['left', 'left', 'left']);
}
