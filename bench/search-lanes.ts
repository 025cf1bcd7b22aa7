import { watch } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SearchSettings } from '../src/shared/proposers/proposers.ts';
import { runBenchStudy, standInGpus } from './bench-study.ts';
import { landscape, SOURCE } from './landscapes.ts';
import { printTable, quantile } from './report.ts';

const TRAIN_SECONDS = 1;
const LANES = 4;
/** Experiments in one lane; several lanes together have twice as many, so that they can reach the same result. */
const EXPERIMENTS = 40;
const MOST_SHARE = 0.35;
const CRASHED = 'crash';

/** Hands its constants to the bench, sleeps as long as a training takes, and prints their loss. */
const TRAIN = `set -e
ask=$(mktemp "$DESK/ask-XXXXXX")
cp train.py "$ask"
mv "$ask" "$ask.py"
sleep ${TRAIN_SECONDS}
until [ -e "$ask.py.answer" ]; do sleep 0.02; done
cat "$ask.py.answer"
! grep -q ${CRASHED} "$ask.py.answer"
`;
const CONTRACT = `[contract]
editable = ["train.py"]
train = "sh train.sh"
environment = ["DESK"]
[metric]
name = "val_loss"
goal = "minimize"
[budget]
seconds = ${TRAIN_SECONDS}
`;

/**
 * How soon the search in four lanes finds what one lane finds, on the synthetic family: the real engine, trainings
 * that sleep.
 */
export async function benchSearchLanes(landscapes = 6): Promise<void> {
  const rows = [];
  for (const strategy of ['ladder', 'gaussian-process'] as const) {
    const shares: number[] = [];
    for (let seed = 1; seed <= landscapes; seed += 1) {
      const proposer: SearchSettings = { kind: 'search', seed, strategy };
      const one = await play(seed, proposer, 1);
      const best = one.at(-1);
      if (!best) continue;
      const many = await play(seed, proposer, LANES);
      const same = many.find(({ loss }) => loss <= best.loss);
      shares.push((same?.seconds ?? Number.POSITIVE_INFINITY) / best.seconds);
    }
    const median = quantile(shares, 0.5);
    rows.push({
      what: `${strategy}: time of ${LANES} lanes to the best of one lane, median of ${shares.length}`,
      ...{ value: 100 * median, unit: '% of its time', ratio: median, isGood: median <= MOST_SHARE },
      reference: `from ${percent(Math.min(...shares))} to ${percent(Math.max(...shares))}; at most ${percent(MOST_SHARE)}`,
    });
  }
  printTable(`Search in lanes: ${EXPERIMENTS} trainings of ${TRAIN_SECONDS} s in one lane`, rows);
}

const percent = (share: number) => (Number.isFinite(share) ? `${(100 * share).toFixed(0)} %` : 'never');

type Step = { readonly seconds: number; readonly loss: number };

/** When a study reached a better kept commit, by its loss without noise, counted from the end of the baseline. */
async function play(seed: number, proposer: SearchSettings, lanes: number): Promise<readonly Step[]> {
  const desk = await mkdtemp(join(tmpdir(), 'pawl-desk-'));
  const { loss, measure } = landscape(seed);
  const losses = new Map<string, number>();
  let asked = 0;
  const answer = async (file: string) => {
    const source = await readFile(file, 'utf8');
    const value = measure(source, seed, asked);
    asked += 1;
    const text = value === null ? CRASHED : `val_loss: ${value.toFixed(6)}`;
    if (value !== null) losses.set(value.toFixed(6), loss(source) ?? Number.POSITIVE_INFINITY);
    await writeFile(`${file}.answering`, `${text}\n`);
    await rename(`${file}.answering`, `${file}.answer`);
  };
  const watcher = watch(desk, (_, name) => {
    if (name?.endsWith('.py')) void answer(join(desk, name)).catch(() => {});
  });
  const steps: Step[] = [];
  let began = 0;
  try {
    await runBenchStudy(
      {
        files: { 'train.py': SOURCE, 'train.sh': TRAIN, 'pawl.toml': CONTRACT },
        ...{
          proposer,
          stop: { experiments: EXPERIMENTS * (lanes === 1 ? 1 : 2) },
          environment: { DESK: desk },
        },
        ...(lanes === 1 ? {} : { lanes: ['gpu:all'], telemetry: standInGpus(lanes) }),
      },
      event => {
        if (event.type === 'experiment_started' && event.n === 1) began = performance.now();
        if (event.type !== 'verdict' || event.verdict !== 'keep' || event.n === 0) return;
        const found = losses.get(Number(event.metric).toFixed(6));
        const isBest = found !== undefined && found < (steps.at(-1)?.loss ?? 1);
        if (isBest) steps.push({ seconds: (performance.now() - began) / 1000, loss: found });
      },
    );
  } finally {
    watcher.close();
    await rm(desk, { recursive: true, force: true });
  }
  return steps;
}
