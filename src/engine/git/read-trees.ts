import { answerOf, openObjects } from './objects.ts';
import { gitOf, type Repository } from './repository.ts';

/** Reads the trees of many commits with one request, by commit; missing commits are left out. */
export async function readTrees(
  repository: Repository,
  commits: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (commits.length === 0) return new Map();
  const heads = answerOf(
    await openObjects(repository).askForHeads(commits.map(commit => `${commit}^{tree}`)),
  );
  return new Map(
    commits.flatMap((commit, place) => {
      const tree = heads[place]?.id;
      return tree === undefined ? [] : [[commit, tree] as const];
    }),
  );
}

export type LineCounts = { readonly added: number; readonly removed: number };

/** Counts the lines that each commit adds and removes, with one process; binary files count as nothing. */
export async function countLines(
  repository: Repository,
  commits: readonly string[],
): Promise<ReadonlyMap<string, LineCounts>> {
  const counts = new Map<string, { added: number; removed: number }>();
  if (commits.length === 0) return counts;
  const { stdout } = await gitOf(repository, ['diff-tree', '--stdin', '-r', '--numstat', '--no-renames'], {
    stdin: `${commits.join('\n')}\n`,
  });
  let own = { added: 0, removed: 0 };
  for (const line of stdout.toString('utf8').split('\n')) {
    if (/^[0-9a-f]{40,64}$/.test(line)) {
      own = { added: 0, removed: 0 };
      counts.set(line, own);
    }
    const [, added = '-', removed = '-'] = /^(\d+|-)\t(\d+|-)\t/.exec(line) ?? [];
    if (added !== '-') own.added += Number(added);
    if (removed !== '-') own.removed += Number(removed);
  }
  return counts;
}
