import { dataPaths } from '../engine/paths.ts';
import { type Ledger, openLedger } from '../engine/store/ledger.ts';
import type { Study } from '../shared/study.ts';
import { findStudy } from './find-study.ts';

export type StudyFlags = { readonly repository: string; readonly tag?: string };

/** Opens the ledger, and closes it again. */
export async function withLedger(work: (ledger: Ledger) => Promise<void> | void): Promise<void> {
  const ledger = openLedger(dataPaths(process.env).ledger);
  try {
    await work(ledger);
  } finally {
    ledger.close();
  }
}

type Work = (ledger: Ledger, study: Study) => Promise<void> | void;

/** {@link withLedger}, for the study that the flags mean. */
export function withStudy(flags: StudyFlags, work: Work): Promise<void> {
  return withLedger(async ledger => work(ledger, await findStudy(ledger, flags.repository, flags.tag)));
}

/** {@link withStudy}, which rejects with `study_read_only` for an imported one. */
export function withOwnStudy(flags: StudyFlags, work: Work): Promise<void> {
  return withStudy(flags, async (ledger, { id }) => {
    // Loaded only when needed, because loading delays every start.
    const { requireOwnStudy } = await import('../engine/api/experiment-view.ts');
    await work(ledger, requireOwnStudy(ledger, id));
  });
}
