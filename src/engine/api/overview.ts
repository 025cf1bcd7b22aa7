import { join } from 'node:path';
import { sum } from 'd3-array';
import type { StudyLoss, StudyOutline } from '../../shared/overview.ts';
import type { Study } from '../../shared/study.ts';
import { countRefs } from '../git/refs.ts';
import { openRepository } from '../git/repository.ts';
import { bytesBelow } from '../machine/bytes-below.ts';
import { type DataPaths, studyFolder } from '../paths.ts';
import type { Ledger } from '../store/ledger.ts';

/** How many points an overview's line has at most. */
const MOST_STEPS = 120;

/** Each study's best value after each improvement. */
export function readOutlines(ledger: Ledger): readonly StudyOutline[] {
  return ledger.studies.list().map(({ id, state, contract: { metric } }) => {
    const best = ledger.experiments.bestSoFar(id, metric.goal, state === 'imported');
    const every = Math.ceil(best.length / MOST_STEPS);
    return {
      study: id,
      last: ledger.experiments.lastNumber(id),
      // Keep the newest step, because it is the study's result.
      best: best.filter((_, place) => (best.length - 1 - place) % every === 0),
    };
  });
}

/** Disk space of each study's logs and worktree, in bytes. */
export async function readDiskUse(
  ledger: Ledger,
  paths: DataPaths,
): Promise<readonly { readonly study: string; readonly bytes: number }[]> {
  const sizes: { study: string; bytes: number }[] = [];
  for (const study of ledger.studies.list())
    sizes.push({ study: study.id, bytes: await bytesOf(study, paths) });
  return sizes;
}

/** What is lost when a study is deleted. */
export async function readLoss(ledger: Ledger, study: Study, paths: DataPaths): Promise<StudyLoss> {
  const { finished } = ledger.experiments.tally(study.id, study.contract.metric.goal);
  const repository =
    study.repositoryPath === '' ? null : await openRepository(study.repositoryPath).catch(() => null);
  return {
    experiments: finished,
    trainedSeconds: sum(ledger.runs.rows(study.id), ({ seconds }) => seconds),
    bytes: await bytesOf(study, paths),
    refs: repository ? await countRefs(repository, study.tag) : null,
  };
}

async function bytesOf(study: Study, paths: DataPaths): Promise<number> {
  const folders = [studyFolder(paths, study.id), join(paths.worktrees, study.worktreeName)];
  const sizes = await Promise.all(
    folders.map(folder => (study.worktreeName === '' ? 0 : bytesBelow(folder))),
  );
  return sum(sizes);
}
