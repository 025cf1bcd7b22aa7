import {
  type ContractChoices,
  FINDING_LABELS,
  type Finding,
  type FindingName,
  findingWords,
  sortFindings,
} from '../shared/contract/findings.ts';
import { visibleLines } from '../shared/visible-lines.ts';
import { clip, tableText, wrap } from './format.ts';

/** The terminal's options that override findings. */
export type ContractFlags = ContractChoices;

/** The contract choices among a command's options. */
export function choicesOf({ editable, locked, train, metric, goal }: ContractFlags): ContractChoices {
  return { editable, locked, train, metric, goal };
}

const VALUE_COLUMNS = 110;
/** Commands are shown in full, because something could be hidden at their end. */
const WHOLE: ReadonlySet<FindingName> = new Set(['train', 'setup', 'checks']);

/** One line per finding, with its source, and further lines if a command needs them. */
export function findingsText(findings: readonly Finding[]): string {
  const rows = sortFindings(findings).flatMap(finding => {
    const words = findingWords(finding);
    const [first = '', ...others] = WHOLE.has(finding.name)
      ? visibleLines(words).flatMap(line => wrap(line, VALUE_COLUMNS))
      : [clip(words, VALUE_COLUMNS)];
    return [
      [`  ${FINDING_LABELS[finding.name]}`, first, clip(finding.source, VALUE_COLUMNS)],
      ...others.map(line => ['', line, '']),
    ];
  });
  return tableText(rows, ['left', 'left', 'left']);
}
