import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { openLedger } from '../src/engine/store/ledger.ts';
import type { Study } from '../src/shared/study.ts';
import { EXPERIMENTS, fillBigLedger, POINTS, WORDS } from './big-ledger.ts';
import { printTable, quantile } from './report.ts';

const SNAPSHOT_ROWS = 200;
const ROUNDS = 20;

/** A ledger after a year of nights: open, first snapshot, search, size. */
export async function benchLedger(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-bench-'));
  try {
    const path = join(folder, 'pawl.sqlite');
    const study = fillBigLedger(path);
    const { size } = await stat(path);
    const floors: number[] = [];
    const opens: number[] = [];
    const searches: number[] = [];
    const series: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      floors.push(time(() => bareRead(path)));
      opens.push(
        time(() => {
          const ledger = openLedger(path);
          snapshot(ledger, study);
          ledger.close();
        }),
      );
      const ledger = openLedger(path);
      const words = `${WORDS[round % WORDS.length]} ${WORDS[(round * 7 + 3) % WORDS.length]}`;
      searches.push(time(() => ledger.notes.search(study.id, words, 50)));
      series.push(time(() => ledger.runs.series(study.id, round * 100, 0)));
      ledger.close();
    }
    const floor = quantile(floors, 0.5);
    const open = quantile(opens, 0.95);
    const search = quantile(searches, 0.95);
    printTable(`Ledger: ${EXPERIMENTS} experiments of ${POINTS} points, p95 of ${ROUNDS} rounds`, [
      {
        what: 'open and first snapshot',
        value: open,
        unit: 'ms',
        reference: `bare SQLite, same rows unparsed: ${floor.toFixed(1)} ms; at most 200 ms`,
        ratio: open / floor,
        isGood: open <= 200,
      },
      {
        what: 'full-text search, two words',
        value: search,
        unit: 'ms',
        reference: 'at most 20 ms',
        ratio: null,
        isGood: search <= 20,
      },
      {
        what: 'series of one run',
        value: quantile(series, 0.95),
        unit: 'ms',
        reference: '',
        ratio: null,
        isGood: null,
      },
      {
        what: 'bytes per experiment',
        value: size / EXPERIMENTS,
        unit: 'B',
        reference: `${POINTS * 6 * 8} B as bare doubles`,
        ratio: size / EXPERIMENTS / (POINTS * 6 * 8),
        isGood: null,
      },
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a host needs for its first screen: the study, its counts, the newest rows, unfinished work. */
function snapshot(ledger: ReturnType<typeof openLedger>, study: Study): void {
  ledger.studies.list();
  ledger.experiments.tally(study.id, 'minimize');
  ledger.experiments.unfinished(study.id);
  ledger.experiments.page(study.id, EXPERIMENTS - SNAPSHOT_ROWS, SNAPSHOT_ROWS);
}

function bareRead(path: string): void {
  const database = new BetterSqlite3(path, { readonly: true });
  database.prepare('SELECT * FROM study').all();
  database.prepare('SELECT verdict, count(*) FROM experiment GROUP BY verdict').all();
  database.prepare('SELECT * FROM experiment WHERE n >= ? ORDER BY n').all(EXPERIMENTS - SNAPSHOT_ROWS);
  database.close();
}

function time(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}
