import type { StudyCard } from '../../shared/notebook.ts';
import { STOP_WORDS } from '../../shared/study.ts';

/** Why a study does not run, in a sentence. */
export function describeStop(card: Pick<StudyCard, 'state' | 'stopReason' | 'stopDetail'>): string {
  if (card.state === 'imported') return 'A table of results from elsewhere; it can be read, not run.';
  if (card.state === 'ready') return 'Not started yet.';
  if (card.stopReason === null) return '';
  return card.stopDetail ? `${STOP_WORDS[card.stopReason]} ${card.stopDetail}` : STOP_WORDS[card.stopReason];
}

/** The same for a mark, whose text is `reason` or `reason: detail`. */
export function describeStopMark(text: string): string {
  const [reason = '', ...detail] = text.split(': ');
  const words = Object.hasOwn(STOP_WORDS, reason) ? STOP_WORDS[reason as keyof typeof STOP_WORDS] : reason;
  return detail.length > 0 ? `${words} ${detail.join(': ')}` : words;
}
