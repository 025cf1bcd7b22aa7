import { type Dirent, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { listed } from '../../shared/listed.ts';
import { matchProposable } from '../contract/editable.ts';
import { readBlobs } from '../git/read-blobs.ts';
import { splitFolder } from '../process/find-program.ts';
import { MAX_SOURCE_BYTES } from '../proposers/search/search-proposer.ts';
import { quote } from '../remote/quote.ts';
import type { CommitFiles } from '../sandbox/contain.ts';
import type { Add, TrainingInput } from './training-input.ts';

/** Formats of data; checkpoints and logs are results. */
const DATA =
  /\.(?:bin|np[yz]|[ct]sv|parquet|arrow|feather|h5|hdf5|pkl|pickle|txt|jsonl|db|sqlite3?|tfrecords?|mat|mmap|idx|dat)$/i;
/** Only this many folders and files of code are read. */
const MAX_FOLDERS = 200;
const MAX_CODE_FILES = 50;
const SHOWN = 3;
const DATA_FOLDER = /(?:^|\/)(?:\w*data\w*|corpus|corpora|inputs?)(?:\/|$)/i;
/** Folders in a folder of data are looked into this deep, and this many of them. */
const MAX_DEPTH = 3;
const MAX_INNER = 20;

/** Whether the code names data that lies in the checkout but is not committed, as prepared data mostly is: a run lacks it. */
export async function checkUncommitted(
  { repository, commit, contract, isElsewhere = false }: TrainingInput,
  { tree }: CommitFiles,
  add: Add,
): Promise<void> {
  if (contract.setup !== null || isElsewhere) return;
  const paths = tree.map(({ path }) => path);
  const data = findUncommitted(repository.path, paths);
  const isProposable = matchProposable(contract);
  const words = new Set(contract.train.split(/[\s"']+/).map(word => posix.normalize(word)));
  const code = tree.filter(
    ({ mode, path }) => mode.startsWith('100') && (isProposable(path) || words.has(path)),
  );
  const names = code.slice(0, MAX_CODE_FILES).map(({ path }) => ({ commit, path }));
  const blobs = await readBlobs(repository, names, MAX_SOURCE_BYTES);
  const text = blobs.map(blob => blob?.toString('latin1') ?? '').join('\n');
  const files = data.filter(path => ['"', "'"].some(quote => text.includes(posix.basename(path) + quote)));
  const { folder } = splitFolder(contract.train);
  const folders = files.length > 0 ? [] : findFolders(repository.path, namedFolders(text, folder), paths);
  const needed = [...files, ...folders];
  const [first] = needed;
  if (first === undefined) return;
  const above = posix.dirname(first);
  const make = folders.length > 0 && above !== '.' ? `mkdir -p ${wordOf(above)} && ` : '';
  const copied = [join(repository.path, first), above].map(wordOf).join(' ');
  const copy = `${make}cp ${folders.length > 0 ? '-r ' : ''}${copied}`;
  const others = needed.length > 1 ? ', and likewise for the others' : '';
  add(
    'data',
    'warning',
    `A worktree holds only what is committed, so it lacks ${listed(needed, SHOWN)}. If the training reads that, write setup = ${JSON.stringify(copy)}${others} under [contract] in pawl.toml.`,
  );
}

/** Folders by whose name they hold data, as they stand in strings of the code, from the root of the repository. */
function namedFolders(text: string, folder: string): readonly string[] {
  const strings = text.matchAll(/(["'])((?:\.{1,2}\/)*\w[\w.-]{0,60}(?:\/[\w.-]{1,60}){0,8})\/?\1/g);
  const named = [...strings].map(([, , path = '']) => path).filter(path => DATA_FOLDER.test(path));
  const places = [...new Set(named)].slice(0, MAX_FOLDERS).flatMap(path => [posix.join(folder, path), path]);
  return [...new Set(places.map(path => posix.normalize(path)))].filter(path => !path.startsWith('..'));
}

/** The folders that lie in the checkout, with data, and of which nothing is committed. */
function findFolders(root: string, named: readonly string[], paths: readonly string[]): readonly string[] {
  return named.filter(
    folder => !paths.some(path => path.startsWith(`${folder}/`)) && holdsData(join(root, folder), MAX_DEPTH),
  );
}

function holdsData(folder: string, depth: number): boolean {
  const entries = entriesOf(folder);
  if (entries.some(entry => entry.isFile() && DATA.test(entry.name))) return true;
  const inner = entries.filter(entry => entry.isDirectory()).slice(0, MAX_INNER);
  return depth > 1 && inner.some(({ name }) => holdsData(join(folder, name), depth - 1));
}

function wordOf(path: string): string {
  return /^[\w./+-]+$/.test(path) ? path : quote(path);
}

/** Files of data that are not in the tree, in folders that hold something of the tree. */
function findUncommitted(root: string, paths: readonly string[]): readonly string[] {
  const tracked = new Set(paths);
  const folders = new Set(paths.map(path => posix.dirname(path)));
  return [...folders].slice(0, MAX_FOLDERS).flatMap(folder =>
    entriesOf(join(root, folder))
      .filter(entry => !entry.isDirectory() && DATA.test(entry.name))
      .map(({ name }) => posix.join(folder, name))
      .filter(path => !tracked.has(path)),
  );
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // The checkout may lack what the commit has.
    return [];
  }
}
