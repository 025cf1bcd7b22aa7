import { countTried } from '../../shared/expected-end.ts';
import type { StudyCard } from '../../shared/notebook.ts';
import { rememberSeen, seenUntil } from './remember.ts';

/** Whether a study has ended, with something to read, since it was last looked at here. */
export function hasNews(card: StudyCard): boolean {
  const seen = seenUntil(card.id);
  return card.state === 'stopped' && seen !== null && card.activeAt > seen && countTried(card) > 0;
}

/** What is shown now has been seen; a window in the background shows it to nobody. */
export function markSeen(card: StudyCard): void {
  if (document.visibilityState === 'visible') rememberSeen(card.id, card.activeAt);
}
