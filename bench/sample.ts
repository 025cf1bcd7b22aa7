import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataPaths } from '../src/engine/paths.ts';
import { createSample } from '../src/engine/samples/create-sample.ts';
import { Engine } from '../src/engine/session/engine.ts';
import { DEFAULT_STRATEGY } from '../src/shared/proposers/proposers.ts';
import { printTable } from './report.ts';

const EXPERIMENTS = 30;
/** The search must improve on the sample's baseline by this much. */
const LEAST_GAIN_PERCENT = 8;
/** The terminal host's default. */
const SEED = 1;

/** How much thirty experiments of the search gain on the sample: real training, about four minutes. */
export async function benchSample(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-bench-'));
  try {
    const repository = join(folder, 'byte-lm');
    await createSample(repository);
    const paths = dataPaths({ PAWL_HOME: join(folder, 'home') });
    const engine = await Engine.open({ paths, host: 'bench', environment: process.env }, repository);
    const start = performance.now();
    try {
      const study = await engine.createStudy({
        repositoryPath: repository,
        proposer: { kind: 'search', seed: SEED, strategy: DEFAULT_STRATEGY },
        stop: { experiments: EXPERIMENTS },
      });
      await engine.run(study.id, {}, event => {
        if (event.type === 'verdict') {
          console.log(`#${event.n} ${event.verdict} ${event.metric?.toFixed(6) ?? '-'} ${event.hypothesis}`);
        }
      });
      const { baseline, best, keep, discard, crash } = engine.ledger.experiments.tally(study.id, 'minimize');
      const gain = baseline === null || best === null ? Number.NaN : (1 - best / baseline) * 100;
      const seconds = (performance.now() - start) / 1000 / (EXPERIMENTS + 1);
      printTable(`Sample: ${EXPERIMENTS} experiments of the search, seed ${SEED}`, [
        {
          what: 'gain over the baseline',
          value: gain,
          unit: '%',
          reference: `baseline ${baseline?.toFixed(6)}, best ${best?.toFixed(6)}; at least ${LEAST_GAIN_PERCENT} %`,
          ratio: null,
          isGood: gain >= LEAST_GAIN_PERCENT,
        },
        {
          what: 'time per experiment',
          value: seconds,
          unit: 's',
          reference: `${keep} keep, ${discard} discard, ${crash} crash`,
          ratio: null,
          isGood: null,
        },
      ]);
    } finally {
      engine.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
