import type { Study } from '../../shared/study.ts';
import type { Proposer } from '../proposers/proposer.ts';
import { findAwaited } from '../stages/measure/await-number.ts';
import type { Ledger } from '../store/ledger.ts';
import type { LoopEvent, LoopState } from './step.ts';
import type { StopLimits } from './stop-rules.ts';

/** Where the ledger says a study stands, for the first `step` of a sitting. */
export function initialState(
  ledger: Ledger,
  study: Study,
  limits: StopLimits,
  proposer: Proposer,
): LoopState {
  const history = ledger.experiments.history(study.id);
  const incumbent = ledger.experiments.incumbent(study.id);
  const sinceKeep = history.length - 1 - history.findLastIndex(entry => entry.verdict === 'keep');
  const crashesInRow = history.length - 1 - history.findLastIndex(entry => entry.verdict !== 'crash');
  return {
    metric: study.contract.metric,
    limits,
    facts: {
      experiments: history.filter(entry => entry.n > 0).length,
      best: incumbent?.metric ?? null,
      sinceKeep,
      crashesInRow,
    },
    next: (ledger.experiments.lastNumber(study.id) ?? -1) + 1,
    incumbent: incumbent && { n: incumbent.n, metric: incumbent.metric },
    wish: 'go',
    canRepair: proposer.canRepair,
    maxRefusals: proposer.maxRefusals,
    refusals: 0,
    repairs: countRepairs(ledger, study),
    reruns: 0,
  };
}

/** An unfinished experiment of an earlier sitting; also a baseline that failed, which a new sitting tries again. */
export function findInterrupted(
  ledger: Ledger,
  study: Study,
): Extract<LoopEvent, { type: 'started' }>['interrupted'] {
  const { experiments, reviews } = ledger;
  const { id } = study;
  const unfinished = experiments.unfinished(id).at(-1);
  if (unfinished) {
    // A mend that waits for the user comes before another run of what it mends.
    const isReviewed = reviews.open(id, unfinished.n) !== null;
    const isWaiting = isReviewed || findAwaited(ledger, study, unfinished.n) !== null;
    return { n: unfinished.n, hasAttempt: unfinished.attemptCommit !== null && !isWaiting };
  }
  const baseline = experiments.get(id, 0);
  return baseline?.verdict?.word === 'crash' ? { n: 0, hasAttempt: true } : null;
}

/** Repairs an interrupted experiment has had already: each made an attempt of its own. */
function countRepairs(ledger: Ledger, study: Study): number {
  const interrupted = findInterrupted(ledger, study);
  if (!interrupted) return 0;
  const attempts = new Set(ledger.runs.list(study.id, interrupted.n).map(run => run.commit));
  return Math.max(0, attempts.size - 1);
}
