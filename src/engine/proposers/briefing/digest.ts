import { rollups } from 'd3-array';
import { betterSide } from '../../../shared/contract/contract.ts';
import { counted } from '../../../shared/numbers.ts';
import type { Idea } from '../../../shared/proposers/ideas.ts';
import { describeGuard, type GuardFailure } from '../../../shared/verdicts/guard.ts';
import { isEmptyNumber } from '../../../shared/verdicts/probes.ts';
import type { HistoryEntry } from '../../store/experiment-past.ts';
import { isOfUser } from '../../store/refusals.ts';
import type { ProposalRequest } from '../proposer.ts';
import { describeTunings } from './tunings.ts';
import { asData, signed } from './words.ts';

/** This many experiments without a keep are a plateau. */
export const PLATEAU = 8;
/** On a plateau, no category may come more often in a row. */
export const CATEGORY_IN_A_ROW = 3;
/** A discard within this share of its incumbent's value is a near miss; the noise has not been measured here. */
const NEAR_MISS_SHARE = 0.002;

const LATEST = 15;
const KEEPS = 20;
const NEAR_MISSES = 6;
const NOTES = 12;
const IDEAS = 12;
const TEXT_CHARACTERS = 240;
/** How many failed guards are reported, and how many lines of output for each. */
const GUARDS = 5;
const GUARD_LINES = 8;
const NOTE_CHARACTERS = 1_000;
const REVIEW_CHARACTERS = 40_000;
const REJECTED = 12;
/** The limit for a study of any length: about seven thousand tokens. */
export const DIGEST_CHARACTERS = 24_000;

const MODES = ['improve', 'explore', 'combine', 'retry', 'simplify'] as const;
export type Mode = (typeof MODES)[number];

const MODE_WORDS: Readonly<Record<Mode, string>> = {
  improve: 'Improve on the incumbent with the idea you expect the most of.',
  explore: 'This is a plateau: try a category of change that has been tried least.',
  combine: 'This is a plateau: combine two or three of the near misses on the incumbent.',
  retry:
    'This is a plateau: take up an older idea that was discarded on an earlier incumbent, and try it on this one.',
  simplify: 'This is a plateau: make the code simpler without losing; equal with less code is kept.',
};

/** Experiments since the last keep. */
export function sinceKeep(history: readonly HistoryEntry[]): number {
  const last = history.findLastIndex(entry => entry.verdict === 'keep');
  return history.length - 1 - last;
}

/** The kind of idea to ask for: on a plateau, another kind for each experiment. */
export function chooseMode(history: readonly HistoryEntry[]): Mode {
  const dry = sinceKeep(history);
  if (dry < PLATEAU) return 'improve';
  const order =
    nearMisses(history).length > 1
      ? (['explore', 'combine', 'retry', 'simplify'] as const)
      : (['explore', 'retry', 'simplify'] as const);
  return order[(dry - PLATEAU) % order.length] ?? 'explore';
}

/** The category that may not be repeated now, or null. */
export function tiredCategory(history: readonly HistoryEntry[]): string | null {
  if (sinceKeep(history) < PLATEAU) return null;
  const latest = history.slice(-CATEGORY_IN_A_ROW).map(entry => entry.category);
  const [first = null] = latest;
  return latest.length === CATEGORY_IN_A_ROW && latest.every(category => category === first) ? first : null;
}

/** Discards whose value came close to their incumbent's, closest first. */
export function nearMisses(history: readonly HistoryEntry[]): readonly HistoryEntry[] {
  return history
    .filter(
      entry =>
        entry.verdict === 'discard' &&
        !isEmptyNumber(entry.reason) &&
        entry.guard === null &&
        gap(entry) <= NEAR_MISS_SHARE,
    )
    .sort((a, b) => gap(a) - gap(b))
    .slice(0, NEAR_MISSES);
}

function gap({ record, incumbentMetric }: HistoryEntry): number {
  if (record === null || incumbentMetric === null || incumbentMetric === 0) return Number.POSITIVE_INFINITY;
  return Math.abs((record - incumbentMetric) / incumbentMetric);
}

function startsElsewhere({ start, incumbent }: Pick<ProposalRequest, 'start' | 'incumbent'>): boolean {
  return start.n !== incumbent.n;
}

function otherLineWords({ start, incumbent }: Pick<ProposalRequest, 'start' | 'incumbent'>): string {
  return `This time the files are those of #${start.n} with ${start.metric}, another line, which was left because #${incumbent.n} was better: improve on #${start.n}, or do what only becomes possible there. The edit is kept if it beats the incumbent, and goes into the line if it beats #${start.n}.`;
}

/** This output comes from the attempt, so it is quoted as data. */
function guardText(guard: GuardFailure): string {
  return asData(
    'guard',
    [short(describeGuard(guard), NOTE_CHARACTERS), ...guard.tail.slice(-GUARD_LINES)]
      .join('\n')
      .toWellFormed(),
  );
}

