import type { StudyCard } from '../../shared/notebook.ts';

const WORDS: Readonly<Record<NonNullable<StudyCard['stopReason']>, string>> = {
  experiments: 'All its experiments are done.',
  deadline: 'Its deadline has come.',
  target: 'The target is reached.',
  patience: 'No gain for as long as it was told to wait.',
  crashes: 'Too many crashes in a row.',
  user: 'Stopped by you.',
  exhausted: 'The proposer has nothing left to propose.',
  proposer: 'The proposer failed again and again.',
  baseline_failed: 'The baseline gave no number.',
  error: 'Something went wrong.',
};

/** Why a study does not run, in a sentence. */
export function describeStop(card: Pick<StudyCard, 'state' | 'stopReason' | 'stopDetail'>): string {
  if (card.state === 'imported') return 'A table of results from elsewhere; it can be read, not run.';
  if (card.state === 'ready') return 'Not started yet.';
  if (card.stopReason === null) return '';
  return card.stopDetail ? `${WORDS[card.stopReason]} ${card.stopDetail}` : WORDS[card.stopReason];
}

/** The same for a mark, whose text is `reason` or `reason: detail`. */
export function describeStopMark(text: string): string {
  const [reason = '', ...detail] = text.split(': ');
  const words = Object.hasOwn(WORDS, reason) ? WORDS[reason as keyof typeof WORDS] : reason;
  return detail.length > 0 ? `${words} ${detail.join(': ')}` : words;
}
