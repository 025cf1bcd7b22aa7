import type { Claim } from '../../shared/claims.ts';
import type { Trial } from './claims.ts';

/** Two of the final commit and two of the baseline: the reported gain comes from these alone. */
export const HEADLINE_RUNS = 4;
/** A keep that is less likely than this is no gain worth a run. */
const WORTH_IT = 0.25;
/** More runs of one commit would say little more. */
export const MOST_RUNS = 6;

/** How many runs audit and headline may take together, of so many trainings. */
export function auditAllowance(runs: number): number {
  return Math.max(HEADLINE_RUNS, Math.floor(runs / 10));
}

/**
 * Number of the experiment that is worth another run: of the keep that is likeliest a gain and not proven, or of its parent,
 * whichever has fewer. Null where there is none.
 * @param gaveNone whether an audit of it gave no number: it is not asked again
 */
export function findAudit(
  trials: readonly Trial[],
  claims: readonly Claim[],
  gaveNone: (n: number) => boolean = () => false,
): number | null {
  const byNumber = new Map(trials.map(trial => [trial.n, trial]));
  const pairs = claims.flatMap(claim => {
    const own = byNumber.get(claim.n);
    const parent = own?.parent == null ? undefined : byNumber.get(own.parent);
    if (!own || !parent || claim.isProven || claim.probability <= WORTH_IT) return [];
    const fewer = own.values.length <= parent.values.length ? own : parent;
    return fewer.values.length < MOST_RUNS && !gaveNone(fewer.n) ? [{ claim, n: fewer.n }] : [];
  });
  pairs.sort((one, other) => other.claim.probability - one.claim.probability);
  return pairs[0]?.n ?? null;
}
