import type { ProposerRecord } from '../../shared/proposer-calls.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { REST_CALLS, restsUntil } from '../proposers/rest.ts';

/** What is known of each proposer's work. Rests are a study's own, so over all studies nobody rests. */
export function readProposerRecords(ledger: Ledger, study: string | null): readonly ProposerRecord[] {
  return ledger.proposerCalls.records(study).map(record => ({
    ...record,
    restsUntil:
      study === null ? null : restsUntil(ledger.proposerCalls.latest(study, record.proposer, REST_CALLS)),
  }));
}
