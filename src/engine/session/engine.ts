import { existsSync } from 'node:fs';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contract, StopRules } from '../../shared/contract.ts';
import { PawlError } from '../../shared/errors.ts';
import type { EngineEvent, EngineEventBody } from '../../shared/events.ts';
import { describeFlag } from '../../shared/fairness.ts';
import type { Mark } from '../../shared/notebook.ts';
import { describeRest, describeRested } from '../../shared/rests.ts';
import type { Decision } from '../../shared/review.ts';
import { type ProposerSettings, proposerLabel, type Study } from '../../shared/study.ts';
import { branchRef } from '../git/refs.ts';
import { removeBelow } from '../git/remove.ts';
import type { Repository } from '../git/repository.ts';
import { Hooks } from '../hooks/hooks.ts';
import { DiskReserve } from '../machine/disk-reserve.ts';
import type { Telemetry } from '../machine/telemetry.ts';
import { type DataPaths, studyFolder } from '../paths.ts';
import { refuseUntrainable } from '../preflight/check-training.ts';
import type { KillTimes } from '../process/kill-tree.ts';
import { hooksMarker } from '../process/markers.ts';
import { LINUX_ONLY } from '../process/process-table.ts';
import { createProposer, type ProposerSurroundings } from '../proposers/create-proposer.ts';
import type { CallTimes } from '../proposers/model/caller.ts';
import { findIdleSearch, refuseConstantless } from '../proposers/search/survey.ts';
import { CACHES, DATA_VIEW, readCommitFiles, tryContainment } from '../sandbox/contain.ts';
import { sandboxMode } from '../sandbox/find-sandbox.ts';
import { Workbench } from '../stages/edit/workbench.ts';
import { settleBranch } from '../stages/record/branch.ts';
import { runSetUp } from '../stages/set-up/set-up.ts';
import { agreeToSetUp, hasAgreedToSetUp, readSetUp, setUpUnagreed } from '../stages/set-up/set-up-consent.ts';
import { Pruner } from '../stages/train/pruner.ts';
import type { SittingSandbox } from '../stages/train/surroundings.ts';
import { type EngineLock, takeEngineLock } from '../store/engine-lock.ts';
import { type Ledger, openLedger } from '../store/ledger.ts';
import type { RequestKind } from '../store/requests.ts';
import { readUserSettings } from '../user-settings.ts';
import { agree, hasAgreed, isWrittenByModels, refuseUncontained } from './consent.ts';
import { createStudy, type NewStudy } from './create-study.ts';
import { findRepository } from './find-repository.ts';
import { interruptUnfinished, reconcile } from './reconcile.ts';
import { Sitting, type SittingEnd } from './sitting.ts';
import { stopLimits } from './stop-rules.ts';
import { Thoughts } from './thoughts.ts';

/** How often the engine looks for what another process asks of it. */
const REQUEST_POLL_MS = 200;
export type EngineOptions = {
  readonly paths: DataPaths;
  /** Which host this is, for the message another engine shows. */
  readonly host: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly now?: () => number;
  readonly killTimes?: KillTimes;
  readonly storedKey?: ProposerSurroundings['storedKey'];
  readonly callTimes?: CallTimes;
  readonly askAgainMs?: number;
  /** False asks for each proposal only when its turn has come. */
  readonly isLookingAhead?: boolean;
  /** Watches the machine while studies run; without it runs have no telemetry. The host starts and stops it. */
  readonly telemetry?: Telemetry;
};

