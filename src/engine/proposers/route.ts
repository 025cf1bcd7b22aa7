import type { RouteSettings } from '../../shared/proposers/proposers.ts';
import type { Ledger } from '../store/ledger.ts';
import { isOfUser } from '../store/refusals.ts';
import { failed, NO_REPAIR } from './answer.ts';
import type { Proposer, ProposerAnswer } from './proposer.ts';
import { REST_CALLS, restsUntil } from './rest.ts';

const NOBODY: ProposerAnswer = { kind: 'exhausted', message: 'There is no proposer.' };

type Arm = { readonly label: string; readonly proposer: Proposer };

/** A proposer that cannot propose for a while. */
export type Rest = {
  readonly proposer: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly message: string;
  /** Who is asked meanwhile; null if no proposer is left. */
  readonly standIn: string | null;
};

/** How a rest ended. */
export type Rested = {
  readonly proposer: string;
  readonly isBack: boolean;
  readonly experiments: readonly number[];
  readonly standIns: readonly string[];
};

type Ports = {
  readonly ledger: Ledger;
  readonly studyId: string;
  readonly now: () => number;
  readonly onThought: (text: string) => void;
  /** Called once per rest, even if the proposer is tried without success meanwhile. */
  readonly onRest: (rest: Rest) => void;
  readonly onRested: (rested: Rested) => void;
};

/** After this many refused proposals for one experiment, the next arm is asked. */
const REFUSALS_AN_ARM = 2;

/** Which answer to return when no arm proposed: the one that the user can act on most comes first. */
const GRAVITY: readonly ProposerAnswer['kind'][] = ['blocked', 'failed', 'spent', 'exhausted'];

/**
 * Several proposers as one. An arm without a proposal hands over to the next; if the others are only stand-ins, so
 * does one that rests. A crash goes back to the arm that caused it.
 */
export function routeProposer(mode: RouteSettings['mode'], arms: readonly Arm[], ports: Ports): Proposer {
  const { ledger, studyId, onThought } = ports;
  const rests = restKeeper(arms, ports);
  const firstFor = (turn: number) => arms[turn % arms.length];
  const answerOf = async (arm: Arm, ...asked: Parameters<Proposer['propose']>) => {
    const answer = await arm.proposer.propose(...asked);
    rests.note(arm, answer, asked[0].n);
    return answer;
  };
  const turnOf = (n: number) => (mode === 'alternate' ? n - 1 : 0);
  const mayBeAsked = (n: number, can: 'canLookAhead' | 'canStartElsewhere') => {
    const arm = firstFor(turnOf(n));
    return arm !== undefined && rests.of(arm) === null && arm.proposer[can]?.(n) === true;
  };
  return {
    canLookAhead: n => mayBeAsked(n, 'canLookAhead'),
    canStartElsewhere: n => mayBeAsked(n, 'canStartElsewhere'),
    canRepair: arms.some(arm => arm.proposer.canRepair),
    maxRefusals: REFUSALS_AN_ARM * arms.length,
    async propose(request, context) {
      if (request.repair) {
        const author = ledger.proposerCalls.author(studyId, request.n);
        const arm = arms.find(({ label, proposer }) => label === author && proposer.canRepair);
        if (!arm) return failed(NO_REPAIR);
        // The crash stands; the study continues with the remaining arms.
        if (rests.of(arm) !== null) return failed(`${arm.label} cannot be asked.`);
        const answer = await answerOf(arm, request, context);
        return answer.kind === 'blocked' ? failed(answer.message) : answer;
      }
      // An arm with two refused proposals passes its turn on. Proposals that the user rejected do not count against
      // it.
      const refused = request.refusals.filter(
        refusal => refusal.n === request.n && !isOfUser(refusal),
      ).length;
      const turn = turnOf(request.n) + Math.floor(refused / REFUSALS_AN_ARM);
      // Ahead of its turn, no other arm is asked: this one is asked again at its turn.
      const next = firstFor(turn);
      if (request.isAhead) return next ? answerOf(next, request, context) : NOBODY;
      // A proposal that the user sent back goes to its author.
      const author = request.review && ledger.proposerCalls.author(studyId, request.n);
      const own = arms.findIndex(({ label }) => label === author);
      const first = own < 0 ? turn % arms.length : own;
      const order = [...arms.slice(first), ...arms.slice(0, first)];
      const awake = order.filter(arm => rests.of(arm) === null);
      const answers: ProposerAnswer[] = [];
      for (const [place, arm] of awake.entries()) {
        if (place > 0) {
          // It fails here: when asked again, the experiment starts from the incumbent, as every arm can.
          const isElsewhere = request.start.n !== request.incumbent.n;
          if (isElsewhere && !arm.proposer.canStartElsewhere?.(request.n))
            return failed(`${order[0]?.label} has nothing for another line.`);
          onThought(`${order[0]?.label} has nothing; asking ${arm.label}.`);
          await context.reset();
        }
        const answer = await answerOf(arm, request, context);
        const isOver = mode === 'stand_in' && arm === arms[0] && rests.of(arm) === null;
        if (answer.kind === 'proposed' || isOver) return answer;
        answers.push(answer);
      }
      const [gravest] = answers.sort((a, b) => GRAVITY.indexOf(a.kind) - GRAVITY.indexOf(b.kind));
      const resting = order.filter(arm => !awake.includes(arm)).map(arm => arm.label);
      if (resting.length === 0 && gravest) return gravest;
      // A resting proposer may have something later, so the study is not exhausted yet.
      if (!gravest || gravest.kind === 'exhausted' || gravest.kind === 'spent') {
        const why = gravest ? ` The others have nothing: ${gravest.message}` : '';
        return { kind: 'blocked', message: `Resting after failures: ${resting.join(', ')}.${why}` };
      }
      return gravest;
    },
    end: rests.end,
  };
}

/** Keeps track of resting arms, and of what the others do meanwhile. */
function restKeeper(arms: readonly Arm[], { ledger, studyId, now, onRest, onRested }: Ports) {
  const began = now();
  const absences = new Map<string, { readonly experiments: Set<number>; readonly standIns: Set<string> }>();
  const of = ({ label }: Arm): number | null => {
    // Only this sitting's calls: the user may have fixed an earlier problem.
    const calls = ledger.proposerCalls.latest(studyId, label, REST_CALLS).filter(({ at }) => at >= began);
    const until = restsUntil(calls);
    return until !== null && until > now() ? until : null;
  };
  const tell = (proposer: string, isBack: boolean) => {
    const { experiments, standIns } = absences.get(proposer) ?? { experiments: [], standIns: [] };
    absences.delete(proposer);
    onRested({ proposer, isBack, experiments: [...experiments], standIns: [...standIns] });
  };
  return {
    /** Until when an arm rests; null if it may be asked. */
    of,
    /** Stores an arm's answer for an experiment. */
    note(arm: Arm, answer: ProposerAnswer, n: number): void {
      const { label } = arm;
      if (answer.kind === 'proposed') {
        if (absences.has(label)) tell(label, true);
        for (const { experiments, standIns } of absences.values()) {
          experiments.add(n);
          standIns.add(label);
        }
        return;
      }
      const until = of(arm);
      if (until === null || absences.has(label)) return;
      absences.set(label, { experiments: new Set(), standIns: new Set() });
      const standIn = arms.find(other => other !== arm && of(other) === null)?.label ?? null;
      onRest({ proposer: label, until, message: answer.message, standIn });
    },
    /** The sitting ends while some arms still rest. */
    end(): void {
      for (const proposer of [...absences.keys()]) tell(proposer, false);
    },
  };
}
