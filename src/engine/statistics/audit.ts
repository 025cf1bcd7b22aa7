import type { Claim } from '../../shared/verdicts/claims.ts';
import type { Trial } from './claims.ts';

/** Two runs of the final commit and two of the baseline; the reported gain comes only from these. */
export const HEADLINE_RUNS = 4;
/** A keep with a lower probability of being a gain is not worth another run. */
const WORTH_IT = 0.25;
/** More runs of one commit would add little. */
export const MOST_RUNS = 6;

/** How many runs audits and the final measurement may take together, for this many trainings. */
export function auditAllowance(runs: number): number {
  return Math.max(HEADLINE_RUNS, Math.floor(runs / 10));
}

/**
 * The experiment that deserves another run: the unproven keep with the highest probability of being a gain, or its
 * parent, whichever has fewer runs. Null if there is none.
 * @param gaveNone whether an audit of it gave no number, so that it is not repeated
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
