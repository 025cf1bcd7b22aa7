import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import { PawlError } from '../../shared/errors.ts';
import { counted } from '../../shared/numbers.ts';
import type { Study } from '../../shared/study.ts';
import { findShapes, PI_FILES } from '../contract/find-shape.ts';
import { blobBytes, listTree, openRepository, type Repository, readBlob } from '../git/repository.ts';
import type { Ledger } from '../store/ledger.ts';
import { importStudy } from './import-study.ts';
import { MAX_TABLE_BYTES, readTableFile } from './read-table.ts';

type Tree = Awaited<ReturnType<typeof listTree>>;

type Log = {
  /** Path in the repository, `/`-separated. */
  readonly path: string;
  readonly isInCheckout: boolean;
};

/**
 * Imports what pi-autoresearch tried in a repository before, once, as a separate read-only study. The log in the
 * checkout goes before the committed one, because it is written first. Resolves to a message for the user, or to null
 * if there is nothing new. Never rejects, because the study whose history it is exists already.
 */
export async function importHistory(ledger: Ledger, study: Study, now: number): Promise<string | null> {
  let which = 'history';
  try {
    const repository = await openRepository(study.repositoryPath);
    const tree = await listTree(repository, study.baseCommit);
    const log = await findLog(repository, tree);
    if (log === null) return null;
    const { path } = log;
    which = `history in ${path}`;
    const name = `${basename(repository.path)}: ${path}`;
    if (ledger.studies.list().some(({ importedFrom }) => importedFrom === name)) return null;
    const content = log.isInCheckout
      ? await readInCheckout(repository, path)
      : await readCommitted(repository, study.baseCommit, tree, path);
    const { metric } = study.contract;
    const outcome = await importStudy(
      ledger,
      { name: path, content },
      {
        ...{ metric: metric.name, goal: metric.goal },
        ...{ tag: `${study.tag}-before`, shownAs: name, now },
      },
    );
    if (outcome.kind === 'question')
      return `The ${which} was not imported: it contradicts itself about ${metric.name}.`;
    const { finished } = ledger.experiments.tally(outcome.study.id, metric.goal);
    return `The ${which} was imported as the study ${outcome.study.tag}: ${counted(finished, 'experiment')}.`;
  } catch (error) {
    return `The ${which} was not imported: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function findLog(repository: Repository, tree: Tree): Promise<Log | null> {
  const shapes = findShapes(tree.map(({ path }) => path)).shapes.filter(shape => shape.kind === 'pi');
  const [shape] = shapes;
  if (!shape || shapes.length > 1) return null;
  for (const name of PI_FILES.log) {
    const path = posix.join(shape.folder, name);
    const isInCheckout = await lstat(join(repository.path, path)).then(
      () => true,
      () => false,
    );
    if (isInCheckout) return { path, isInCheckout };
  }
  const path = shape.session.log;
  return path === null ? null : { path, isInCheckout: false };
}

/** A link could lead to any of the user's files. */
async function readInCheckout(repository: Repository, path: string): Promise<Buffer> {
  const file = join(await realpath(repository.path), path);
  const isReached = (await realpath(dirname(file))) === dirname(file);
  if (!isReached || (await lstat(file)).isSymbolicLink()) throw noPlainFile();
  return readTableFile(file, 'refuse');
}

async function readCommitted(
  repository: Repository,
  commit: string,
  tree: Tree,
  path: string,
): Promise<Buffer> {
  // The content of a link is its target.
  if (!tree.some(entry => entry.path === path && entry.mode.startsWith('100'))) throw noPlainFile();
  const bytes = await blobBytes(repository, commit, path);
  if (bytes !== null && bytes > MAX_TABLE_BYTES) {
    throw new PawlError('import_invalid', `it has ${bytes} bytes; at most ${MAX_TABLE_BYTES} are read.`);
  }
  const content = await readBlob(repository, commit, path);
  if (content === null) throw noPlainFile();
  return content;
}

function noPlainFile(): PawlError {
  return new PawlError('import_invalid', 'it is not a plain file.');
}