/** What a further sitting may change. */
export type SittingSettings = {
  readonly stop?: StopRules | undefined;
  readonly proposer?: ProposerSettings | undefined;
  readonly limitSeconds?: number | undefined;
  /** As in {@link Study}. */
  readonly gpu?: string | null | undefined;
  /** As in {@link Study}. */
  readonly capUsd?: number | undefined;
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
  readonly #lock: EngineLock;
  readonly #now: () => number;
  #sitting: Sitting | null = null;
  #stopNow = new AbortController();
  /** Requests that came before the sitting had a runner. */
  readonly #early: RequestKind[] = [];
  readonly #reserve: DiskReserve;
  /** What the first sitting tells. */
  readonly #notices: { readonly code: string; readonly message: string }[];
  #sequence = 0;

  private constructor(options: EngineOptions, ledger: Ledger, lock: EngineLock, reserve: DiskReserve) {
    this.#options = options;
    this.ledger = ledger;
    this.#lock = lock;
    this.#now = options.now ?? Date.now;
    this.#reserve = reserve;
    this.#notices = lock.tightened === null ? [] : [{ code: 'data_folder', message: lock.tightened }];
  }

  /** Rejects with `engine_running`, `ledger_newer`, `ledger_damaged` or `disk_full`. */
  static async open(options: EngineOptions, repository: string | null): Promise<Engine> {
    const { paths, host } = options;
    if (process.platform !== 'linux') throw new PawlError('usage', LINUX_ONLY);
    const reserve = new DiskReserve(paths.home);
    const holder = { pid: process.pid, host, startedAt: Date.now(), repository };
    const lock = lockOnFullDisk(() => takeEngineLock(paths, holder), reserve);
    try {
      const ledger = openLedger(paths.ledger, () => reserve.release());
      const engine = new Engine(options, ledger, lock, reserve);
      try {
        // What was asked of an earlier engine is not meant for this one.
        ledger.write(() => ledger.requests.take());
        await reconcile(ledger, paths, engine.#now, options.killTimes);
      } catch (error) {
        ledger.close();
        throw error;
      }
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

  /** Writes a study down and makes its branch; see `createStudy`. */
  async createStudy(input: NewStudy): Promise<Study> {
    const { environment, paths } = this.#options;
    // What is wrong with it is said before there is a study.
    await readUserSettings(paths.home);
    const study = await createStudy(
      this.ledger,
      input,
      this.#now(),
      this.surroundings,
      async (repository, commit, contract, tree) => {
        const stop = { ...contract.stop, ...input.stop };
        await refuseConstantless(repository, commit, { proposer: input.proposer, contract, stop });
        const trial = await refuseUntrainable({ repository, commit, contract, tree, paths, environment });
        if (input.agreesUncontained) this.agreeToUncontained();
        const refusal = this.#refuseUncontained(
          contract,
          input.proposer,
          trial.sandbox ? null : { why: trial.why },
        );
        if (refusal) throw refusal;
        await this.#agreeToSetUp(repository, commit, contract.setup, input.agreesSetUp);
      },
    );
    // Its readers are only needed once in a study's life.
    const { importHistory } = await import('../import/import-history.ts');
    const message = await importHistory(this.ledger, study, this.#now());
    if (message !== null) this.#notices.push({ code: 'history', message });
    return study;
  }

  /** Rejects with `setup_unagreed` unless the user agreed to the set-up command, now or before. */
  async #agreeToSetUp(
    repository: Repository,
    commit: string,
    command: string | null,
    agreed: string | undefined,
  ): Promise<void> {
    if (command === null) return;
    const setUp = await readSetUp(repository, commit, command);
    if (hasAgreedToSetUp(this.ledger, setUp.digest)) return;
    if (agreed !== setUp.digest) throw setUpUnagreed(setUp);
    this.ledger.write(() => agreeToSetUp(this.ledger, setUp.digest));
  }

  /** Whether the user lets code of models run without a sandbox on this machine. */
  hasAgreedToUncontained(): boolean {
    return hasAgreed(this.ledger);
  }

  agreeToUncontained(): void {
    this.ledger.write(() => agree(this.ledger));
  }

  /** What settings of proposers are checked against. */
  get surroundings(): ProposerSurroundings {
    const { paths, environment, storedKey } = this.#options;
    return { home: paths.home, environment, storedKey };
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
    const { paths, environment } = this.#options;
    const study = this.#prepareSettings(studyId, settings);
    this.#stopNow = new AbortController();
    const { hooks: commands } = await readUserSettings(paths.home);
    const hooks = new Hooks({
      ...{ hooks: commands, folder: studyFolder(paths, studyId), environment },
      marker: hooksMarker(studyId),
      onFailure: message => emit({ type: 'warning', code: 'hook', message }),
    });
    const emit = (body: EngineEventBody) => {
      this.#mark(studyId, body);
      this.#sequence += 1;
      const event = { seq: this.#sequence, at: this.#now(), study: studyId, ...body } as EngineEvent;
      onEvent(event);
      hooks.tell(event);
    };
    let error: PawlError | null = null;
    let end: SittingEnd;
    try {
      end = await this.#sit(study, settings.repositoryPath, emit);
    } catch (caught) {
      error = toPawlError(caught, this.#options.paths.home);
      // What happened is still written down, and the room for that is taken again afterwards.
      if (error.code === 'disk_full') this.#reserve.release();
      end = { reason: 'error', detail: error.message };
    }
    this.#sitting = null;
    this.#early.length = 0;
    this.#recordEnd(studyId, end);
    if (error?.code === 'disk_full') await this.#reserve.fill();
    const { finished, keep, discard, crash, baseline, best, bestExperiment } = this.ledger.experiments.tally(
      studyId,
      study.contract.metric.goal,
    );
    emit({
      type: 'study_stopped',
      ...end,
      ...{ finished, keep, discard, crash, baseline, best, bestExperiment },
    });
    await hooks.settled();
    return { ...end, error };
  }

  /** What the notebook shows between experiments is written down before it is announced. */
  #mark(studyId: string, body: EngineEventBody): void {
    const mark = markOf(body, this.#now());
    if (!mark) return;
    try {
      this.ledger.write(() => this.ledger.marks.add(studyId, mark.kind, mark.text, this.#now()));
    } catch (error) {
      // The end of a sitting on a full disk must still be announced.
      if (!(error instanceof PawlError)) throw error;
    }
  }

  #recordEnd(studyId: string, end: SittingEnd): void {
    try {
      this.ledger.write(() => {
        if (end.reason === 'error') interruptUnfinished(this.ledger, this.#now());
        // What was asked of this sitting is not meant for the next.
        this.ledger.requests.take();
        this.ledger.studies.setState(studyId, 'stopped', end.reason, end.detail);
      });
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
      gpu: settings.gpu === undefined ? study.gpu : settings.gpu,
      capUsd: settings.capUsd ?? study.capUsd,
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
    const { paths, environment, killTimes, telemetry } = this.#options;
    const repository = await findRepository(ledger, study, movedTo);
    const hasBaseline = ledger.experiments.incumbent(study.id) !== null;
    if (!hasBaseline) await refuseConstantless(repository, study.baseCommit, study);
    const thoughts = new Thoughts(text => {
      const n = this.#proposing(study);
      if (n !== null) emit({ type: 'thought', n, text });
    });
    const { sandbox, why } = await this.#findSandbox(study, repository);
    const proposer = await createProposer(study, {
      sandbox,
      ...this.surroundings,
      ...{ ledger, paths, repository, now: this.#now, callTimes: this.#options.callTimes },
      onThought: text => thoughts.add(text),
      onRest: rest => emit({ type: 'proposer_rests', ...rest }),
      onRested: rested => emit({ type: 'proposer_rested', ...rested }),
      hasWish: () => this.#sitting?.hasWish() ?? false,
    });
    const model =
      study.contract.model &&
      // Few studies have one, and every start is waited for.
      (await (
        await import('../asked-model/asked-model.ts')
      ).AskedModel.open(study, {
        ...{ ...this.surroundings, ledger, scratch: paths.scratch, now: this.#now },
        ...{ signal: this.#stopNow.signal, callTimes: this.#options.callTimes },
      }));
    await mkdir(paths.worktrees, { recursive: true });
    const worktreePath = join(await realpath(paths.worktrees), study.worktreeName);
    const { setup } = study.contract;
    const { signal } = this.#stopNow;
    const ports = {
      ...{ sandbox, model },
      gpu: { variables: {} },
      reserve: this.#reserve,
      pruner: new Pruner(study, ledger),
      ledger,
      paths,
      repository,
      emit,
      userEnvironment: environment,
      killTimes,
      signal,
      telemetry,
    };
    const workbench = new Workbench(
      repository,
      worktreePath,
      study,
      signal,
      setup === null ? null : (bench, isNew) => runSetUp(study, setup, bench, isNew, ports),
    );
    await this.#makeRoom(study, workbench);
    await settleBranch(ledger, repository, study, worktreePath);
    const incumbent = ledger.experiments.incumbent(study.id);
    ledger.write(() => {
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
      proposer: proposerLabel(study.proposer),
      resumed: ledger.experiments.lastNumber(study.id) !== null,
      best: incumbent?.metric ?? null,
      uncontained: sandbox ? null : (why ?? 'The sandbox is switched off.'),
    });
    if (why !== null) {
      emit({ type: 'warning', code: 'sandbox', message: `The runs are not contained. ${why}` });
    }
    const idle = hasBaseline ? null : await findIdleSearch(repository, study.baseCommit, study);
    if (idle !== null) emit({ type: 'warning', code: 'constants', message: idle });
    for (const notice of this.#notices.splice(0)) emit({ type: 'warning', ...notice });
    const limits = stopLimits(study.stop, this.#now());
    const sitting = new Sitting(study, limits, {
      ...ports,
      workbench,
      proposer,
      now: this.#now,
      askAgainMs: this.#options.askAgainMs,
      isLookingAhead: this.#options.isLookingAhead,
    });
    this.#sitting = sitting;
    for (const kind of this.#early.splice(0)) this.request(kind);
    const poll = setInterval(() => this.#answerRequests(), REQUEST_POLL_MS);
    try {
      return await sitting.run();
    } finally {
      clearInterval(poll);
      proposer.end?.();
      thoughts.stop();
    }
  }

  /** Cleans before anything is written: what a run left may be what fills the disk. Rejects with `disk_full`. */
  async #makeRoom(study: Study, workbench: Workbench): Promise<void> {
    if (!(await this.#reserve.hasRoom()) && existsSync(workbench.path)) {
      await workbench.checkout(this.ledger.experiments.incumbent(study.id)?.commit ?? study.baseCommit);
      const folder = studyFolder(this.#options.paths, study.id);
      for (const name of [DATA_VIEW, CACHES]) {
        if (!(await this.#reserve.hasRoom())) await removeBelow(folder, name);
      }
    }
    await this.#reserve.requireRoom();
    await this.#reserve.fill();
  }

  /** What the study's trainings are contained with. Rejects where that is nothing and the user has not agreed. */
  async #findSandbox(
    study: Study,
    repository: Repository,
  ): Promise<{ readonly sandbox: SittingSandbox | null; readonly why: string | null }> {
    const { environment, paths } = this.#options;
    const { contract, baseCommit: commit, proposer } = study;
    const isOff = sandboxMode(contract, environment) === 'off';
    const trial = isOff
      ? null
      : await tryContainment({
          ...{ contract, repository, paths, userEnvironment: environment },
          ...(await readCommitFiles(repository, commit)),
        });
    const { sandbox, why, namedData } = trial ?? { sandbox: null, why: null, namedData: [] };
    const refusal = this.#refuseUncontained(contract, proposer, sandbox ? null : { why });
    if (refusal) throw refusal;
    const refuse = (fault: string) => this.#refuseUncontained(contract, proposer, { why: fault });
    return { sandbox: sandbox && { ...sandbox, refuse, isWorking: null, namedData }, why };
  }

  /** Rejects with `uncontained` where a sitting would run code of models without a sandbox, and the user has not agreed. */
  async requireConsent(studyId: string, settings: SittingSettings): Promise<void> {
    const study = this.ledger.studies.get(studyId);
    const proposer = settings.proposer ?? study?.proposer;
    if (!study || !proposer || !isWrittenByModels(proposer) || this.hasAgreedToUncontained()) return;
    const repository = await findRepository(this.ledger, study, settings.repositoryPath);
    await this.#findSandbox({ ...study, proposer }, repository);
  }

  /** Why a study may not run as it would; null where it may. `uncontained` is null where there is a sandbox. */
  #refuseUncontained(
    contract: Contract,
    proposer: ProposerSettings,
    uncontained: { readonly why: string | null } | null,
  ): PawlError | null {
    const { environment } = this.#options;
    if (!uncontained) return null;
    const isAgreed = environment.PAWL_SANDBOX === 'off' || this.hasAgreedToUncontained();
    return refuseUncontained(sandboxMode(contract, environment), proposer, uncontained.why, isAgreed);
  }

  /** Number of the experiment a proposal is made for now; null where none is. */
  #proposing(study: Study): number | null {
    try {
      const newest = this.ledger.experiments.unfinished(study.id).at(-1);
      return newest?.phase === 'proposing' && !this.#sitting?.hasWish() ? newest.n : null;
    } catch {
      // What is wrong with the disk shows where the loop writes next.
      return null;
    }
  }

  #answerRequests(): void {
    try {
      if (this.ledger.requests.isEmpty()) return;
      for (const kind of this.ledger.write(() => this.ledger.requests.take())) this.request(kind);
    } catch {
      // What is wrong with the disk shows where the loop writes next; a request can wait until then.
    }
  }

  /** What the user decides about the proposal that waits. Rejects with `usage` where it does not, or cannot be followed. */
  async decide(studyId: string, review: number, decision: Decision): Promise<void> {
    if (!this.#sitting || this.#sitting.study !== studyId) {
      throw new PawlError('usage', 'Nothing waits for you here: the study does not run.');
    }
    await this.#sitting.decide(review, decision);
  }

  /** Switches approve mode; what waits when it is switched off runs. Returns the mark it leaves in the notebook. */
  setApproval(studyId: string, asks: boolean): Mark {
    const mark = this.ledger.write(() => {
      this.ledger.studies.setApproval(studyId, asks);
      return this.ledger.marks.add(studyId, 'approval', asks ? 'on' : 'off', this.#now());
    });
    if (this.#sitting?.study === studyId) this.#sitting.approvalChanged();
    return mark;
  }

  /** What the user asks of the sitting that runs, or is about to. */
  request(kind: RequestKind): void {
    if (!this.#sitting) {
      this.#early.push(kind);
      return;
    }
    if (kind === 'stop_now') {
      this.#stopNow.abort(new DOMException('stopped by the user', 'AbortError'));
      return;
    }
    if (kind === 'continue') this.#sitting.goOn();
    else this.#sitting.wish(kind);
  }
}

/** A full disk would keep even the lock from being taken. Another engine's reserve stays its own: its lock is asked first. */
function lockOnFullDisk(take: () => EngineLock, reserve: DiskReserve): EngineLock {
  try {
    return take();
  } catch (error) {
    if (!(error instanceof PawlError) || error.code !== 'disk_full' || !reserve.release()) throw error;
    return take();
  }
}

/** The events that leave a mark in the notebook. */
function markOf(
  event: EngineEventBody,
  now: number,
): { readonly kind: Mark['kind']; readonly text: string } | null {
  switch (event.type) {
    case 'study_started':
      return { kind: 'started', text: event.proposer };
    case 'study_stopped':
      return { kind: 'stopped', text: event.detail ? `${event.reason}: ${event.detail}` : event.reason };
    case 'study_paused':
      return { kind: 'paused', text: '' };
    case 'study_continued':
      return { kind: 'continued', text: '' };
    case 'warning':
      return { kind: 'warning', text: event.message };
    case 'run_unfair': {
      const why = event.flags.map(describeFlag).join('; ');
      return { kind: 'unfair', text: `#${event.n} is run again, for the last run was not fair: ${why}` };
    }
    case 'proposer_rests':
      return { kind: 'rested', text: describeRest(event, now) };
    case 'proposer_rested':
      return { kind: 'rested', text: describeRested(event) };
    default:
      return null;
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
