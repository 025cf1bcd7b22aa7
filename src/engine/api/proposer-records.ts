import type { ProposerRecord } from '../../shared/proposer-calls.ts';
import { REST_CALLS, restsUntil } from '../proposers/rest.ts';
import type { Ledger } from '../store/ledger.ts';

/** What is known of each proposer's work. Only one of several rests, and only in its study. */
export function readProposerRecords(ledger: Ledger, study: string | null): readonly ProposerRecord[] {
  const isOneOfSeveral = study !== null && ledger.studies.get(study)?.proposer.kind === 'route';
  return ledger.proposerCalls.records(study).map(record => ({
    ...record,
    restsUntil: isOneOfSeveral
      ? restsUntil(ledger.proposerCalls.latest(study, record.proposer, REST_CALLS))
      : null,
  }));
}
