import { PawlError } from '../../shared/errors.ts';
import { describeConflicts, NO_AUTHOR, type Stack } from '../../shared/stack.ts';
import type { Study } from '../../shared/study.ts';
import { borrowObjects } from '../git/borrow-objects.ts';
import { commitTree } from '../git/commit-files.ts';
import { identityOf, openRepository, type Repository, readUser } from '../git/repository.ts';
import type { DataPaths } from '../paths.ts';
import { hider } from '../report/for-others.ts';
import { makeScratch, removeScratch } from '../scratch.ts';
import type { Ledger } from '../store/ledger.ts';
import { messageOf } from './commit-message.ts';
import { type Line, readLine } from './read-keeps.ts';
import { choose, type Placed, replay, treeOf } from './replay.ts';

export type StackPorts = {
  readonly ledger: Ledger;
  readonly paths: DataPaths;
  readonly environment: NodeJS.ProcessEnv;
  readonly now: () => number;
};

export type Choice = {
  /** Numbers of keeps; null for all, in the order they were kept. */
  readonly order: readonly number[] | null;
  /** Whether each commit gets the user's sign-off. */
  readonly signsOff: boolean;
};

/** An open stack: its trees are in `borrowed`, which is removed when the stack closes. */
export type OpenStack = {
  readonly study: Study;
  /** The user's repository. */
  readonly repository: Repository;
  readonly borrowed: Repository;
  readonly line: Line;
  readonly placed: readonly Placed[];
  readonly tree: string;
  readonly user: Awaited<ReturnType<typeof readUser>>;
};

/**
 * Applies the chosen keeps one after the other and calls `work` with the result; writes nothing into the user's
 * repository. Rejects with `usage` if the order names an experiment that is not a keep, and with `not_a_repository`.
 * @param order null for all keeps, in the order they were kept
 */
export async function withStack<T>(
  { ledger, paths }: Pick<StackPorts, 'ledger' | 'paths'>,
  study: Study,
  order: readonly number[] | null,
  work: (stack: OpenStack) => Promise<T>,
): Promise<T> {
  const repository = await openRepository(study.repositoryPath);
  const line = await readLine(ledger, study, repository);
  const chosen = choose(study.tag, line, order);
  const folder = await makeScratch(paths.scratch, 'stack');
  try {
    const borrowed = await borrowObjects(repository, folder, study.baseCommit);
    const placed = await replay(line, chosen, borrowed, paths.scratch);
    const user = await readUser(repository);
    return await work({ study, repository, borrowed, line, placed, tree: treeOf(line, placed), user });
  } finally {
    await removeScratch(folder);
  }
}

/** A preview of a choice. Rejects like {@link withStack}. */
export function readStack(
  ports: Pick<StackPorts, 'ledger' | 'paths'>,
  study: Study,
  order: readonly number[] | null,
): Promise<Stack> {
  return withStack(ports, study, order, async ({ line, placed, tree, user }) => ({
    baseline: line.baseline,
    keeps: line.keeps.map(
      ({ parent: _p, commit: _c, before: _b, after: _a, against: _g, at: _t, ...keep }) => keep,
    ),
    steps: placed.map(({ step }) => step),
    measured: line.measured.get(tree) ?? null,
    author: user && `${user.name} <${user.email}>`,
  }));
}

/** Rejects with `usage` if something conflicts, or nothing is left. */
export function requireWhole({ placed }: Pick<OpenStack, 'placed'>): void {
  const conflicts = describeConflicts(placed.map(({ step }) => step));
  if (conflicts !== null) throw new PawlError('usage', conflicts);
  if (!placed.some(({ step }) => step.state !== 'empty')) {
    throw new PawlError('usage', 'The stack has no commit: choose something that was kept.');
  }
}

/**
 * Commits the stack on the baseline's commit, with the user as author; no ref leads there. Returns the last commit's
 * id. Rejects with `usage` if git has no name for the user, or like {@link requireWhole}.
 */
export async function commitStack(
  stack: OpenStack,
  ports: Pick<StackPorts, 'paths' | 'environment'>,
  { signsOff }: Pick<Choice, 'signsOff'>,
): Promise<{ readonly tip: string; readonly count: number }> {
  requireWhole(stack);
  const { study, borrowed, line, user } = stack;
  if (!user) throw new PawlError('usage', NO_AUTHOR);
  const hide = hider(study, ports.paths, ports.environment);
  const signOff = signsOff ? `${user.name} <${user.email}>` : null;
  const written = stack.placed.filter(({ step }) => step.state !== 'empty');
  let tip = line.base;
  for (const placed of written) {
    const identity = {
      ...identityOf(user.name, user.email),
      GIT_AUTHOR_DATE: `${Math.floor(placed.keep.at / 1000)} +0000`,
    };
    const message = messageOf(study, placed, { signOff, hide });
    tip = await commitTree({ tree: placed.tree, parent: tip, message }, borrowed, identity);
  }
  return { tip, count: written.length };
}
