import { readFile } from 'node:fs/promises';
import { describeOverBudget } from '../../shared/contract/budget.ts';
import type { Study } from '../../shared/study.ts';
import { describeGuard } from '../../shared/verdicts/guard.ts';
import type { BrokenRun, MetricCheckOutcome, OtherSeeds } from '../../shared/verdicts/metric-check.ts';
import { type DataPaths, runLog } from '../paths.ts';
import { isLearningRate } from '../proposers/search/break-constant.ts';
import type { Move } from '../proposers/search/choice.ts';
import { baselineTimes } from '../stages/judge/study-budget.ts';
import { trialsOf } from '../stages/judge/trials.ts';
import type { Ledger } from '../store/ledger.ts';
import { measureMetric, printedDecimals } from './measure-metric.ts';

/** Only the end of a longer output is read. */
const MAX_LOG_BYTES = 4 * 1024 ** 2;

/** The changes that are tried beside runs of the unchanged code; null and empty if there is no suitable constant. */
export type Changes = {
  readonly broken: Move | null;
  /** Two other seeds, tried if the number repeats exactly. */
  readonly seeds: readonly Move[];
};

/**
 * The outcome of a check, from the ledger and the folders of its study.
 * @param asked how many runs of the unchanged code
 * @param changes the planned changes, and those `tried`, in the order of the experiments after the baseline
 */
export async function readOutcome(
  { runs: asked, hours, breaks }: { readonly runs: number; readonly hours: number; readonly breaks: boolean },
  study: Study,
  changes: Changes & { readonly tried: readonly Move[] },
  ledger: Ledger,
  paths: DataPaths,
): Promise<MetricCheckOutcome> {
  const { id, contract } = study;
  const runs = ledger.runs.list(id, 0);
  const [baseline] = trialsOf(ledger.experiments.history(id), ledger.runs.repeats(id));
  if (!baseline?.isKept) return { kind: 'failed', ...whyNone(study, 0, ledger) };
  const whole = runs.filter(
    ({ outcome, crash, endedAt }) => outcome?.kind === 'exit' && !crash && endedAt !== null,
  );
  const took = whole.map(({ startedAt, endedAt }) => ((endedAt ?? startedAt) - startedAt) / 1_000);
  const middle = took.sort((a, b) => a - b)[Math.floor(took.length / 2)];
  const decimals = await readDecimals(
    paths,
    study,
    whole.map(({ k }) => k),
    baseline.values,
  );
  const check = measureMetric({
    ...{ contract, asked, hours, decimals, values: baseline.values },
    fault: runs.find(({ crash }) => crash)?.crash?.message ?? null,
    times: baselineTimes(id, ledger),
    runSeconds: middle ?? contract.budget.seconds,
    broken: brokenRun(study, breaks, changes.broken, ledger),
    seeds: seedRuns(study, changes, ledger),
  });
  return { kind: 'measured', check };
}

function brokenRun(study: Study, breaks: boolean, move: Move | null, ledger: Ledger): BrokenRun {
  if (!breaks) return { kind: 'left_out' };
  if (!move) return { kind: 'no_constant' };
  const { file, name, from, to } = move;
  const value = ledger.experiments.get(study.id, 1)?.verdict?.evidence.metric ?? null;
  const fault = value === null ? whyNone(study, 1, ledger).message : null;
  return { kind: 'run', ...{ file, name, from, to, value, fault, isRuin: isLearningRate(name) } };
}

function seedRuns(
  study: Study,
  { tried, seeds }: Changes & { readonly tried: readonly Move[] },
  ledger: Ledger,
): OtherSeeds | null {
  const runs = tried.flatMap((move, at) => {
    if (!seeds.includes(move)) return [];
    const value = ledger.experiments.get(study.id, at + 1)?.verdict?.evidence.metric ?? null;
    return [{ to: move.to, value }];
  });
  const [seed] = seeds;
  return seed && runs.length > 0 ? { file: seed.file, name: seed.name, from: seed.from, runs } : null;
}

/** Why an experiment produced no usable number. */
function whyNone(
  { id }: Study,
  n: number,
  ledger: Ledger,
): { readonly message: string; readonly tail: readonly string[] } {
  const verdict = ledger.experiments.get(id, n)?.verdict;
  const crash = ledger.runs.list(id, n).findLast(run => run.crash)?.crash;
  const { guard, overBudget } = verdict?.evidence ?? {};
  if (guard) return { message: describeGuard(guard), tail: guard.tail };
  if (overBudget) return { message: `The run was ${describeOverBudget(overBudget)}.`, tail: [] };
  return { message: crash?.message ?? 'It was not run.', tail: crash?.tail ?? [] };
}

/** As printed by the runs; see `printedDecimals`. */
async function readDecimals(
  paths: DataPaths,
  { id, contract }: Study,
  runs: readonly number[],
  values: readonly number[],
): Promise<number | null> {
  let most: number | null = null;
  for (const k of runs) {
    const output = (await readFile(runLog(paths, id, 0, k)).catch(() => Buffer.alloc(0))).subarray(
      -MAX_LOG_BYTES,
    );
    for (const value of values) {
      const decimals = printedDecimals(output.toString('latin1'), value, contract.metric.name);
      if (decimals !== null) most = Math.max(most ?? decimals, decimals);
    }
  }
  return most;
}
