import type { GuardFailure } from '../../shared/guard.ts';
import type { Ancestor } from '../../shared/notebook.ts';
import type { Hint } from '../../shared/probes.ts';
import {
  type Evidence,
  type Experiment,
  findBest,
  isBetter,
  keepRate,
  type Phase,
  type Proposal,
  type ShownVerdict,
  type Tally,
  type Verdict,
  type VerdictWord,
} from '../../shared/study.ts';
import type { Database } from './database.ts';
import { recordOf, repeatColumns } from './record.ts';

type Row = {
  n: number;
  phase: Phase;
  hypothesis: string | null;
  rationale: string | null;
  predicted_effect: number | null;
  category: string | null;
  memo: string | null;
  parent_commit: string | null;
  attempt_commit: string | null;
  branch_commit: string | null;
  verdict_order: number | null;
  edit_digest: string | null;
  source_lines: number | null;
  verdict: Verdict['word'] | null;
  reason: string | null;
  evidence: string | null;
  metric: number | null;
  memory: number | null;
  started_at: number;
  ended_at: number | null;
  imported: string | null;
  trained_ms: number | null;
  repeats: number;
  repeat_sum: number;
  repeats_apart: number;
};

function fromRow(row: Row): Experiment {
  return {
    n: row.n,
    phase: row.phase,
    proposal:
      row.hypothesis === null
        ? null
        : {
            hypothesis: row.hypothesis,
            rationale: row.rationale,
            predictedEffect: row.predicted_effect,
            category: row.category,
            memo: row.memo === null ? null : JSON.parse(row.memo),
          },
    parentCommit: row.parent_commit,
    attemptCommit: row.attempt_commit,
    branchCommit: row.branch_commit ?? row.attempt_commit,
    verdictOrder: row.verdict_order,
    // A row with a reason and no verdict was judged elsewhere, in a word of its own.
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
    imported: row.imported === null ? null : (JSON.parse(row.imported) as string[]),
  };
}

function probeOf({
  probe,
  hints,
  wasKept,
}: Partial<Evidence> = {}): Pick<Evidence, 'probe' | 'hints' | 'wasKept'> {
  return { ...(probe && { probe }), ...(hints && { hints }), ...(wasKept && { wasKept }) };
}

/** The experiment the branch stands at, as the ledger knows it. */
export type Incumbent = {
  readonly n: number;
  /** Where the branch stands. */
  readonly commit: string;
  /** Its record: the mean of all its runs. */
  readonly metric: number;
  readonly sourceLines: number;
};

/** A finished experiment as proposers and stop rules need it. */
export type HistoryEntry = {
  readonly n: number;
  readonly hypothesis: string;
  readonly category: string | null;
  readonly memo: unknown;
  readonly verdict: Verdict['word'];
  readonly reason: string;
  readonly metric: number | null;
  readonly incumbentMetric: number | null;
  /** Number of the incumbent it was compared with; null for the baseline. */
  readonly incumbent: number | null;
  /** The experiment it was made on, where that was not the incumbent any more. */
  readonly lateParent?: number;
  /** The condition or check that failed; null if there were none or all passed. */
  readonly guard: GuardFailure | null;
  /** What probes and hints say of it. */
  readonly probe?: Pick<Evidence, 'probe' | 'hints' | 'wasKept'>;
};

export type ExperimentStore = ReturnType<typeof experimentStore>;

