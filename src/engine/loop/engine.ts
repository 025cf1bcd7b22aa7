import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contract, StopRules } from '../../shared/contract.ts';
import { PawlError } from '../../shared/errors.ts';
import type { EngineEvent, EngineEventBody } from '../../shared/events.ts';
import type { ProposerSettings, Study } from '../../shared/study.ts';
import { matchEditable, matchPaths } from '../contract/editable.ts';
import { loadContract } from '../contract/load-contract.ts';
import { takeEngineLock } from '../ledger/engine-lock.ts';
import { type Ledger, openLedger } from '../ledger/ledger.ts';
import type { RequestKind } from '../ledger/requests.ts';
import { CrashReader } from '../metrics/crash.ts';
import { LineSplitter } from '../metrics/line-splitter.ts';
import { type DataPaths, studyFolder } from '../paths.ts';
import { createProposer } from '../proposers/create-proposer.ts';
import { branchRef, createRef, hasAttempts, isValidTag } from '../repo/refs.ts';
import { listTree, openRepository, type Repository, readHeadCommit, readRef } from '../repo/repository.ts';
import type { KillTimes } from '../training/kill-tree.ts';
import { LINUX_ONLY } from '../training/process-table.ts';
import { runTraining } from '../training/run-training.ts';
import { reconcile } from './reconcile.ts';
import type { StopLimits } from './stop-rules.ts';
import { ratchet, refuseCheckedOut, type SittingEnd, StudyRunner } from './study-runner.ts';
import { environmentFor, runMarker } from './train-attempt.ts';
import { Workbench } from './workbench.ts';

/** How often the engine looks for what another process asks of it. */
const REQUEST_POLL_MS = 200;
/** A set-up may download and compile; after this it hangs. */
const SETUP_LIMIT_SECONDS = 3600;

export type EngineOptions = {
  readonly paths: DataPaths;
  /** Which host this is, for the message another engine shows. */
  readonly host: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly now?: () => number;
  readonly killTimes?: KillTimes;
};

export type NewStudy = {
  readonly repositoryPath: string;
  /** Default: today, as upstream writes it (`mar5`), with a number behind it where taken. */
  readonly tag?: string | undefined;
  readonly proposer: ProposerSettings;
  readonly stop?: StopRules | undefined;
  readonly budgetSeconds?: number | undefined;
  readonly limitSeconds?: number | undefined;
};

/** What a further sitting may change. */
export type SittingSettings = {
  readonly stop?: StopRules | undefined;
  readonly proposer?: ProposerSettings | undefined;
  readonly limitSeconds?: number | undefined;
  /** Where the repository may be now, if it is not where it was. */
  readonly repositoryPath?: string | undefined;
};

/**
 * The engine of one data folder: takes its lock, reconciles what an earlier life left, then creates and runs
 * studies, one at a time. Everything it says goes out as events.
 */
export class Engine {
  readonly ledger: Ledger;
  readonly #options: EngineOptions;
  readonly #lock: { release(): void };
  readonly #now: () => number;
  #runner: StudyRunner | null = null;
  #stopNow = new AbortController();
  /** Requests that came before the sitting had a runner. */
  readonly #early: RequestKind[] = [];
  #sequence = 0;

  private constructor(options: EngineOptions, ledger: Ledger, lock: { release(): void }) {
    this.#options = options;
    this.ledger = ledger;
    this.#lock = lock;
    this.#now = options.now ?? Date.now;
  }

