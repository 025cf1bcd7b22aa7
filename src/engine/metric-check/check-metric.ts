import { randomBytes } from 'node:crypto';
import type { Contract } from '../../shared/contract/contract.ts';
import type { ContractChoices } from '../../shared/contract/findings.ts';
import { PawlError } from '../../shared/errors.ts';
import type { EngineEventBody } from '../../shared/events.ts';
import type { Study } from '../../shared/study.ts';
import {
  isSame,
  type MetricCheckOutcome,
  type MetricCheckProgress,
} from '../../shared/verdicts/metric-check.ts';
import { loadContract } from '../contract/load-contract.ts';
import { openRepository, type Repository, readHeadCommit } from '../git/repository.ts';
import { DiskReserve } from '../machine/disk-reserve.ts';
import type { DataPaths } from '../paths.ts';
import { refuseUntrainable } from '../preflight/check-training.ts';
import { breakConstant } from '../proposers/search/break-constant.ts';
import type { Move } from '../proposers/search/choice.ts';
import { findSeed, surveyConstants } from '../proposers/search/survey.ts';
import type { EngineOptions } from '../session/engine-options.ts';
import type { Sitting } from '../session/sitting.ts';
import { findRefusal } from '../session/start/containment.ts';
import { createStudy } from '../session/start/create-study.ts';
import { openSitting } from '../session/start/open-sitting.ts';
import {
  openTemporaryLedger,
  removeTemporaryStudies,
  temporaryPaths,
} from '../session/start/temporary-study.ts';
import { teller } from '../session/teller.ts';
import { saveTimes } from '../stages/judge/known-times.ts';
import { baselineTimes } from '../stages/judge/study-budget.ts';
import { canRepeat } from '../stages/judge/verdict-rule.ts';
import { hasAgreedToSetUp, readSetUp, setUpUnagreed } from '../stages/set-up/set-up-consent.ts';
import type { Ledger } from '../store/ledger.ts';
import { moveProposer } from './move-proposer.ts';
import { type Changes, readOutcome } from './read-outcome.ts';

export type MetricCheckInput = {
  readonly repositoryPath: string;
  /** How many times the unchanged code is trained. */
  readonly runs: number;
  /** Length of the night that the answer assumes. */
  readonly hours: number;
  /** Whether to train once more with a constant broken on purpose. */
  readonly breaks: boolean;
  /** As in {@link Study}. */
  readonly gpu?: string | undefined;
  /** Digest of the set-up command that the user was shown and agreed to just now. */
  readonly agreesSetUp?: string | undefined;
  /** Replaces findings from the last commit. */
  readonly choices?: ContractChoices | undefined;
  /** Replaces the contract of the last commit. */
  readonly contract?: Contract | undefined;
};

export type MetricCheckPorts = {
  readonly options: EngineOptions;
  /** Stores what the user agreed to, and how long the baseline took. The engine's lock must be held. */
  readonly ledger: Ledger;
  /** Ends the check; it then resolves once nothing is left of it. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: MetricCheckProgress) => void;
};

const NO_CHECK =
  'Its number cannot be measured repeatedly: it comes later (metric.wait), or the training asks a model, which answers the same question only once.';
/** How many constants to choose from. */
const MANY_CONSTANTS = 200;
/** Makes a name that none of the user's studies has. */
const TAG_BYTES = 6;

/**
 * Trains a repository's last commit several times, and once broken. The check is itself a study, with all stages, in
 * its own ledger, folders and branch, which are removed afterwards. Rejects like `createStudy` and like a sitting.
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
    // If something cannot be removed, the answer stands; the next engine tries again and reports it.
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
  // The proposer that breaks a constant is not one that users can choose; the stored one is never asked.
  const proposer = { kind: 'patches', folder: paths.home } as const;
  const study = await createStudy(
    ledger,
    {
      repositoryPath,
      tag: `metric-check-${randomBytes(TAG_BYTES).toString('hex')}`,
      ...{ proposer, gpu, stop: {} },
      // Nothing is kept, so that every change is made to the unchanged code.
      contract: {
        ...contract,
        metric: { ...contract.metric, verdict: 'honest', leastGain: Number.MAX_VALUE },
      },
    },
    now(),
    { home: paths.home, environment, storedKey },
    async ({ commit, contract: wanted, tree }) => {
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
      ...{ ledger, options: { ...options, paths }, now, signal, opening: signal },
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
