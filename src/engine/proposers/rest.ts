import type { ProposerCall } from '../store/proposer-calls.ts';

/** After this many failures of one kind in a row a proposer rests. */
const FAILURES = 3;
const FIRST_REST_MS = 5 * 60_000;
const LONGEST_REST_MS = 2 * 3_600_000;
/** If only the user or the server can help, asking again at once is pointless. */
const BLOCKED_REST_MS = 30 * 60_000;
/** How many calls back the length of a rest depends on. */
export const REST_CALLS = 12;

/**
 * Until when a proposer rests, from its latest calls, newest first; null if it may be asked. A proposer that is
 * blocked until something outside changes is asked every half hour. After any other failure three times in a row it
 * rests, and each further one doubles the rest. A proposal ends it.
 */
export function restsUntil(latest: readonly ProposerCall[]): number | null {
  const [newest] = latest;
  if (!newest || newest.outcome === 'proposed') return null;
  const over = newest.at + (newest.seconds ?? 0) * 1000;
  if (newest.outcome === 'blocked') return over + BLOCKED_REST_MS;
  const other = latest.findIndex(call => call.outcome !== newest.outcome);
  const inRow = other < 0 ? latest.length : other;
  if (inRow < FAILURES) return null;
  return over + Math.min(FIRST_REST_MS * 2 ** (inRow - FAILURES), LONGEST_REST_MS);
}
