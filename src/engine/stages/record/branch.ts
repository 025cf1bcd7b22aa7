import { PawlError } from '../../../shared/errors.ts';
import type { Experiment, Study } from '../../../shared/study.ts';
import { listCheckouts } from '../../git/checkouts.ts';
import { attemptRef, branchRef, createRef, moveRef } from '../../git/refs.ts';
import { type Repository, readRef } from '../../git/repository.ts';
import type { Ledger } from '../../store/ledger.ts';

/** A move of the branch that the verdict of experiment `n` asks for. */
type Move = { readonly n: number; readonly from: string; readonly to: string };

/**
 * Moves the branch to a kept attempt and then says so in the ledger. The verdict is in the ledger already, so a
 * death in between is finished by calling this again. Rejects with `branch_moved`; the verdict stays.
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

/** The same from a keep that was taken back to its parent. */
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
  // The baseline is the commit the branch was made at.
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
 * A branch that somebody has checked out would move under their files. Rejects with `branch_moved`.
 * @param own the study's worktree, in which a training may check out what it likes
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

/** Where the branch stands, or stood, before it moves to a keep. */
export function branchParent(ledger: Ledger, { id, baseCommit }: Study, { verdict }: Experiment): string {
  const before = verdict?.evidence.incumbentExperiment;
  return (before === undefined ? null : ledger.experiments.get(id, before)?.branchCommit) ?? baseCommit;
}

/** Finishes a move of the branch the engine died in, and makes sure the branch stands where the ledger says. */
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
