import type { Proposal } from '../../../shared/study.ts';
import { stripControl } from '../../metrics/line-splitter.ts';

/** A proposal is a model's text, so control characters are removed before it goes to terminals, tables and commits. */
export function cleanProposal(proposal: Proposal): Proposal {
  const line = (text: string) => stripControl(text.replace(/\s+/g, ' ')).trim();
  const paragraphs = (text: string) =>
    text
      .split(/\r\n?|\n/)
      .map(stripControl)
      .join('\n');
  return {
    ...proposal,
    hypothesis: line(proposal.hypothesis) || 'No hypothesis given',
    rationale: proposal.rationale === null ? null : paragraphs(proposal.rationale),
    category: proposal.category === null ? null : line(proposal.category),
  };
}

/** The message of an attempt's commit: the hypothesis as subject, and trailers that lead back to the notebook. */
export function commitMessage(tag: string, n: number, { hypothesis, rationale }: Proposal): string {
  const body = rationale ? `\n\n${rationale.trim()}` : '';
  return `${hypothesis}${body}\n\nPawl-Study: ${tag}\nPawl-Experiment: ${n}\n`;
}
