import type { StudyCard } from '../../shared/notebook.ts';
import { STOP_WORDS, type StopReason } from '../../shared/study.ts';

/** Reasons whose detail, if any, is a complete sentence. */
const TELLING: ReadonlySet<StopReason> = new Set([
  'experiments',
  'deadline',
  'target',
  'patience',
  'crashes',
]);

function describeReason(reason: StopReason, detail: string | null): string {
  if (!detail) return STOP_WORDS[reason];
  return TELLING.has(reason) ? detail : `${STOP_WORDS[reason]} ${detail}`;
}

/** Why a study is not running, as a sentence. */
export function describeStop(card: Pick<StudyCard, 'state' | 'stopReason' | 'stopDetail'>): string {
  if (card.state === 'imported') return 'Results from elsewhere; they can be read, but not run.';
  if (card.state === 'ready') return 'Not started yet.';
  return card.stopReason === null ? '' : describeReason(card.stopReason, card.stopDetail);
}

/** The same for a mark, whose text is `reason` or `reason: detail`. */
export function describeStopMark(text: string): string {
  const [reason = '', ...rest] = text.split(': ');
  const detail = rest.join(': ');
  if (!Object.hasOwn(STOP_WORDS, reason)) return text;
  return describeReason(reason as StopReason, detail);
}
