import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CurveReader } from '../src/engine/metrics/curve.ts';
import { dataPaths } from '../src/engine/paths.ts';
import { createSample } from '../src/engine/samples/create-sample.ts';
import { Engine } from '../src/engine/session/engine.ts';
import type { PastRun } from '../src/engine/stages/judge/prune.ts';

/**
 * Makes `bench/curves/byte-lm.json`: the curves of a study of the search on the sample, all trained to their end. Ten
 * minutes of real training; the file is kept so that the bench always replays the same curves.
 */
const EXPERIMENTS = 60;
const SEED = 2;
const DIGITS = 6;

const folder = await mkdtemp(join(tmpdir(), 'pawl-bench-'));
const repository = join(folder, 'byte-lm');
await createSample(repository);
const paths = dataPaths({ PAWL_HOME: join(folder, 'home') });
const engine = await Engine.open({ paths, host: 'bench', environment: process.env }, repository);
try {
  const study = await engine.createStudy({
    ...{ repositoryPath: repository, proposer: { kind: 'search', seed: SEED } },
    stop: { experiments: EXPERIMENTS },
  });
  await engine.run(study.id, {}, event => {
    if (event.type === 'verdict') console.log(`#${event.n} ${event.verdict} ${event.metric ?? '-'}`);
  });
  const runs: PastRun[] = [];
  for (const { n, metric } of engine.ledger.experiments.history(study.id)) {
    const { budget, metric: counted } = study.contract;
    const reader = new CurveReader({ metric: counted.name, budgetSeconds: budget.seconds });
    for (const point of engine.ledger.runs.series(study.id, n, 0)) reader.add(point);
    const curve = reader.curve(true);
    if (curve && metric !== null) runs.push({ curve, metric });
  }
  const round = (_: string, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(DIGITS)) : value;
  await writeFile(new URL('curves/byte-lm.json', import.meta.url), `${JSON.stringify(runs, round)}\n`);
} finally {
  engine.close();
  await rm(folder, { recursive: true, force: true });
}
