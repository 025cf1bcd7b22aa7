import { type Dirent, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { listed } from '../../shared/listed.ts';
import { matchProposable } from '../contract/editable.ts';
import { readBlobs } from '../git/read-blobs.ts';
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

/** Whether the code names data that lies in the checkout but is not committed, as prepared data mostly is: a run lacks it. */
export async function checkUncommitted(
  { repository, commit, contract, isElsewhere = false }: TrainingInput,
  { tree }: CommitFiles,
  add: Add,
): Promise<void> {
  if (contract.setup !== null || isElsewhere) return;
  const data = findUncommitted(
    repository.path,
    tree.map(({ path }) => path),
  );
  if (data.length === 0) return;
  const isProposable = matchProposable(contract);
  const words = new Set(contract.train.split(/[\s"']+/).map(word => posix.normalize(word)));
  const code = tree.filter(
    ({ mode, path }) => mode.startsWith('100') && (isProposable(path) || words.has(path)),
  );
  const names = code.slice(0, MAX_CODE_FILES).map(({ path }) => ({ commit, path }));
  const text = (await readBlobs(repository, names)).map(blob => blob?.toString('latin1') ?? '').join('\n');
  const needed = data.filter(path => ['"', "'"].some(quote => text.includes(posix.basename(path) + quote)));
  const [first] = needed;
  if (first === undefined) return;
  const copy = ['cp', join(repository.path, first), posix.dirname(first)].map(wordOf).join(' ');
  const others = needed.length > 1 ? ', and likewise for the others' : '';
  add(
    'data',
    'warning',
    `A worktree holds only what is committed, so it lacks ${listed(needed, SHOWN)}. If the training reads that, write setup = ${JSON.stringify(copy)}${others} under [contract] in pawl.toml.`,
  );
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
