import type { Refusal } from '../../store/refusals.ts';
import type { StageContext } from '../stage-context.ts';

/**
 * Stores a refusal in the ledger and announces it.
 * @param saveReview set if the user turned it down
 */
export function refuse(
  { ledger, emit, now, study }: Pick<StageContext, 'ledger' | 'emit' | 'now' | 'study'>,
  { n, reason, message, hypothesis, memo }: Omit<Refusal, 'at'>,
  saveReview: (() => void) | null = null,
): void {
  ledger.write(() => {
    saveReview?.();
    ledger.refusals.add(study.id, { n, reason, message, hypothesis, memo, at: now() });
    ledger.experiments.setPhase(study.id, n, 'proposing');
  });
  if (saveReview)
    emit({ type: 'review_closed', n, outcome: reason === 'sent_back' ? 'sent_back' : 'rejected' });
  emit({ type: 'refused', n, reason, message, hypothesis });
}
