import type {
  Crash,
  CrashClass,
  RepeatPurpose,
  ResourceUse,
  Run,
  RunOutcome,
  ShownOutcome,
  Summary,
} from '../../shared/study.ts';
import type { Fairness, FlagKind } from '../../shared/verdicts/fairness.ts';
import type { SeriesPoint } from '../metrics/output-reader.ts';
import { curveTable } from './curve-table.ts';
import type { Database } from './database.ts';
import { decodeRun, encodeSummary, RUN_COLUMNS, type RunRecord } from './run-record.ts';

export type RunResult = {
  readonly outcome: RunOutcome;
  readonly summary: Summary | null;
  readonly crash: Crash | null;
  readonly resources: ResourceUse;
  readonly outputBytes: number;
  readonly units: Readonly<Record<string, string>>;
  readonly fairness: Fairness;
  /** As in {@link Run}. */
  readonly gpuEnergyWh: number | null;
};

/** A commit's training after its verdict. */
export type Repeat = {
  readonly n: number;
  readonly purpose: RepeatPurpose;
  /** Null if it does not count. */
  readonly value: number | null;
  readonly isCrashed: boolean;
  /** Why it crashed; null if it did not. */
  readonly crashClass: CrashClass | null;
  /** Whether no later run led to a verdict. */
  readonly isNewest: boolean;
};

/** A finished run, with what sums and lists over a whole study need. */
export type RunRow = {
  readonly n: number;
  readonly k: number;
  readonly endedAt: number;
  readonly seconds: number;
  readonly purpose: RepeatPurpose | null;
  /** Why its number must not decide; empty if it may. */
  readonly unfair: readonly FlagKind[];
  readonly crash: Pick<Crash, 'class' | 'message'> | null;
  /** As in {@link Run}. */
  readonly energyWh: number | null;
};

type OpenRun = {
  readonly studyId: string;
  readonly n: number;
  readonly k: number;
  /** Its row. */
  readonly run: number;
};

/** Points of an imported run per chunk. */
const IMPORTED_CHUNK = 2_000;

export type RunStore = ReturnType<typeof runStore>;

