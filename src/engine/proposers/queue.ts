import { COMBINATION, descriptionOf, isByHand } from '../../shared/proposers/ideas.ts';
import { matchProposable } from '../contract/editable.ts';
import { rebaseFiles } from '../git/rebase-files.ts';
import { listTree, type Repository, readBlob } from '../git/repository.ts';
import type { IdeaEdit, QueuedIdea } from '../store/ideas.ts';
import type { Ledger } from '../store/ledger.ts';
import { failed, NO_REPAIR } from './answer.ts';
import { applyEdits } from './apply-edits.ts';
import { logged } from './logged.ts';
import type { ProposalRequest, Proposer, ProposerAnswer, ProposerContext } from './proposer.ts';
import { writeFiles } from './write-files.ts';

/** How many ideas of proposers may wait; more would crowd out what a proposer reads about them. */
const MAX_OF_PROPOSERS = 40;

type Ports = {
  readonly ledger: Ledger;
  readonly studyId: string;
  readonly repository: Repository;
  /** See {@link makeScratch}. */
  readonly scratch: string;
  readonly now: () => number;
  /** How many combinations may be in flight at once. */
  readonly mostCombined: number;
};

/**
 * Ideas that wait with an edit go before the proposer's own. An edit is based on the incumbent of its time, and is
 * merged with later changes; if they overlap, it is refused and the next idea has its turn.
 */
export function queueFirst(proposer: Proposer, ports: Ports): Proposer {
  const { ledger, studyId, now } = ports;
  const isOfQueue = (n: number) => isByHand(ledger.proposerCalls.author(studyId, n));
  return {
    ...proposer,
    canLookAhead: n => ledger.ideas.firstEdit(studyId) === null && proposer.canLookAhead?.(n) === true,
    canStartElsewhere: n =>
      ledger.ideas.firstEdit(studyId) === null && proposer.canStartElsewhere?.(n) === true,
    async propose(request, context) {
      const { n } = request;
      if (request.repair && isOfQueue(n)) {
        return failed(NO_REPAIR);
      }
      // A proposal that the user sent back goes to its proposer, and waiting edits are only for the branch.
      const isElsewhere = request.start.n !== request.incumbent.n;
      if (request.repair || request.review || isElsewhere) return proposer.propose(request, context);
      if (request.isAhead) return giveBack(await proposer.propose(request, context), n, ledger, studyId);
      for (;;) {
        const idea = nextFor(request, ports);
        if (!idea) return giveBack(await proposer.propose(request, context), n, ledger, studyId);
        ledger.write(() => ledger.ideas.take(studyId, idea.id, n, now()));
        const gone = findGone(idea, ports);
        if (gone !== null) {
          ledger.write(() => ledger.ideas.refuse(studyId, idea.id, gone));
          continue;
        }
        const turn: Proposer = {
          ...{ canRepair: false, maxRefusals: 1 },
          propose: (asked, where) => lay(idea, asked, where, ports),
        };
        const answer = await logged(idea.author, turn, true, ports).propose(request, context);
        if (answer.kind === 'proposed') return answer;
        ledger.write(() => ledger.ideas.refuse(studyId, idea.id, answer.message));
      }
    },
  };
}

/** If experiment `n` began with an idea in words but something else was proposed in the end, the idea waits again. */
function giveBack(answer: ProposerAnswer, n: number, ledger: Ledger, studyId: string): ProposerAnswer {
  if (answer.kind !== 'proposed') return answer;
  const own = ledger.ideas.ofExperiment(studyId, n);
  if (own && !own.edit && own.id !== answer.idea) ledger.write(() => ledger.ideas.release(studyId, own.id));
  return answer;
}

