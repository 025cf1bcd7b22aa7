import { PawlError } from '../../../shared/errors.ts';
import type { Experiment, Study } from '../../../shared/study.ts';
import { listCheckouts } from '../../git/checkouts.ts';
import { attemptRef, branchRef, createRef, moveRef } from '../../git/refs.ts';
import { type Repository, readRef } from '../../git/repository.ts';
import type { Ledger } from '../../store/ledger.ts';

/** A move of the branch that follows from the verdict of experiment `n`. */
type Move = { readonly n: number; readonly from: string; readonly to: string };

/**
 * Moves the branch to a kept attempt, then records that in the ledger. The verdict is already in the ledger, so if
 * the engine dies in between, calling this again finishes the move. Rejects with `branch_moved`; the verdict stays.
 */
export function ratchet(
  ledger: Ledger,
  repository: Repository,
  study: Study,
  n: number,
  from: string,
  to: string,
  worktreePath: string,
): Promise<void> {
  const refusal = `does not. Experiment ${n} is kept at ${attemptRef(study.tag, n, 0)}.`;
  return moveBranch(ledger, repository, study, { n, from, to }, worktreePath, refusal);
}

/** Moves the branch from a keep that was taken back to its parent. */
export function rollBack(
  ledger: Ledger,
  repository: Repository,
  study: Study,
  n: number,
  from: string,
  to: string,
  worktreePath: string,
): Promise<void> {
  const refusal = `does not take experiment ${n} back.`;
  return moveBranch(ledger, repository, study, { n, from, to }, worktreePath, refusal);
}

async function moveBranch(
  ledger: Ledger,
  repository: Repository,
  study: Study,
  { n, from, to }: Move,
  worktreePath: string,
  refusal: string,
): Promise<void> {
  const ref = branchRef(study.tag);
  // The baseline is the commit at which the branch was created, so nothing moves.
  if (from !== to) await refuseCheckedOut(repository, study.tag, worktreePath);
  if (from !== to && !(await moveRef(repository, ref, from, to))) {
    throw new PawlError(
      'branch_moved',
      `${ref} no longer points at ${from.slice(0, 12)}: somebody moved it, so Pawl ${refusal}`,
    );
  }
  ledger.write(() => ledger.experiments.setPhase(study.id, n, 'recorded'));
}

/**
 * Rejects with `branch_moved` if another worktree has the branch checked out, because moving it would no longer match
 * the files there.
 * @param own the study's worktree, in which trainings may check out anything
 */
async function refuseCheckedOut(repository: Repository, tag: string, own: string): Promise<void> {
  const [folder] = await listCheckouts(repository, branchRef(tag), own);
  if (folder === undefined) return;
  throw new PawlError(
    'branch_moved',
    `${folder} has autoresearch/${tag} checked out, and Pawl would move it under your files. ` +
      'Switch to another branch first.',
  );
}

/** The commit at which the branch is, or was, before it moves to a keep. */
export function branchParent(ledger: Ledger, { id, baseCommit }: Study, { verdict }: Experiment): string {
  const before = verdict?.evidence.incumbentExperiment;
  return (before === undefined ? null : ledger.experiments.get(id, before)?.branchCommit) ?? baseCommit;
}

/** Finishes a move of the branch during which the engine died, and checks that the branch is where the ledger says. */
export async function settleBranch(
  ledger: Ledger,
  repository: Repository,
  study: Study,
  worktreePath: string,
): Promise<void> {
  const { experiments } = ledger;
  const ref = branchRef(study.tag);
  await refuseCheckedOut(repository, study.tag, worktreePath);
  const expected = () => experiments.incumbent(study.id)?.commit ?? study.baseCommit;
  if ((await readRef(repository, ref)) === null) await createRef(repository, ref, expected());
  for (const experiment of experiments.moving(study.id)) {
    const { n, verdict, branchCommit: commit } = experiment;
    const parent = branchParent(ledger, study, experiment);
    if (!commit) continue;
    // The newest goes back first, each to its parent.
    if (verdict?.word === 'discard')
      await rollBack(ledger, repository, study, n, commit, parent, worktreePath);
    else if (verdict?.word === 'keep')
      await ratchet(ledger, repository, study, n, parent, commit, worktreePath);
  }
  const found = await readRef(repository, ref);
  if (found === expected()) return;
  throw new PawlError(
    'branch_moved',
    `autoresearch/${study.tag} is at ${found?.slice(0, 12)}, but the ledger says ${expected().slice(0, 12)}. Move it ` +
      `back with "git update-ref ${ref} ${expected()}", or start a new study.`,
  );
}
