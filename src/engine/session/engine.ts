import { PawlError } from '../../shared/errors.ts';
import type { EngineEvent, EngineEventBody } from '../../shared/events.ts';
import type { Mark } from '../../shared/notebook.ts';
import type { Decision } from '../../shared/review.ts';
import type { Study } from '../../shared/study.ts';
import { Hooks } from '../hooks/hooks.ts';
import { DiskReserve } from '../machine/disk-reserve.ts';
import { Outbox } from '../notify/outbox.ts';
import { studyFolder } from '../paths.ts';
import { hooksMarker } from '../process/markers.ts';
import { LINUX_ONLY } from '../process/process-table.ts';
import type { ProposerSurroundings } from '../proposers/create-proposer.ts';
import type { Enter, Tell } from '../stages/tell.ts';
import { type EngineLock, takeEngineLock } from '../store/engine-lock.ts';
import { type Ledger, openLedger } from '../store/ledger.ts';
import type { RequestKind } from '../store/requests.ts';
import { readUserSettings } from '../user-settings.ts';
import { describeEnd } from './describe-end.ts';
import { toPawlError } from './engine-errors.ts';
import type { EngineOptions } from './engine-options.ts';
import { JobEndings } from './jobs/job-endings.ts';
import { beginRemoval, finishRemovals, refuseRemovalOfRefs } from './remove-study.ts';
import type { SittingEnd } from './sitting.ts';
import { SittingRequests } from './sitting-requests.ts';
import { agree, hasAgreed, isWrittenByModels } from './start/consent.ts';
import { findContainment } from './start/containment.ts';
import { createStudy, type NewStudy } from './start/create-study.ts';
import { findRepository } from './start/find-repository.ts';
import { openSitting } from './start/open-sitting.ts';
import { interruptUnfinished, reconcile } from './start/reconcile.ts';
import { refuseStudy } from './start/refuse-study.ts';
import { applySettings, type SittingSettings } from './start/sitting-settings.ts';
import { removeTemporaryStudies } from './start/temporary-study.ts';
import { ignorePawlErrors, teller } from './teller.ts';

/** When the process ends, the last messages to the user may take this long; the next engine sends the rest. */
const LAST_MESSAGES_MS = 20_000;

/**
 * The engine of one data folder: takes its lock, repairs what an earlier engine left, then creates and runs studies,
 * one at a time. It reports everything as events.
 */
export class Engine {
  readonly ledger: Ledger;
  readonly #options: EngineOptions;
  readonly #lock: EngineLock;
  readonly #now: () => number;
  readonly #requests: SittingRequests;
  readonly #jobs: JobEndings;
  /** Reports what concerns all studies, once a sitting has begun reporting. */
  #emit: Tell['emit'] | null = null;
  readonly #reserve: DiskReserve;
  /** Notices for the first sitting to report. */
  readonly #notices: { readonly code: string; readonly message: string }[];
  #sequence = 0;
  readonly #outbox: Outbox;
  /** The latest removal; studies are removed one after the other. */
  #removal: Promise<unknown> = Promise.resolve();
  /** Called with the first message that cannot be sent, during a sitting. */
  #onUnsent: ((error: string) => void) | null = null;

