import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { autoresearchContract } from '../src/engine/contract/autoresearch.ts';
import { openLedger } from '../src/engine/ledger/ledger.ts';
import type { SeriesPoint } from '../src/engine/metrics/output-reader.ts';
import type { Study, Verdict } from '../src/shared/study.ts';
import { printTable, quantile } from './report.ts';

const EXPERIMENTS = 10_000;
const POINTS = 1_000;
const CHUNK = 512;
const SNAPSHOT_ROWS = 200;
const ROUNDS = 20;
const WORDS =
  'attention width depth learning rate warmup cosine batch gradient clip rotary window optimizer momentum head value residual'.split(
    ' ',
  );

/** A ledger as a year of nights leaves it: open, first snapshot, search, size. */
export async function benchLedger(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-bench-'));
  try {
    const path = join(folder, 'pawl.sqlite');
    const study = fill(path);
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

/** What a host needs to draw its first screen: the study, its counts, the newest rows, what is unfinished. */
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

function fill(path: string): Study {
  const ledger = openLedger(path);
  const study: Study = {
    id: 'bench',
    tag: 'bench',
    repositoryPath: '/nowhere',
    gitDir: '/nowhere/.git',
    contract: autoresearchContract('', false),
    baseCommit: '0'.repeat(40),
    proposer: { kind: 'search', seed: 1 },
    stop: {},
    state: 'stopped',
    stopReason: 'experiments',
    stopDetail: null,
    createdAt: 0,
    preserved: [],
    worktreeName: 'bench',
    importedFrom: null,
    importColumns: null,
  };
  ledger.write(() => ledger.studies.insert(study));
  const { experiments, runs } = ledger;
  let best = 1;
  for (let from = 0; from < EXPERIMENTS; from += 100) {
    ledger.write(() => {
      for (let n = from; n < from + 100; n += 1) {
        const value = n % 50 === 0 ? best - 1e-4 : best + 1e-3;
        const verdict: Verdict =
          n % 50 === 0
            ? {
                word: 'keep',
                reason: n === 0 ? 'baseline' : 'better',
                evidence: { run: 0, metric: value, memory: 45060.2 },
              }
            : {
                word: 'discard',
                reason: 'worse',
                evidence: { run: 0, metric: value, memory: 45060.2, incumbentMetric: best },
              };
        best = Math.min(best, value);
        const word = (offset: number) => WORDS[(n * 13 + offset * 7) % WORDS.length] ?? '';
        experiments.begin(study.id, n, 'a'.repeat(40), n);
        experiments.propose(study.id, n, {
          hypothesis: `Raise ${word(0)} ${word(1)} from ${n} to ${n + 1}`,
          rationale: `The ${word(2)} of the ${word(3)} limits the ${word(4)}, so the ${word(5)} should follow the ${word(6)}.`,
          predictedEffect: -0.001,
          category: word(7),
          memo: { moves: [{ name: word(0).toUpperCase(), from: String(n), to: String(n + 1) }] },
        });
        experiments.attempt(study.id, n, {
          commit: n.toString(16).padStart(40, '0'),
          editDigest: n.toString(16).padStart(64, '0'),
          sourceLines: 600,
        });
        const run = runs.begin(study.id, n, 0, n.toString(16).padStart(40, '0'), n);
        const points = curve(n);
        for (let start = 0; start < POINTS; start += CHUNK)
          runs.addPoints(run, points.slice(start, start + CHUNK));
        runs.finish(
          run,
          {
            outcome: { kind: 'exit', code: 0 },
            summary: {
              val_bpb: value,
              training_seconds: 300.1,
              total_seconds: 325.9,
              peak_vram_mb: 45060.2,
              mfu_percent: 39.8,
              num_steps: POINTS,
            },
            crash: null,
            resources: { peakRssBytes: 3_000_000_000, cpuSeconds: 400 },
            outputBytes: 120_000,
            units: { dt: 'ms', mfu: '%' },
          },
          n + 1,
        );
        experiments.decide(study.id, n, verdict, n + 1);
        if (verdict.word === 'keep') experiments.setPhase(study.id, n, 'recorded');
      }
    });
  }
  ledger.close();
  return study;
}

/** Values as a training prints them: noisy, a few digits each. */
function curve(seed: number): SeriesPoint[] {
  let state = seed + 1;
  const noise = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
  return Array.from({ length: POINTS }, (_, step) => ({
    seconds: step * 0.315,
    values: new Map([
      ['step', step],
      ['progress', Number(((100 * step) / POINTS).toFixed(1))],
      ['loss', Number((3 + 7 * Math.exp(-step / 200) + 0.1 * noise()).toFixed(6))],
      ['dt', Math.round(310 + 10 * noise())],
      ['tok/sec', Math.round(1_600_000 + 60_000 * noise())],
      ['mfu', Number((39 + noise()).toFixed(1))],
    ]),
  }));
}
