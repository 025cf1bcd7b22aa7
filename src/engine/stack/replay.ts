import { PawlError } from '../../shared/errors.ts';
import type { StackStep } from '../../shared/stack.ts';
import { replayChange } from '../git/replay-change.ts';
import type { Repository } from '../git/repository.ts';
import type { Keep, Line } from './read-keeps.ts';

/** A keep in its place. */
export type Placed = {
  readonly keep: Keep;
  /** What stands after it; of a conflict what stood before. */
  readonly tree: string;
  readonly step: StackStep;
  /** Below it is what it was measured on. */
  readonly isInPlace: boolean;
};

/**
 * The chosen keeps, each laid upon what the ones before it made. What conflicts is told and left out, so that all conflicts of a
 * choice come to light at once.
 * @param repository where the trees are written
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

/** The tree of the whole. */
export function treeOf(line: Line, placed: readonly Placed[]): string {
  return placed.at(-1)?.tree ?? line.baseTree;
}

/**
 * The keeps of an order. Rejects with `usage` where a number is named twice, or is none of them.
 * @param order null for all, as they were kept
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