  private constructor(options: EngineOptions, ledger: Ledger, lock: EngineLock, reserve: DiskReserve) {
    this.#options = options;
    this.ledger = ledger;
    this.#lock = lock;
    this.#now = options.now ?? Date.now;
    this.#reserve = reserve;
    this.#requests = new SittingRequests(ledger);
    this.#notices = lock.tightened === null ? [] : [{ code: 'data_folder', message: lock.tightened }];
    const { paths, environment } = options;
    this.#jobs = new JobEndings({
      ...{ ledger, paths, environment, now: this.#now },
      note: message => this.#notices.push({ code: 'jobs', message }),
      tell: message => {
        if (this.#emit) this.#emit({ type: 'warning', code: 'jobs', message });
        else this.#notices.push({ code: 'jobs', message });
      },
    });
    this.#outbox = new Outbox({
      ...{ ledger, paths, environment, now: this.#now },
      onFailure: error => {
        this.#onUnsent?.(error);
        this.#onUnsent = null;
      },
    });
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
        // Requests to an earlier engine are not for this one.
        ledger.write(() => ledger.requests.take());
        await reconcile(ledger, paths, engine.#now, options.killTimes);
        for (const message of await removeTemporaryStudies(paths, options.killTimes))
          engine.#notices.push({ code: 'metric_check', message });
        for (const message of await finishRemovals(ledger, options))
          engine.#notices.push({ code: 'removal', message });
        engine.#outbox.send();
        void engine.#jobs.endRemoved();
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

  /** Resolves once the messages to the user have been sent, or their time is up. */
  async lastMessages(): Promise<void> {
    await this.#outbox.settled(LAST_MESSAGES_MS);
  }

  close(): void {
    this.#jobs.close();
    this.#outbox.close();
    this.ledger.close();
    this.#lock.release();
  }

  /** Creates a study and its branch; see `createStudy`. If the signal is aborted, it waits for no other machine. */
  async createStudy(input: NewStudy, signal?: AbortSignal): Promise<Study> {
    // Errors in the settings are reported before there is a study.
    await readUserSettings(this.#options.paths.home);
    const ports = { ...this.#options, ledger: this.ledger };
    const study = await createStudy(this.ledger, input, this.#now(), this.surroundings, draft =>
      refuseStudy(draft, input, ports, signal),
    );
    // Its readers are needed only once in a study's life.
    const { importHistory } = await import('../import/import-history.ts');
    const message = await importHistory(this.ledger, study, this.#now());
    if (message !== null) this.#notices.push({ code: 'history', message });
    return study;
  }

  /**
   * Removes a study for ever. Resolves to the reason why a part of it was not removed; the next start tries again.
   * Rejects with `usage` if its branch must go but is checked out somewhere; then nothing was removed.
   */
  async removeStudy(study: Study, keepsRefs: boolean): Promise<readonly string[]> {
    const { paths } = this.#options;
    const removal = this.#removal.then(async () => {
      if (!keepsRefs) await refuseRemovalOfRefs(study, paths.worktrees);
      this.ledger.write(() => beginRemoval(this.ledger, study, keepsRefs));
      const faults = await finishRemovals(this.ledger, this.#options);
      return [...faults, ...(await this.#jobs.endDeleted(study.id))];
    });
    this.#removal = removal.catch(() => {});
    return removal;
  }

  /** See {@link JobEndings.end}. */
  endJobs(studyId: string, limit?: AbortSignal): Promise<readonly string[]> {
    return this.#jobs.end(studyId, limit);
  }

  /** Whether the user lets model-written code run without a sandbox on this machine. */
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
   * One sitting of a study, until a stop rule holds or the user stops it. Errors from outside (full disk, moved
   * branch) end the sitting with reason `error`; the study can be resumed once they are fixed.
   */
  async run(
    studyId: string,
    settings: SittingSettings,
    onEvent: (event: EngineEvent) => void,
  ): Promise<SittingEnd & { readonly error: PawlError | null }> {
    const { paths, environment } = this.#options;
    const study = this.#prepareSettings(studyId, settings);
    const { hooks: commands } = await readUserSettings(paths.home);
    const hooks = new Hooks({
      ...{ hooks: commands, folder: studyFolder(paths, studyId), environment },
      marker: hooksMarker(studyId),
      onFailure: message => tell.emit({ type: 'warning', code: 'hook', message }),
    });
    const send = (body: EngineEventBody) => {
      this.#sequence += 1;
      const event = { seq: this.#sequence, at: this.#now(), study: studyId, ...body } as EngineEvent;
      onEvent(event);
      hooks.tell(event);
    };
    const tell = teller(studyId, this.ledger, this.#now, this.#outbox, send);
    this.#onUnsent = error =>
      tell.emit({
        type: 'warning',
        code: 'channel',
        message: `A message to you could not be sent. ${error}`,
      });
    let error: PawlError | null = null;
    let end: SittingEnd;
    let isInOrder = false;
    const { opening } = this.#requests;
    this.#requests.poll();
    try {
      end = await this.#sit(study, settings, tell);
      isInOrder = true;
    } catch (caught) {
      if (opening.aborted && caught === opening.reason) end = { reason: 'user', detail: null };
      else {
        error = await this.#explain(toPawlError(caught, this.#options.paths.home), study);
        end = { reason: 'error', detail: error.message };
      }
      // The outcome can still be recorded, and the reserved space is taken again afterwards.
      if (error?.code === 'disk_full') this.#reserve.release();
    }
    this.#requests.end();
    this.#jobs.letGo();
    if (isInOrder) this.#jobs.endWhenHeard(studyId);
    this.#emit = null;
    this.#onUnsent = null;
    const announceEnd =
      this.#recordEnd(study, end, tell.enter) ?? (() => send(describeEnd(this.ledger, study, end)));
    if (error?.code === 'disk_full') await this.#reserve.fill();
    announceEnd();
    await hooks.settled();
    return { ...end, error };
  }

  /** If the repository was moved, removed or replaced, errors only name a file or an object that is missing. */
  async #explain(error: PawlError, study: Study): Promise<PawlError> {
    if (error.code !== 'internal' && error.code !== 'git_failed') return error;
    return findRepository(this.ledger, study, undefined).then(
      () => error,
      lost => (lost instanceof PawlError ? lost : error),
    );
  }

  /** Null if it cannot be recorded: a full disk ended the sitting. The next start finds the study `running`. */
  #recordEnd(study: Study, end: SittingEnd, enter: Enter): (() => void) | null {
    const write = () =>
      enter(hold => {
        if (end.reason === 'error') interruptUnfinished(this.ledger, this.#now());
        // Requests to this sitting are not for the next.
        this.ledger.requests.take();
        this.ledger.studies.setState(study.id, 'stopped', end.reason, end.detail);
        hold(describeEnd(this.ledger, study, end));
        return [];
      });
    return end.reason === 'error' ? ignorePawlErrors(write) : write();
  }

  #prepareSettings(studyId: string, settings: SittingSettings): Study {
    const study = this.ledger.studies.get(studyId);
    if (!study) throw new PawlError('study_not_found', `There is no study ${studyId}.`);
    if (study.state === 'imported') {
      throw new PawlError('study_read_only', `${study.tag} was imported and cannot be run.`);
    }
    const isResumed = this.ledger.experiments.lastNumber(studyId) !== null;
    const changed = applySettings(study, settings, isResumed, this.#now());
    this.ledger.write(() => this.ledger.studies.setSettings(studyId, changed));
    return { ...study, ...changed };
  }

  async #sit(study: Study, { repositoryPath, audit }: SittingSettings, tell: Tell): Promise<SittingEnd> {
    await this.#jobs.leaveTo(study.id);
    const { sitting, close } = await openSitting(
      study,
      { movedTo: repositoryPath, audit },
      {
        ...{ ledger: this.ledger, options: this.#options, surroundings: this.surroundings },
        ...{ reserve: this.#reserve, now: this.#now, signal: this.#requests.stopNow, ...tell },
        opening: this.#requests.opening,
        hasWish: () => this.#requests.sitting?.hasWish() ?? false,
        takeNotices: () => this.#notices.splice(0),
      },
    );
    this.#emit = tell.emit;
    this.#requests.begin(sitting);
    let isInOrder = false;
    try {
      const end = await sitting.run();
      isInOrder = true;
      return end;
    } finally {
      this.#requests.pause();
      await close(isInOrder);
    }
  }

  /**
   * What the user should hear before a sitting begins in the background. Rejects with `settings_invalid`, and with
   * `uncontained` if it would run model-written code without a sandbox and the user has not agreed.
   */
  async requireReady(studyId: string, settings: SittingSettings): Promise<void> {
    await readUserSettings(this.#options.paths.home);
    const study = this.ledger.studies.get(studyId);
    const proposer = settings.proposer ?? study?.proposer;
    if (!study || !proposer || !isWrittenByModels(proposer) || this.hasAgreedToUncontained()) return;
    const repository = await findRepository(this.ledger, study, settings.repositoryPath);
    await findContainment({ ...study, proposer }, repository, { ledger: this.ledger, ...this.#options });
  }

  /**
   * The user's decision about the waiting proposal. Rejects with `usage` if none waits, or the decision cannot be
   * followed.
   */
  async decide(studyId: string, review: number, decision: Decision): Promise<void> {
    const { sitting } = this.#requests;
    if (sitting?.study !== studyId) {
      throw new PawlError('usage', 'Nothing waits for you here: the study is not running.');
    }
    await sitting.decide(review, decision);
  }

  /**
   * Switches approve mode; a proposal that waits when it is switched off runs. Returns the mark it leaves in the
   * notebook.
   */
  setApproval(studyId: string, asks: boolean): Mark {
    const mark = this.ledger.write(() => {
      this.ledger.studies.setApproval(studyId, asks);
      return this.ledger.marks.add(studyId, 'approval', asks ? 'on' : 'off', this.#now());
    });
    const { sitting } = this.#requests;
    if (sitting?.study === studyId) sitting.approvalChanged();
    return mark;
  }

  /** Ends the training of one experiment; returns whether there is one. */
  stopRun(n: number): boolean {
    return this.#requests.sitting?.stopRun(n) ?? false;
  }

  /** A user's request to the sitting that runs or is about to. */
  request(kind: RequestKind): void {
    this.#requests.answer({ kind });
  }
}

/** A full disk would even prevent taking the lock. Another engine's reserve stays its own: its lock is checked first. */
function lockOnFullDisk(take: () => EngineLock, reserve: DiskReserve): EngineLock {
  try {
    return take();
  } catch (error) {
    if (!(error instanceof PawlError) || error.code !== 'disk_full' || !reserve.release()) throw error;
    return take();
  }
}
