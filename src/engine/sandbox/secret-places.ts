import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isBelow } from '../paths.ts';
import { real } from './home-view.ts';

/** Usual names of files with keys, passwords and sessions. */
const SECRETS: ReadonlySet<string> = new Set([
  ...['.ssh', '.gnupg', '.aws', '.azure', '.kube', '.password-store', '.mozilla', '.pki'],
  ...['keyrings', 'kwalletd', 'gcloud', '.netrc', '_netrc', '.git-credentials', '.pgpass', '.pypirc'],
]);
/** How many entries of each folder are examined. */
const MAX_FOLDERS = 1_000;

export type SecretPlaces = {
  /** Without symbolic links. */
  readonly home: string;
  readonly dataFolder: string;
};

/**
 * Why a file or folder must not be shown, in words that follow "which"; null if it may be shown.
 * @param path without symbolic links
 * @param levels how deep a folder is searched
 */
export async function findSecret(
  path: string,
  { home, dataFolder }: SecretPlaces,
  levels: number,
): Promise<string | null> {
  if (isBelow(home, path) || dirname(path) === '/home') return 'is or contains a home directory';
  const data = await real(dataFolder);
  if (isBelow(path, data) || isBelow(data, path)) return 'is or contains Pawl’s data';
  const inside = path.split('/').find(name => SECRETS.has(name));
  if (inside !== undefined) return `is or is inside ${inside}`;
  const held = await findName(path, levels);
  return held === null ? null : `holds ${held}`;
}

async function findName(folder: string, levels: number): Promise<string | null> {
  if (levels === 0) return null;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found = entries.find(({ name }) => SECRETS.has(name));
  if (found) return found.name;
  for (const entry of entries.slice(0, MAX_FOLDERS)) {
    const name = entry.isDirectory() ? await findName(join(folder, entry.name), levels - 1) : null;
    if (name !== null) return name;
  }
  return null;
}
