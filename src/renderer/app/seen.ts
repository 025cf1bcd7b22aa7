import type { StudyCard } from '../../shared/notebook.ts';
import { countTried } from '../../shared/tried.ts';
import { rememberSeen, seenUntil } from './remember.ts';

/** Whether a study has ended, with results, since the user last looked at it here. */
export function hasNews(card: StudyCard): boolean {
  const seen = seenUntil(card.id);
  return (
    card.state === 'stopped' && seen !== null && card.activeAt > seen && countTried(card.tally).tried > 0
  );
}

/** Marks what is shown as seen; a window in the background does not count. */
export function markSeen(card: StudyCard): void {
  if (document.visibilityState === 'visible') rememberSeen(card.id, card.activeAt);
}
