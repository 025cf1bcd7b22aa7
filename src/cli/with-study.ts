import { dataPaths } from '../engine/paths.ts';
import { type Ledger, openLedger } from '../engine/store/ledger.ts';
import type { Study } from '../shared/study.ts';
import { findStudy } from './find-study.ts';

export type StudyFlags = { readonly repository: string; readonly tag?: string };

/** Opens the ledger to read a study, and closes it again. */
export async function withStudy(
  flags: StudyFlags,
  work: (ledger: Ledger, study: Study) => Promise<void> | void,
): Promise<void> {
  const ledger = openLedger(dataPaths(process.env).ledger);
  try {
    await work(ledger, await findStudy(ledger, flags.repository, flags.tag));
  } finally {
    ledger.close();
  }
}
