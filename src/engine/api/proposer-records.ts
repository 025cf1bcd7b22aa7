import type { ProposerRecord } from '../../shared/proposers/proposer-calls.ts';
import { REST_CALLS, restsUntil } from '../proposers/rest.ts';
import type { Ledger } from '../store/ledger.ts';

/** Each proposer's results so far. A proposer rests only in a study that has several. */
export function readProposerRecords(ledger: Ledger, study: string | null): readonly ProposerRecord[] {
  const isOneOfSeveral = study !== null && ledger.studies.get(study)?.proposer.kind === 'route';
  return ledger.proposerCalls.records(study).map(record => ({
    ...record,
    restsUntil: isOneOfSeveral
      ? restsUntil(ledger.proposerCalls.latest(study, record.proposer, REST_CALLS))
      : null,
  }));
}
