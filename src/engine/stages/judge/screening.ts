import type { Contract } from '../../../shared/contract/contract.ts';
import type { Run, Study } from '../../../shared/study.ts';
import type { ScreenedOut, Screening } from '../../../shared/verdicts/fairness.ts';
import { isSameHardware } from '../../machine/hardware.ts';
import { measure } from '../../metrics/measure.ts';
import type { Ledger } from '../../store/ledger.ts';
import type { Measured } from '../measure/measured.ts';
import { isGain } from './decide.ts';

/**
 * The nearest ancestor that has a number from the same hardware as a run that trained on other hardware than the baseline: with this
 * one its number can be compared. Null if there is none.
 * @param n of the run
 */
export function findScreening(
  ledger: Ledger,
  { id, contract }: Study,
  n: number,
  { fairness }: Pick<Run, 'fairness'>,
): Screening | null {
  const hardware = fairness?.hardware;
  if (!hardware) return null;
  for (let at = ledger.experiments.parentOf(id, n); at !== null; at = ledger.experiments.parentOf(id, at)) {
    const run = ledger.runs
      .list(id, at)
      .find(other => isWhole(other) && isSameHardware(other.fairness?.hardware, hardware));
    const value = run ? measure(run.summary, contract.metric).metric : null;
    if (value !== null) return { experiment: at, value };
  }
  return null;
}

/** Null if the run may be a gain, so that it has to be seen on the baseline's hardware. */
export function screenOut(
  { value, screening, crash, early, guard, unfair }: Measured,
  metric: Contract['metric'],
): ScreenedOut | null {
  const isMeasured = value !== null && !crash && !early && !guard && unfair.length === 1;
  if (!isMeasured || !screening || isGain(metric, value, screening.value)) return null;
  return { ...screening, own: value };
}

/** Whether nothing but its hardware speaks against the run's number. */
function isWhole({ outcome, crash, purpose, fairness }: Run): boolean {
  const others = fairness?.flags.filter(({ kind, isUnfair }) => isUnfair && kind !== 'other_hardware') ?? [];
  return (
    outcome?.kind === 'exit' &&
    outcome.code === 0 &&
    crash === null &&
    purpose !== 'probe' &&
    purpose !== 'seed' &&
    others.length === 0
  );
}
