import type { RouteSettings } from '../../shared/study.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Proposer, ProposerAnswer } from './proposer.ts';
import { REST_CALLS, restsUntil } from './rest.ts';

type Arm = { readonly label: string; readonly proposer: Proposer };

/** Which answer stands for all when no arm proposed: what the user can do most about goes first. */
const GRAVITY: readonly ProposerAnswer['kind'][] = ['blocked', 'failed', 'spent', 'exhausted'];

/**
 * Several proposers as one. An arm that has nothing to offer hands over to the next; one that failed again and again in
 * the same way rests for a while. A crash goes back to the arm that made it.
 */
export function routeProposer(
  mode: RouteSettings['mode'],
  arms: readonly Arm[],
  ports: {
    readonly ledger: Ledger;
    readonly studyId: string;
    readonly now: () => number;
    readonly onThought: (text: string) => void;
  },
): Proposer {
  const { ledger, studyId, now, onThought } = ports;
  const isResting = ({ label }: Arm) => {
    const until = restsUntil(ledger.proposerCalls.latest(studyId, label, REST_CALLS));
    return until !== null && until > now();
  };
  return {
    canRepair: arms.some(arm => arm.proposer.canRepair),
    maxRefusals: Math.max(...arms.map(arm => arm.proposer.maxRefusals)),
    async propose(request, context) {
      if (request.repair) {
        const author = ledger.proposerCalls.author(studyId, request.n);
        const arm = arms.find(({ label, proposer }) => label === author && proposer.canRepair);
        if (arm) return arm.proposer.propose(request, context);
        return { kind: 'failed', message: 'Who made this attempt does not mend.', memo: null };
      }
      const first = mode === 'alternate' ? (request.n - 1) % arms.length : 0;
      const order = [...arms.slice(first), ...arms.slice(0, first)];
      const awake = order.filter(arm => !isResting(arm));
      const answers: ProposerAnswer[] = [];
      // Where all rest, the one whose turn it is may as well be asked.
      for (const [place, arm] of (awake.length > 0 ? awake : order.slice(0, 1)).entries()) {
        if (place > 0) {
          onThought(`${order[0]?.label} has nothing; asking ${arm.label}.`);
          await context.reset();
        }
        const answer = await arm.proposer.propose(request, context);
        if (answer.kind === 'proposed') return answer;
        answers.push(answer);
      }
      const [gravest] = answers.sort((a, b) => GRAVITY.indexOf(a.kind) - GRAVITY.indexOf(b.kind));
      return gravest ?? { kind: 'failed', message: 'There is nobody to ask.', memo: null };
    },
  };
}
