import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describeOverBudget } from '../../shared/budget.ts';
import type { Contract } from '../../shared/contract.ts';
import { PawlError } from '../../shared/errors.ts';
import type { EngineEventBody } from '../../shared/events.ts';
import type { ContractChoices } from '../../shared/findings.ts';
import { describeGuard } from '../../shared/guard.ts';
import type { BrokenRun, MetricCheckOutcome, MetricCheckProgress } from '../../shared/metric-check.ts';
import type { Study } from '../../shared/study.ts';
import { loadContract } from '../contract/load-contract.ts';
import { openRepository, type Repository, readHeadCommit } from '../git/repository.ts';
import { DiskReserve } from '../machine/disk-reserve.ts';
import { type DataPaths, runLog } from '../paths.ts';
import { refuseUntrainable } from '../preflight/check-training.ts';
import { breakConstant, isLearningRate } from '../proposers/search/break-constant.ts';
import type { Move } from '../proposers/search/choice.ts';
import { surveyConstants } from '../proposers/search/survey.ts';
import { findRefusal } from '../session/containment.ts';
import { createStudy } from '../session/create-study.ts';
import type { EngineOptions } from '../session/engine-options.ts';
import { openSitting } from '../session/open-sitting.ts';
import type { Sitting } from '../session/sitting.ts';
import { openTemporaryLedger, removeTemporaryStudies, temporaryPaths } from '../session/temporary-study.ts';
import { saveTimes } from '../stages/judge/known-times.ts';
import { baselineTimes } from '../stages/judge/study-budget.ts';
import { trialsOf } from '../stages/judge/trials.ts';
import { canRepeat } from '../stages/judge/verdict-rule.ts';
import { hasAgreedToSetUp, readSetUp, setUpUnagreed } from '../stages/set-up/set-up-consent.ts';
import type { Ledger } from '../store/ledger.ts';
import { brokenProposer } from './broken-proposer.ts';
import { measureMetric, printedDecimals } from './measure-metric.ts';

export type MetricCheckInput = {
  readonly repositoryPath: string;
  /** How often the code is trained as it is. */
  readonly runs: number;
  /** How long the night is that the answer is for. */
  readonly hours: number;
  /** Whether it is trained once more with a constant broken on purpose. */
  readonly breaks: boolean;
  /** As in {@link Study}. */
  readonly gpu?: string | undefined;
  /** The digest of the set-up command that the user was shown and agreed to now. */
  readonly agreesSetUp?: string | undefined;
  /** In place of what the last commit says. */
  readonly choices?: ContractChoices | undefined;
  /** In place of the contract of the last commit. */
  readonly contract?: Contract | undefined;
};

