import { existsSync } from 'node:fs';
import { copyFile, lchown, mkdir, readdir, readlink, stat, symlink, utimes } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { removeBelow } from '../git/remove.ts';
import { isBelow } from '../paths.ts';
import { isDataVariable } from '../process/data-variables.ts';
import type { Owner } from '../process/terminal.ts';
import { real } from './home-view.ts';
import type { Mount } from './jail.ts';

/** A folder in which a library keeps downloaded data. */
export type DataCache = {
  /** Absolute, as the library spells it. */
  readonly folder: string;
  /** The variable that sets the library's path; null if the path is fixed. */
  readonly variable: string | null;
  /** Whether it must be the folder itself, because some libraries refuse links to their files. */
  readonly isPlain: boolean;
};

/** The path at which contained programs find the originals. */
const ORIGINALS = '/run/pawl/data';
/** A larger tree would cost seconds before each run, so it is mounted as it is, read-only. */
const MAX_ENTRIES = 20_000;
/** Folders known to have more entries, until this process ends. */
const tooLarge = new Set<string>();
/** Programs create these anew: through a link they would lock the original, or be refused (filelock 4.3: ELOOP). */
const LOCK = /\.lock$/;
/**
 * What `map` and `filter` of datasets made. The name has a hash of their function, but of an imported function only of
 * its name (datasets 5.2.0 with dill 0.4.1).
 */
const MADE = /^cache-[0-9a-f]{16}\w*\.arrow$/;
/** torch hub appends to this one (torch 1.13, `torch/hub.py`). */
const APPENDED = new Set(['trusted_list']);

/**
 * The existing data caches: the libraries' default folders, those in the user's variables, and autoresearch's own.
 * Sources: huggingface_hub 2.4.0 and datasets 5.2.0 (`constants.py`, `config.py`), kernels 0.17.2, torch 1.13
 * (`torch/hub.py`), kagglehub 1.0.3, tiktoken 0.14.0 (`load.py`), nltk 3.10.4 (`data.py`, `pathsec.py`), scikit-learn
 * 1.9.1, tensorflow_datasets 4.9.10, medmnist 3.0.2, gensim 4.4.0.
 * @param environment the environment that the training would have without a sandbox
 * @param named further folders, such as the one that `prepare.py` calls its cache
 */
export async function findDataCaches(
  environment: Readonly<Record<string, string | undefined>>,
  home: string,
  named: readonly string[],
): Promise<readonly DataCache[]> {
  const cache = environment.XDG_CACHE_HOME || join(home, '.cache');
  const hugging = environment.HF_HOME || join(cache, 'huggingface');
  const own = (await readdir(join(home, '.cache')).catch(() => [])).filter(name =>
    /^autoresearch/.test(name),
  );
  const list = (variable: string | null, ...folders: readonly (string | undefined)[]): DataCache => ({
    ...{ folder: folders.find(Boolean) ?? '', variable, isPlain: false },
  });
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_DATASETS_CACHE, HF_ASSETS_CACHE } = environment;
  const known: readonly DataCache[] = [
    list('HF_HUB_CACHE', HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, join(hugging, 'hub')),
    list('HF_DATASETS_CACHE', HF_DATASETS_CACHE, join(hugging, 'datasets')),
    list('HF_ASSETS_CACHE', HF_ASSETS_CACHE, join(hugging, 'assets')),
    list('KERNELS_CACHE', environment.KERNELS_CACHE),
    list('TORCH_HOME', environment.TORCH_HOME, join(cache, 'torch')),
    list('KAGGLEHUB_CACHE', environment.KAGGLEHUB_CACHE, join(home, '.cache', 'kagglehub')),
    list(
      'TIKTOKEN_CACHE_DIR',
      ...[environment.TIKTOKEN_CACHE_DIR, environment.DATA_GYM_CACHE_DIR, '/tmp/data-gym-cache'],
    ),
    { ...list('NLTK_DATA', environment.NLTK_DATA, join(home, 'nltk_data')), isPlain: true },
    list('SCIKIT_LEARN_DATA', environment.SCIKIT_LEARN_DATA, join(home, 'scikit_learn_data')),
    list('TFDS_DATA_DIR', environment.TFDS_DATA_DIR, join(home, 'tensorflow_datasets')),
    list('GENSIM_DATA_DIR', environment.GENSIM_DATA_DIR, join(home, 'gensim-data')),
    list(null, join(home, '.medmnist')),
    list(null, join(home, '.keras', 'datasets')),
    ...own.map(name => list(null, join(home, '.cache', name))),
    ...Object.keys(environment)
      .filter(isDataVariable)
      .map(name => list(name, environment[name])),
    ...named.map(folder => list(null, folder)),
  ];
  const found = new Map<string, DataCache>();
  const kept = [home, ...tokenFiles(environment, home).filter(existsSync)];
  for (const candidate of known) {
    const { folder } = candidate;
    const isFolder = isAbsolute(folder) && (await stat(folder).catch(() => null))?.isDirectory() === true;
    if (!isFolder || found.has(folder)) continue;
    // A variable may name a whole home folder, or a folder with tokens.
    const place = await real(folder);
    if ((await Promise.all(kept.map(real))).some(path => isBelow(path, place))) continue;
    found.set(folder, candidate);
  }
  const folders = [...found.keys()];
  return [...found.values()].filter(
    ({ folder }) => !folders.some(other => other !== folder && isBelow(folder, other)),
  );
}

