import { PawlError } from '../../shared/errors.ts';
import type { Mark } from '../../shared/notebook.ts';
import type { Study } from '../../shared/study.ts';
import { copyCommits } from '../git/borrow-objects.ts';
import { createRef, isBranchName } from '../git/refs.ts';
import { openRepository, type Repository, readRef } from '../git/repository.ts';
import { type Choice, commitStack, type StackPorts, withStack } from './stack.ts';

/** Rejects with `usage` if git does not accept the name, or the branch exists. */
async function requireFree(repository: Repository, branch: string): Promise<void> {
  if (branch.includes('\0') || !(await isBranchName(repository, branch))) {
    throw new PawlError('usage', `"${branch}" is not a valid branch name.`);
  }
  if ((await readRef(repository, `refs/heads/${branch}`)) !== null) throw taken(branch);
}

/** Creates a branch without checking it out. Rejects with `usage` if it exists, or another branch blocks its name. */
async function makeBranch(repository: Repository, branch: string, commit: string): Promise<void> {
  await requireFree(repository, branch);
  if (!(await createRef(repository, `refs/heads/${branch}`, commit).catch(refuseBlocked)))
    throw taken(branch);
}

/** Creates a branch with the chosen keeps as commits. If it rejects with `usage`, there is no branch. */
export async function branchStack(
  ports: StackPorts,
  study: Study,
  { branch, ...choice }: Choice & { readonly branch: string },
): Promise<{ readonly commit: string; readonly count: number; readonly mark: Mark }> {
  return withStack(ports, study, choice.order, async stack => {
    const { repository, borrowed, line, placed } = stack;
    await requireFree(repository, branch);
    const { tip, count } = await commitStack(stack, ports, choice);
    await copyCommits(borrowed, repository, { base: line.base, tip });
    await makeBranch(repository, branch, tip);
    const kept = placed.map(({ keep }) => `#${keep.n}`).join(', ');
    return { commit: tip, count, mark: noteBranch(ports, study, branch, `of ${kept}`, tip) };
  });
}

/** Creates a branch at the study's best commit. Rejects with `usage`. */
export async function branchBest(
  ports: Pick<StackPorts, 'ledger' | 'now'>,
  study: Study,
  branch: string,
): Promise<{ readonly commit: string; readonly n: number; readonly mark: Mark }> {
  const best = ports.ledger.experiments.incumbent(study.id);
  if (!best) throw new PawlError('usage', 'This study has no best commit to branch from.');
  const { commit, n } = best;
  await makeBranch(await openRepository(study.repositoryPath), branch, commit);
  return { commit, n, mark: noteBranch(ports, study, branch, `at #${n}`, commit) };
}

function noteBranch(
  { ledger, now }: Pick<StackPorts, 'ledger' | 'now'>,
  study: Study,
  branch: string,
  what: string,
  commit: string,
): Mark {
  const text = `${branch} made ${what} (${commit.slice(0, 7)})`;
  return ledger.write(() => ledger.marks.add(study.id, 'applied', text, now()));
}

function taken(branch: string): PawlError {
  return new PawlError(
    'usage',
    `The branch ${branch} already exists, or another one blocks its name. Choose another name.`,
  );
}

/** git stores `a` and `a/b` as a file and a folder, so one branch can block the other. */
function refuseBlocked(error: unknown): false {
  if (error instanceof PawlError && error.message.includes('exists; cannot create')) return false;
  throw error;
}