export type MetricCheckPorts = {
  readonly options: EngineOptions;
  /** Where it is written down what the user agreed to, and how long the baseline took. The engine's lock must be held. */
  readonly ledger: Ledger;
  /** Ends it: it resolves once nothing is left of it. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: MetricCheckProgress) => void;
};

const NO_CHECK =
  'Its number cannot be measured again and again: it comes later (metric.wait), or the training asks a model, which answers the same question once.';
/** Constants to choose from. */
const MANY_CONSTANTS = 200;
/** A name that no study of the user has. */
const TAG_BYTES = 6;
const MAX_LOG_BYTES = 4 * 1024 ** 2;

/**
 * Trains a repository's last commit again and again, and once broken, as a study would: it is one, with all of a study's stages,
 * in a ledger, folders and a branch of its own, which are removed afterwards. Rejects with what `createStudy` and a sitting
 * reject with.
 */
export async function checkMetric(
  input: MetricCheckInput,
  ports: MetricCheckPorts,
): Promise<MetricCheckOutcome> {
  const { paths, killTimes } = ports.options;
  const own = temporaryPaths(paths);
  const ledger = await openTemporaryLedger(paths, killTimes);
  try {
    const { study, repository } = await beginCheck(input, ledger, ports);
    const move = input.breaks ? await findMove(repository, study) : null;
    await runCheck(study, move, input.runs, ledger, own, ports);
    if (ports.signal.aborted) return { kind: 'stopped' };
    const outcome = await readOutcome(input, study, move, ledger, own);
    const { gitDir, contract, createdAt: at } = study;
    const times = { train: contract.train, at, times: [...baselineTimes(study.id, ledger)] };
    if (outcome.kind === 'measured') ports.ledger.write(() => saveTimes(ports.ledger, gitDir, times));
    return outcome;
  } catch (error) {
    if (ports.signal.aborted && (error as Error).name === 'AbortError') return { kind: 'stopped' };
    throw error;
  } finally {
    ledger.close();
    await removeTemporaryStudies(paths, killTimes);
  }
}

async function beginCheck(
  { repositoryPath, choices, agreesSetUp, gpu, ...given }: MetricCheckInput,
  ledger: Ledger,
  { options, ledger: users }: MetricCheckPorts,
): Promise<{ readonly study: Study; readonly repository: Repository }> {
  const { paths, environment, now = Date.now, storedKey } = options;
  const repository = await openRepository(repositoryPath);
  const head = await readHeadCommit(repository);
  if (!head) throw new PawlError('usage', `${repository.path} has no commit yet: commit your files first.`);
  const contract = given.contract ?? (await loadContract(repository, head, choices));
  if (!canRepeat(contract)) throw new PawlError('usage', NO_CHECK);
  // The proposer that breaks a constant is none that a user can choose; what is written down asks nobody.
  const proposer = { kind: 'patches', folder: paths.home } as const;
  const study = await createStudy(
    ledger,
    {
      repositoryPath,
      tag: `metric-check-${randomBytes(TAG_BYTES).toString('hex')}`,
      ...{ proposer, gpu, stop: {} },
      contract: { ...contract, metric: { ...contract.metric, verdict: 'honest' } },
    },
    now(),
    { home: paths.home, environment, storedKey },
    async (_, commit, wanted, tree) => {
      const trial = await refuseUntrainable({
        ...{ repository, commit, contract: wanted, tree, paths, environment },
      });
      const refusal = trial.sandbox
        ? null
        : findRefusal(wanted, proposer, trial.why, { ledger: users, environment });
      if (refusal) throw refusal;
      if (wanted.setup === null) return;
      const setUp = await readSetUp(repository, commit, wanted.setup);
      if (!hasAgreedToSetUp(users, setUp.digest) && agreesSetUp !== setUp.digest) throw setUpUnagreed(setUp);
    },
  );
  return { study, repository };
}

async function findMove(repository: Repository, { baseCommit, contract }: Study): Promise<Move | null> {
  const { constants } = await surveyConstants(repository, baseCommit, contract, MANY_CONSTANTS);
  return breakConstant(constants);
}

async function runCheck(
  study: Study,
  move: Move | null,
  asked: number,
  ledger: Ledger,
  paths: DataPaths,
  { options, signal, onProgress }: MetricCheckPorts,
): Promise<void> {
  const { environment, storedKey, now = Date.now } = options;
  const runs = asked + (move ? 1 : 0);
  let done = 0;
  let sitting: Sitting | null = null;
  const emit = (event: EngineEventBody) => {
    if (event.type === 'setup_started') onProgress({ run: 0, runs, isBroken: false });
    if (event.type === 'run_started') onProgress({ run: done + 1, runs, isBroken: event.n > 0 });
    if (event.type === 'verdict' || (event.type === 'repeated' && event.value !== null)) done += 1;
    // What a broken code gave is no claim to be measured again.
    if (event.type === 'verdict' && event.n > 0) sitting?.wish('stop');
  };
  const opened = await openSitting(
    study,
    { check: { baselineRuns: asked, proposer: brokenProposer(move) } },
    {
      ...{ ledger, options: { ...options, paths }, now, signal, emit },
      surroundings: { home: paths.home, environment, storedKey },
      reserve: new DiskReserve(paths.home),
      hasWish: () => sitting?.hasWish() ?? false,
      takeNotices: () => [],
    },
  );
  sitting = opened.sitting;
  try {
    await sitting.run();
  } finally {
    opened.close();
  }
}

async function readOutcome(
  { runs: asked, hours, breaks }: MetricCheckInput,
  study: Study,
  move: Move | null,
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
    times: baselineTimes(id, ledger),
    runSeconds: middle ?? contract.budget.seconds,
    broken: brokenRun(study, breaks, move, ledger),
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

/** Why an experiment gave no number that counts. */
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
  { id }: Study,
  runs: readonly number[],
  values: readonly number[],
): Promise<number | null> {
  let most: number | null = null;
  for (const k of runs) {
    const output = (await readFile(runLog(paths, id, 0, k)).catch(() => Buffer.alloc(0))).subarray(
      -MAX_LOG_BYTES,
    );
    for (const value of values) {
      const decimals = printedDecimals(output.toString('latin1'), value);
      if (decimals !== null) most = Math.max(most ?? decimals, decimals);
    }
  }
  return most;
}
