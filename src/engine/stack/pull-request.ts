import { sum } from 'd3-array';
import { shorten } from '../../shared/charts/shorten.ts';
import { betterSide } from '../../shared/contract/contract.ts';
import { certaintyOf, gainText } from '../../shared/debrief/describe-debrief.ts';
import { ABSENT, formatDuration, formatMetric, formatPercent } from '../../shared/numbers.ts';
import type { PullRequest } from '../../shared/stack.ts';
import type { Study } from '../../shared/study.ts';
import { describeNoise } from '../../shared/verdicts/claims.ts';
import type { Block } from '../report/document.ts';
import { hideIn, hider } from '../report/for-others.ts';
import { writeMarkdown } from '../report/write-markdown.ts';
import { assessStudy } from '../stages/judge/assess-study.ts';
import { disarm, runsText, subjectOf } from './commit-message.ts';
import type { Keep } from './read-keeps.ts';
import { type OpenStack, requireWhole, type StackPorts, withStack } from './stack.ts';

/** Characters of a table cell; the commit has the full text. */
const REASON = 160;

/**
 * What changed, what it gained and how that was measured, for whoever merges it. Rejects with `usage` if it cannot be
 * merged.
 */
export function describeStack(
  ports: StackPorts,
  study: Study,
  order: readonly number[] | null,
): Promise<PullRequest> {
  return withStack(ports, study, order, async stack => {
    requireWhole(stack);
    const hide = hider(study, ports.paths, ports.environment);
    const title = titleOf(stack, hide);
    const blocks = [
      ...summaryOf(stack),
      ...tableOf(stack, hide),
      ...restOf(stack),
      ...methodOf(stack, ports),
    ];
    return { title, text: writeMarkdown(hideIn({ title, blocks }, hide)) };
  });
}

function keepsOf({ placed }: OpenStack): readonly Keep[] {
  return placed.filter(({ step }) => step.state !== 'empty').map(({ keep }) => keep);
}

function titleOf(stack: OpenStack, hide: (text: string) => string): string {
  const { study, line, tree } = stack;
  const { name } = study.contract.metric;
  const keeps = keepsOf(stack);
  const [only] = keeps;
  if (keeps.length === 1 && only) return subjectOf(disarm(hide(only.hypothesis)));
  const after = line.measured.get(tree);
  const count = `${keeps.length} changes`;
  if (!after || !line.baseline) return `Improve ${name} with ${count}`;
  const [from, to] = [line.baseline.record.mean, after.record.mean];
  return `Take ${name} from ${formatMetric(from)} to ${formatMetric(to)} with ${count}`;
}

function summaryOf(stack: OpenStack): readonly Block[] {
  const { study, line, tree } = stack;
  const { name, goal } = study.contract.metric;
  const better = `${betterSide(goal)} is better`;
  const after = line.measured.get(tree);
  const { baseline } = line;
  if (after && baseline) {
    const [from, to] = [baseline.record.mean, after.record.mean];
    const share =
      from === 0 ? '' : `, ${to > from ? '+' : ''}${formatPercent((to - from) / Math.abs(from), 2)}`;
    return [
      {
        kind: 'paragraph',
        isLead: true,
        text: `${name} (${better}): ${formatMetric(from)} → ${formatMetric(to)}${share}.`,
      },
      {
        kind: 'paragraph',
        text: `Exactly this code was measured as experiment ${after.n} (${runsText(after.record.runs)}), the code before it as the baseline (${runsText(baseline.record.runs)}).`,
      },
    ];
  }
  return [
    { kind: 'paragraph', isLead: true, text: 'This combination was not measured as a whole.' },
    { kind: 'paragraph', text: describeSum(`${name} (${better})`, keepsOf(stack)) },
  ];
}

function describeSum(metric: string, keeps: readonly Keep[]): string {
  const known = keeps.flatMap(({ gain }) => gain ?? []);
  if (known.length === 0) return 'The gains of these changes are not known.';
  const unknown = keeps.length - known.length;
  const without =
    unknown === 0 ? '' : `, without ${unknown === 1 ? 'one that is' : `${unknown} that are`} not known`;
  return `Each change was measured on the code for which it was found, among other changes. Their gains in ${metric} add up to ${gainText(sum(known))}${without}, which holds only if they do not depend on each other.`;
}

function tableOf(stack: OpenStack, hide: (text: string) => string): readonly Block[] {
  const { name } = stack.study.contract.metric;
  const keeps = keepsOf(stack);
  const hasReasons = keeps.some(({ rationale }) => rationale);
  return [
    { kind: 'heading', text: 'What changed' },
    {
      kind: 'table',
      columns: [
        { name: 'Change' },
        { name: 'Gain', isNumber: true },
        { name: `${name} after it`, isNumber: true },
        { name: 'Sure?' },
        { name: 'Lines', isNumber: true },
        ...(hasReasons ? [{ name: 'Why it was tried' }] : []),
      ],
      rows: keeps.map(keep => [
        keep.hypothesis,
        gainText(keep.gain),
        keep.record === null
          ? ABSENT
          : `${formatMetric(keep.record.mean)}${keep.record.runs > 1 ? ` (${keep.record.runs} runs)` : ''}`,
        certaintyOf(keep),
        `+${keep.added} −${keep.removed}`,
        ...(hasReasons ? [shorten(hide(keep.rationale ?? ''), REASON)] : []),
      ]),
    },
  ];
}

/** Keeps that were not chosen, which a person who merges the others should know about. */
function restOf({ line, placed }: OpenStack): readonly Block[] {
  const left = line.keeps.filter(({ n }) => !placed.some(({ keep }) => keep.n === n));
  if (left.length === 0) return [];
  return [
    { kind: 'heading', text: 'Kept, and not part of this' },
    {
      kind: 'list',
      items: left.map(({ hypothesis, gain }) => `${hypothesis} (gain ${gainText(gain)})`),
    },
  ];
}

function methodOf({ study }: OpenStack, { ledger }: StackPorts): readonly Block[] {
  const { budget, train, metric } = study.contract;
  const claims = assessStudy(ledger, study);
  return [
    { kind: 'heading', text: 'How it was measured' },
    {
      kind: 'list',
      items: [
        `One change at a time, on the best code at that time: trained by the command "${train}" with a budget of ${formatDuration(budget.seconds)}, then compared by ${metric.name}.`,
        'A gain is the difference from the kept change before it, measured when it was found.',
        claims === null
          ? 'Nothing was measured twice, so these numbers are single runs.'
          : describeNoise(claims),
        'Each commit names its experiment in the trailer Pawl-Experiment.',
      ],
    },
  ];
}
