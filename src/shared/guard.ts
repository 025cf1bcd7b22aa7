/** What did not hold besides the metric, so that a number could not be kept. */
export type GuardFailure = {
  /** A condition of `metric.require`, or one of the contract's checks. */
  readonly kind: 'require' | 'check';
  readonly name: string;
  /** What was to hold: `= PASS`, `< 40000`; for a check its command. */
  readonly wanted: string;
  /** What was printed, or how the check ended; null where nothing was printed. */
  readonly found: string | null;
  /** The last lines a check printed. Control sequences are removed. */
  readonly tail: readonly string[];
};

/** Why a number was not kept, as a reader is told of it. */
export function describeGuard({ kind, name, wanted, found }: GuardFailure): string {
  if (kind === 'check') return `the check "${name}" ${found}: ${wanted}`;
  return `${name} ${wanted} must hold, and ${found === null ? 'it was not printed' : `it was ${found}`}`;
}
