import { appendFileSync, existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Study } from '../../shared/study.ts';
import { type DataPaths, resultsTsv } from '../paths.ts';
import type { Ledger } from '../store/ledger.ts';
import { eachExperiment } from './export-study.ts';
import { formatResult, formatResults } from './results-tsv.ts';

/**
 * Writes a study's own results.tsv from the ledger, one line per verdict, in order. The file always holds the
 * complete old or new content.
 */
export async function writeResultsFile(ledger: Ledger, paths: DataPaths, study: Study): Promise<void> {
  const path = resultsTsv(paths, study.id);
  await mkdir(dirname(path), { recursive: true });
  const experiments = [...eachExperiment(ledger, study)];
  experiments.sort((a, b) => Number(a.verdictOrder) - Number(b.verdictOrder));
  await writeFile(`${path}.new`, formatResults(experiments));
  await rename(`${path}.new`, path);
}

/** Adds a line for the experiment recorded last. */
export async function appendResult(ledger: Ledger, paths: DataPaths, study: Study, n: number): Promise<void> {
  const experiment = ledger.experiments.get(study.id, n);
  const path = resultsTsv(paths, study.id);
  // A baseline that was tried again already has a line. Somebody may have deleted the file.
  if (n === 0 || !experiment || !existsSync(path)) return writeResultsFile(ledger, paths, study);
  appendFileSync(path, `${formatResult(experiment)}\n`);
}
