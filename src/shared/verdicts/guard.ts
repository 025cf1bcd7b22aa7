/** The condition or check that failed, so that a number could not be kept. */
export type GuardFailure = {
  /** A condition of `metric.require`, or one of the contract's checks. */
  readonly kind: 'require' | 'check';
  readonly name: string;
  /** The condition, such as `= PASS` or `< 40000`; for a check, its command. */
  readonly wanted: string;
  /** What was printed, or how the check ended; null if nothing was printed. */
  readonly found: string | null;
  /** The check's last lines of output, without control sequences. */
  readonly tail: readonly string[];
};

/** Why a number was not kept, for the user. */
export function describeGuard({ kind, name, wanted, found }: GuardFailure): string {
  if (kind === 'check') return `the check "${name}" ${found}: ${wanted}`;
  return `${name} ${wanted} must hold, and ${found === null ? 'it was not printed' : `it was ${found}`}`;
}
