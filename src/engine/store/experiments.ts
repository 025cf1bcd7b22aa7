import { isLeft, type Phase } from '../../shared/phases.ts';
import type {
  Evidence,
  Experiment,
  Proposal,
  ShownVerdict,
  Verdict,
  VerdictWord,
} from '../../shared/study.ts';
import type { Hint } from '../../shared/verdicts/probes.ts';
import { type Database, decode } from './database.ts';
import { experimentPast } from './experiment-past.ts';
import { type RecordRow, recordOf, repeatColumns } from './record.ts';

type Row = RecordRow & {
  n: number;
  phase: Phase;
  why_waiting: string | null;
  hypothesis: string | null;
  rationale: string | null;
  predicted_effect: number | null;
  category: string | null;
  memo: string | null;
  parent_commit: string | null;
  other_line: number | null;
  attempt_commit: string | null;
  branch_commit: string | null;
  verdict_order: number | null;
  edit_digest: string | null;
  source_lines: number | null;
  verdict: Verdict['word'] | null;
  reason: string | null;
  evidence: string | null;
  memory: number | null;
  started_at: number;
  ended_at: number | null;
  imported: string | null;
  trained_ms: number | null;
};

function fromRow(row: Row): Experiment {
  return {
    n: row.n,
    phase: row.phase,
    whyWaiting: isLeft(row.phase) ? row.why_waiting : null,
    proposal:
      row.hypothesis === null
        ? null
        : {
            hypothesis: row.hypothesis,
            rationale: row.rationale,
            predictedEffect: row.predicted_effect,
            category: row.category,
            memo: decode(row.memo),
          },
    parentCommit: row.parent_commit,
    otherLine: row.other_line,
    attemptCommit: row.attempt_commit,
    branchCommit: row.branch_commit ?? row.attempt_commit,
    verdictOrder: row.verdict_order,
    // A row with a reason but no verdict was judged elsewhere, in another word.
    verdict:
      row.reason === null
        ? null
        : ({
            word: row.verdict ?? 'other',
            reason: row.reason,
            evidence: JSON.parse(row.evidence ?? '{}') as Evidence,
          } as ShownVerdict),
    metric: row.metric,
    record: recordOf(row),
    memory: row.memory,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    trainedSeconds: row.trained_ms === null ? null : row.trained_ms / 1000,
    imported: decode<string[]>(row.imported),
  };
}

/** The experiment at which the branch is, according to the ledger. */
export type Incumbent = {
  readonly n: number;
  /** The commit at which the branch is. */
  readonly commit: string;
  /** Its record: the mean of all its runs. */
  readonly metric: number;
  readonly sourceLines: number;
};

/** The commit on which an experiment is made. */
export type Start = {
  readonly commit: string;
  /** The experiment that made this commit, if it is not on the branch. */
  readonly otherLine?: number | null;
};

export type ExperimentStore = ReturnType<typeof experimentStore>;