/** Files with tokens, which no contained program sees, whatever else it may see. */
export function tokenFiles(
  environment: Readonly<Record<string, string | undefined>>,
  home: string,
): readonly string[] {
  const cache = environment.XDG_CACHE_HOME || join(home, '.cache');
  const hugging = [environment.HF_HOME, join(cache, 'huggingface')].filter(path => path !== undefined);
  const kaggle = [environment.KAGGLE_CONFIG_DIR, join(home, '.kaggle')].filter(path => path !== undefined);
  const named = [environment.HF_TOKEN_PATH, environment.NETRC, environment.KAGGLE_API_TOKEN];
  return [
    ...named.filter(path => path !== undefined).filter(isAbsolute),
    ...hugging.flatMap(folder => ['token', 'stored_tokens'].map(name => join(folder, name))),
    ...['.netrc', '_netrc', '.git-credentials', '.pypirc', '.npmrc'].map(name => join(home, name)),
    ...kaggle.flatMap(folder =>
      ['access_token', 'credentials.json', 'kaggle.json'].map(name => join(folder, name)),
    ),
  ];
}

export type DataMounts = {
  readonly mounts: readonly Mount[];
  /** The replaced folders, by their given and their real paths. */
  readonly folders: readonly string[];
  readonly places: readonly string[];
  /** The variables that configure the libraries. */
  readonly variables: Readonly<Record<string, string>>;
};

/**
 * Lets a run use the caches without changing them. Libraries take locks and write indexes even for data they have, so
 * each cache is replaced by a private tree of the same folders, in which each file is a link to the read-only
 * original.
 * @param into a folder for the private trees; an earlier run's files in it are removed
 * @param owner their owner; null for Pawl's own user
 * @param isMadeShown whether to show what `datasets` made of data with code that no edit can change
 */
export async function viewDataCaches(
  caches: readonly DataCache[],
  into: string,
  owner: Owner | null,
  isMadeShown: boolean,
): Promise<DataMounts> {
  const isLeftOut = (name: string) => LOCK.test(name) || (!isMadeShown && MADE.test(name));
  await removeBelow(dirname(into), basename(into));
  const mounts: Mount[] = [];
  const places: string[] = [];
  const variables: Record<string, string> = {};
  for (const [index, { folder, variable, isPlain }] of caches.entries()) {
    const original = await real(folder);
    const tree = join(into, String(index));
    if (variable !== null) variables[variable] = folder;
    const isLinked =
      !isPlain &&
      !tooLarge.has(original) &&
      (await linkTree(original, tree, join(ORIGINALS, String(index)), { owner, isLeftOut, entries: 0 }));
    if (!isLinked && !isPlain) {
      tooLarge.add(original);
      await removeBelow(into, String(index));
    }
    places.push(original);
    mounts.push(
      ...(isLinked
        ? [
            { what: original, where: join(ORIGINALS, String(index)), isWritable: false },
            { what: tree, where: original, isWritable: true },
          ]
        : [{ what: original, where: original, isWritable: false }]),
    );
  }
  return { mounts, places, variables, folders: caches.map(({ folder }) => folder) };
}

type View = {
  readonly owner: Owner | null;
  readonly isLeftOut: (name: string) => boolean;
  entries: number;
};

/** False if there are too many entries. */
async function linkTree(from: string, to: string, original: string, view: View): Promise<boolean> {
  const { owner, isLeftOut } = view;
  await mkdir(to, { recursive: true });
  if (owner) await lchown(to, owner.uid, owner.gid);
  // Folders that only another user can read are of no use, but no error either.
  const entries = await readdir(from, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    view.entries += 1;
    if (view.entries > MAX_ENTRIES) return false;
    const { name } = entry;
    const [source, target] = [join(from, name), join(to, name)];
    if (entry.isDirectory()) {
      // An offline kernel is looked up in the list of its repository's files, most of which were never downloaded
      // (kernels 0.17.2).
      if (name === 'trees' && basename(from).startsWith('kernels--')) continue;
      if (!(await linkTree(source, target, join(original, name), view))) return false;
    } else if (entry.isSymbolicLink()) {
      const says = await readlink(source).catch(() => null);
      if (says !== null) await symlink(says, target);
    } else if (entry.isFile() && APPENDED.has(name)) {
      const isCopied = await copyFile(source, target).then(
        () => true,
        () => false,
      );
      if (owner && isCopied) await lchown(target, owner.uid, owner.gid);
    } else if (entry.isFile() && !isLeftOut(name)) await symlink(join(original, name), target);
  }
  // datasets takes the newest folder to be the newest version.
  const times = await stat(from).catch(() => null);
  if (times) await utimes(to, times.atime, times.mtime);
  return true;
}
