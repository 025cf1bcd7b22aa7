import type { JobPlace } from '../../shared/machines/lanes.ts';
import type { RepeatPurpose } from '../../shared/study.ts';
import type { Database } from './database.ts';

/** A job that may exist on another machine, as it is begun. */
export type NewJob = {
  /** The marker of the run that it was made for; see `runMarker`. */
  readonly marker: string;
  readonly studyId: string;
  readonly n: number;
  readonly k: number;
  readonly place: JobPlace;
  /** Of the repository whose commit it trains. */
  readonly gitDir: string;
};

export type Job = NewJob & {
  /** Whether it is known to have ended; its files may still be there. */
  readonly hasEnded: boolean;
};

/** A job, and what is known of its study and its run. */
export type ListedJob = Job & {
  /** Null where the study was removed. */
  readonly tag: string | null;
  /** Whether the ledger waits for the end of a run that is to have its result. */
  readonly isAwaited: boolean;
};

type Row = Omit<NewJob, 'place'> & { readonly place: string; readonly ended: 0 | 1 };

export type JobStore = ReturnType<typeof jobStore>;

export function jobStore(database: Database) {
  const columns = 'marker, job.study_id AS studyId, job.n, job.k, place, job.git_dir AS gitDir, job.ended';
  const begin = database.prepare(
    'INSERT OR REPLACE INTO job (marker, study_id, n, k, place, git_dir) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const take = database.prepare('UPDATE job SET taken_by = ? WHERE marker = ?');
  const setEnded = database.prepare('UPDATE job SET ended = 1 WHERE marker = ?');
  const remove = database.prepare('DELETE FROM job WHERE marker = ?');
  const list = database.prepare<[string], Row>(`SELECT ${columns} FROM job WHERE study_id = ? ORDER BY n, k`);
  const all = database.prepare<[], Row & { readonly tag: string | null; readonly isAwaited: number }>(
    `SELECT ${columns}, study.tag AS tag, EXISTS (
       SELECT 1 FROM run JOIN experiment e ON e.id = experiment_id
       WHERE e.study_id = job.study_id AND e.n = job.n AND run.k IN (job.k, job.taken_by) AND outcome IS NULL
     ) AS isAwaited
     FROM job LEFT JOIN study ON study.id = job.study_id ORDER BY job.study_id, job.n, job.k`,
  );
  const findRemoved = database.prepare(
    'UPDATE job SET removed_since = ? WHERE removed_since IS NULL AND study_id NOT IN (SELECT id FROM study)',
  );
  const ofRemoved = database.prepare<[], Row & { readonly removedSince: number }>(
    `SELECT ${columns}, removed_since AS removedSince FROM job WHERE removed_since IS NOT NULL
     ORDER BY study_id, n, k`,
  );
  const untaken = database.prepare<[string, number, string, RepeatPurpose | null, string], Row>(
    `SELECT ${columns} FROM job
     JOIN experiment e ON e.study_id = job.study_id AND e.n = job.n
     JOIN run ON run.experiment_id = e.id AND run.k = job.k
     LEFT JOIN run taker ON taker.experiment_id = e.id AND taker.k = job.taken_by
     WHERE job.study_id = ? AND job.n = ? AND run.commit_name = ? AND run.purpose IS ? AND place = ?
       AND run.outcome ->> '$.kind' = 'interrupted'
       AND (job.taken_by IS NULL OR taker.outcome ->> '$.kind' = 'interrupted')
       AND NOT (ended AND coalesce(taker.fairness, run.fairness) IS NOT NULL)
     ORDER BY job.k`,
  );
  const settled = database.prepare<[string], Row>(
    `SELECT ${columns} FROM job
     LEFT JOIN experiment e ON e.study_id = job.study_id AND e.n = job.n
     LEFT JOIN run ON run.experiment_id = e.id AND run.k = job.k
     LEFT JOIN run taker ON taker.experiment_id = e.id AND taker.k = job.taken_by
     WHERE job.study_id = ?
       AND (run.id IS NULL OR (run.purpose IS NULL AND e.verdict IS NOT NULL)
         OR run.outcome ->> '$.kind' <> 'interrupted' OR taker.outcome ->> '$.kind' <> 'interrupted')`,
  );
  const superseded = database.prepare<[string], Row>(
    `SELECT ${columns} FROM job
     JOIN experiment e ON e.study_id = job.study_id AND e.n = job.n
     JOIN run ON run.experiment_id = e.id AND run.k = job.k
     WHERE job.study_id = ? AND EXISTS (
       SELECT 1 FROM run other WHERE other.experiment_id = e.id AND other.outcome IS NULL
         AND other.purpose IS run.purpose AND other.k <> job.k AND other.k IS NOT job.taken_by)`,
  );
  const jobOf = ({ place, ended, ...job }: Row): Job => ({
    ...job,
    place: JSON.parse(place) as JobPlace,
    hasEnded: ended === 1,
  });
  return {
    /** Call it before the job is created. */
    begin({ marker, studyId, n, k, place, gitDir }: NewJob): void {
      begin.run(marker, studyId, n, k, JSON.stringify(place), gitDir);
    },
    /** Gives its result to run `k` of its experiment. */
    take(marker: string, k: number): void {
      take.run(k, marker);
    },
    /** Nothing of it runs any more; its files may still be there. */
    setEnded(marker: string): void {
      setEnded.run(marker);
    },
    /** The job is completely removed. */
    remove(marker: string): void {
      remove.run(marker);
    },
    list(studyId: string): readonly Job[] {
      return list.all(studyId).map(jobOf);
    },
    /** Those of all studies, also of those that were removed. */
    all(): readonly ListedJob[] {
      return all
        .all()
        .map(({ tag, isAwaited, ...row }) => ({ ...jobOf(row), tag, isAwaited: isAwaited === 1 }));
    },
    /** Those whose studies were removed, and since when that is known, which is at the latest now. */
    ofRemoved(now: number): readonly (Job & { readonly removedSince: number })[] {
      findRemoved.run(now);
      return ofRemoved.all().map(({ removedSince, ...row }) => ({ ...jobOf(row), removedSince }));
    },
    /**
     * Jobs of interrupted runs whose result no run has, oldest first. A job that was lost has none: a run with the verdict
     * on its fairness has its end.
     */
    untaken(
      studyId: string,
      run: {
        readonly n: number;
        readonly commit: string;
        readonly purpose: RepeatPurpose | null;
        readonly place: JobPlace;
      },
    ): readonly Job[] {
      return untaken.all(studyId, run.n, run.commit, run.purpose, JSON.stringify(run.place)).map(jobOf);
    },
    /**
     * Jobs whose results are no longer needed: their experiments have a verdict without them, or their run has ended.
     * A job that could not be reached when it was stopped may still run, and would train beside the next run of its
     * commit.
     */
    settled(studyId: string): readonly Job[] {
      return settled.all(studyId).map(jobOf);
    },
    /** Jobs whose commits another run trains now. */
    superseded(studyId: string): readonly Job[] {
      return superseded.all(studyId).map(jobOf);
    },
  };
}
