import type { ProposerOutcome } from '../../shared/proposers/proposer-calls.ts';
import type { Ledger } from '../store/ledger.ts';
import type { Proposer } from './proposer.ts';

/**
 * Stores each call of a proposer in the ledger, with its outcome and duration.
 * @param isInstant its calls take no time, so they are stored only when they end
 */
export function logged(
  label: string,
  proposer: Proposer,
  isInstant: boolean,
  ports: { readonly ledger: Ledger; readonly studyId: string; readonly now: () => number },
): Proposer {
  const { ledger, studyId, now } = ports;
  return {
    ...proposer,
    async propose(request, context) {
      const { n } = request;
      const at = now();
      const began = performance.now();
      const id = isInstant ? null : ledger.write(() => ledger.proposerCalls.begin(studyId, n, at, label));
      const end = (outcome: ProposerOutcome, message: string | null) => {
        const seconds = (performance.now() - began) / 1000;
        const save = () => {
          if (id !== null) ledger.proposerCalls.end(id, outcome, message, seconds);
          else ledger.proposerCalls.add(studyId, { n, at, proposer: label, outcome, message, seconds });
        };
        // The loop writes next in any case, so this can be part of that write.
        if (outcome === 'proposed') ledger.later(save);
        else ledger.write(save);
      };
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
