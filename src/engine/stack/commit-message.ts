import { shorten } from '../../shared/charts/shorten.ts';
import { betterSide } from '../../shared/contract/contract.ts';
import { certaintyOf, gainText } from '../../shared/debrief/describe-debrief.ts';
import { formatMetric } from '../../shared/numbers.ts';
import type { StackStep } from '../../shared/stack.ts';
import type { Study } from '../../shared/study.ts';
import { disarmReferences } from '../report/disarm-references.ts';
import type { Keep } from './read-keeps.ts';
import type { Placed } from './replay.ts';

/** As git's documentation advises. */
const SUBJECT = 72;
const WIDTH = 72;

/**
 * Lines that `git am` would misread in the middle of a message: as its end, a diff or a header. A model writes the
 * text. Source: mailinfo.c of git, `patchbreak` and `check_header`.
 */
const NOT_PLAIN =
  /^(?=diff -|index: |---|>?from |(?:from|subject|date|content-[a-z-]+|mime-version|message-id):)/i;

/**
 * A line with this may be a scissors line; `git am --scissors` ignores everything above it. Source:
 * `is_scissors_line` of mailinfo.c.
 */
const SCISSORS = />(?=[8%])|[8%](?=<)/g;
/** Who signed off or reviewed: programs look for this in each line, not only in trailers. */
const TRAILER_BY = /([\w-]+-by)(?=\s*:)/gi;

/** A model's text for a commit, changed so that neither a forge nor git acts on it. */
export function disarm(text: string): string {
  return disarmReferences(text).replaceAll(TRAILER_BY, '$1\u200b').replaceAll(SCISSORS, '$&\u200b');
}

/** The subject, the expected and the measured effect, and trailers that lead back to the notebook. */
export function messageOf(
  { tag, contract }: Study,
  { keep, isInPlace, step }: Placed,
  {
    signOff,
    hide,
  }: {
    /** `Name <address>`; null for no sign-off. */
    readonly signOff: string | null;
    readonly hide: (text: string) => string;
  },
): string {
  const words = (text: string) => disarm(hide(text));
  const hypothesis = words(keep.hypothesis).replace(/\s+/g, ' ').trim() || `Experiment ${keep.n}`;
  const subject = subjectOf(hypothesis);
  const isWhole = subject === hypothesis.replace(/\.$/, '');
  const body = [
    ...(isWhole ? [] : [hypothesis]),
    ...(keep.rationale ? [words(keep.rationale).trim()] : []),
    resultOf(contract.metric, keep),
    ...(isInPlace ? [] : [describePlace(contract.metric.name, step)]),
  ];
  const trailers = [
    `Pawl-Study: ${tag}`,
    `Pawl-Experiment: ${keep.n}`,
    ...(signOff === null ? [] : [`Signed-off-by: ${signOff}`]),
  ];
  return `${subject}\n\n${body.map(wrapPlain).join('\n\n')}\n\n${trailers.join('\n')}\n`;
}

/** For a commit that was measured on a different parent. */
function describePlace(metric: string, step: StackStep): string {
  const here =
    step.state === 'measured'
      ? `this tree is that of experiment ${step.by.n}, ${metric} ${formatMetric(step.by.record.mean)}`
      : 'this tree was not measured';
  return `That was measured on other commits than those before this one; ${here}.`;
}

/** One line that is short enough, without a full stop. */
export function subjectOf(hypothesis: string): string {
  return shorten(hypothesis.replace(/\.$/, ''), SUBJECT);
}

/** `val_bpb (lower is better) 1.031200 → 1.027600 in experiment 7, over 4.`, followed by how certain that is. */
function resultOf({ name, goal }: Study['contract']['metric'], keep: Keep): string {
  const { n, against, record, gain } = keep;
  if (!record || !against) return `Experiment ${n}; ${name} has no number to compare.`;
  return [
    `${name} (${betterSide(goal)} is better): ${formatMetric(against.record.mean)} → ${formatMetric(record.mean)}, gain ${gainText(gain)}.`,
    `Measured: experiment ${n} (${runsText(record.runs)}) against ${against.n} (${runsText(against.record.runs)}).`,
    `Certainty: ${certaintyText(keep)}.`,
  ].join('\n');
}

export function runsText(runs: number): string {
  return runs === 1 ? 'one run' : `mean of ${runs} runs`;
}

function certaintyText(keep: Keep): string {
  const { probability, isProven, isSimplification } = keep;
  if (probability === null || isSimplification) return certaintyOf(keep);
  return `P ${probability.toFixed(2)} that it is a gain, ${isProven ? 'proven' : 'unproven'}`;
}

/** Wraps lines to this width; no line starts like something other than text. */
function wrapPlain(text: string): string {
  return text
    .split('\n')
    .flatMap(line => wrapLine(line.trimEnd()))
    .map(line => line.replace(NOT_PLAIN, ' '))
    .join('\n');
}

function wrapLine(line: string): readonly string[] {
  // Indented lines may be code or a table.
  if ([...line].length <= WIDTH || /^\s/.test(line)) return [line];
  const lines: string[] = [];
  let own = '';
  for (const word of line.split(' ')) {
    if (own !== '' && [...own].length + 1 + [...word].length > WIDTH) {
      lines.push(own);
      own = word;
    } else own = own === '' ? word : `${own} ${word}`;
  }
  return [...lines, own];
}