  /** Rejects with `engine_running`, `ledger_newer`, `ledger_damaged` or `disk_full`. */
  static async open(options: EngineOptions, repository: string | null): Promise<Engine> {
    const { paths, host } = options;
    if (process.platform !== 'linux') throw new PawlError('usage', LINUX_ONLY);
    const lock = takeEngineLock(paths, { pid: process.pid, host, startedAt: Date.now(), repository });
    try {
      const ledger = openLedger(paths.ledger);
      const engine = new Engine(options, ledger, lock);
      await reconcile(ledger, engine.#now, options.killTimes);
      return engine;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  close(): void {
    this.ledger.close();
    this.#lock.release();
  }

  /**
   * Writes a study down and makes its branch at the repository's HEAD. Rejects with `not_a_repository`,
   * `contract_…`, `branch_exists`, `usage`.
   */
  async createStudy(input: NewStudy): Promise<Study> {
    const repository = await openRepository(input.repositoryPath);
    const baseCommit = await readHeadCommit(repository);
    if (!baseCommit) {
      throw new PawlError(
        'contract_not_found',
        `${repository.path} has no commit yet: commit your files first.`,
      );
    }
    const contract = applyOverrides(await loadContract(repository, baseCommit), input);
    await requireContractFiles(repository, baseCommit, contract);
    const tag = await this.#chooseTag(repository, input.tag);
    const createdAt = this.#now();
    const id = `${new Date(createdAt).toISOString().slice(0, 10).replaceAll('-', '')}-${randomBytes(5).toString('hex')}`;
    const study: Study = {
      id,
      tag,
      repositoryPath: repository.path,
      gitDir: repository.gitDir,
      contract,
      baseCommit,
      proposer: input.proposer,
      stop: { ...contract.stop, ...input.stop },
      state: 'ready',
      stopReason: null,
      stopDetail: null,
      createdAt,
      preserved: [],
      worktreeName: `pawl-${tag}-${id.slice(-6)}`,
      importedFrom: null,
      importColumns: null,
    };
    await createProposer(study.proposer);
    this.ledger.write(() => this.ledger.studies.insert(study));
    try {
      if (!(await createRef(repository, branchRef(tag), baseCommit))) throw branchExists(tag);
    } catch (error) {
      this.ledger.write(() => this.ledger.studies.remove(id));
      throw error;
    }
    return study;
  }

  async #chooseTag(repository: Repository, wanted: string | undefined): Promise<string> {
    if ((await readRef(repository, 'refs/heads/autoresearch')) !== null) {
      throw new PawlError(
        'branch_exists',
        'There is a branch named "autoresearch", so git cannot make autoresearch/<tag>. Rename it first.',
      );
    }
    const isTaken = async (tag: string) =>
      (await readRef(repository, branchRef(tag))) !== null ||
      (await hasAttempts(repository, tag)) ||
      this.ledger.studies.list().some(study => study.tag === tag && study.gitDir === repository.gitDir);
    if (wanted !== undefined) {
      if (!isValidTag(wanted)) {
        throw new PawlError('usage', `"${wanted}" is no valid tag: use letters, digits, ".", "_" and "-".`);
      }
      if (await isTaken(wanted)) {
        throw branchExists(wanted);
      }
      return wanted;
    }
    const date = new Date(this.#now());
    const base = `${date.toLocaleString('en', { month: 'short' }).toLowerCase()}${date.getDate()}`;
    for (let index = 1; ; index += 1) {
      const tag = index === 1 ? base : `${base}-${index}`;
      if (!(await isTaken(tag))) return tag;
    }
  }

  /**
   * One sitting of a study, until a stop rule holds or the user stops it. Errors of the world (full disk, moved
   * branch) end the sitting with reason `error`; the study can be resumed once they are mended.
   */
  async run(
    studyId: string,
    settings: SittingSettings,
    onEvent: (event: EngineEvent) => void,
  ): Promise<SittingEnd & { readonly error: PawlError | null }> {
    const study = this.#prepareSettings(studyId, settings);
    this.#stopNow = new AbortController();
    const emit = (body: EngineEventBody) => {
      this.#sequence += 1;
      onEvent({ seq: this.#sequence, at: this.#now(), study: studyId, ...body } as EngineEvent);
    };
    let error: PawlError | null = null;
    let end: SittingEnd;
    try {
      end = await this.#sit(study, settings.repositoryPath, emit);
    } catch (caught) {
      error = toPawlError(caught, this.#options.paths.home);
      end = { reason: 'error', detail: error.message };
    }
    this.#runner = null;
    this.#early.length = 0;
    this.#recordEnd(studyId, end);
    const { finished, keep, discard, crash, baseline, best, bestExperiment } = this.ledger.experiments.tally(
      studyId,
      study.contract.metric.goal,
    );
    emit({
      type: 'study_stopped',
      ...end,
      ...{ finished, keep, discard, crash, baseline, best, bestExperiment },
    });
    return { ...end, error };
  }

  #recordEnd(studyId: string, end: SittingEnd): void {
    try {
      this.ledger.write(() => this.ledger.studies.setState(studyId, 'stopped', end.reason, end.detail));
    } catch (error) {
      // A full disk ends the sitting and cannot be written down; the next start finds the study `running`.
      if (!(error instanceof PawlError) || end.reason !== 'error') throw error;
    }
  }

  #prepareSettings(studyId: string, settings: SittingSettings): Study {
    const study = this.ledger.studies.get(studyId);
    if (!study) throw new PawlError('study_not_found', `There is no study ${studyId}.`);
    if (study.state === 'imported') {
      throw new PawlError('study_read_only', `${study.tag} was imported and cannot be run.`);
    }
    const { budget } = study.contract;
    const { deadline, ...lasting } = study.stop;
    // A deadline that has passed was of an earlier night.
    const isResumed = this.ledger.experiments.lastNumber(studyId) !== null;
    const isPast = isResumed && deadline !== undefined && Date.parse(deadline) <= this.#now();
    const changed = {
      stop: { ...(isPast ? lasting : study.stop), ...settings.stop },
      proposer: settings.proposer ?? study.proposer,
      contract: {
        ...study.contract,
        budget: { ...budget, limitSeconds: settings.limitSeconds ?? budget.limitSeconds },
      },
    };
    this.ledger.write(() => this.ledger.studies.setSettings(studyId, changed));
    return { ...study, ...changed };
  }

  async #sit(
    study: Study,
    movedTo: string | undefined,
    emit: (body: EngineEventBody) => void,
  ): Promise<SittingEnd> {
    const { ledger } = this;
    const { paths, environment, killTimes } = this.#options;
    const repository = await this.#findRepository(study, movedTo);
    const proposer = await createProposer(study.proposer);
    await mkdir(paths.worktrees, { recursive: true });
    const worktreePath = join(await realpath(paths.worktrees), study.worktreeName);
    await this.#settleBranch(study, repository, worktreePath);
    const incumbent = ledger.experiments.incumbent(study.id);
    ledger.write(() => {
      ledger.requests.take();
      ledger.studies.setState(study.id, 'running', null, null);
    });
    emit({
      type: 'study_started',
      tag: study.tag,
      repository: repository.path,
      branch: branchRef(study.tag).replace('refs/heads/', ''),
      baseCommit: study.baseCommit,
      metric: study.contract.metric.name,
      goal: study.contract.metric.goal,
      budgetSeconds: study.contract.budget.seconds,
      limitSeconds: study.contract.budget.limitSeconds,
      proposer: study.proposer.kind,
      resumed: ledger.experiments.lastNumber(study.id) !== null,
      best: incumbent?.metric ?? null,
    });
    const workbench = new Workbench(
      repository,
      worktreePath,
      study.contract,
      study.preserved,
      study.contract.setup === null
        ? null
        : (bench, isNew) => this.#setUp(study, repository, bench, isNew, emit),
    );
    const runner = new StudyRunner(study, stopLimits(study.stop, this.#now()), {
      ledger,
      paths,
      repository,
      workbench,
      proposer,
      now: this.#now,
      emit,
      userEnvironment: environment,
      killTimes,
    });
    this.#runner = runner;
    for (const kind of this.#early.splice(0)) this.request(kind);
    const poll = setInterval(() => this.#answerRequests(), REQUEST_POLL_MS);
    try {
      return await runner.run();
    } finally {
      clearInterval(poll);
    }
  }

  #answerRequests(): void {
    try {
      if (this.ledger.requests.isEmpty()) return;
      for (const kind of this.ledger.write(() => this.ledger.requests.take())) this.request(kind);
    } catch (error) {
      // A full disk shows wherever the loop writes next; a request can wait until then.
      if (!(error instanceof PawlError)) throw error;
    }
  }

  /** What the user asks of the sitting that runs, or is about to. */
  request(kind: RequestKind): void {
    if (!this.#runner) {
      this.#early.push(kind);
      return;
    }
    if (kind === 'stop_now') {
      this.#stopNow.abort(new DOMException('stopped by the user', 'AbortError'));
      this.#runner.stopNow();
      return;
    }
    this.#runner.wish(({ pause: 'pause', continue: 'go', stop: 'stop' } as const)[kind]);
  }

  /** The study's repository, also when it was moved to `movedTo`; then the ledger is told. */
  async #findRepository(study: Study, movedTo: string | undefined): Promise<Repository> {
    for (const path of [study.repositoryPath, ...(movedTo === undefined ? [] : [movedTo])]) {
      const repository = await openRepository(path).catch(() => null);
      if (!repository || (await readRef(repository, study.baseCommit)) === null) continue;
      if (repository.gitDir !== study.gitDir) {
        const { path: newPath, gitDir } = repository;
        this.ledger.write(() => this.ledger.studies.setRepository(study.id, newPath, gitDir));
      }
      return repository;
    }
    throw new PawlError(
      'not_a_repository',
      `${study.repositoryPath} is not the repository of ${study.tag} any more (commit ${study.baseCommit.slice(0, 12)} is not ` +
        'there). If it was moved, run "pawl resume <new path>".',
    );
  }

  /** Finishes a ratchet the engine died in, and makes sure the branch stands where the ledger says. */
  async #settleBranch(study: Study, repository: Repository, worktreePath: string): Promise<void> {
    const { experiments } = this.ledger;
    const ref = branchRef(study.tag);
    await refuseCheckedOut(repository, study.tag, worktreePath);
    const expected = () => experiments.incumbent(study.id)?.commit ?? study.baseCommit;
    if ((await readRef(repository, ref)) === null) await createRef(repository, ref, expected());
    for (const { n, verdict, parentCommit, attemptCommit } of experiments.unfinished(study.id)) {
      if (verdict?.word !== 'keep' || !parentCommit || !attemptCommit) continue;
      await ratchet(this.ledger, repository, study, n, parentCommit, attemptCommit, worktreePath);
    }
    const found = await readRef(repository, ref);
    if (found === expected()) return;
    throw new PawlError(
      'branch_moved',
      `autoresearch/${study.tag} is at ${found?.slice(0, 12)}, but the ledger says ${expected().slice(0, 12)}. Move it ` +
        `back with "git update-ref ${ref} ${expected()}", or start a new study.`,
    );
  }

  async #setUp(
    study: Study,
    repository: Repository,
    workbench: Workbench,
    isNew: boolean,
    emit: (body: EngineEventBody) => void,
  ): Promise<void> {
    const command = study.contract.setup ?? '';
    const { paths, killTimes } = this.#options;
    const folder = studyFolder(paths, study.id);
    const done = join(folder, 'setup-done');
    if (existsSync(done) && !isNew) return;
    await rm(done, { force: true });
    await mkdir(folder, { recursive: true });
    emit({ type: 'setup_started', command });
    const reader = new CrashReader();
    const lines = new LineSplitter(line => reader.line(line));
    const result = await runTraining({
      command,
      cwd: workbench.path,
      environment: environmentFor(
        study,
        { paths, repository, userEnvironment: this.#options.environment },
        runMarker(study.id, -1, 0),
      ),
      logPath: join(folder, 'setup.log'),
      limitSeconds: SETUP_LIMIT_SECONDS,
      onOutput: chunk => lines.push(chunk),
      signal: this.#stopNow.signal,
      ...(killTimes ? { killTimes } : {}),
    });
    lines.end();
    if (result.outcome.kind !== 'exit' || result.outcome.code !== 0) {
      const crash = reader.classify(result.outcome, null, study.contract.metric.name, SETUP_LIMIT_SECONDS);
      throw new PawlError(
        'setup_failed',
        `The set-up command failed: ${crash?.message} Its output is in ${join(folder, 'setup.log')}.`,
      );
    }
    const preserved = await workbench.listMade();
    workbench.keep(preserved);
    this.ledger.write(() => this.ledger.studies.setPreserved(study.id, preserved));
    await writeFile(done, '');
    emit({ type: 'setup_finished', seconds: result.seconds });
  }
}

/** Errors of the file system get the name a user can act on; anything else is a bug and says so, with its cause. */
function toPawlError(error: unknown, home: string): PawlError {
  if (error instanceof PawlError) return error;
  const { code, message = String(error) } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new PawlError('disk_full', `The disk that holds ${home} is full: ${message}`, { cause: error });
  }
  return new PawlError('internal', `Something unexpected ended the sitting: ${message}`, { cause: error });
}

function branchExists(tag: string): PawlError {
  return new PawlError(
    'branch_exists',
    `The branch autoresearch/${tag} exists already, or attempts of an earlier study at refs/pawl/${tag}. Choose another ` +
      `--tag, or go on with "pawl resume --tag ${tag}".`,
  );
}

function applyOverrides(contract: Contract, input: NewStudy): Contract {
  const seconds = input.budgetSeconds ?? contract.budget.seconds;
  const limitSeconds =
    input.limitSeconds ??
    (input.budgetSeconds === undefined
      ? contract.budget.limitSeconds
      : Math.max(contract.budget.limitSeconds, 2 * seconds));
  return { ...contract, budget: { seconds, limitSeconds } };
}

/** What doctor calls failed must not start: a guard that guards nothing, instructions nobody can read. */
async function requireContractFiles(
  repository: Repository,
  commit: string,
  contract: Contract,
): Promise<void> {
  const tree = await listTree(repository, commit);
  const fail = (message: string): never => {
    throw new PawlError('contract_invalid', message);
  };
  const editable = tree.filter(entry => matchEditable(contract.editable)(entry.path));
  if (!editable.some(entry => entry.mode.startsWith('100'))) {
    const why =
      editable.length > 0 ? `${editable[0]?.path} is a link or a submodule` : 'no committed file matches';
    fail(`Nothing to edit: ${contract.editable.join(', ')}: ${why}.`);
  }
  const unmatched = contract.locked?.find(pattern => !tree.some(entry => matchPaths([pattern])(entry.path)));
  if (unmatched !== undefined) fail(`Nothing to lock: ${unmatched}: no committed file matches.`);
  if (contract.instructions !== null && !tree.some(entry => entry.path === contract.instructions)) {
    fail(`The instructions ${contract.instructions} are not committed.`);
  }
}

function stopLimits(stop: StopRules, now: number): StopLimits {
  const deadlines = [
    ...(stop.deadline === undefined ? [] : [Date.parse(stop.deadline)]),
    ...(stop.hours === undefined ? [] : [now + stop.hours * 3_600_000]),
  ];
  return {
    experiments: stop.experiments,
    deadline: deadlines.length > 0 ? Math.min(...deadlines) : undefined,
    target: stop.target,
    patience: stop.patience,
    crashes: stop.crashes,
  };
}
