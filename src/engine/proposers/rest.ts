import type { ProposerCall } from '../store/proposer-calls.ts';

/** After this many failures of one kind in a row a proposer rests. */
const FAILURES = 3;
const FIRST_REST_MS = 5 * 60_000;
const LONGEST_REST_MS = 2 * 3_600_000;
/** If only the user or the server can help, asking again at once is pointless. */
const BLOCKED_REST_MS = 30 * 60_000;
/** As far back as a rest can grow from. */
export const REST_CALLS = 12;

/**
 * Until when a proposer rests, from its latest calls, newest first; null where it may be asked. One that cannot propose until
 * something outside has changed is asked every half an hour; of any other failure three in a row make a rest, and each
 * further one doubles it. A proposal ends it.
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
