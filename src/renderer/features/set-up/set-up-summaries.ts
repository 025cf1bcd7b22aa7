import { formatSeconds } from '../../../shared/numbers.ts';
import type { OtherLines } from '../../../shared/study.ts';
import type { ArmForm } from './set-up-arm.ts';
import type { ProposerForm, SetUpForm } from './set-up-form.ts';
import { mayBeAway } from './set-up-form.ts';

/** One-line summaries of the form's folded groups. */

const GOALS = { minimize: ', lower is better', maximize: ', higher is better', '': '' } as const;
const SANDBOXES: Readonly<Record<SetUpForm['sandbox'], string>> = {
  preferred: 'in a sandbox where this machine has one',
  required: 'in a sandbox, else nothing runs',
  off: 'no sandbox',
};

export function describeContract({ editable, train, setup, instructions }: SetUpForm): string {
  return join([
    list(editable) || 'nothing may change yet',
    train.trim() || 'no command yet',
    setup.trim() && `set-up: ${setup.trim()}`,
    instructions.trim(),
  ]);
}

export function describeMeasure({ metric, goal, budget, limit, memory, prune }: SetUpForm): string {
  const name = metric.trim();
  return join([
    name === '' ? 'no number yet' : `${name}${GOALS[goal]}`,
    budget.trim() && `${seconds(budget)} a run`,
    limit.trim() && `ended after ${seconds(limit)}`,
    memory.trim() && `shows ${memory.trim()}`,
    prune && 'hopeless runs are ended',
  ]);
}

export function describeMeasures(form: SetUpForm): string {
  const { verdict, leastGain, bound, pattern, metricCommand, require, checks, wait, model } = form;
  const how = metricCommand.trim() ? 'by a command' : pattern.trim() ? 'by a pattern' : 'by its name';
  return join([
    how,
    verdict && `${verdict} verdicts`,
    leastGain.trim() && `gains from ${leastGain.trim()}`,
    bound.trim() && `at best ${bound.trim()}`,
    form.approvesHints && 'edits that name the evaluation wait for you',
    list(form.swaps) && 'data to exchange',
    list(require) && `only with ${list(require)}`,
    list(checks) && `checks: ${list(checks)}`,
    wait.trim() && `within ${wait.trim()}`,
    form.scoreCommand.trim() && 'scored apart',
    model.trim() && `may ask ${model.trim()}`,
  ]);
}

export function describeReach(form: SetUpForm): string {
  const { sandbox, network, reads, writes, memoryGb, freeDiskGb, processes, gpu, lanes } = form;
  return join([
    SANDBOXES[sandbox],
    network ? 'with network' : sandbox !== 'off' && 'no network',
    list(reads) && `reads ${list(reads)}`,
    list(writes) && `writes ${list(writes)}`,
    memoryGb.trim() && `${memoryGb.trim()} GiB of memory`,
    freeDiskGb.trim() && `${freeDiskGb.trim()} GiB of disk stay free`,
    processes.trim() && `${processes.trim()} processes`,
    gpu && 'a chosen GPU',
    lanes.trim() && `lanes ${lanes.trim()}`,
  ]);
}

export function describeStopRules({ deadline, target, patience, crashes }: SetUpForm): string {
  return (
    join([
      deadline && `not later than ${deadline.replace('T', ' ')}`,
      target.trim() && `at ${target.trim()}`,
      patience.trim() && `after ${patience.trim()} in a row without a keep`,
      crashes.trim() &&
        (crashes.trim() === '1' ? 'after a crash' : `after ${crashes.trim()} crashes in a row`),
    ]) || 'nothing else ends it'
  );
}

export function describeProposers(
  { arms, standsIn }: ProposerForm,
  asksApproval: boolean | null,
  otherLines: OtherLines = 'off',
): string {
  const [first] = arms;
  const isAlone = arms.length === 1;
  return join([
    isAlone && first && describeArm(first),
    isAlone && first && mayBeAway(first) && (standsIn ? 'the search stands in' : 'nobody stands in'),
    !isAlone && `${arms.length} proposers`,
    otherLines === 'plateau' && 'other lines on a plateau',
    otherLines === 'always' && 'other lines, too',
    asksApproval !== null && (asksApproval ? 'waits for your approval' : 'runs without your approval'),
  ]);
}

function describeArm({ kind, strategy, seed, timeout, effort, studyCap, sittingCap }: ArmForm): string {
  switch (kind) {
    case 'search':
      return `${strategy === 'ladder' ? 'one constant at a time' : 'by a model of what was tried'}, seed ${seed}`;
    case 'model':
      return join([
        effort && `effort ${effort}`,
        studyCap.trim() ? `at most ${studyCap.trim()} US$` : 'no cap',
        sittingCap.trim() && `${sittingCap.trim()} US$ a night`,
      ]);
    case 'agent':
    case 'command':
      return `${seconds(timeout)} a proposal`;
    case 'patches':
      return '';
    default:
      return kind satisfies never;
  }
}

/** What is no number is shown as it was typed. */
function seconds(text: string): string {
  const value = Number(text);
  return Number.isFinite(value) ? formatSeconds(value) : `${text.trim()} s`;
}

function list(text: string): string {
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
    .join(', ');
}

function join(parts: readonly (string | false | undefined)[]): string {
  return parts.filter(Boolean).join(' · ');
}