export function experimentStore(database: Database) {
  const record = repeatColumns('experiment');
  const columns = `n, phase, hypothesis, rationale, predicted_effect, category, memo, parent_commit, attempt_commit,
    branch_commit, verdict_order, edit_digest, source_lines, verdict, reason, evidence, metric, memory, started_at, ended_at, imported,
    (SELECT sum(run.ended_at - run.started_at) FROM run WHERE run.experiment_id = experiment.id) AS trained_ms,
    ${record}`;
  const begin = database.prepare(
    `INSERT INTO experiment (study_id, n, phase, parent_commit, started_at) VALUES (?, ?, 'proposing', ?, ?)
     ON CONFLICT (study_id, n) DO UPDATE SET phase = 'proposing', parent_commit = excluded.parent_commit,
       started_at = excluded.started_at, ended_at = NULL, hypothesis = NULL, rationale = NULL,
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
  // The sign has SQLite use the index of what is unfinished, and not that of all numbers.
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
  const counts = database.prepare<[string], { verdict: VerdictWord; count: number }>(
    `SELECT coalesce(verdict, 'other') AS verdict, count(*) AS count FROM experiment
     WHERE study_id = ? AND reason IS NOT NULL GROUP BY 1`,
  );
  const keeps = database.prepare<
    [string],
    {
      n: number;
      metric: number | null;
      repeats: number;
      repeat_sum: number;
      repeats_apart: number;
      imported: string | null;
    }
  >(
    `SELECT n, metric, imported, ${record} FROM experiment WHERE study_id = ? AND verdict = 'keep' AND phase = 'recorded'
     ORDER BY coalesce(verdict_order, n), n`,
  );
  const incumbent = database.prepare<
    [string],
    Pick<Row, 'n' | 'repeats' | 'repeat_sum' | 'repeats_apart'> & {
      commit_name: string;
      metric: number;
      source_lines: number;
    }
  >(
    `SELECT n, coalesce(branch_commit, attempt_commit) AS commit_name, metric, source_lines, ${record} FROM experiment
     WHERE study_id = +? AND verdict = 'keep' AND phase = 'recorded' ORDER BY verdict_order DESC LIMIT 1`,
  );
  const parentOf = database.prepare<[{ studyId: string; n: number }], { n: number }>(
    `SELECT e.n FROM experiment own CROSS JOIN experiment e ON e.study_id = +@studyId
       AND (e.attempt_commit = own.parent_commit OR e.branch_commit = own.parent_commit)
     WHERE own.study_id = +@studyId AND own.n = +@n AND e.n <> +@n ORDER BY e.verdict_order DESC LIMIT 1`,
  );
  const sourceLines = database.prepare<[string, number], { source_lines: number | null }>(
    'SELECT source_lines FROM experiment WHERE study_id = ? AND n = ?',
  );
  // The order of the join has SQLite look a parent up by its commit. The baseline is its own parent, so rows that are known end it.
  const lineage = database.prepare<
    [{ studyId: string; n: number }],
    Pick<Row, 'n' | 'hypothesis' | 'metric' | 'repeats' | 'repeat_sum' | 'repeats_apart'> & {
      is_kept: number;
    }
  >(
    `WITH RECURSIVE line (n, parent) AS (
       SELECT n, parent_commit FROM experiment WHERE study_id = @studyId AND n = @n
       UNION
       SELECT e.n, e.parent_commit FROM line CROSS JOIN experiment e
         ON e.study_id = @studyId AND (e.attempt_commit = line.parent OR e.branch_commit = line.parent))
     SELECT n, hypothesis, metric, coalesce(verdict = 'keep', 0) AS is_kept, ${record} FROM experiment
     WHERE study_id = @studyId AND n IN (SELECT n FROM line WHERE n <> @n) ORDER BY coalesce(verdict_order, n)`,
  );
  const sameEdit = database.prepare<[{ studyId: string; editDigest: string; n: number }], { n: number }>(
    `SELECT n FROM experiment e WHERE study_id = +@studyId AND n <> +@n AND (edit_digest = +@editDigest
       OR EXISTS (SELECT 1 FROM run WHERE experiment_id = e.id AND run.edit_digest = +@editDigest)) ORDER BY n LIMIT 1`,
  );
  const crashesInRow = database.prepare<[{ studyId: string }], { count: number }>(
    `SELECT count(*) AS count FROM experiment WHERE study_id = @studyId AND verdict = 'crash' AND verdict_order > coalesce(
       (SELECT max(verdict_order) FROM experiment WHERE study_id = @studyId AND verdict <> 'crash'), -1)`,
  );
  const history = database.prepare<
    [string],
    Pick<Row, 'n' | 'hypothesis' | 'category' | 'memo' | 'metric'> & {
      verdict: Verdict['word'];
      reason: string;
      evidence: string | null;
    }
  >(
    `SELECT n, hypothesis, category, memo, verdict, reason, evidence, metric FROM experiment
     WHERE study_id = +? AND verdict IS NOT NULL ORDER BY verdict_order`,
  );

  return {
    /** Starts experiment `n`, or starts it over when its engine died before there was an attempt. */
    begin(studyId: string, n: number, parentCommit: string, at: number): void {
      begin.run(studyId, n, parentCommit, at);
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
    /** Takes back the beginning of an experiment that never got a proposal; of one that is not the newest, that leaves no gap. */
    dropUnproposed(studyId: string, n: number): void {
      dropUnproposed.run(studyId, n, studyId);
    },
    /**
     * What moves the branch stays in `deciding` until it has moved; anything else is recorded with this.
     * @param moves whether this takes a keep back, and what a keep moves the branch to where that is not its attempt
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
    /** More is known of a verdict that stands. */
    setEvidence(studyId: string, n: number, evidence: Evidence): void {
      setEvidence.run(JSON.stringify(evidence), studyId, n);
    },
    /** Why an experiment whose verdict waits deserves a closer look. */
    heldHints(studyId: string, n: number): readonly Hint[] {
      const { evidence = null } = byNumber.get(studyId, n) ?? {};
      return evidence === null ? [] : ((JSON.parse(evidence) as Partial<Evidence>).hints ?? []);
    },
    insertImported(row: {
      studyId: string;
      n: number;
      hypothesis: string;
      verdict: VerdictWord;
      /** Of an `other` verdict its word. */
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
    /** Experiments without a settled end: in flight, interrupted, or kept with the branch not moved yet. */
    unfinished(studyId: string): readonly Experiment[] {
      return unfinished.all(studyId).map(fromRow);
    },
    /** Those whose verdict moves the branch, which has not moved yet: the newest verdict first. */
    moving(studyId: string): readonly Experiment[] {
      return moving.all(studyId).map(fromRow);
    },
    /** Of those numbered from `n` on that had their verdict then or later: how many, the first begin, the last end. */
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
    /** Number of the experiment whose commit `n` was made on; null for the baseline. */
    parentOf(studyId: string, n: number): number | null {
      return parentOf.get({ studyId, n })?.n ?? null;
    },
    /** The experiments that `n` was built on, one upon the other; the first one first. */
    lineage(studyId: string, n: number): readonly Ancestor[] {
      return lineage.all({ studyId, n }).map(({ is_kept, ...row }) => ({
        ...{ n: row.n, hypothesis: row.hypothesis, isKept: is_kept === 1 },
        metric: recordOf(row)?.mean ?? null,
      }));
    },
    /** Non-blank lines of the attempt's editable files; null where there is no attempt. */
    sourceLines(studyId: string, n: number): number | null {
      return sourceLines.get(studyId, n)?.source_lines ?? null;
    },
    /** Number of another experiment whose editable files were exactly these, or null. */
    findSameEdit(studyId: string, editDigest: string, n: number): number | null {
      return sameEdit.get({ studyId, editDigest, n })?.n ?? null;
    },
    /** The best so far from each keep on; of an own study that is where its branch stood. */
    bestSoFar(
      studyId: string,
      goal: 'minimize' | 'maximize',
      isImported: boolean,
    ): readonly (readonly [n: number, value: number])[] {
      const steps: (readonly [number, number])[] = [];
      for (const row of keeps.all(studyId)) {
        const value = recordOf(row)?.mean;
        const before = steps.at(-1)?.[1];
        if (value === undefined || !Number.isFinite(value)) continue;
        if (!isImported || before === undefined || isBetter(goal, value, before)) steps.push([row.n, value]);
      }
      return steps;
    },
    /** How many of the newest verdicts are crashes. */
    crashesInRow(studyId: string): number {
      return crashesInRow.get({ studyId })?.count ?? 0;
    },
    history(studyId: string): readonly HistoryEntry[] {
      return history.all(studyId).map(row => {
        const { n, category, memo, metric, verdict, reason } = row;
        const evidence = JSON.parse(row.evidence ?? '{}') as Partial<Evidence>;
        return {
          ...{ n, hypothesis: row.hypothesis ?? '', category, verdict, reason, metric },
          memo: memo === null ? null : JSON.parse(memo),
          incumbentMetric: evidence.incumbentMetric ?? null,
          incumbent: evidence.incumbentExperiment ?? null,
          ...(evidence.lateParent && { lateParent: evidence.lateParent.experiment }),
          guard: evidence.guard ?? null,
          probe: probeOf(evidence),
        };
      });
    },
    /** Upstream's counts. The best of an own study is its {@link incumbent}. */
    tally(studyId: string, goal: 'minimize' | 'maximize'): Tally {
      const counted = { keep: 0, discard: 0, crash: 0, other: 0 };
      for (const row of counts.all(studyId)) counted[row.verdict] = row.count;
      const { other, ...count } = counted;
      const rows = keeps.all(studyId);
      const kept = rows.map(row => ({ n: row.n, metric: recordOf(row)?.mean ?? null }));
      // Of an own study it is where the branch stands, also after fewer lines that are a little worse.
      const best = rows.at(-1)?.imported === null ? (kept.at(-1) ?? null) : findBest(kept, goal);
      return {
        ...count,
        finished: count.keep + count.discard + count.crash + other,
        keepRate: keepRate(count),
        baseline: kept[0]?.metric ?? null,
        best: best?.metric ?? null,
        bestExperiment: best?.n ?? null,
      };
    },
  };
}
