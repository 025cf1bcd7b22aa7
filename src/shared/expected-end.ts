import type { StudyCard } from './notebook.ts';
import { countTried } from './tried.ts';

/** If the present experiment takes this many times as long as those before, they say nothing about the end. */
const MOST_OVERDUE = 3;

/**
 * When a running study ends by its stop rules, in milliseconds since the epoch; null if no rule determines it. A
 * target or a series without gains may end it earlier.
 */
export function expectedEnd(
  card: Pick<StudyCard, 'state' | 'tally' | 'stop' | 'pace' | 'waiting'>,
  now: number,
): { readonly at: number; readonly by: 'experiments' | 'deadline' } | null {
  const { pace, stop, state, waiting } = card;
  if (!pace || state !== 'running') return null;
  const { deadline, experimentMs, since } = pace;
  const left =
    stop.experiments === undefined ? null : Math.max(0, stop.experiments - countTried(card.tally).tried);
  // Nobody knows how long the user will take.
  const hasPace = waiting === null && experimentMs !== null && now - since <= MOST_OVERDUE * experimentMs;
  const at = left === null || !hasPace ? null : endAfter(left, experimentMs, since, now);
  if (at !== null && (deadline === null || at <= deadline)) return { at, by: 'experiments' };
  return deadline === null ? null : { at: deadline, by: 'deadline' };
}

/** An experiment that has taken longer than the others could end at any moment. */
function endAfter(left: number, experimentMs: number, since: number, now: number): number {
  return left === 0 ? now : Math.max(now, since + experimentMs) + (left - 1) * experimentMs;
}
