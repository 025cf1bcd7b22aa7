import type { ProposerCall } from '../ledger/proposer-calls.ts';

/** So many failures of one kind in a row, and a proposer rests. */
const FAILURES = 3;
const FIRST_REST_MS = 5 * 60_000;
const LONGEST_REST_MS = 2 * 3_600_000;
/** As far back as a rest can grow from. */
export const REST_CALLS = 12;

/**
 * Until when a proposer rests, from its latest calls, newest first; null where it may be asked. Each further failure
 * doubles the rest; a proposal ends it.
 */
export function restsUntil(latest: readonly ProposerCall[]): number | null {
  const [newest] = latest;
  if (!newest || newest.outcome === 'proposed') return null;
  const other = latest.findIndex(call => call.outcome !== newest.outcome);
  const inRow = other < 0 ? latest.length : other;
  if (inRow < FAILURES) return null;
  const rest = Math.min(FIRST_REST_MS * 2 ** (inRow - FAILURES), LONGEST_REST_MS);
  return newest.at + (newest.seconds ?? 0) * 1000 + rest;
}
