import type { EngineEvent } from '../events.ts';
import type { RepeatPurpose } from '../study.ts';
import { describeProbe } from './probes.ts';

/** Words for further trainings of commits that already have a verdict. */

/** Why it is trained again, for the line about the current run. */
export const REPEAT_WORDS: Readonly<Record<RepeatPurpose, string>> = {
  baseline: 'Baseline again, to learn how much its number varies',
  remeasure: 'The best again: nothing has beaten it for a long time',
  audit: 'Again, to be surer of this gain',
  headline: 'A fresh run for the reported gain',
  probe: 'With other validation data, to see whether the number comes from the data',
  seed: 'With another seed, to see whether the gain is specific to this one',
  reference: 'On other hardware, to compare what is screened there',
};

/** The same for the list of an experiment's runs. */
export const RUN_WORDS: Readonly<Record<RepeatPurpose, string>> = {
  baseline: 'noise',
  remeasure: 'again',
  audit: 'audit',
  headline: 'fresh',
  probe: 'other data',
  seed: 'another seed',
  reference: 'other hardware',
};

export function describeRepeat({
  n,
  purpose,
  value,
  record,
  runs,
}: Pick<Extract<EngineEvent, { type: 'repeated' }>, 'n' | 'purpose' | 'value' | 'record' | 'runs'>): string {
  const why = REPEAT_WORDS[purpose];
  if (record === null || runs === null)
    return `#${n} was trained again (${lower(why)}): ${value === null ? 'no number' : shown(value)}.`;
  if (value === null) return `#${n} was trained again (${lower(why)}); its number does not count.`;
  return `#${n} was trained again (${lower(why)}): ${shown(value)}, mean of ${runs} runs ${shown(record)}.`;
}

export function describeRollBack({
  n,
  record,
  runs,
  parent,
  parentRecord,
}: Pick<
  Extract<EngineEvent, { type: 'rolled_back' }>,
  'n' | 'record' | 'runs' | 'parent' | 'parentRecord'
>): string {
  return `#${n} is taken back: over ${runs} runs its mean is ${shown(record)}, worse than the ${shown(parentRecord)} of #${parent}. The branch goes back to #${parent}.`;
}

/** A keep that other data disproved, and the keeps built on it. */
export function describeTakeBack({
  n,
  reason,
  parent,
  queued,
  ...evidence
}: Omit<
  Extract<EngineEvent, { type: 'taken_back' }>,
  'type' | 'study' | 'at' | 'seq' | 'commit' | 'parentCommit' | 'parentRecord' | 'chain'
>): string {
  const again =
    queued.length === 0 ? '' : ` Will be tried again: ${queued.map(other => `#${other}`).join(', ')}.`;
  return `#${n} is taken back. ${describeProbe(reason, evidence)} The branch goes back to #${parent}.${again}`;
}

export function describeTakenWith(n: number): string {
  return `Taken back with #${n}: it was built on that, or it is unknown whether its own gain is real.`;
}

/** A mean has more digits than the numbers it averages. */
function shown(value: number): string {
  return String(Number(value.toPrecision(7)));
}

function lower(words: string): string {
  return words.charAt(0).toLowerCase() + words.slice(1);
}
