import { existsSync } from 'node:fs';
import { basename, join, posix } from 'node:path';
import { PawlError } from '../../shared/errors.ts';
import type { Study } from '../../shared/study.ts';
import { findShapes, PI_FILES } from '../contract/find-shape.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { listTree, openRepository, readBlob } from '../repo/repository.ts';
import { importStudy } from './import-study.ts';

/**
 * Reads what pi-autoresearch tried in a repository before into a read-only study of its own, once. The log in the checkout
 * counts before the committed one, for it is written first. Resolves to what the user is told; null where there is nothing new.
 */
export async function importHistory(ledger: Ledger, study: Study, now: number): Promise<string | null> {
  const repository = await openRepository(study.repositoryPath);
  const tree = await listTree(repository, study.baseCommit);
  const shapes = findShapes(tree.map(({ path }) => path)).shapes.filter(shape => shape.kind === 'pi');
  const [shape] = shapes;
  if (!shape || shapes.length > 1) return null;
  const names = PI_FILES.log.map(name => posix.join(shape.folder, name));
  const path = names.find(name => existsSync(join(repository.path, name))) ?? shape.session.log;
  if (path === null) return null;
  const name = `${basename(repository.path)}: ${path}`;
  if (ledger.studies.list().some(({ importedFrom }) => importedFrom === name)) return null;
  const blob = existsSync(join(repository.path, path))
    ? null
    : await readBlob(repository, study.baseCommit, path);
  const source = blob ? { name: path, content: blob } : { path: join(repository.path, path) };
  const { metric } = study.contract;
  try {
    const answers = { metric: metric.name, goal: metric.goal };
    const outcome = await importStudy(ledger, source, {
      ...answers,
      tag: `${study.tag}-before`,
      shownAs: name,
      now,
    });
    if (outcome.kind === 'question')
      return `The history in ${path} was not imported: it says several things of ${metric.name}.`;
    const { finished } = ledger.experiments.tally(outcome.study.id, metric.goal);
    return `The history in ${path} was imported as the study ${outcome.study.tag}: ${finished} experiments.`;
  } catch (error) {
    if (!(error instanceof PawlError)) throw error;
    return `The history in ${path} was not imported: ${error.message}`;
  }
}