export function runStore(database: Database) {
  const begin = database.prepare<
    [number, string, number, number, RepeatPurpose | null, string | null, string, number]
  >(
    `INSERT INTO run (experiment_id, k, commit_name, edit_digest, started_at, contained, purpose, lane)
     SELECT id, ?, ?, edit_digest, ?, ?, ?, ? FROM experiment WHERE study_id = ? AND n = ?`,
  );
  const nextIndex = database.prepare<[string, number], { k: number }>(
    `SELECT coalesce(max(k) + 1, 0) AS k FROM run JOIN experiment e ON e.id = experiment_id
     WHERE study_id = +? AND n = +?`,
  );
  const list = database.prepare<[string, number], RunRecord>(
    `SELECT ${RUN_COLUMNS} FROM run JOIN experiment e ON e.id = experiment_id WHERE study_id = +? AND n = +? ORDER BY k`,
  );
  const fairnesses = database.prepare<[string, number], { fairness: string }>(
    // With this order of the join, SQLite starts at the newest run and stops after a few.
    `SELECT fairness FROM run CROSS JOIN experiment e ON e.id = experiment_id
     WHERE study_id = +? AND fairness IS NOT NULL AND purpose IS NOT 'probe' ORDER BY run.id DESC LIMIT ?`,
  );
  const rows = database.prepare<
    [string],
    Pick<RunRow, 'n' | 'k' | 'endedAt' | 'seconds' | 'purpose' | 'energyWh'> & {
      unfair: string;
      class: CrashClass | null;
      message: string | null;
    }
  >(
    `SELECT e.n, k, run.ended_at AS endedAt, (run.ended_at - run.started_at) / 1000.0 AS seconds, purpose,
       gpu_energy_wh AS energyWh, crash ->> '$.class' AS class, crash ->> '$.message' AS message,
       (SELECT json_group_array(value ->> 'kind') FROM json_each(fairness, '$.flags') WHERE value ->> 'isUnfair') AS unfair
     FROM run JOIN experiment e ON e.id = experiment_id
     WHERE study_id = ? AND run.ended_at IS NOT NULL ORDER BY run.id`,
  );
  const energy = database.prepare<[string], { wh: number | null }>(
    'SELECT sum(gpu_energy_wh) AS wh FROM run JOIN experiment e ON e.id = experiment_id WHERE study_id = ?',
  );
  const contained = database.prepare<[string], { contained: number | null }>(
    `SELECT contained FROM run JOIN experiment e ON e.id = experiment_id WHERE study_id = ?
     ORDER BY run.id DESC LIMIT 1`,
  );
  const finish = database.prepare(
    `UPDATE run SET ended_at = ?, outcome = ?, summary = ?, crash = ?, units = ?, peak_rss_bytes = ?,
       cpu_seconds = ?, output_bytes = ?, fairness = ?, gpu_energy_wh = ? WHERE id = ?`,
  );
  const setValue = database.prepare('UPDATE run SET value = ? WHERE id = ?');
  const repeats = database.prepare<
    [{ studyId: string }],
    {
      n: number;
      purpose: RepeatPurpose;
      value: number | null;
      crash: CrashClass | null;
      newest: number;
    }
  >(
    `WITH trial AS (SELECT max(run.id) AS last FROM run JOIN experiment ON experiment.id = experiment_id
       WHERE study_id = @studyId AND purpose IS NULL)
     SELECT e.n, purpose, value, crash ->> '$.class' AS crash, run.id > trial.last AS newest
     FROM trial, run JOIN experiment e ON e.id = experiment_id
     WHERE study_id = @studyId AND purpose IS NOT NULL AND outcome IS NOT NULL
       AND outcome ->> '$.kind' NOT IN ('interrupted', 'aborted') ORDER BY run.id`,
  );
  // Lanes end runs in another order than they begin them.
  const measured = database.prepare<[string], Readonly<Record<string, number | string | null>>>(
    `WITH ended AS (SELECT max(id) AS last FROM run WHERE outcome IS NOT NULL)
     SELECT (SELECT last FROM ended) AS run,
       (SELECT group_concat(id) FROM run WHERE outcome IS NULL AND +id < (SELECT last FROM ended)) AS open,
       count(*) AS verdicts, count(*) FILTER (WHERE verdict = 'keep') AS keeps,
       count(*) FILTER (WHERE phase = 'recorded') AS recorded
     FROM experiment WHERE study_id = ? AND reason IS NOT NULL`,
  );
  const duration = database.prepare<[string], { ms: number }>(
    `SELECT run.ended_at - run.started_at AS ms FROM run JOIN experiment e ON e.id = experiment_id
     WHERE study_id = ? AND outcome ->> '$.kind' = 'exit' AND crash IS NULL AND purpose IS NOT 'probe'
     ORDER BY run.id DESC LIMIT 1`,
  );
  const probedAfter = database.prepare<[{ studyId: string; n: number; k: number }], { id: number }>(
    `SELECT run.id FROM run JOIN experiment e ON e.id = experiment_id
     WHERE study_id = @studyId AND purpose = 'probe' AND run.id > (SELECT run.id FROM run
       JOIN experiment e ON e.id = experiment_id WHERE study_id = @studyId AND n = @n AND k = @k) LIMIT 1`,
  );
  const setCrash = database.prepare(
    `UPDATE run SET crash = ?
     WHERE k = ? AND experiment_id = (SELECT id FROM experiment WHERE study_id = ? AND n = ?)`,
  );
  const setPlace = database.prepare('UPDATE run SET lane = ?, started_at = ? WHERE id = ?');
  const open = database.prepare<[], OpenRun>(
    `SELECT study_id AS studyId, n, k, run.id AS run FROM run JOIN experiment e ON e.id = experiment_id
     WHERE run.outcome IS NULL ORDER BY run.id`,
  );
  const insertImported = database.prepare(
    `INSERT INTO run (experiment_id, k, commit_name, started_at, ended_at, outcome, summary)
     SELECT id, 0, '', @startedAt, @endedAt, @outcome, @summary FROM experiment
     WHERE study_id = @studyId AND n = @n`,
  );
  const crashes = database.prepare<[string], { n: number; message: string | null }>(
    `SELECT e.n, run.crash ->> '$.message' AS message FROM run JOIN experiment e ON e.id = experiment_id
     WHERE study_id = ? AND e.verdict = 'crash' AND run.crash IS NOT NULL ORDER BY e.n, k`,
  );
  const interrupt = database.prepare('UPDATE run SET outcome = ?, ended_at = ? WHERE id = ?');
  const progress = curveTable(database, 'series_chunk');
  const telemetry = curveTable(database, 'telemetry_chunk');

  return {
    /** The index for the next run of an experiment. */
    nextIndex(studyId: string, n: number): number {
      return nextIndex.get(studyId, n)?.k ?? 0;
    },
    /** Returns the run's row, for the calls that follow. */
    begin(
      studyId: string,
      n: number,
      run: Pick<Run, 'k' | 'commit' | 'purpose'> & {
        readonly isContained: boolean;
        readonly lane?: string | null;
      },
      at: number,
    ): number {
      const { k, commit, purpose, lane = null, isContained } = run;
      const row = begin.run(k, commit, at, Number(isContained), purpose, lane, studyId, n);
      return Number(row.lastInsertRowid);
    },
    /** From now on a repeat's number counts. */
    setValue(run: number, value: number): void {
      setValue.run(value, run);
    },
    /** Duration of the newest successful run in milliseconds; null before there is one. */
    lastDuration(studyId: string): number | null {
      return duration.get(studyId)?.ms ?? null;
    },
    /** A text that changes whenever a run ends, or a verdict is given, recorded or taken back. */
    measuredVersion(studyId: string): string {
      return JSON.stringify(measured.get(studyId));
    },
    /** The finished repeats of a study, oldest first, without interrupted ones. */
    repeats(studyId: string): readonly Repeat[] {
      return repeats.all({ studyId }).map(({ crash, newest, ...repeat }) => ({
        ...repeat,
        ...{ isCrashed: crash !== null, crashClass: crash, isNewest: newest === 1 },
      }));
    },
    /** Whether a probe, of any experiment, was begun after this run. */
    wasProbedAfter(studyId: string, { n, k }: Pick<Run, 'n' | 'k'>): boolean {
      return probedAfter.get({ studyId, n, k }) !== undefined;
    },
    /** For a run that succeeded but whose number never came. */
    setCrash(studyId: string, { n, k }: Pick<Run, 'n' | 'k'>, crash: Crash): void {
      setCrash.run(JSON.stringify(crash), k, studyId, n);
    },
    addPoints: progress.add,
    /** Samples of the machine during the training; seconds since the run began. */
    addTelemetry: telemetry.add,
    finish(run: number, result: RunResult, at: number): void {
      finish.run(
        at,
        JSON.stringify(result.outcome),
        result.summary && JSON.stringify(encodeSummary(result.summary)),
        result.crash && JSON.stringify(result.crash),
        JSON.stringify(result.units),
        result.resources.peakRssBytes,
        result.resources.cpuSeconds,
        result.outputBytes,
        JSON.stringify(result.fairness),
        result.gpuEnergyWh,
        run,
      );
    },
    /** Where it trains now, and since when. */
    setPlace(run: number, lane: string, startedAt: number): void {
      setPlace.run(lane, startedAt, run);
    },
    /** Runs without an end, of all studies: they are training, or the engine died meanwhile. */
    open(): readonly OpenRun[] {
      return open.all();
    },
    /**
     * Stores a run from an import, with its curves. Only known values are shown, so an unknown time can be anything:
     * `at`.
     */
    insertImported(
      studyId: string,
      n: number,
      run: {
        readonly startedAt: number | null;
        readonly endedAt: number | null;
        readonly exitCode: number | null;
        readonly summary: ReadonlyMap<string, number>;
        readonly points: readonly SeriesPoint[];
      },
      at: number,
    ): void {
      const outcome: ShownOutcome =
        run.exitCode === null ? { kind: 'untold' } : { kind: 'exit', code: run.exitCode };
      const row = Number(
        insertImported.run({
          ...{ studyId, n, startedAt: run.startedAt ?? at, endedAt: run.startedAt && run.endedAt },
          outcome: JSON.stringify(outcome),
          summary: JSON.stringify(encodeSummary(Object.fromEntries(run.summary))),
        }).lastInsertRowid,
      );
      for (let from = 0; from < run.points.length; from += IMPORTED_CHUNK) {
        progress.add(row, run.points.slice(from, from + IMPORTED_CHUNK));
      }
    },
    interrupt(run: number, at: number): void {
      interrupt.run(JSON.stringify({ kind: 'interrupted' } satisfies RunOutcome), at, run);
    },
    /** Interrupts the runs without an end: of one experiment, or of all studies. */
    interruptOpen(at: number, of?: Pick<OpenRun, 'studyId' | 'n'>): void {
      for (const { studyId, n, run } of this.open()) {
        if (!of || (studyId === of.studyId && n === of.n)) this.interrupt(run, at);
      }
    },
    /** How the last run of each crashed experiment ended. */
    crashMessages(studyId: string): ReadonlyMap<number, string> {
      return new Map(crashes.all(studyId).map(({ n, message }) => [n, message ?? '']));
    },
    /** Energy of all the study's runs in Wh; null if no power was measured. */
    gpuEnergyWh(studyId: string): number | null {
      return energy.get(studyId)?.wh ?? null;
    },
    /** Whether the study's last run was contained; null if none ran, or it was not recorded. */
    isContained(studyId: string): boolean | null {
      const row = contained.get(studyId);
      return row == null || row.contained === null ? null : row.contained === 1;
    },
    /** The fairness of the study's last runs, newest first. */
    latestFairness(studyId: string, count: number): readonly Fairness[] {
      return fairnesses.all(studyId, count).map(row => JSON.parse(row.fairness) as Fairness);
    },
    /** All finished runs, oldest first. */
    rows(studyId: string): readonly RunRow[] {
      return rows.all(studyId).map(({ unfair, class: kind, message, ...row }) => ({
        ...row,
        unfair: JSON.parse(unfair) as readonly FlagKind[],
        crash: kind === null ? null : { class: kind, message: message ?? '' },
      }));
    },
    list(studyId: string, n: number): readonly Run[] {
      return list.all(studyId, n).map(decodeRun);
    },
    /** The run's progress points, oldest first. Unpacking a long run takes time: see {@link unpackInTurns}. */
    series: progress.read,
    telemetry: telemetry.read,
    /** The same in packed chunks. */
    seriesChunks: progress.chunks,
    telemetryChunks: telemetry.chunks,
    /** In order of first appearance; nothing is unpacked for this. */
    seriesNames: progress.names,
    telemetryNames: telemetry.names,
  };
}
