import { PawlError } from '../../../shared/errors.ts';
import type { Experiment, Study } from '../../../shared/study.ts';
import { listCheckouts } from '../../git/checkouts.ts';
import { attemptRef, branchRef, createRef, moveRef } from '../../git/refs.ts';
import { type Repository, readRef } from '../../git/repository.ts';
import type { Ledger } from '../../store/ledger.ts';
import type { StageContext } from '../stage-context.ts';

type Ports = Pick<StageContext, 'ledger' | 'repository' | 'study'> & {
  readonly workbench: Pick<StageContext['workbench'], 'path'>;
};

/** A move of the branch that follows from the verdict of experiment `n`. */
type Move = { readonly n: number; readonly from: string; readonly to: string };

/**
 * Moves the branch to a kept attempt, then records that in the ledger. The verdict is already in the ledger, so if
 * the engine dies in between, calling this again finishes the move. Rejects with `branch_moved`; the verdict stays.
 */
export function ratchet(ports: Ports, move: Move): Promise<void> {
  const kept = attemptRef(ports.study.tag, move.n, 0);
  return moveBranch(ports, move, `does not. Experiment ${move.n} is kept at ${kept}.`);
}

/** Moves the branch from a keep that was taken back to its parent. */
export function rollBack(ports: Ports, move: Move): Promise<void> {
  return moveBranch(ports, move, `does not take experiment ${move.n} back.`);
}

async function moveBranch(
  { ledger, repository, study, workbench }: Ports,
  { n, from, to }: Move,
  refusal: string,
): Promise<void> {
  const ref = branchRef(study.tag);
  // The baseline is the commit at which the branch was created, so nothing moves.
  if (from !== to) await refuseCheckedOut(repository, study.tag, workbench.path);
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
export async function settleBranch(ports: Ports): Promise<void> {
  const { ledger, repository, study, workbench } = ports;
  const { experiments } = ledger;
  const ref = branchRef(study.tag);
  await refuseCheckedOut(repository, study.tag, workbench.path);
  const expected = () => experiments.incumbent(study.id)?.commit ?? study.baseCommit;
  if ((await readRef(repository, ref)) === null) await createRef(repository, ref, expected());
  for (const experiment of experiments.moving(study.id)) {
    const { n, verdict, branchCommit: commit } = experiment;
    const parent = branchParent(ledger, study, experiment);
    if (!commit) continue;
    // The newest goes back first, each to its parent.
    if (verdict?.word === 'discard') await rollBack(ports, { n, from: commit, to: parent });
    else if (verdict?.word === 'keep') await ratchet(ports, { n, from: parent, to: commit });
  }
  const found = await readRef(repository, ref);
  if (found === expected()) return;
  throw new PawlError(
    'branch_moved',
    `autoresearch/${study.tag} is at ${found?.slice(0, 12)}, but the ledger says ${expected().slice(0, 12)}. Move it ` +
      `back with "git update-ref ${ref} ${expected()}", or start a new study.`,
  );
}
