import { randomBytes } from 'node:crypto';
import type { Contract } from '../../shared/contract.ts';
import { PawlError } from '../../shared/errors.ts';
import type { EngineEventBody } from '../../shared/events.ts';
import type { ContractChoices } from '../../shared/findings.ts';
import { isSame, type MetricCheckOutcome, type MetricCheckProgress } from '../../shared/metric-check.ts';
import type { Study } from '../../shared/study.ts';
import { loadContract } from '../contract/load-contract.ts';
import { openRepository, type Repository, readHeadCommit } from '../git/repository.ts';
import { DiskReserve } from '../machine/disk-reserve.ts';
import type { DataPaths } from '../paths.ts';
import { refuseUntrainable } from '../preflight/check-training.ts';
import { breakConstant } from '../proposers/search/break-constant.ts';
import type { Move } from '../proposers/search/choice.ts';
import { findSeed, surveyConstants } from '../proposers/search/survey.ts';
import { findRefusal } from '../session/containment.ts';
import { createStudy } from '../session/create-study.ts';
import type { EngineOptions } from '../session/engine-options.ts';
import { openSitting } from '../session/open-sitting.ts';
import type { Sitting } from '../session/sitting.ts';
import { teller } from '../session/teller.ts';
import { openTemporaryLedger, removeTemporaryStudies, temporaryPaths } from '../session/temporary-study.ts';
import { saveTimes } from '../stages/judge/known-times.ts';
import { baselineTimes } from '../stages/judge/study-budget.ts';
import { canRepeat } from '../stages/judge/verdict-rule.ts';
import { hasAgreedToSetUp, readSetUp, setUpUnagreed } from '../stages/set-up/set-up-consent.ts';
import type { Ledger } from '../store/ledger.ts';
import { moveProposer } from './move-proposer.ts';
import { type Changes, readOutcome } from './read-outcome.ts';

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
  'Its number cannot be measured repeatedly: it comes later (metric.wait), or the training asks a model, which answers the same question only once.';
/** Constants to choose from. */
const MANY_CONSTANTS = 200;
/** A name that no study of the user has. */
const TAG_BYTES = 6;

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
    const changes = await findChanges(repository, study, input.breaks);
    const tried = await runCheck(study, changes, input.runs, ledger, own, ports);
    if (ports.signal.aborted) return { kind: 'stopped' };
    const outcome = await readOutcome(input, study, { ...changes, tried }, ledger, own);
    const { gitDir, contract, createdAt: at } = study;
    const times = { train: contract.train, at, times: [...baselineTimes(study.id, ledger)] };
    if (outcome.kind === 'measured') ports.ledger.write(() => saveTimes(ports.ledger, gitDir, times));
    return outcome;
  } catch (error) {
    if (ports.signal.aborted && (error as Error).name === 'AbortError') return { kind: 'stopped' };
    throw error;
  } finally {
    ledger.close();
    // What cannot be removed takes nothing from the answer: the next engine tries again, and tells of it.
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
      // Nothing is kept, so that each change is one of the code as it is.
      contract: {
        ...contract,
        metric: { ...contract.metric, verdict: 'honest', leastGain: Number.MAX_VALUE },
      },
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

async function findChanges(
  repository: Repository,
  { baseCommit, contract }: Study,
  breaks: boolean,
): Promise<Changes> {
  const survey = () => surveyConstants(repository, baseCommit, contract, MANY_CONSTANTS);
  const broken = breaks ? breakConstant((await survey()).constants) : null;
  const seed = await findSeed(repository, baseCommit, contract);
  const seeds = [1, 2].flatMap((more): readonly Move[] =>
    seed
      ? [
          {
            ...{ file: seed.file, name: seed.name, direction: 'other', from: seed.text },
            to: String(seed.value + more),
          },
        ]
      : [],
  );
  return { broken, seeds };
}

/** @returns what was changed in each experiment after the baseline, in order */
async function runCheck(
  study: Study,
  { broken, seeds }: Changes,
  asked: number,
  ledger: Ledger,
  paths: DataPaths,
  { options, signal, onProgress }: MetricCheckPorts,
): Promise<readonly Move[]> {
  const { environment, storedKey, now = Date.now } = options;
  const values: number[] = [];
  let changed = 0;
  const changes = () => [...(broken ? [broken] : []), ...(isSame({ values }) ? seeds : [])];
  const next = (n: number) => changes()[n - 1] ?? null;
  let sitting: Sitting | null = null;
  const watch = (event: EngineEventBody) => {
    if (event.type === 'setup_started') onProgress({ run: 0, runs: asked, of: 'code' });
    if (event.type === 'run_started') {
      const of = event.n === 0 ? 'code' : next(event.n) === broken ? 'broken' : 'seed';
      const whole = asked + (event.n === 0 ? Number(broken !== null) : changes().length);
      onProgress({ run: (event.n === 0 ? values.length : asked + changed) + 1, runs: whole, of });
    }
    if (event.type === 'verdict' && event.n > 0) changed += 1;
    else if (event.type === 'verdict' && event.metric !== null) values.push(event.metric);
    else if (event.type === 'repeated' && event.value !== null) values.push(event.value);
  };
  const opened = await openSitting(
    study,
    { check: { baselineRuns: asked, proposer: moveProposer(next) } },
    {
      ...{ ledger, options: { ...options, paths }, now, signal },
      ...teller(study.id, ledger, now, null, watch),
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
    await opened.close(true);
  }
  return changes();
}
