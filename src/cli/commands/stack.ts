import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { dataPaths } from '../../engine/paths.ts';
import { branchStack } from '../../engine/stack/make-branch.ts';
import { describeStack } from '../../engine/stack/pull-request.ts';
import { queueTrial } from '../../engine/stack/queue-trial.ts';
import { readStack, type StackPorts } from '../../engine/stack/stack.ts';
import { saveSeries, seriesOf } from '../../engine/stack/write-series.ts';
import { certaintyOf, gainText } from '../../shared/debrief/describe-debrief.ts';
import { PawlError } from '../../shared/errors.ts';
import { counted } from '../../shared/numbers.ts';
import { describeConflicts, type Stack, type StackStep } from '../../shared/stack.ts';
import type { Study } from '../../shared/study.ts';
import { clip, metricText, tableText } from '../format.ts';
import { print } from '../print.ts';
import { type StudyFlags, withOwnStudy } from '../with-study.ts';

export type StackFlags = StudyFlags & {
  readonly drop?: readonly number[];
  readonly order?: readonly number[];
  readonly branch?: string;
  readonly patches?: string;
  readonly pr?: string;
  readonly without?: readonly number[];
  readonly signOff?: boolean;
  readonly json?: boolean;
};

/** Shows a night's keeps as a stack of commits, and exports them to git. */
export async function stack(flags: StackFlags): Promise<void> {
  await withOwnStudy(flags, async (ledger, study) => {
    const ports = { ledger, paths: dataPaths(process.env), environment: process.env, now: Date.now };
    const order = orderOf(await readStack(ports, study, null), flags, study);
    const found = await readStack(ports, study, order);
    const made = await take(ports, study, order, flags);
    if (flags.json) print(JSON.stringify({ ...found, ...made }, null, 2));
    else if (!isOnStdout(flags)) show(study, found, flags);
  });
}

/** Output for other programs must be alone on stdout. */
function isOnStdout({ patches, pr }: StackFlags): boolean {
  return patches === '-' || pr === '-';
}

/** The named ones first, then the others in the order they were kept. */
function orderOf({ keeps }: Stack, { order = [], drop = [] }: StackFlags, { tag }: Study): readonly number[] {
  const all = keeps.map(({ n }) => n);
  const stranger = [...order, ...drop].find(n => !all.includes(n));
  if (stranger !== undefined) {
    const known = all.map(n => `#${n}`).join(', ') || 'none';
    throw new PawlError('usage', `#${stranger} is not a kept experiment of ${tag}; these are: ${known}.`);
  }
  return [...new Set([...order, ...all])].filter(n => !drop.includes(n));
}

async function take(ports: StackPorts, study: Study, order: readonly number[], flags: StackFlags) {
  const { branch, patches, pr, without = [], signOff: signsOff = false, json } = flags;
  const tell = (line: string) => {
    if (!json) process.stderr.write(`${line}\n`);
  };
  const made: Record<string, unknown> = {};
  for (const n of without) {
    const idea = await queueTrial(ports, study, { order, without: n });
    made.ideas = [...((made.ideas as number[] | undefined) ?? []), idea.id];
    tell(
      `Idea ${idea.id} waits in ${study.tag}: the stack without #${n}. It will be trained when the study continues.`,
    );
  }
  if (branch !== undefined) {
    const { commit, count } = await branchStack(ports, study, { order, branch, signsOff });
    made.branch = { name: branch, commit, count };
    tell(
      `Branch ${branch} has ${counted(count, 'commit')} and is at ${commit.slice(0, 7)}; nothing was checked out.`,
    );
  }
  if (patches === '-') process.stdout.write(await seriesOf(ports, study, { order, signsOff }));
  else if (patches !== undefined) {
    const files = await saveSeries(ports, study, resolve(patches), { order, signsOff });
    made.patches = files;
    for (const file of files) tell(file);
  }
  if (pr !== undefined) {
    const { title, text } = await describeStack(ports, study, order);
    made.pullRequest = { title, text };
    if (pr === '-') process.stdout.write(text);
    else await savePullRequest(resolve(pr), text, tell);
  }
  return made;
}

async function savePullRequest(path: string, text: string, tell: (line: string) => void): Promise<void> {
  await writeFile(path, text).catch(error => {
    throw new PawlError('usage', `The text cannot be written to ${path}: ${error.message}`);
  });
  tell(path);
}

function show({ tag, contract }: Study, found: Stack, flags: StackFlags): void {
  const { keeps, steps, measured } = found;
  if (keeps.length === 0) {
    print(`${tag} has kept nothing besides its baseline.`);
    return;
  }
  const { name } = contract.metric;
  const left = keeps.filter(({ n }) => !steps.some(step => step.n === n));
  const rowOf = (n: number, state: string) => {
    const keep = keeps.find(other => other.n === n);
    if (!keep) throw new Error(`#${n} is not in the stack`);
    const metric = metricText(keep.record?.mean ?? null);
    const lines = `+${keep.added} −${keep.removed}`;
    return [`#${n}`, gainText(keep.gain), metric, certaintyOf(keep), lines, state, clip(keep.hypothesis, 60)];
  };
  const rows = [
    ...steps.map(step => rowOf(step.n, stateText(step))),
    ...left.map(({ n }) => rowOf(n, 'left out')),
  ];
  const heading = ['', 'gain', name, 'sure?', 'lines', 'state', 'change'];
  const align = ['right', 'right', 'right', 'left', 'right', 'left', 'left'] as const;
  print(tableText([heading, ...rows], align));
  print(describeConflicts(steps) ?? describeWhole(name, measured));
  if (!flags.branch && !flags.patches && !flags.pr) {
    print('Export it with --branch NAME, --patches FOLDER or --pr FILE; leave changes out with --drop.');
  }
}

function describeWhole(name: string, measured: Stack['measured']): string {
  if (!measured) return 'This combination was not measured as a whole.';
  return `Exactly this was measured as experiment ${measured.n}: ${name} ${metricText(measured.record.mean)}.`;
}

function stateText(step: StackStep): string {
  switch (step.state) {
    case 'measured':
      return step.by.n === step.n ? 'measured' : `measured as #${step.by.n}`;
    case 'conflict':
      return `conflict in ${clip(step.files.join(', '), 40)}`;
    case 'empty':
      return 'changes nothing';
    case 'untested':
      return step.state;
    default:
      return step satisfies never;
  }
}