/** The next edit in the queue: the one that experiment `n` began with, unless it was refused since. */
function nextFor(
  { n, refusals, running }: ProposalRequest,
  { ledger, studyId, mostCombined }: Ports,
): QueuedIdea | null {
  const combined = running.filter(other => ledger.proposerCalls.author(studyId, other.n) === COMBINATION);
  const first = () => ledger.ideas.firstEdit(studyId, combined.length < mostCombined);
  const own = ledger.ideas.ofExperiment(studyId, n);
  // An idea already handed to a proposer for this experiment stays with it.
  if (own && !own.edit) return null;
  if (!own) return first();
  const since = own.takenAt ?? own.at;
  const refusal = refusals.findLast(other => other.n === n && other.at >= since);
  if (!refusal) return own;
  ledger.write(() => ledger.ideas.refuse(studyId, own.id, refusal.message));
  return first();
}

/** Why a combination is no longer tried: one of its keeps was taken back. */
function findGone({ pair }: QueuedIdea, { ledger, studyId }: Ports): string | null {
  if (!pair) return null;
  const [, kept] = pair;
  const isKept = ledger.experiments.get(studyId, kept)?.verdict?.word === 'keep';
  return isKept ? null : `#${kept}, with which it was to be combined, was taken back.`;
}

async function lay(
  idea: QueuedIdea,
  request: ProposalRequest,
  { worktree }: ProposerContext,
  ports: Ports,
): Promise<ProposerAnswer> {
  const { incumbent } = request;
  const { repository, scratch } = ports;
  const { edit, hypothesis, rationale, predictedEffect, category } = idea;
  if (!edit) throw new Error(`idea ${idea.id} has no edit`);
  const files =
    (await replay(edit, request, ports)) ?? (await rebaseFiles(edit, incumbent.commit, repository, scratch));
  if (!files) return failed('It conflicts with what was kept since; make the edit again.');
  const tracked = (await listTree(repository, incumbent.commit)).map(({ path }) => path);
  const fault = await writeFiles(worktree.path, files, tracked);
  if (fault !== null) return failed(fault);
  return {
    kind: 'proposed',
    proposal: { hypothesis, rationale, predictedEffect, category, memo: { idea: idea.id } },
  };
}

/**
 * Applies the edit's replacements to the incumbent, which works even if neighbouring lines have changed; null if a
 * replaced piece is gone, or a file was given whole.
 */
async function replay(
  { edits }: IdeaEdit,
  { incumbent, contract }: ProposalRequest,
  { repository }: Ports,
): Promise<ReadonlyMap<string, string> | null> {
  if (edits.length === 0 || edits.some(edit => 'content' in edit)) return null;
  const read = async (path: string) =>
    (await readBlob(repository, incumbent.commit, path))?.toString('utf8') ?? null;
  const applied = await applyEdits(edits, matchProposable(contract), read);
  return applied.kind === 'files' ? applied.files : null;
}

/**
 * Hands ideas in words to a proposer that can read: the user's to carry out now, others to choose from. Stores in the
 * queue which one it used, and its further ideas.
 */
export function readsIdeas(
  label: string,
  proposer: Proposer,
  { ledger, studyId, now }: Pick<Ports, 'ledger' | 'studyId' | 'now'>,
): Proposer {
  return {
    ...proposer,
    async propose(request, context) {
      const answer = await proposer.propose(request, context);
      if (answer.kind !== 'proposed' || request.repair || request.review) return answer;
      const { handed, waiting } = request.ideas;
      // The user's idea counts as carried out, whatever the proposer says.
      const named = handed ?? waiting.find(({ id }) => id === answer.idea) ?? null;
      const at = now();
      if (named || answer.ideas?.length) {
        ledger.write(() => {
          if (named) ledger.ideas.take(studyId, named.id, request.n, at);
          const room = MAX_OF_PROPOSERS - waiting.length;
          for (const idea of (answer.ideas ?? []).slice(0, Math.max(0, room))) {
            ledger.ideas.add(studyId, { ...descriptionOf(idea), at, author: label, edit: null });
          }
        });
      }
      return { ...answer, idea: named?.id ?? null };
    },
  };
}
