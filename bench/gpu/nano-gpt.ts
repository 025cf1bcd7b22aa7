import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readExperiment } from '../../src/engine/api/experiment-view.ts';
import { git } from '../../src/engine/git/git.ts';
import { PAWL_IDENTITY } from '../../src/engine/git/repository.ts';
import { Telemetry } from '../../src/engine/machine/telemetry.ts';
import { dataPaths, runLog } from '../../src/engine/paths.ts';
import { createSample } from '../../src/engine/samples/create-sample.ts';
import { Engine } from '../../src/engine/session/engine.ts';
import type { EngineEvent } from '../../src/shared/events.ts';
import type { RunView } from '../../src/shared/notebook.ts';
import type { Context } from './context.ts';

/** The terminal host's default. */
const SEED = 1;
/** Added to twice the budget: PyTorch is loaded, CUDA started, and perhaps something compiled. */
const START_SECONDS = 180;

export type RunMeasured = RunView & {
  /** Samples that include a GPU. */
  readonly gpuSamples: number;
  /** The device that the training itself reported; null if it did not get that far. */
  readonly device: string | null;
};

export type ExperimentMeasured = {
  readonly n: number;
  readonly verdict: string | null;
  readonly metric: number | null;
  readonly runs: readonly RunMeasured[];
};

/**
 * A study of nano-gpt with the search, in its own data folder and with the check's budget. Rejects with the reason
 * for an early end, or with the signal's reason.
 * @param name of its folder
 */
export async function runNanoGpt(
  context: Context,
  name: string,
  experiments: number,
  onEvent: (event: EngineEvent) => void = () => {},
): Promise<readonly ExperimentMeasured[]> {
  const { machine, folder, seconds, signal, tell } = context;
  const repository = join(folder, name);
  await makeRepository(repository, seconds);
  const environment = { ...machine.environment, PAWL_HOME: join(folder, `${name}-data`) };
  const paths = dataPaths(environment);
  const telemetry = new Telemetry({ environment });
  const engine = await Engine.open({ paths, host: 'check', environment, telemetry }, repository);
  const stop = () => engine.request('stop_now');
  signal.addEventListener('abort', stop);
  telemetry.start();
  try {
    signal.throwIfAborted();
    const study = await engine.createStudy({
      ...{ repositoryPath: repository, stop: { experiments }, limitSeconds: 2 * seconds + START_SECONDS },
      proposer: { kind: 'search', seed: SEED },
    });
    const end = await engine.run(study.id, {}, event => {
      if (event.type === 'verdict') tell(`${name}: #${event.n} ${event.verdict} ${event.metric ?? '-'}`);
      onEvent(event);
    });
    signal.throwIfAborted();
    if (end.error) throw end.error;
    const last = engine.ledger.experiments.lastNumber(study.id) ?? -1;
    const numbers = Array.from({ length: last + 1 }, (_, n) => n);
    return await Promise.all(numbers.map(n => measure(engine, study.id, n, paths)));
  } finally {
    signal.removeEventListener('abort', stop);
    telemetry.stop();
    engine.close();
    await rm(paths.scratch, { recursive: true, force: true });
  }
}

/** The sample with another budget, and a line that prints its device. */
async function makeRepository(folder: string, seconds: number): Promise<void> {
  await createSample(folder, 'nano-gpt');
  await edit(join(folder, 'prepare.py'), /^TIME_BUDGET = .*$/m, `TIME_BUDGET = ${seconds}`);
  await edit(join(folder, 'pawl.toml'), /^(\[budget\]\nseconds) = .*$/m, `$1 = ${seconds}`);
  await edit(join(folder, 'train.py'), /^(DEVICE = .*)$/m, '$1\nprint("device:", DEVICE, flush=True)');
  const commit = ['commit', '--quiet', '--all', '--message=Train shortly, and tell the device'];
  await git(folder, commit, { env: PAWL_IDENTITY });
}

async function edit(path: string, place: RegExp, text: string): Promise<void> {
  const before = await readFile(path, 'utf8');
  if (!place.test(before)) throw new Error(`${path} has no line like ${place}`);
  await writeFile(path, before.replace(place, text));
}

async function measure(
  engine: Engine,
  studyId: string,
  n: number,
  paths: ReturnType<typeof dataPaths>,
): Promise<ExperimentMeasured> {
  const { cell, runs } = await readExperiment(engine.ledger, studyId, n);
  const measured = runs.map(async run => {
    const points = engine.ledger.runs.telemetry(studyId, n, run.k);
    const log = await readFile(runLog(paths, studyId, n, run.k), 'utf8').catch(() => '');
    return {
      ...run,
      gpuSamples: points.filter(({ values }) => [...values.keys()].some(key => /^gpu\d/.test(key))).length,
      device: /^device: (\S+)/m.exec(log)?.[1] ?? null,
    };
  });
  const verdict = cell.verdict && `${cell.verdict.word} (${cell.verdict.reason})`;
  return { n, verdict, metric: cell.metric, runs: await Promise.all(measured) };
}
