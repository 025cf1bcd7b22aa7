import { gitOf, type Repository } from './repository.ts';

/** git's default format: the user's settings may attach patches, or name them differently. */
const PLAIN = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
const FORMAT = [
  'format-patch',
  '--no-color',
  '--no-ext-diff',
  '--no-textconv',
  '--zero-commit',
  '--numbered',
];

/** The commits from `base` to `tip` as one file that `git am` takes. */
export async function writeMbox(
  repository: Repository,
  { base, tip }: { readonly base: string; readonly tip: string },
): Promise<Buffer> {
  const { stdout } = await gitOf(repository, [...FORMAT, '--stdout', `${base}..${tip}`], { env: PLAIN });
  return stdout;
}

/** The same as numbered files in an empty folder. */
export async function writePatches(
  repository: Repository,
  { base, tip }: { readonly base: string; readonly tip: string },
  folder: string,
): Promise<void> {
  await gitOf(repository, [...FORMAT, '--quiet', '-o', folder, `${base}..${tip}`], { env: PLAIN });
}
