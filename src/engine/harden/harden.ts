import { PawlError } from '../../shared/errors.ts';
import { listCheckouts } from '../git/checkouts.ts';
import { commitFiles } from '../git/commit-files.ts';
import { diffFiles } from '../git/diff.ts';
import { createRef, moveRef } from '../git/refs.ts';
import {
  gitOf,
  listDirtyPaths,
  openRepository,
  type Repository,
  readHeadCommit,
  readRef,
} from '../git/repository.ts';
import { ASKED_FILES, hardenFiles } from './harden-files.ts';

export const HARDEN_BRANCH = 'pawl/harden';
const REF = `refs/heads/${HARDEN_BRANCH}`;

const MESSAGE = `Score val_bpb outside the training

The code of a training can make up any number it prints. So train.py saves its
weights, and under --serve answers with them instead of training; score.py,
which no experiment may change, questions it by the rule of prepare.py.
`;

export type Hardened = {
  /** The commit to harden. */
  readonly base: string;
  /** Null if there was nothing to change. */
  readonly commit: string | null;
  readonly diff: string;
  /** Files that were read from the commit but also have uncommitted changes. */
  readonly uncommitted: readonly string[];
  /** Notes for the user, one sentence each. */
  readonly notes: readonly string[];
  /** The commit that the branch pointed at before; null if there was no branch, or no commit was made. */
  readonly replaced: string | null;
};

export type HardenOptions = {
  /** See `makeScratch`. */
  readonly scratch: string;
  /** See `hardenFiles`. */
  readonly heldOut: string | null;
  /** Whether to replace an existing branch. */
  readonly isReplacing: boolean;
  /** Whether to make only the diff. */
  readonly isDry: boolean;
};

/**
 * Makes a commit on the branch {@link HARDEN_BRANCH} that gives a repository like karpathy/autoresearch a score
 * measured outside the training. No checkout is touched. Rejects with `branch_exists`, or with `contract_unclear` and
 * the like for another shape, and has then changed nothing.
 */
export async function harden(path: string, options: HardenOptions): Promise<Hardened> {
  const { scratch, heldOut, isReplacing, isDry } = options;
  const repository = await openRepository(path);
  const base = await readHeadCommit(repository);
  if (!base) throw new PawlError('usage', 'There is no commit yet: commit your files first.');
  const old = isDry ? null : await findBranch(repository, isReplacing);
  const { files, notes } = await hardenFiles(repository, base, heldOut);
  const dirty = new Set(await listDirtyPaths(repository));
  const found = {
    base,
    diff: await diffFiles({ base, files }, repository, scratch),
    uncommitted: ASKED_FILES.filter(name => dirty.has(name)),
    ...{ notes, replaced: old },
  };
  if (isDry) return { ...found, commit: null };
  const commit = await commitFiles({ parent: base, files, message: MESSAGE }, repository, scratch);
  if (await (old === null ? createRef(repository, REF, commit) : moveRef(repository, REF, old, commit)))
    return { ...found, commit };
  throw new PawlError('branch_moved', `The branch ${HARDEN_BRANCH} was changed meanwhile; try again.`);
}

/** The commit of the branch to replace; null if there is none. */
async function findBranch(repository: Repository, isReplacing: boolean): Promise<string | null> {
  const taken = (message: string) => new PawlError('branch_exists', `${message} Nothing was changed.`);
  const old = await readRef(repository, REF);
  if (old === null) {
    if ((await readRef(repository, 'refs/heads/pawl')) === null) return null;
    throw taken(`There is a branch named "pawl", so git cannot make ${HARDEN_BRANCH}: rename it first.`);
  }
  if (!isReplacing) throw taken(`The branch ${HARDEN_BRANCH} already exists; --force replaces it.`);
  const { stdout } = await gitOf(repository, ['log', '-1', '--format=%B', old]);
  if (stdout.toString('utf8').trim() !== MESSAGE.trim())
    throw taken(
      `The last commit of ${HARDEN_BRANCH}, ${old.slice(0, 12)}, was not made by Pawl. To keep it under another name: git branch -m ${HARDEN_BRANCH} <name>.`,
    );
  const [checkout] = await listCheckouts(repository, REF, '');
  if (checkout === undefined) return old;
  throw taken(
    `The branch ${HARDEN_BRANCH} is checked out in ${checkout}: check out another branch there first.`,
  );
}
