import type { EngineEventBody } from '../../shared/events.ts';
import type { Study } from '../../shared/study.ts';
import { describeClaims } from '../../shared/verdicts/claims.ts';
import { assessStudy } from '../stages/judge/assess-study.ts';
import type { Ledger } from '../store/ledger.ts';
import type { SittingEnd } from './sitting.ts';

/** The event that ends a sitting: why it ended, and what the study has found so far. */
export function describeEnd(ledger: Ledger, study: Study, end: SittingEnd): EngineEventBody {
  const { goal } = study.contract.metric;
  const { keepRate: _, ...tally } = ledger.experiments.tally(study.id, goal);
  const claims = assessStudy(ledger, study);
  return {
    type: 'study_stopped',
    ...end,
    ...tally,
    claims: claims ? [...describeClaims(claims)] : [],
  };
}
