import { COMBINATION } from '../../../shared/proposers/ideas.ts';
import type { Verdict } from '../../../shared/study.ts';
import { commitTree } from '../../git/commit-files.ts';
import { readTrees } from '../../git/read-trees.ts';
import { replayChange } from '../../git/replay-change.ts';
import type { Repository } from '../../git/repository.ts';
import { StudyReader } from '../../proposers/briefing/study-reader.ts';
import { readChanges } from '../../proposers/queue-idea.ts';
import type { NewIdea } from '../../store/ideas.ts';
import { commitMessage } from '../propose/proposal-text.ts';
import type { StageContext } from '../stage-context.ts';

/**
 * The commit to which the branch moves if an attempt replaces an incumbent that it was not made on: it has the
 * attempt's tree, which was measured, and the incumbent as parent. No ref leads to it yet. Null if the branch moves
 * to the attempt itself.
 */
export async function supersede(
  { ledger, repository, study, identity }: StageContext,
  n: number,
  { word, evidence: { supersedes } }: Verdict,
): Promise<string | null> {
  const parent = ledger.experiments.incumbent(study.id)?.commit;
  const { attemptCommit, proposal, otherLine } = ledger.experiments.get(study.id, n) ?? {};
  if (word !== 'keep' || !supersedes || !parent || !attemptCommit || !proposal) return null;
  const trailers = [
    ...supersedes.map(other => `Pawl-Supersedes: ${other}\n`),
    ...(otherLine == null ? [] : [`Pawl-Builds-On: ${otherLine}\n`]),
  ];
  const message = `${commitMessage(study.tag, n, proposal)}${trailers.join('')}`;
  const tree = await treeOf(repository, attemptCommit);
  return commitTree({ tree, parent, message }, repository, identity);
}

/** The edit of `lost`, which was made on `base`, is to be tried on top of `onto`, which does not contain it. */
export type Combination = { readonly base: number; readonly lost: number; readonly onto: number };

/**
 * The edit of `lost` as an idea for the queue; null if the two do not merge, or if one of them is itself such a
 * combination.
 */
export async function combine(
  { ledger, repository, study, paths, now }: StageContext,
  { base, lost, onto }: Combination,
): Promise<NewIdea | null> {
  const [from, own, other] = [base, lost, onto].map(n => ledger.experiments.get(study.id, n));
  const parent = from?.branchCommit;
  const commit = own?.branchCommit;
  const tip = other?.branchCommit;
  const isDone = [lost, onto].some(n => ledger.proposerCalls.author(study.id, n) === COMBINATION);
  if (isDone || !parent || !commit || !tip || !own.proposal) return null;
  const tree = await treeOf(repository, tip);
  const merged = await replayChange({ onto: tree, parent, commit }, repository, paths.scratch);
  if (merged.kind === 'conflict' || merged.tree === tree) return null;
  const reader = new StudyReader(study, { ledger, repository, paths });
  const edit = await readChanges({ repository, reader }, parent, commit).catch(() => null);
  if (!edit || edit.files.size === 0) return null;
  return {
    ...{ author: COMBINATION, at: now(), edit, pair: [lost, onto] },
    hypothesis: `Combine #${lost} with #${onto}: ${own.proposal.hypothesis}`,
    rationale: `#${lost} was probably better than #${base}, which it was built on; #${onto}, where the branch stands, does not hold its edit.`,
    ...{ predictedEffect: null, category: own.proposal.category },
  };
}

async function treeOf(repository: Repository, commit: string): Promise<string> {
  const tree = (await readTrees(repository, [commit])).get(commit);
  if (tree === undefined) throw new Error(`${commit} is gone`);
  return tree;
}
