import { FIRST_CELLS } from '../../shared/cell-pages.ts';
import { PawlError } from '../../shared/errors.ts';
import { type ImportAnswer, SHOWN_SKIPPED } from '../../shared/imports.ts';
import type { Snapshot, StudyCard } from '../../shared/notebook.ts';
import type { KeyStatus } from '../../shared/proposers/model-calls.ts';
import type { HostInfo, Notice, Settings } from '../../shared/settings.ts';
import type { Study } from '../../shared/study.ts';
import type { MetricCheckOutcome, MetricCheckProgress } from '../../shared/verdicts/metric-check.ts';
import { type ImportSource, importStudy } from '../import/import-study.ts';
import type { ImportAnswers } from '../import/imported-table.ts';
import { Telemetry } from '../machine/telemetry.ts';
import { checkMetric, type MetricCheckInput } from '../metric-check/check-metric.ts';
import type { DataPaths } from '../paths.ts';
import { Engine } from '../session/engine.ts';
import type { EngineOptions } from '../session/engine-options.ts';
import type { NewStudy } from '../session/start/create-study.ts';
import type { SittingSettings } from '../session/start/sitting-settings.ts';
import { branchBest } from '../stack/make-branch.ts';
import type { RequestKind } from '../store/requests.ts';
import { Announcer } from './announcer.ts';
import { EventHub } from './event-hub.ts';
import { requireOwnStudy, requireStudy } from './experiment-view.ts';
import { OutsideWrites } from './outside-writes.ts';
import { listProjects } from './projects.ts';
import { readSettings } from './settings.ts';
import { studyCard } from './study-card.ts';

/** What a host with windows provides: the differences between the desktop and the browser. */
type HostPorts = {
  readonly info: Omit<HostInfo, 'home'>;
  /** The system's folder dialog; null where the host has none. Resolves to null when the user closed it. */
  readonly chooseFolder: (() => Promise<string | null>) | null;
  /** Shows a file or folder in the system's file manager; absent where the window may be on another machine. */
  readonly showItem?: (path: string) => void;
  /** Where the host keeps keys; absent if it cannot. */
  readonly keys?: KeyStore;
};

/** The key of the model server, stored where only the user's own login can read it. */
export type KeyStore = {
  status(): Promise<KeyStatus>;
  read(): Promise<string | null>;
  store(key: string): Promise<void>;
  forget(): Promise<void>;
};

export type ServiceOptions = {
  readonly paths: DataPaths;
  readonly environment: NodeJS.ProcessEnv;
  readonly host: HostPorts;
  /** Receives errors when nobody waits for an answer. */
  readonly onError: (error: unknown) => void;
  readonly now?: () => number;
};

/**
 * The engine as windows use it: one sitting at a time runs in the background, and `hub` numbers every event. Exists
 * once per host.
 */
export class Service {
  readonly engine: Engine;
  readonly hub = new EventHub();
  readonly announcer: Announcer;
  readonly telemetry: Telemetry;
  readonly options: ServiceOptions;
  readonly now: () => number;
  readonly #outside: OutsideWrites;
  /** Studies that are being deleted. */
  readonly #removing = new Set<string>();
  /** A study that is being created and is to begin at once. */
  #starting: { readonly stop: AbortController; readonly ended: Promise<Study> } | null = null;
  #sitting: { readonly study: string; readonly ended: Promise<void> } | null = null;
  readonly #engineOptions: EngineOptions;
  /** The metric check in progress, which uses the machine as a study does. */
  #checking: { readonly stop: AbortController; readonly ended: Promise<unknown> } | null = null;

  private constructor(
    options: ServiceOptions,
    engine: Engine,
    telemetry: Telemetry,
    engineOptions: EngineOptions,
  ) {
    this.options = options;
    this.#engineOptions = engineOptions;
    this.now = options.now ?? Date.now;
    this.engine = engine;
    this.telemetry = telemetry;
    this.announcer = new Announcer(engine.ledger, this.hub);
    this.#outside = new OutsideWrites(engine.ledger, this.announcer);
    telemetry.onSample(sample => {
      this.hub.publish({ type: 'telemetry', sample, gpuState: telemetry.gpuState });
    });
    telemetry.start();
  }

