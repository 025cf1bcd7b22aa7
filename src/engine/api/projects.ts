import { readdir, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { stringify } from 'smol-toml';
import type { Contract } from '../../shared/contract/contract.ts';
import { contractToFile } from '../../shared/contract/contract-file.ts';
import { contractOfDraft } from '../../shared/contract/findings.ts';
import type { Folder, Inspection, SetUpView } from '../../shared/contract/set-up.ts';
import { PawlError } from '../../shared/errors.ts';
import type { Project } from '../../shared/notebook.ts';
import type { SampleName } from '../../shared/samples.ts';
import { CONTRACT_FILE_NAME } from '../contract/editable.ts';
import { readContract } from '../contract/load-contract.ts';
import { listTree, openRepository, type Repository, readBranch, readHeadCommit } from '../git/repository.ts';
import type { DataPaths } from '../paths.ts';
import { createSample } from '../samples/create-sample.ts';
import { findFreeTag } from '../session/start/create-study.ts';
import { hasAgreedToSetUp, readSetUp } from '../stages/set-up/set-up-consent.ts';
import type { Ledger } from '../store/ledger.ts';

/** Enough to choose from in a form. */
const SHOWN_FILES = 2_000;
const SHOWN_FOLDERS = 2_000;

/** A path as people paste it: with `~`, quotes around it, or as a `file:` address. Throws `usage`. */
export function cleanPath(text: string): string {
  let path = text.trim().replace(/^(['"])(.*)\1$/, '$2');
  if (path.startsWith('file://')) path = pathOfAddress(path);
  if (path.includes('\0')) throw new PawlError('usage', 'A path cannot contain a NUL character.');
  if (path === '~' || path.startsWith('~/')) path = join(homedir(), path.slice(1));
  return resolve(homedir(), path);
}

function pathOfAddress(address: string): string {
  try {
    return decodeURIComponent(new URL(address).pathname);
  } catch (cause) {
    throw new PawlError('usage', `${address} is not a file URL.`, { cause });
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    found => found.isDirectory(),
    () => false,
  );
}

/** The opened repositories, and whether each still exists. */
export async function listProjects(ledger: Ledger): Promise<readonly Project[]> {
  return Promise.all(
    ledger.projects.list().map(async project => ({
      ...project,
      name: basename(project.path),
      exists: await isFolder(project.path),
    })),
  );
}

/**
 * Reads a repository and adds it to the list of projects. Rejects with `not_a_repository`; a missing or invalid
 * contract is part of the answer.
 */
export async function inspectProject(ledger: Ledger, path: string, now: number): Promise<Inspection> {
  const given = cleanPath(path);
  const repository = await openRepository((await isFolder(given)) ? given : dirname(given));
  ledger.write(() => ledger.projects.open(repository.gitDir, repository.path, now));
  const head = await readHeadCommit(repository);
  const files = head ? (await listTree(repository, head)).map(entry => entry.path) : [];
  const found = await findContract(repository, head);
  return {
    path: repository.path,
    gitDir: repository.gitDir,
    name: basename(repository.path),
    head,
    branch: await readBranch(repository),
    ...found,
    files: files.slice(0, SHOWN_FILES),
    tag: await findFreeTag(ledger, repository, now).catch(error => {
      if (error instanceof PawlError) return '';
      throw error;
    }),
  };
}

async function findContract(
  repository: Repository,
  head: string | null,
): Promise<Pick<Inspection, 'contract' | 'draft' | 'findings' | 'unclear' | 'problem'>> {
  const nothing = { contract: null, draft: null, findings: [], unclear: [] };
  if (!head) return { ...nothing, problem: 'There is no commit yet: commit your files first.' };
  try {
    const { draft, findings, unclear } = await readContract(repository, head);
    const problem = unclear.length > 0 ? unclear.map(({ why }) => why).join(' ') : null;
    return { contract: contractOfDraft(draft), draft, findings, unclear, problem };
  } catch (error) {
    if (!(error instanceof PawlError)) throw error;
    return { ...nothing, problem: error.message };
  }
}

/** The text of a set-up command in the last commit, for the user to read. Rejects with `not_a_repository` or `usage`. */
export async function viewSetUp(ledger: Ledger, path: string, command: string): Promise<SetUpView> {
  const repository = await openRepository(cleanPath(path));
  const head = await readHeadCommit(repository);
  if (!head) throw new PawlError('usage', 'There is no commit yet: commit your files first.');
  const setUp = await readSetUp(repository, head, command);
  return { ...setUp, isAgreed: hasAgreedToSetUp(ledger, setUp.digest) };
}

/** The folders in a path, with repositories marked. Rejects with `usage` if it cannot be read. */
export async function browseFolder(path: string | undefined, hidden: boolean): Promise<Folder> {
  const folder = path === undefined ? homedir() : cleanPath(path);
  const entries = await readdir(folder, { withFileTypes: true }).catch(cause => {
    throw new PawlError('usage', `${folder} cannot be opened (${cause.code}).`, { cause });
  });
  const folders = entries
    .filter(
      entry => (entry.isDirectory() || entry.isSymbolicLink()) && (hidden || !entry.name.startsWith('.')),
    )
    .sort((a, b) => a.name.localeCompare(b.name))
    .slice(0, SHOWN_FOLDERS);
  const found = await Promise.all(
    folders.map(async entry => {
      const full = join(folder, entry.name);
      if (entry.isSymbolicLink() && !(await isFolder(full))) return [];
      const isRepository = await stat(join(full, '.git')).then(
        () => true,
        () => false,
      );
      return [{ name: entry.name, path: full, isRepository }];
    }),
  );
  return { path: folder, parent: dirname(folder) === folder ? null : dirname(folder), entries: found.flat() };
}

/** A sample project in the data folder, created at the first call and reused after that. */
export async function openSample(name: SampleName, { home }: DataPaths): Promise<string> {
  const folder = join(home, 'samples', name);
  const isMade = await openRepository(folder).then(
    async repository => repository.path.endsWith(name) && (await readHeadCommit(repository)) !== null,
    () => false,
  );
  if (!isMade) await createSample(folder, name);
  return folder;
}

/** Writes the contract as pawl.toml at the top of the checkout. Rejects with `usage` if there is one already. */
export async function saveContract(path: string, contract: Contract): Promise<string> {
  const repository = await openRepository(cleanPath(path));
  const file = join(repository.path, CONTRACT_FILE_NAME);
  const text = stringify(contractToFile(contract));
  await writeFile(file, `${text}\n`, { flag: 'wx' }).catch(cause => {
    const message =
      cause.code === 'EEXIST'
        ? `${file} already exists; change it in your editor.`
        : `${file} cannot be written (${cause.code}).`;
    throw new PawlError('usage', message, { cause });
  });
  return file;
}
