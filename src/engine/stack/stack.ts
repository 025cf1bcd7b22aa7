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
  /** Numbers of keeps; null for all, as they were kept. */
  readonly order: readonly number[] | null;
  /** Whether each commit says that the user signs it off. */
  readonly signsOff: boolean;
};

/** A stack that is open: its trees are in `borrowed`, which goes when it is closed. */
export type OpenStack = {
  readonly study: Study;
  /** The user's. */
  readonly repository: Repository;
  readonly borrowed: Repository;
  readonly line: Line;
  readonly placed: readonly Placed[];
  readonly tree: string;
  readonly user: Awaited<ReturnType<typeof readUser>>;
};

/**
 * Lays the chosen keeps one upon the other, and does the work with them; nothing is written into the user's repository. Rejects
 * with `usage` where the order names what is no keep, and with `not_a_repository`.
 * @param order null for all keeps, as they were kept
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

/** What a choice would become, for a look at it. Rejects as {@link withStack} does. */
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

/** Rejects with `usage` where something conflicts, or nothing is left. */
export function requireWhole({ placed }: Pick<OpenStack, 'placed'>): void {
  const conflicts = describeConflicts(placed.map(({ step }) => step));
  if (conflicts !== null) throw new PawlError('usage', conflicts);
  if (!placed.some(({ step }) => step.state !== 'empty')) {
    throw new PawlError('usage', 'The stack has no commit: choose something that was kept.');
  }
}

/**
 * Commits what is placed, on the baseline's commit, with the user as the author; no ref leads there. Returns the last one's id.
 * Rejects with `usage` where git has no name for the user, or {@link requireWhole} does.
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