/** A description of the study so far, of bounded length. */
export function digest(request: ProposalRequest, share = 1): string {
  const { history, contract, incumbent, steering, refusals, n, repair } = request;
  const { name, goal } = contract.metric;
  const mode = chooseMode(history);
  const tired = tiredCategory(history);
  const baseline = history.find(entry => entry.n === 0)?.record ?? null;
  const crashes = countBy(history.filter(entry => entry.verdict === 'crash').map(entry => entry.reason));
  const categories = countBy(history.flatMap(entry => entry.category ?? []));
  const own = refusals.filter(refusal => refusal.n === n && !isOfUser(refusal));
  const parts: readonly (readonly [string, readonly string[]])[] = [
    [
      'State',
      [
        `You propose experiment ${n}. ${name}: ${betterSide(goal)} is better.`,
        `Incumbent: #${incumbent.n} with ${incumbent.metric}${baseline === null ? '' : `; baseline ${baseline}`}.`,
        `${counted(sinceKeep(history), 'experiment')} since the last keep.`,
        ...(repair ? [] : startsElsewhere(request) ? [otherLineWords(request)] : [MODE_WORDS[mode]]),
        ...request.running.map(
          ({ n: other, hypothesis, category }) =>
            `Experiment ${other} trains now: ${short(hypothesis, TEXT_CHARACTERS)} [${category ?? '-'}].`,
        ),
        ...(request.running.length > 0
          ? ['Propose something that stands beside what trains, whether that is kept or not.']
          : []),
        ...(tired === null
          ? []
          : [`Not of category "${tired}" this time: it came ${CATEGORY_IN_A_ROW} times in a row.`]),
      ],
    ],
    [
      'Notes of the user; follow them, and answer them in the rationale',
      steering.slice(-NOTES).map(note => `- (from #${note.n}) ${short(note.text, NOTE_CHARACTERS)}`),
    ],
    [
      'To be done now: this idea was put into the queue for you',
      request.ideas.handed ? [ideaLine(request.ideas.handed, NOTE_CHARACTERS)] : [],
    ],
    [
      'Waiting ideas; take one up, by its number, if you expect more from it than from anything else',
      request.ideas.waiting.slice(0, IDEAS).map(idea => ideaLine(idea, TEXT_CHARACTERS)),
    ],
    [
      'Refused for this experiment',
      own.slice(-5).map(refusal => `- ${refusal.hypothesis ?? 'a proposal'}: ${refusal.message}`),
    ],
    [
      'Rejected by the user; propose nothing of the kind',
      refusals
        .filter(refusal => refusal.reason === 'rejected')
        .slice(-REJECTED)
        .map(
          refusal =>
            `- ${short(refusal.hypothesis ?? '', TEXT_CHARACTERS)}: ${short(refusal.message, NOTE_CHARACTERS)}`,
        ),
    ],
    [
      'Kept',
      history
        .filter(entry => entry.verdict === 'keep')
        .slice(-KEEPS)
        .map(line),
    ],
    ['Tuned by the search', describeTunings(history)],
    ['Near misses', nearMisses(history).map(line)],
    ['Latest', history.slice(-LATEST).map(line)],
    [
      'Discarded because a guard failed, whatever the number',
      history
        .flatMap(({ n, hypothesis, guard }) =>
          guard ? [`- #${n} ${short(hypothesis, TEXT_CHARACTERS)}: ${guardText(guard)}`] : [],
        )
        .slice(-GUARDS),
    ],
    ['Crashes so far', crashes.map(([reason, count]) => `- ${reason}: ${count}`)],
    ['Categories so far', categories.map(([category, count]) => `- ${category}: ${count}`)],
  ];
  const text = parts
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => `## ${title}\n${lines.join('\n')}`)
    .join('\n\n');
  return text.slice(0, Math.floor(DIGEST_CHARACTERS * share)).toWellFormed();
}

/** What a proposer is told about the crashed attempt it has to repair. */
export function describeRepair(repair: NonNullable<ProposalRequest['repair']>): string {
  return [
    `Your attempt "${repair.hypothesis}" crashed: ${repair.crash.class}.`,
    asData('end of its output', [repair.crash.message, ...repair.crash.tail].join('\n').toWellFormed()),
    'Fix the mistake and keep the idea; the files are as the attempt left them. If the idea cannot work, say so without a proposal.',
  ].join('\n');
}

/** The proposal that the user sent back, with the user's remarks. */
export function describeReview(review: NonNullable<ProposalRequest['review']>): string {
  return [
    `The user read your proposal "${review.hypothesis}" and sends it back. Do it again as they say; the files contain none of it.`,
    `Their remarks:\n${review.remarks}`,
    asData('diff of what you proposed', review.diff.slice(0, REVIEW_CHARACTERS).toWellFormed()),
  ].join('\n');
}

const EMPTY_WORDS: Readonly<Record<string, string>> = {
  rolled_back: 'was kept, and taken back when it was measured again and found worse',
  not_from_data: 'discard, its number did not come from the validation data: with other data it was the same',
  memorised: 'discard, it had learnt the validation data by heart: with other data its gain was gone',
};

function line(entry: HistoryEntry): string {
  const delta =
    entry.record === null || entry.incumbentMetric === null
      ? ''
      : ` (${signed(entry.record - entry.incumbentMetric)})`;
  const what = isEmptyNumber(entry.reason)
    ? EMPTY_WORDS[entry.reason]
    : `${entry.verdict}, ${entry.reason} ${entry.record ?? 'no number'}${delta}`;
  return `- #${entry.n} ${what}: ${short(entry.hypothesis, TEXT_CHARACTERS)} [${entry.category ?? '-'}]`;
}

function ideaLine({ id, hypothesis, rationale, predictedEffect }: Idea, length: number): string {
  const gain = predictedEffect === null ? '' : ` (expected: ${signed(predictedEffect)})`;
  return `- idea ${id}${gain}: ${short([hypothesis, ...(rationale === null ? [] : [rationale])].join('. '), length)}`;
}

function short(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length).toWellFormed()}…`;
}

function countBy(words: readonly string[]): readonly (readonly [string, number])[] {
  const counts = rollups(
    words,
    all => all.length,
    word => word,
  );
  return counts.sort((a, b) => b[1] - a[1]).slice(0, 20);
}
