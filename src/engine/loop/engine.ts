import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contract, StopRules } from '../../shared/contract.ts';
import { PawlError } from '../../shared/errors.ts';
import type { EngineEvent, EngineEventBody } from '../../shared/events.ts';
import type { ProposerSettings, Study } from '../../shared/study.ts';
import { matchEditable } from '../contract/editable.ts';
import { loadContract } from '../contract/load-contract.ts';
import { takeEngineLock } from '../ledger/engine-lock.ts';
import { type Ledger, openLedger } from '../ledger/ledger.ts';
import type { RequestKind } from '../ledger/requests.ts';
import { CrashReader } from '../metrics/crash.ts';
import { LineSplitter } from '../metrics/line-splitter.ts';
import { type DataPaths, studyFolder } from '../paths.ts';
import { createProposer } from '../proposers/create-proposer.ts';
import { branchRef, createRef, isValidTag } from '../repo/refs.ts';
import {
  listTree,
  openRepository,
  type Repository,
  readHeadBranch,
  readHeadCommit,
  readRef,
} from '../repo/repository.ts';
import type { KillTimes } from '../training/kill-tree.ts';
import { LINUX_ONLY } from '../training/process-table.ts';
import { runTraining } from '../training/run-training.ts';
import { reconcile } from './reconcile.ts';
import type { StopLimits } from './stop-rules.ts';
import { ratchet, type SittingEnd, StudyRunner } from './study-runner.ts';
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
    await requireEditableFiles(repository, baseCommit, contract);
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
    await createRef(repository, branchRef(tag), baseCommit);
    return study;
  }

  async #chooseTag(repository: Repository, wanted: string | undefined): Promise<string> {
    const isTaken = async (tag: string) =>
      (await readRef(repository, branchRef(tag))) !== null ||
      this.ledger.studies.list().some(study => study.tag === tag && study.gitDir === repository.gitDir);
    if (wanted !== undefined) {
      if (!isValidTag(wanted)) {
        throw new PawlError('usage', `"${wanted}" is no valid tag: use letters, digits, ".", "_" and "-".`);
      }
      if (await isTaken(wanted)) {
        throw new PawlError(
          'branch_exists',
          `The branch autoresearch/${wanted} exists already. Choose another --tag, or go on with "pawl resume --tag ${wanted}".`,
        );
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
    await this.#settleBranch(study, repository);
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
    const path = join(paths.worktrees, study.worktreeName);
    const workbench = new Workbench(repository, path, study.contract, study.preserved);
    const isNew = await workbench.open(incumbent?.commit ?? study.baseCommit);
    await this.#setUp(study, repository, workbench, isNew, emit);
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
    const poll = setInterval(() => this.#answerRequests(), REQUEST_POLL_MS);
    try {
      return await runner.run();
    } finally {
      clearInterval(poll);
    }
  }

  #answerRequests(): void {
    if (this.ledger.requests.isEmpty()) return;
    for (const kind of this.ledger.write(() => this.ledger.requests.take())) this.request(kind);
  }

  /** What the user asks of the sitting that runs; does nothing when none does. */
  request(kind: RequestKind): void {
    if (kind === 'stop_now') this.#runner?.stopNow();
    else this.#runner?.wish(({ pause: 'pause', continue: 'go', stop: 'stop' } as const)[kind]);
  }

  /** The study's repository, also when it was moved to `movedTo`; then the ledger is told. */
  async #findRepository(study: Study, movedTo: string | undefined): Promise<Repository> {
    let repository: Repository;
    if (existsSync(study.gitDir) || movedTo === undefined) {
      repository = await openRepository(study.repositoryPath);
    } else {
      repository = await openRepository(movedTo);
      if ((await readRef(repository, study.baseCommit)) === null) {
        throw new PawlError(
          'not_a_repository',
          `${study.repositoryPath} is gone, and ${repository.path} is not where it went: ${study.baseCommit.slice(0, 12)} is not in it.`,
        );
      }
      const { path, gitDir } = repository;
      this.ledger.write(() => this.ledger.studies.setRepository(study.id, path, gitDir));
    }
    const branch = await readHeadBranch(repository);
    if (branch === branchRef(study.tag)) {
      throw new PawlError(
        'branch_moved',
        `${repository.path} has autoresearch/${study.tag} checked out, and Pawl would move it under your files. ` +
          'Switch to another branch first.',
      );
    }
    return repository;
  }

  /** Finishes a ratchet the engine died in, and makes sure the branch stands where the ledger says. */
  async #settleBranch(study: Study, repository: Repository): Promise<void> {
    const { experiments } = this.ledger;
    const ref = branchRef(study.tag);
    const expected = () => experiments.incumbent(study.id)?.commit ?? study.baseCommit;
    if ((await readRef(repository, ref)) === null) await createRef(repository, ref, expected());
    for (const { n, verdict, parentCommit, attemptCommit } of experiments.unfinished(study.id)) {
      if (verdict?.word !== 'keep' || !parentCommit || !attemptCommit) continue;
      await ratchet(this.ledger, repository, study, n, parentCommit, attemptCommit);
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
    const command = study.contract.setup;
    if (command === null) return;
    const { paths, killTimes } = this.#options;
    const folder = studyFolder(paths, study.id);
    const done = join(folder, 'setup-done');
    if (existsSync(done) && !isNew) return;
    await rm(done, { force: true });
    await mkdir(folder, { recursive: true });
    await workbench.checkout(this.ledger.experiments.incumbent(study.id)?.commit ?? study.baseCommit);
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
      signal: new AbortController().signal,
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
    const preserved = await workbench.listUntracked();
    workbench.keep(preserved);
    workbench.markDirty();
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

function applyOverrides(contract: Contract, input: NewStudy): Contract {
  const seconds = input.budgetSeconds ?? contract.budget.seconds;
  const limitSeconds =
    input.limitSeconds ??
    (input.budgetSeconds === undefined
      ? contract.budget.limitSeconds
      : Math.max(contract.budget.limitSeconds, 2 * seconds));
  return { ...contract, budget: { seconds, limitSeconds } };
}

async function requireEditableFiles(
  repository: Repository,
  commit: string,
  contract: Contract,
): Promise<void> {
  const isEditable = matchEditable(contract.editable);
  const files = (await listTree(repository, commit)).filter(entry => isEditable(entry.path));
  if (files.some(entry => entry.mode === '100644' || entry.mode === '100755')) return;
  const why = files.length > 0 ? `${files[0]?.path} is a link or a submodule` : 'no committed file matches';
  throw new PawlError('contract_invalid', `Nothing to edit: ${contract.editable.join(', ')}: ${why}.`);
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
