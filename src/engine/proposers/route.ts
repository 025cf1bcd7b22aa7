import type { RouteSettings } from '../../shared/study.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { isOfUser } from '../ledger/refusals.ts';
import type { Proposer, ProposerAnswer } from './proposer.ts';
import { REST_CALLS, restsUntil } from './rest.ts';

const NOBODY: ProposerAnswer = { kind: 'exhausted', message: 'There is no proposer.' };

type Arm = { readonly label: string; readonly proposer: Proposer };

/** After so many refused proposals for one experiment the next arm is asked. */
const REFUSALS_AN_ARM = 2;

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
    readonly onRest: (proposer: string, until: number, message: string) => void;
  },
): Proposer {
  const { ledger, studyId, now, onThought, onRest } = ports;
  const began = now();
  const restOf = ({ label }: Arm) => {
    // Of this sitting only: what was wrong in another one the user may have mended.
    const calls = ledger.proposerCalls.latest(studyId, label, REST_CALLS).filter(({ at }) => at >= began);
    const until = restsUntil(calls);
    return until !== null && until > now() ? until : null;
  };
  const firstFor = (turn: number) => arms[turn % arms.length];
  return {
    canLookAhead: n => {
      const arm = firstFor(mode === 'alternate' ? n - 1 : 0);
      return arm !== undefined && restOf(arm) === null && arm.proposer.canLookAhead?.(n) === true;
    },
    canRepair: arms.some(arm => arm.proposer.canRepair),
    maxRefusals: REFUSALS_AN_ARM * arms.length,
    async propose(request, context) {
      if (request.repair) {
        const author = ledger.proposerCalls.author(studyId, request.n);
        const arm = arms.find(({ label, proposer }) => label === author && proposer.canRepair);
        if (arm) return arm.proposer.propose(request, context);
        return { kind: 'failed', message: 'Who made this attempt does not mend.', memo: null };
      }
      // Whose proposals were refused twice has had its turn.
      // The user may not want an idea; that says nothing of who had it.
      const refused = request.refusals.filter(
        refusal => refusal.n === request.n && !isOfUser(refusal),
      ).length;
      const turn = (mode === 'alternate' ? request.n - 1 : 0) + Math.floor(refused / REFUSALS_AN_ARM);
      // Ahead of its turn nobody else is asked: who was asked now would be asked again.
      if (request.running) return firstFor(turn)?.proposer.propose(request, context) ?? NOBODY;
      // What the user sent back goes to who had it.
      const author = request.review && ledger.proposerCalls.author(studyId, request.n);
      const own = arms.findIndex(({ label }) => label === author);
      const first = own < 0 ? turn % arms.length : own;
      const order = [...arms.slice(first), ...arms.slice(0, first)];
      const awake = order.filter(arm => restOf(arm) === null);
      const answers: ProposerAnswer[] = [];
      for (const [place, arm] of awake.entries()) {
        if (place > 0) {
          onThought(`${order[0]?.label} has nothing; asking ${arm.label}.`);
          await context.reset();
        }
        const answer = await arm.proposer.propose(request, context);
        if (answer.kind === 'proposed') return answer;
        answers.push(answer);
        const until = restOf(arm);
        if (until !== null) onRest(arm.label, until, answer.message);
      }
      const [gravest] = answers.sort((a, b) => GRAVITY.indexOf(a.kind) - GRAVITY.indexOf(b.kind));
      const resting = order.filter(arm => !awake.includes(arm)).map(arm => arm.label);
      if (resting.length === 0 && gravest) return gravest;
      // Who rests may have something when the rest is over: no end yet.
      if (!gravest || gravest.kind === 'exhausted' || gravest.kind === 'spent') {
        const why = gravest ? ` The others have nothing: ${gravest.message}` : '';
        return { kind: 'blocked', message: `Resting after failures: ${resting.join(', ')}.${why}` };
      }
      return gravest;
    },
  };
}
