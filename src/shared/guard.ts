/** The condition or check that failed, so that a number could not be kept. */
export type GuardFailure = {
  /** A condition of `metric.require`, or one of the contract's checks. */
  readonly kind: 'require' | 'check';
  readonly name: string;
  /** The condition: `= PASS`, `< 40000`; for a check its command. */
  readonly wanted: string;
  /** What was printed, or how the check ended; null where nothing was printed. */
  readonly found: string | null;
  /** The last lines a check printed. Control sequences are removed. */
  readonly tail: readonly string[];
};

/** Why a number was not kept, for a reader. */
export function describeGuard({ kind, name, wanted, found }: GuardFailure): string {
  if (kind === 'check') return `the check "${name}" ${found}: ${wanted}`;
  return `${name} ${wanted} must hold, and ${found === null ? 'it was not printed' : `it was ${found}`}`;
}
