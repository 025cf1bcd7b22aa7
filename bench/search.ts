import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findConstants } from '../src/engine/proposers/search/constants.ts';
import { byteLmTrainer, readByteLm, withSeed } from './byte-lm.ts';
import { landscape, SOURCE } from './landscapes.ts';
import { average, pairedRatio, printTable } from './report.ts';
import { type Chooser, gaussianProcess, ladder, playNight, randomNear, StartSpace } from './search-night.ts';

/**
 * The strategies of the search side by side, paired by seed: on landscapes with a known optimum, and on byte-lm,
 * whose score is the same for the same code. TPE and CMA-ES come from PyPI, if Python can install them, into a folder
 * that is removed afterwards.
 */

/** Uses landscapes 1 to this number; tuning uses others. */
const LANDSCAPES = 24;
const LANDSCAPE_EXPERIMENTS = 100;
const EARLY = 30;
const MOST_REGRET = 0.6;
const LEAST_GAIN = 1.25;
const MOST_CPU_SECONDS = 0.5;
const OUTSIDE = ['TPE', 'CMA-ES'] as const;
type Strategy = 'ladder' | 'Gaussian process' | 'random near the start' | (typeof OUTSIDE)[number];

/** @param seeds nights on byte-lm, each with `experiments` trainings for every strategy */
export async function benchSearch(seeds = 2, experiments = EARLY): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-bench-'));
  try {
    const python = await installOutside(folder);
    const strategies: readonly Strategy[] = [
      ...(['ladder', 'Gaussian process', 'random near the start'] as const),
      ...(python === null ? [] : OUTSIDE),
    ];
    await benchLandscapes(strategies, python);
    await benchCost();
    const trainings = strategies.length * seeds * experiments;
    console.log(`\nbyte-lm: at most ${trainings} trainings, about ${Math.ceil(trainings / 60)} min.`);
    await benchByteLm(strategies, python, seeds, experiments, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Only byte-lm, and only the two strategies a study can choose. */
export async function benchSearchOfByteLm(seeds = 12, experiments = EARLY): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-bench-'));
  try {
    await benchByteLm(['ladder', 'Gaussian process'], null, seeds, experiments, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function benchLandscapes(strategies: readonly Strategy[], python: string | null): Promise<void> {
  const regrets = new Map<Strategy, { early: number[]; late: number[] }>();
  for (const strategy of strategies) {
    const left = { early: [] as number[], late: [] as number[] };
    for (let seed = 1; seed <= LANDSCAPES; seed += 1) {
      const { loss, measure } = landscape(seed);
      const { choose, end } = chooserOf(strategy, SOURCE, seed, python);
      const { kept } = await playNight(SOURCE, choose, seed, LANDSCAPE_EXPERIMENTS, (source, n) =>
        measure(source, seed, n),
      );
      end();
      left.early.push(loss(kept[EARLY - 1] ?? SOURCE) ?? 1);
      left.late.push(loss(kept.at(-1) ?? SOURCE) ?? 1);
    }
    regrets.set(strategy, left);
  }
  const mean = (strategy: Strategy, when: 'early' | 'late') => average(regrets.get(strategy)?.[when] ?? []);
  printTable(
    `Search: share of the regret left, mean over ${LANDSCAPES} landscapes`,
    strategies.flatMap(strategy =>
      (['early', 'late'] as const).map(when => {
        const value = mean(strategy, when);
        const all = (one: Strategy) => regrets.get(one)?.[when] ?? [];
        const { ratio, error } = pairedRatio(all(strategy), all('ladder'));
        return {
          what: `${strategy}, ${when === 'early' ? EARLY : LANDSCAPE_EXPERIMENTS} experiments`,
          ...{ value, ratio, unit: '' },
          reference: `ladder ${mean('ladder', when).toFixed(3)}; ratio ± ${error.toFixed(2)}`,
          isGood: strategy === 'Gaussian process' && when === 'late' ? ratio <= MOST_REGRET : null,
        };
      }),
    ),
  );
}

/** CPU time of one proposal after this many experiments. */
async function benchCost(): Promise<void> {
  const { measure } = landscape(1);
  const lines = [];
  for (const count of [100, 1_000, 3_000]) {
    const { kept, history } = await playNight(SOURCE, randomNear(SOURCE), 1, count, (source, n) =>
      measure(source, 1, n),
    );
    const constants = findConstants('train.py', kept.at(-1) ?? SOURCE);
    const incumbent = history.findLast(({ verdict }) => verdict === 'keep');
    const start = process.cpuUsage();
    // The first one in this history costs the most: nothing is known about the hyperparameters.
    await gaussianProcess(
      constants,
      history,
      { n: incumbent?.n ?? 0, metric: incumbent?.metric ?? 0 },
      1,
      'minimize',
    );
    const { user, system } = process.cpuUsage(start);
    const value = (user + system) / 1e6;
    lines.push({
      ...{ what: `CPU of a proposal after ${count} experiments`, value, unit: 's', ratio: null },
      reference: `at most ${MOST_CPU_SECONDS} s`,
      isGood: value <= MOST_CPU_SECONDS,
    });
  }
  printTable('Search: what a proposal costs', lines);
}

async function benchByteLm(
  strategies: readonly Strategy[],
  python: string | null,
  seeds: number,
  experiments: number,
  folder: string,
): Promise<void> {
  const source = await readByteLm();
  const train = await byteLmTrainer(folder);
  const gains = new Map<Strategy, number[]>(strategies.map(strategy => [strategy, []]));
  for (let seed = 1; seed <= seeds; seed += 1) {
    // Each seed reads the text in its own order, so that a gain is more than luck with one order.
    const start = withSeed(source, seed);
    const baseline = train(start) ?? Number.NaN;
    for (const strategy of strategies) {
      const { choose, end } = chooserOf(strategy, start, seed, python);
      const { history } = await playNight(start, choose, seed, experiments, train);
      end();
      const reached = Math.min(...history.map(({ metric }) => metric ?? Number.POSITIVE_INFINITY));
      gains.get(strategy)?.push(baseline - reached);
      console.log(`${strategy}, seed ${seed}: ${baseline} → ${reached}`);
    }
  }
  const gain = (strategy: Strategy) => average(gains.get(strategy) ?? []);
  printTable(
    `Search: gain on byte-lm in ${experiments} experiments, mean of ${seeds} seeds`,
    strategies.map(strategy => {
      const { ratio, error } = pairedRatio(gains.get(strategy) ?? [], gains.get('ladder') ?? []);
      return {
        ...{ what: strategy, value: gain(strategy), unit: 'bpb', ratio },
        reference: `ladder ${gain('ladder').toFixed(3)}; ratio ± ${error.toFixed(2)}`,
        isGood: strategy === 'Gaussian process' && experiments === EARLY ? ratio >= LEAST_GAIN : null,
      };
    }),
  );
}

function chooserOf(
  strategy: Strategy,
  source: string,
  seed: number,
  python: string | null,
): { readonly choose: Chooser; readonly end: () => void } {
  const end = () => undefined;
  if (strategy === 'ladder') return { choose: ladder, end };
  if (strategy === 'Gaussian process') return { choose: gaussianProcess, end };
  if (strategy === 'random near the start' || python === null) return { choose: randomNear(source), end };
  return outside(strategy, source, seed, python);
}

function outside(strategy: string, source: string, seed: number, python: string) {
  const start = new StartSpace(source);
  const script = fileURLToPath(new URL('outside-search.py', import.meta.url));
  const words = [script, strategy, String(seed), ...start.categories.map(String)];
  const child: ChildProcessWithoutNullStreams = spawn(python, words);
  child.stderr.resume();
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const choose: Chooser = async (constants, history) => {
    if (history.length > 1) child.stdin.write(`${JSON.stringify(history.at(-1)?.metric ?? null)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`${strategy} ended.`);
    return start.choose(constants, JSON.parse(value));
  };
  return { choose, end: () => void child.stdin.end() };
}

/** A Python with Optuna and cmaes; null if they cannot be installed. */
async function installOutside(folder: string): Promise<string | null> {
  const environment = join(folder, 'python');
  const python = join(environment, 'bin', 'python');
  const call = promisify(execFile);
  try {
    await call('python3', ['-m', 'venv', environment]);
    await call(python, ['-m', 'pip', 'install', '--quiet', 'optuna', 'cmaes']);
    return python;
  } catch {
    console.log('TPE and CMA-ES are left out: Python cannot have Optuna and cmaes here.');
    return null;
  }
}
