import type { ProposerOutcome } from '../../shared/proposer-calls.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Proposer } from './proposer.ts';

/** A proposer whose every call is in the ledger, with how it ended and how long it took. */
export function logged(
  label: string,
  proposer: Proposer,
  ports: { readonly ledger: Ledger; readonly studyId: string; readonly now: () => number },
): Proposer {
  const { ledger, studyId, now } = ports;
  return {
    ...proposer,
    async propose(request, context) {
      const began = performance.now();
      const id = ledger.write(() => ledger.proposerCalls.begin(studyId, request.n, now(), label));
      const end = (outcome: ProposerOutcome, message: string | null) =>
        ledger.write(() =>
          ledger.proposerCalls.end(id, outcome, message, (performance.now() - began) / 1000),
        );
      try {
        const answer = await proposer.propose(request, context);
        end(answer.kind, answer.kind === 'proposed' ? null : answer.message);
        return answer;
      } catch (error) {
        end(context.signal.aborted ? 'cancelled' : 'failed', context.signal.aborted ? null : String(error));
        throw error;
      }
    },
  };
}
