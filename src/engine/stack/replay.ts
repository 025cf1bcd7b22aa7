import { PawlError } from '../../shared/errors.ts';
import type { StackStep } from '../../shared/stack.ts';
import { replayChange } from '../git/replay-change.ts';
import type { Repository } from '../git/repository.ts';
import type { Keep, Line } from './read-keeps.ts';

/** A keep at its position in the stack. */
export type Placed = {
  readonly keep: Keep;
  /** The tree after it; for a conflict, the tree before it. */
  readonly tree: string;
  readonly step: StackStep;
  /** Whether the tree below it is the one on which it was measured. */
  readonly isInPlace: boolean;
};

/**
 * Applies the chosen keeps one after the other. A conflicting one is reported and left out, so that all conflicts
 * show at once.
 * @param repository the repository in which the trees are written
 * @param scratch see `makeScratch`
 */
export async function replay(
  line: Line,
  chosen: readonly Keep[],
  repository: Repository,
  scratch: string,
): Promise<readonly Placed[]> {
  const placed: Placed[] = [];
  let now = line.baseTree;
  for (const keep of chosen) {
    const { n, parent, commit } = keep;
    const isInPlace = now === keep.before;
    const replayed = isInPlace
      ? { kind: 'tree' as const, tree: keep.after }
      : await replayChange({ onto: now, parent, commit }, repository, scratch);
    if (replayed.kind === 'conflict') {
      placed.push({ keep, isInPlace, tree: now, step: { n, state: 'conflict', files: replayed.files } });
      continue;
    }
    const { tree } = replayed;
    const by = line.measured.get(tree);
    const step: StackStep =
      tree === now ? { n, state: 'empty' } : by ? { n, state: 'measured', by } : { n, state: 'untested' };
    placed.push({ keep, isInPlace, tree, step });
    now = tree;
  }
  return placed;
}

/** The resulting tree. */
export function treeOf(line: Line, placed: readonly Placed[]): string {
  return placed.at(-1)?.tree ?? line.baseTree;
}

/**
 * The keeps in the given order. Rejects with `usage` if a number appears twice, or is not a keep.
 * @param order null for all, in the order they were kept
 */
export function choose(tag: string, { keeps }: Line, order: readonly number[] | null): readonly Keep[] {
  if (order === null) return keeps;
  if (new Set(order).size < order.length)
    throw new PawlError('usage', 'A commit can be in a stack only once.');
  return order.map(n => {
    const keep = keeps.find(other => other.n === n);
    if (keep) return keep;
    const all = keeps.map(other => `#${other.n}`).join(', ') || 'none';
    throw new PawlError('usage', `#${n} is not a kept experiment of ${tag}; these are: ${all}.`);
  });
}
