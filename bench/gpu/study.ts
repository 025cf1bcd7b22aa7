import { type Context, whyNoTraining } from './context.ts';
import { readComputing } from './machine.ts';
import { type ExperimentMeasured, type RunMeasured, runNanoGpt } from './nano-gpt.ts';
import { type Row, rowsOf } from './row.ts';

/** Some ideas of a search crash; a larger share than this has another cause. */
const CRASHED_SHARE = 0.2;

const { judged, skipped } = rowsOf('study');

/** A study of nano-gpt with the search: its verdicts, where it trained, and what was recorded about the GPU. */
export async function checkStudy(context: Context): Promise<readonly Row[]> {
  const { experiments, seconds, machine, tell } = context;
  const what = `${experiments} experiments of nano-gpt, ${seconds} s each`;
  const why = whyNoTraining(context);
  if (why !== null) return [skipped(what, why)];
  tell(`study: ${what}`);
  const { gpus, environment } = machine;
  const others = gpus.isThere ? await readComputing(gpus.it.smi, environment) : [];
  const measured = await runNanoGpt(context, 'study', experiments);
  const runs = measured.flatMap(experiment => experiment.runs);
  return [
    ...measured.map(verdictRow),
    finishedRow(what, measured, experiments),
    ...(machine.torch.isThere ? [deviceRow(runs, machine.torch.it.hasCuda)] : []),
    containedRow(runs, environment),
    ...recordedRows(runs, gpus.isThere ? null : gpus.why),
    ...(gpus.isThere ? [sharedRow(runs, others)] : []),
  ];
}

/** A baseline that is not kept means that nothing was trained; the others may have any verdict. */
function verdictRow({ n, verdict, metric, runs }: ExperimentMeasured): Row {
  const last = runs.at(-1);
  const isGood = n === 0 ? metric !== null : verdict !== null;
  const said = last?.crash ? `, ${last.crash.class}: ${last.crash.message}` : '';
  const measured = `${verdict ?? 'no verdict'}, val_bpb ${metric?.toFixed(6) ?? 'absent'}${said}`;
  const expected = n === 0 ? 'a number' : 'a verdict';
  const repeated = runs.length > 1 ? `, ${runs.length} runs` : '';
  return judged(
    n === 0 ? '#0, the baseline' : `#${n}`,
    `${measured}${repeated}${flagsOf(runs)}`,
    expected,
    isGood,
  );
}

function flagsOf(runs: readonly RunMeasured[]): string {
  const kinds = new Set(runs.flatMap(({ flags }) => flags.map(({ kind }) => kind)));
  return kinds.size === 0 ? '' : `, flags: ${[...kinds].join(' ')}`;
}

function finishedRow(what: string, measured: readonly ExperimentMeasured[], experiments: number): Row {
  const finished = measured.filter(({ verdict }) => verdict !== null).length;
  const numbers = measured.filter(({ metric }) => metric !== null).length;
  const least = Math.ceil((experiments + 1) * (1 - CRASHED_SHARE));
  return judged(
    what,
    `${finished} with a verdict, ${numbers} with a number`,
    `${experiments + 1} with the baseline, ${least} at least with a number`,
    finished === experiments + 1 && numbers >= least,
  );
}

function deviceRow(runs: readonly RunMeasured[], hasCuda: boolean): Row {
  const told = runs.flatMap(({ device }) => device ?? []);
  const expected = hasCuda ? 'cuda' : 'cpu';
  return judged(
    'what the trainings computed on',
    `${[...new Set(told)].join(', ') || 'not told'} in ${told.length} of ${runs.length} runs`,
    `${expected}, as without Pawl`,
    told.length > 0 && told.every(device => device === expected),
  );
}

/** The device comes from torch.cuda.is_available() in the sandbox. */
function containedRow(runs: readonly RunMeasured[], environment: NodeJS.ProcessEnv): Row {
  const what = 'contained runs';
  if (environment.PAWL_SANDBOX === 'off') return skipped(what, 'PAWL_SANDBOX is off');
  const contained = runs.filter(({ isContained }) => isContained).length;
  if (contained === 0) return skipped(what, 'nothing was contained; see containment above');
  return judged(what, `${contained} of ${runs.length}`, 'all', contained === runs.length);
}

function recordedRows(runs: readonly RunMeasured[], whyNone: string | null): readonly Row[] {
  const names = ['GPU samples a run', 'GPU energy a run'] as const;
  if (whyNone !== null) return names.map(name => skipped(name, whyNone));
  const samples = runs.map(({ gpuSamples }) => gpuSamples);
  const seconds = runs.map(({ startedAt, endedAt }) => ((endedAt ?? startedAt) - startedAt) / 1000);
  const isEnough = samples.every(
    (count, at) => count >= Math.max(1, Math.floor((seconds[at] ?? 0) * 0.7) - 2),
  );
  const energies = runs.flatMap(({ gpuEnergyWh }) => gpuEnergyWh ?? []);
  const range = (values: readonly number[], digits: number) =>
    `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`;
  return [
    judged(
      names[0],
      `${range(samples, 0)} in ${range(seconds, 1)} s`,
      'at least 7 in 10 seconds, but for 2',
      isEnough,
    ),
    energies.length === 0
      ? skipped(names[1], 'the driver does not tell of power')
      : judged(
          names[1],
          `${range(energies, 4)} Wh in ${energies.length} of ${runs.length} runs`,
          'above 0 in all',
          energies.length === runs.length && energies.every(energy => energy > 0),
        ),
  ];
}

/** No other process is expected here; the sharing check covers the other case. */
function sharedRow(runs: readonly RunMeasured[], others: readonly number[]): Row {
  const what = 'runs flagged `shared`';
  if (others.length > 0) return skipped(what, `others compute here as well: ${others.join(', ')}`);
  const shared = runs.flatMap(({ flags }) => flags.filter(({ kind }) => kind === 'shared'));
  const details = shared.map(({ detail }) => `: ${detail}`).join('');
  return judged(what, `${shared.length} of ${runs.length}${details}`, 'none', shared.length === 0);
}
