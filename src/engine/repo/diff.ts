import { gitOf, type Repository } from './repository.ts';

/** Unified diff from `from` to `to` as bytes of text; binary files are named, not shown. */
export async function readDiff(repository: Repository, from: string, to: string): Promise<string> {
  const { stdout } = await gitOf(repository, [
    ...['diff', '--no-ext-diff', '--no-textconv', '--no-color', '--no-renames'],
    from,
    to,
    '--',
  ]);
  return stdout.toString('utf8');
}
