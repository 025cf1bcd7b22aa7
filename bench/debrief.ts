import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDebrief } from '../src/engine/debrief/read-debrief.ts';
import { dataPaths } from '../src/engine/paths.ts';
import { writeReport } from '../src/engine/report/write-report.ts';
import { openLedger } from '../src/engine/store/ledger.ts';
import { fillBigLedger } from './big-ledger.ts';
import { printTable, quantile } from './report.ts';

const EXPERIMENTS = 1_000;
const ROUNDS = 10;
const MOST_MS = 300;
const MOST_MB = 2;

/** How long reading a study's debrief takes, compared with reading its experiments alone, and how large the report is. */
export async function benchDebrief(): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'pawl-bench-'));
  const paths = dataPaths({ PAWL_HOME: home });
  const study = fillBigLedger(paths.ledger, undefined, EXPERIMENTS);
  const ledger = openLedger(paths.ledger);
  try {
    const now = Date.now();
    const [debriefs, floors]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      floors.push(await time(() => ledger.experiments.page(study.id, 0, EXPERIMENTS)));
      debriefs.push(await time(() => readDebrief(ledger, study, null, now)));
    }
    const asked = { sitting: null, format: 'html', hasDiffs: true } as const;
    const html = await writeReport(ledger, study, asked, { now, paths, environment: process.env });
    const [value, floor] = [quantile(debriefs, 0.95), quantile(floors, 0.5)];
    const megabytes = Buffer.byteLength(html) / 1024 ** 2;
    printTable(
      `Debrief of ${EXPERIMENTS} experiments, p95 of ${ROUNDS} rounds; the repository is not there`,
      [
        {
          what: 'computed',
          value,
          unit: 'ms',
          reference: `its experiments read and nothing else: ${floor.toFixed(1)} ms; at most ${MOST_MS} ms`,
          ratio: value / floor,
          isGood: value <= MOST_MS,
        },
        {
          what: 'HTML report',
          value: megabytes,
          unit: 'MB',
          reference: `at most ${MOST_MB} MB`,
          ratio: null,
          isGood: megabytes <= MOST_MB,
        },
      ],
    );
  } finally {
    ledger.close();
    await rm(home, { recursive: true, force: true });
  }
}

async function time(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