  /** Rejects with what `Engine.open` rejects with, `engine_running` above all. */
  static async open(options: ServiceOptions): Promise<Service> {
    const { paths, environment, host, now } = options;
    const { keys } = host;
    const telemetry = new Telemetry({ environment, folder: paths.home, onError: options.onError });
    const engineOptions: EngineOptions = {
      ...{ paths, environment, host: host.info.host, telemetry },
      storedKey: keys && (() => keys.read()),
      ...(now ? { now } : {}),
    };
    const engine = await Engine.open(engineOptions, null);
    return new Service(options, engine, telemetry, engineOptions);
  }

  get ledger() {
    return this.engine.ledger;
  }

  async snapshot(asked?: string): Promise<Snapshot> {
    const projects = await listProjects(this.ledger);
    // No `await` from here on: the snapshot and its number belong together.
    const first =
      this.#sitting?.study ?? (asked !== undefined && this.ledger.studies.get(asked) ? asked : null);
    return {
      epoch: this.hub.epoch,
      seq: this.hub.seq,
      projects,
      studies: this.ledger.studies.list().map(study => this.#card(study)),
      settings: readSettings(this.ledger),
      telemetry: this.telemetry.recent(),
      gpuState: this.telemetry.gpuState,
      live: this.announcer.recent,
      first:
        first === null
          ? null
          : { study: first, cells: this.ledger.cells.before(first, Number.MAX_SAFE_INTEGER, FIRST_CELLS) },
    };
  }

  #card(study: Study): StudyCard {
    const wish = this.#sitting?.study === study.id ? this.announcer.wish : null;
    return studyCard(this.ledger, study, { wish, isStarting: this.announcer.isStarting(study.id) });
  }

  card(id: string): StudyCard {
    return this.#card(requireStudy(this.ledger, id));
  }

  /** The study with a running or paused sitting, or null. */
  running(): StudyCard | null {
    return this.#sitting ? this.card(this.#sitting.study) : null;
  }

  /** The study that was active last; the tray shows it when nothing runs. */
  latest(): StudyCard | null {
    const study = this.ledger.studies.list().find(({ state }) => state !== 'imported');
    return study ? this.#card(study) : null;
  }

  settings(): Settings {
    return readSettings(this.ledger);
  }

  /** Whether the user wants this notification. */
  wants(notice: Notice): boolean {
    return this.settings().notify[notice.kind];
  }

  async announceProjects(): Promise<void> {
    this.hub.publish({ type: 'projects', projects: await listProjects(this.ledger) });
  }