export function experimentStore(database: Database) {
  const record = repeatColumns('experiment');
  const columns = `n, phase, why_waiting, hypothesis, rationale, predicted_effect, category, memo, parent_commit, other_line,
    attempt_commit, branch_commit, verdict_order, edit_digest, source_lines, verdict, reason, evidence, metric, memory, started_at, ended_at, imported,
    (SELECT sum(run.ended_at - run.started_at) FROM run WHERE run.experiment_id = experiment.id) AS trained_ms,
    ${record}`;
  const begin = database.prepare(
    `INSERT INTO experiment (study_id, n, phase, parent_commit, other_line, started_at) VALUES (?, ?, 'proposing', ?, ?, ?)
     ON CONFLICT (study_id, n) DO UPDATE SET phase = 'proposing', parent_commit = excluded.parent_commit,
       other_line = excluded.other_line, started_at = excluded.started_at, ended_at = NULL, hypothesis = NULL, rationale = NULL,
       predicted_effect = NULL, category = NULL, memo = NULL, attempt_commit = NULL, branch_commit = NULL, edit_digest = NULL,
       source_lines = NULL, verdict = NULL, reason = NULL, evidence = NULL, metric = NULL, memory = NULL,
       verdict_order = NULL`,
  );
  const propose = database.prepare(
    `UPDATE experiment SET phase = 'applying', hypothesis = ?, rationale = ?, predicted_effect = ?, category = ?,
       memo = ? WHERE study_id = ? AND n = ?`,
  );
  const attempt = database.prepare(
    `UPDATE experiment SET phase = 'attempted', attempt_commit = ?, edit_digest = ?, source_lines = ?
     WHERE study_id = ? AND n = ?`,
  );
  const setPhase = database.prepare('UPDATE experiment SET phase = ? WHERE study_id = ? AND n = ?');
  const leave = database.prepare(
    'UPDATE experiment SET phase = ?, why_waiting = ? WHERE study_id = ? AND n = ?',
  );
  const decide = database.prepare(
    `UPDATE experiment SET phase = @phase, verdict = @word, reason = @reason, evidence = @evidence, metric = @metric,
       memory = @memory, ended_at = @at, branch_commit = coalesce(@branchCommit, branch_commit), verdict_order =
       coalesce(verdict_order, 1 + (SELECT coalesce(max(verdict_order), -1) FROM experiment WHERE study_id = @studyId))
     WHERE study_id = @studyId AND n = @n`,
  );
  const setEvidence = database.prepare('UPDATE experiment SET evidence = ? WHERE study_id = ? AND n = ?');
  const insertImported = database.prepare(
    `INSERT INTO experiment (study_id, n, phase, hypothesis, verdict, reason, evidence, metric, memory, attempt_commit,
       started_at, ended_at, imported, verdict_order)
     VALUES (@studyId, @n, 'recorded', @hypothesis, @verdict, @reason, '{}', @metric, @memory, @commit, @startedAt,
       @endedAt, @imported, CASE WHEN @verdict IS NULL THEN NULL ELSE @n END)`,
  );
  const byNumber = database.prepare<[string, number], Row>(
    `SELECT ${columns} FROM experiment WHERE study_id = ? AND n = ?`,
  );
  const page = database.prepare<[string, number, number], Row>(
    `SELECT ${columns} FROM experiment WHERE study_id = ? AND n >= ? ORDER BY n LIMIT ?`,
  );
  // The `+` makes SQLite use the index of unfinished experiments rather than the one of all numbers.
  const unfinished = database.prepare<[string], Row>(
    `SELECT ${columns} FROM experiment WHERE study_id = +? AND phase <> 'recorded' ORDER BY +n`,
  );
  const moving = database.prepare<[string], Row>(
    `SELECT ${columns} FROM experiment WHERE study_id = ? AND phase <> 'recorded' AND verdict IS NOT NULL
     ORDER BY verdict_order DESC`,
  );
  const dropUnproposed = database.prepare(
    `DELETE FROM experiment WHERE study_id = ? AND n = ? AND hypothesis IS NULL AND attempt_commit IS NULL
       AND n = (SELECT max(n) FROM experiment WHERE study_id = ?)`,
  );
  const last = database.prepare<[string], { n: number }>(
    'SELECT n FROM experiment WHERE study_id = ? ORDER BY n DESC LIMIT 1',
  );
  const endedSince = database.prepare<
    [string, number, number],
    { count: number; firstAt: number | null; lastAt: number | null }
  >(
    `SELECT count(*) AS count, min(started_at) AS firstAt, max(ended_at) AS lastAt FROM experiment
     WHERE study_id = ? AND n >= ? AND reason IS NOT NULL AND ended_at >= ?`,
  );
  const incumbent = database.prepare<
    [string],
    RecordRow<number> & { n: number; commit_name: string; source_lines: number }
  >(
    `SELECT n, coalesce(branch_commit, attempt_commit) AS commit_name, metric, source_lines, ${record} FROM experiment
     WHERE study_id = +? AND verdict = 'keep' AND phase = 'recorded' ORDER BY verdict_order DESC LIMIT 1`,
  );
  const sourceLines = database.prepare<[string, number], { source_lines: number | null }>(
    'SELECT source_lines FROM experiment WHERE study_id = ? AND n = ?',
  );
  const sameEdit = database.prepare<[{ studyId: string; editDigest: string; n: number }], { n: number }>(
    `SELECT n FROM experiment e WHERE study_id = +@studyId AND n <> +@n AND (edit_digest = +@editDigest
       OR EXISTS (SELECT 1 FROM run WHERE experiment_id = e.id AND run.edit_digest = +@editDigest)) ORDER BY n LIMIT 1`,
  );
  return {
    /** Starts experiment `n`, or restarts it if its engine died before there was an attempt. */
    begin(studyId: string, n: number, { commit, otherLine = null }: Start, at: number): void {
      begin.run(studyId, n, commit, otherLine, at);
    },
    propose(studyId: string, n: number, proposal: Proposal): void {
      const { hypothesis, rationale, predictedEffect, category, memo } = proposal;
      propose.run(hypothesis, rationale, predictedEffect, category, JSON.stringify(memo ?? null), studyId, n);
    },
    attempt(
      studyId: string,
      n: number,
      made: { commit: string; editDigest: string; sourceLines: number },
    ): void {
      attempt.run(made.commit, made.editDigest, made.sourceLines, studyId, n);
    },
    setPhase(studyId: string, n: number, phase: Phase): void {
      setPhase.run(phase, studyId, n);
    },
    /** Leaves it to be continued later. */
    leave(studyId: string, n: number, phase: 'interrupted' | 'put_off', why: string): void {
      leave.run(phase, why, studyId, n);
    },
    /** Removes an experiment that never got a proposal. If it is not the newest, that leaves no gap. */
    dropUnproposed(studyId: string, n: number): void {
      dropUnproposed.run(studyId, n, studyId);
    },
    /**
     * If the verdict moves the branch, the experiment stays in `deciding` until it has moved; otherwise this records
     * it.
     * @param moves whether this takes a keep back, and the commit for the branch if it is not the attempt
     */
    decide(
      studyId: string,
      n: number,
      verdict: Verdict,
      at: number,
      { wasKept = false, branchCommit = null }: { wasKept?: boolean; branchCommit?: string | null } = {},
    ): void {
      const { word, reason, evidence: found } = verdict;
      const phase: Phase = word === 'keep' || wasKept ? 'deciding' : 'recorded';
      const { metric = null, memory = null } = found;
      const evidence = JSON.stringify(found);
      decide.run({ studyId, n, phase, word, reason, evidence, metric, memory, at, branchCommit });
    },
    /** Adds evidence to an existing verdict. */
    setEvidence(studyId: string, n: number, evidence: Evidence): void {
      setEvidence.run(JSON.stringify(evidence), studyId, n);
    },
    /** Reasons for a closer look at an experiment whose verdict waits. */
    heldHints(studyId: string, n: number): readonly Hint[] {
      const { evidence = null } = byNumber.get(studyId, n) ?? {};
      return evidence === null ? [] : ((JSON.parse(evidence) as Partial<Evidence>).hints ?? []);
    },
    insertImported(row: {
      studyId: string;
      n: number;
      hypothesis: string;
      verdict: VerdictWord;
      /** For the verdict `other`, its original word. */
      reason: string;
      metric: number | null;
      memory: number | null;
      commit: string | null;
      /** When it began and ended; null if not recorded. */
      startedAt: number | null;
      endedAt: number | null;
      imported: readonly string[];
      /** When it was imported. */
      at: number;
    }): void {
      const { verdict, startedAt, endedAt, imported, at, ...rest } = row;
      insertImported.run({
        ...rest,
        verdict: verdict === 'other' ? null : verdict,
        startedAt: startedAt ?? at,
        endedAt: startedAt === null ? null : endedAt,
        imported: JSON.stringify(imported),
      });
    },
    get(studyId: string, n: number): Experiment | null {
      const row = byNumber.get(studyId, n);
      return row ? fromRow(row) : null;
    },
    /** In order of `n`, from `from` on. */
    page(studyId: string, from: number, limit: number): readonly Experiment[] {
      return page.all(studyId, from, limit).map(fromRow);
    },
    /** Experiments without a settled end: in flight, interrupted, put off, or kept while the branch has not moved yet. */
    unfinished(studyId: string): readonly Experiment[] {
      return unfinished.all(studyId).map(fromRow);
    },
    /** Experiments whose verdict moves the branch but which has not moved yet, newest verdict first. */
    moving(studyId: string): readonly Experiment[] {
      return moving.all(studyId).map(fromRow);
    },
    /** Among experiments numbered from `n` on whose verdict came then or later: their count, first start and last end. */
    endedSince(
      studyId: string,
      n: number,
      at: number,
    ): { readonly count: number; readonly firstAt: number | null; readonly lastAt: number | null } {
      return endedSince.get(studyId, n, at) ?? { count: 0, firstAt: null, lastAt: null };
    },
    lastNumber(studyId: string): number | null {
      return last.get(studyId)?.n ?? null;
    },
    incumbent(studyId: string): Incumbent | null {
      const row = incumbent.get(studyId);
      if (!row) return null;
      const { mean: metric } = recordOf(row);
      return { n: row.n, commit: row.commit_name, metric, sourceLines: row.source_lines };
    },
    /** Non-blank lines of the attempt's editable files; null if there is no attempt. */
    sourceLines(studyId: string, n: number): number | null {
      return sourceLines.get(studyId, n)?.source_lines ?? null;
    },
    /** Number of another experiment whose editable files were exactly these, or null. */
    findSameEdit(studyId: string, editDigest: string, n: number): number | null {
      return sameEdit.get({ studyId, editDigest, n })?.n ?? null;
    },
    ...experimentPast(database),
  };
}
