import { signOf } from '../contract/contract.ts';
import {
  counted,
  formatDuration,
  formatEnergy,
  formatMetric,
  formatPercent,
  formatUsd,
  MINUS,
} from '../numbers.ts';
import { shortNumber } from '../short-number.ts';
import { type CrashClass, isBetter, STOP_WORDS } from '../study.ts';
import { describeVerdicts } from '../tried.ts';
import { claimWords, describeClaims } from '../verdicts/claims.ts';
import { describeFlagKind } from '../verdicts/fairness.ts';
import { reasonWords } from '../verdicts/reason-words.ts';
import type { Arm, Debrief, Interval, KeptIdea } from './debrief.ts';

/** Sentences and cells of a debrief, shared by the window, the report and the terminal. */

/** What was tried, in one sentence. */
export function describeCounts({ counts, time }: Debrief): string {
  const { tried, repeats } = counts;
  const within = time.wall > 0 ? ` in ${formatDuration(time.wall)}` : '';
  if (tried === 0) {
    return repeats === 0
      ? 'Nothing was tried yet.'
      : `Nothing new was tried${within}: ${counted(repeats, 'run')} measured earlier experiments again.`;
  }
  return `${counted(tried, 'experiment')}${within}: ${describeVerdicts(counts)}.`;
}

/** How far the best value went, by the records. */
export function describeProgress({ study, before, after }: Debrief): string {
  const { name, goal } = study.metric;
  if (!after) return `There is no ${name} yet.`;
  if (!before || before.n === after.n)
    return `${name} stays at ${formatMetric(after.record.mean)} (#${after.n}).`;
  const change = after.record.mean - before.record.mean;
  const share = before.record.mean === 0 ? null : change / Math.abs(before.record.mean);
  const isGain = isBetter(goal, change, 0);
  const percent = share === null ? '' : `, ${share > 0 ? '+' : ''}${formatPercent(share, 2)}`;
  return `${name} ${formatMetric(before.record.mean)} (#${before.n}) → ${formatMetric(after.record.mean)} (#${after.n})${percent}${isGain ? '' : ', which is no gain'}.`;
}

/** What is claimed about the study, and how certain it is; a single sentence if nothing is claimed. */
export function describeCertainty({ claims, kept }: Debrief): readonly string[] {
  if (claims) return describeClaims(claims);
  return kept.length === 0
    ? []
    : ['Nothing was measured twice, so these numbers are single runs and nothing is claimed.'];
}

export function describeStop({ study }: Debrief): string | null {
  if (study.stopReason === null || study.state !== 'stopped') return null;
  return study.stopDetail ?? STOP_WORDS[study.stopReason];
}

/** How certain a keep is. */
export function certaintyOf({
  probability,
  isProven,
  isSimplification,
  supersededBy = null,
}: Pick<KeptIdea, 'probability' | 'isProven' | 'isSimplification'> &
  Partial<Pick<KeptIdea, 'supersededBy'>>): string {
  if (supersededBy !== null) return `superseded by #${supersededBy}`;
  if (isSimplification) return 'simpler, no gain claimed';
  return probability === null ? 'one run' : claimWords({ probability, isProven });
}

/** A gain with its sign; a minus means a loss. */
export function gainText(gain: number | null): string {
  if (gain === null) return '–';
  return gain === 0 ? '±0' : `${gain > 0 ? '+' : MINUS}${shortNumber(Math.abs(gain), 3)}`;
}

export function crashWords(kind: CrashClass | 'imported'): string {
  return kind === 'imported' ? 'as the table says' : reasonWords({ reason: kind });
}

/** Someone who can give the study a quieter machine has to know what disturbed it. */
function unfairWords({ unfairBecause: kind }: Debrief['time']): string {
  return kind === null ? 'a run was not fair' : `a run was not fair (mostly: ${describeFlagKind(kind)})`;
}

/** How the hours were spent, each with its share; entries without time are left out. */
export function timeRows({ time }: Debrief): readonly (readonly [string, string])[] {
  const rows: readonly (readonly [string, number])[] = [
    ['from start to end', time.wall],
    ['trained for a verdict', time.trained],
    ['of that, crashed', time.crashed],
    [`trained again, because ${unfairWords(time)}`, time.unfair],
    ['trained again, to be surer', time.repeats],
    ['proposers asked (may overlap with training)', time.proposing],
    ['paused', time.paused],
    ...time.away.map(({ host, seconds }) => [`without ${host}, which was out of reach`, seconds] as const),
  ];
  return rows
    .filter(([, seconds]) => seconds > 0)
    .map(([what, seconds]) => [what, formatDuration(seconds)] as const);
}

/** Energy and cost, in total and for the gain; unmeasured values are left out. */
export function resourceRows(
  debrief: Pick<Debrief, 'resources' | 'study' | 'before' | 'after' | 'claims'>,
): readonly (readonly [string, string])[] {
  const { energyWh, costUsd } = debrief.resources;
  const { gain, isClaimed } = gainOf(debrief);
  const per = `for 0.001 of ${debrief.study.metric.name}${isClaimed ? '' : ', on record'}`;
  return [
    ...(energyWh === null ? [] : [['energy of the GPUs', formatEnergy(energyWh)] as const]),
    ...(costUsd === null ? [] : [['calls to models', formatUsd(costUsd)] as const]),
    ...(costUsd !== null && gain > 0
      ? [[`calls to models ${per}`, formatUsd((costUsd * 0.001) / gain)] as const]
      : []),
    ...(energyWh !== null && gain > 0
      ? [[`energy ${per}`, formatEnergy((energyWh * 0.001) / gain)] as const]
      : []),
  ];
}

/** What the number gained: as claimed, if a claim is about the same two experiments, otherwise on record. */
function gainOf({ study, before, after, claims }: Pick<Debrief, 'study' | 'before' | 'after' | 'claims'>) {
  const onRecord = before && after ? after.record.mean - before.record.mean : 0;
  const isTheirs = before?.n === 0 && after?.n === claims?.keeps.at(-1)?.n;
  const claimed = !isTheirs || !claims ? null : claims.isRepeatable ? onRecord : claims.headline?.difference;
  return { gain: -signOf(study.metric.goal) * (claimed ?? onRecord), isClaimed: typeof claimed === 'number' };
}

/** `0.0012 (0.0003 to 0.0024)`. */
export function intervalText(interval: Interval | null): string {
  if (interval === null) return '–';
  const [value, low, high] = [interval.value, interval.low, interval.high].map(number =>
    shortNumber(number, 3).replace('-', MINUS),
  );
  return `${value} (${low} to ${high})`;
}

export function shareText(interval: Interval | null): string {
  if (interval === null) return '–';
  const [value, low, high] = [interval.value, interval.low, interval.high].map(share =>
    formatPercent(share, 0),
  );
  return `${value} (${low} to ${high})`;
}

/** How a proposer's calls failed, as a sentence; null if none failed. */
export function describeFailures({ failures }: Arm): string | null {
  if (failures.length === 0) return null;
  const counts = failures.map(
    ({ outcome, count, last }) => `${count} × ${outcome}${last ? `, last: ${last.replace(/\.$/, '')}` : ''}`,
  );
  return `Calls without a result: ${counts.join('; ')}.`;
}