  /** Throws `engine_running` while another study has its sitting, or is about to begin one. */
  #requireIdle(): void {
    if (this.#starting) {
      throw new PawlError('engine_running', 'Another study is being started: one study runs at a time.');
    }
    if (this.#checking) {
      throw new PawlError('engine_running', 'A metric is being checked: wait for it, or stop it first.');
    }
    const busy = this.running();
    if (busy) {
      throw new PawlError(
        'engine_running',
        `${busy.tag} is ${busy.state === 'paused' ? 'paused' : 'running'}: one study runs at a time, so stop it first.`,
      );
    }
  }

  /** Throws if {@link begin} would, before anything is written. */
  requireReady(study: string): void {
    this.#requireIdle();
    if (this.#removing.has(study)) throw new PawlError('usage', 'This study is being deleted.');
    requireOwnStudy(this.ledger, study);
  }

  /** Creates a study and begins it. Rejects like `createStudy`, or with `engine_running`. */
  async start(input: NewStudy): Promise<StudyCard> {
    this.#requireIdle();
    const stop = new AbortController();
    const ended = this.engine.createStudy(input, stop.signal);
    this.#starting = { stop, ended };
    let study: Study;
    try {
      study = await ended;
    } finally {
      this.#starting = null;
    }
    this.begin(study.id, {});
    return this.card(study.id);
  }

  /**
   * Begins a sitting in the background; events report its progress. Throws `engine_running`, `study_not_found` or
   * `study_read_only`.
   */
  begin(study: string, settings: SittingSettings): void {
    this.requireReady(study);
    this.announcer.begin(study);
    const ended = this.engine
      .run(study, settings, event => this.announcer.handle(event))
      .then(
        end => {
          if (end.error?.code === 'internal') this.options.onError(end.error);
        },
        error => this.options.onError(error),
      )
      .finally(() => {
        this.#sitting = null;
        this.announcer.end(study);
      });
    this.#sitting = { study, ended };
    this.announcer.announceStudy(study);
  }

  /**
   * Trains a repository's code to find out what its metric is worth. Rejects like `checkMetric`, or with
   * `engine_running`.
   */
  async checkMetric(
    input: MetricCheckInput,
    signal: AbortSignal,
    onProgress: (progress: MetricCheckProgress) => void,
  ): Promise<MetricCheckOutcome> {
    this.#requireIdle();
    const stop = new AbortController();
    const ended = checkMetric(input, {
      ...{ options: this.#engineOptions, ledger: this.ledger, onProgress },
      signal: AbortSignal.any([signal, stop.signal]),
    });
    this.#checking = { stop, ended };
    try {
      return await ended;
    } finally {
      this.#checking = null;
    }
  }

  /** Ends the metric check in progress; resolves once nothing is left of it. */
  async endMetricCheck(): Promise<void> {
    this.#checking?.stop.abort(new DOMException('ended by the user', 'AbortError'));
    await this.#checking?.ended.catch(() => {});
  }

  /** Passes a request of the user to the running study. Throws `usage` if none, or another, is running. */
  request(study: string, kind: RequestKind): void {
    if (this.#sitting?.study !== study) {
      throw new PawlError('usage', 'This study is not running.');
    }
    this.engine.request(kind);
  }

  /** Ends the training of one experiment. Throws `usage` if it is not training. */
  stopRun(study: string, n: number): void {
    if (this.#sitting?.study !== study || !this.engine.stopRun(n))
      throw new PawlError('usage', `No run of experiment #${n} is under way.`);
  }

  /** Ends a study's jobs on other machines; the study does not wait for them. */
  async endJobs(study: string): Promise<void> {
    await this.engine.endJobs(study).catch(() => {
      // If this fails, the next sitting looks for the jobs again.
    });
  }

  /** Imports results as a new study, or returns what has to be answered first. Rejects with `import_invalid` or `usage`. */
  async import(
    source: ImportSource,
    answers: ImportAnswers & { readonly tag: string | null },
  ): Promise<ImportAnswer> {
    const outcome = await importStudy(this.ledger, source, { ...answers, now: this.now() });
    if (outcome.kind === 'question') return outcome;
    const { study, goalFrom, isProven, skipped } = outcome;
    this.announcer.announceStudy(study.id);
    return {
      kind: 'imported',
      card: this.card(study.id),
      goalFrom,
      isProven,
      skipped: skipped.slice(0, SHOWN_SKIPPED),
      skippedCount: skipped.length,
    };
  }

  /** Removes a study for good. Rejects with `usage` while it runs, or if part of it could not be removed. */
  async removeStudy(id: string, keepsRefs: boolean): Promise<void> {
    const study = requireStudy(this.ledger, id);
    if (this.#sitting?.study === id) throw new PawlError('usage', `${study.tag} is running: stop it first.`);
    this.#removing.add(id);
    const faults = await this.engine.removeStudy(study, keepsRefs).finally(() => this.#removing.delete(id));
    if (!this.ledger.studies.get(id)) this.hub.publish({ type: 'study_removed', study: id });
    if (faults.length > 0) throw new PawlError('usage', faults.join(' '));
  }

  /** Creates a branch at the study's best commit. Rejects with `usage` for an invalid or taken name. */
  async applyBest(id: string, branch: string): Promise<{ readonly commit: string; readonly n: number }> {
    const study = this.ledger.studies.get(id);
    if (!study || study.state === 'imported') {
      throw new PawlError('usage', 'This study has no best commit to branch from.');
    }
    const { mark, ...made } = await branchBest(this, study, branch);
    this.announcer.announceMark(id, mark);
    return made;
  }

  /** Stops the running study cleanly and releases the data folder. */
  async close(): Promise<void> {
    this.#starting?.stop.abort();
    await this.#starting?.ended.catch(() => {});
    await this.endMetricCheck();
    if (this.#sitting) {
      this.engine.request('stop_now');
      await this.#sitting.ended;
    }
    await this.engine.lastMessages();
    this.#outside.stop();
    this.telemetry.stop();
    this.engine.close();
  }
}
