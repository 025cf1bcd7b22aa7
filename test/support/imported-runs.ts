import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { importStudy } from '../../src/engine/import/import-study.ts';
import { openLedger } from '../../src/engine/store/ledger.ts';
import { temporaryFolder } from './scaffold.ts';

/** Made by the trackers' own writers, see `make.py` there. */
export const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'trackers');

/** What a tracker's file or folder is read as. */
export async function imported(path: string, metric: string | null = null) {
  const folder = await temporaryFolder();
  const ledger = openLedger(join(folder, 'pawl.sqlite'));
  onTestFinished(() => ledger.close());
  const outcome = await importStudy(ledger, { path }, { tag: null, goal: null, metric, now: 5_000 });
  if (outcome.kind !== 'imported') throw new Error(JSON.stringify(outcome));
  const { study, skipped } = outcome;
  const experiments = ledger.experiments.page(study.id, 0, 100);
  return {
    study,
    skipped: skipped.map(({ reason }) => reason),
    experiments,
    names: experiments.map(({ proposal }) => proposal?.hypothesis),
    words: experiments.map(({ verdict }) => (verdict?.word === 'other' ? verdict.reason : verdict?.word)),
    run: (n: number) => ledger.runs.list(study.id, n)[0],
    series: (n: number, name: string) =>
      ledger.runs.series(study.id, n, 0).flatMap(point => {
        const value = point.values.get(name);
        return value === undefined ? [] : [{ step: point.values.get('step'), value }];
      }),
    setting: (n: number, name: string) =>
      experiments[n]?.imported?.[study.importColumns?.indexOf(`settings.${name}`) ?? -1],
  };
}
