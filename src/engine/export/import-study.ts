import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { PawlError } from '../../shared/errors.ts';
import type { Study } from '../../shared/study.ts';
import { autoresearchContract } from '../contract/autoresearch.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { newStudyId } from '../ledger/studies.ts';
import { parseResultsTable } from './import-results.ts';

/** A table of 100,000 rows has about 10 MB. */
const MAX_IMPORT_BYTES = 64 * 1024 * 1024;

/**
 * Reads a results.tsv into a new read-only study. Rejects with `import_invalid`; then nothing was written.
 * @param goal null: told from the kept rows
 */
export async function importStudy(
  ledger: Ledger,
  path: string,
  options: { readonly tag: string; readonly goal: 'minimize' | 'maximize' | null; readonly now: number },
): Promise<Study> {
  const table = parseResultsTable(await readBounded(path), basename(path), options.goal);
  const shape = autoresearchContract('', true);
  const study: Study = {
    id: newStudyId(options.now),
    tag: options.tag,
    repositoryPath: '',
    gitDir: '',
    contract: { ...shape, metric: { ...shape.metric, name: table.metricName, goal: table.goal } },
    baseCommit: '',
    proposer: { kind: 'search', seed: 0 },
    stop: {},
    state: 'imported',
    stopReason: null,
    stopDetail: null,
    createdAt: options.now,
    preserved: [],
    outputs: [],
    worktreeName: '',
    importedFrom: basename(path),
    importColumns: table.columns,
    asksApproval: false,
    gpu: null,
    capUsd: null,
  };
  ledger.write(() => {
    ledger.studies.insert(study);
    for (const [n, row] of table.rows.entries()) {
      const { hypothesis, verdict, metric, memory, commit, fields } = row;
      ledger.experiments.insertImported({
        ...{ studyId: study.id, n, hypothesis, verdict, metric, memory, commit },
        reason: 'imported',
        at: options.now,
        imported: fields,
      });
    }
  });
  return study;
}

async function readBounded(path: string): Promise<string> {
  const file = await open(path).catch(cause => {
    throw new PawlError('import_invalid', `${path} cannot be read: ${cause.message}`, { cause });
  });
  try {
    const { size } = await file.stat();
    if (size > MAX_IMPORT_BYTES) {
      throw new PawlError(
        'import_invalid',
        `${path} has ${size} bytes; a results table has less than ${MAX_IMPORT_BYTES}.`,
      );
    }
    return decode(await file.readFile(), basename(path));
  } catch (cause) {
    if (cause instanceof PawlError) throw cause;
    throw new PawlError('import_invalid', `${path} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  } finally {
    await file.close();
  }
}

/** A guess at another encoding would change what is exported again. */
function decode(content: Buffer, fileName: string): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    return decoder.decode(content);
  } catch (cause) {
    const text = content.toString('latin1').split('\n');
    const isBroken = (line: string) =>
      !Buffer.from(Buffer.from(line, 'latin1').toString('utf8')).equals(Buffer.from(line, 'latin1'));
    const line = text.findIndex(isBroken) + 1;
    throw new PawlError('import_invalid', `${fileName}:${line}: not UTF-8 text, so no results table.`, {
      cause,
    });
  }
}
