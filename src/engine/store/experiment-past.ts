import type { Goal } from '../../shared/contract/contract.ts';
import type { Ancestor } from '../../shared/notebook.ts';
import {
  type Evidence,
  findBest,
  isBetter,
  type Tally,
  type Verdict,
  type VerdictWord,
} from '../../shared/study.ts';
import { countTried, keepRate } from '../../shared/tried.ts';
import type { GuardFailure } from '../../shared/verdicts/guard.ts';
import { type Database, decode } from './database.ts';
import { type RecordRow, recordOf, repeatColumns } from './record.ts';

/** A finished experiment, as proposers and stop rules need it. */
export type HistoryEntry = {
  readonly n: number;
  readonly hypothesis: string;
  readonly category: string | null;
  readonly memo: unknown;
  readonly verdict: Verdict['word'];
  readonly reason: string;
  /** The number that gave the verdict. */
  readonly metric: number | null;
  /** The mean of all runs of its commit that count. */
  readonly record: number | null;
  /** The incumbent's record when it was compared with it. */
  readonly incumbentMetric: number | null;
  /** Number of the incumbent it was compared with; null for the baseline. */
  readonly incumbent: number | null;
  /** The experiment on which it was made, if that was no longer the incumbent. */
  readonly lateParent?: number;
  /** The keeps whose place it took. */
  readonly supersedes?: readonly number[];
  /** The condition or check that failed; null if there were none or all passed. */
  readonly guard: GuardFailure | null;
  /** What probes and hints showed. */
  readonly probe?: Pick<Evidence, 'probe' | 'hints' | 'wasKept'>;
};

/** The experiment whose commit it was made on; null for the baseline. */
export function madeOn({ lateParent, incumbent }: Pick<HistoryEntry, 'lateParent' | 'incumbent'>) {
  return lateParent ?? incumbent;
}

type HistoryRow = Pick<HistoryEntry, 'n' | 'category' | 'verdict' | 'reason' | 'metric'> &
  RecordRow & {
    hypothesis: string | null;
    memo: string | null;
    evidence: string | null;
  };

type Measured = RecordRow & { n: number };

/**
 * What is known about a study's earlier experiments: their history, what was built on what, counts. A part of
 * `experimentStore`.
 */
export function experimentPast(database: Database) {
  const record = repeatColumns('experiment');
  const counts = database.prepare<[string], { verdict: VerdictWord; count: number }>(
    `SELECT coalesce(verdict, 'other') AS verdict, count(*) AS count FROM experiment
     WHERE study_id = ? AND reason IS NOT NULL GROUP BY 1`,
  );
  const baselineVerdict = database
    .prepare<[string], VerdictWord>(
      'SELECT verdict FROM experiment WHERE study_id = ? AND n = 0 AND verdict IS NOT NULL AND imported IS NULL',
    )
    .pluck();
  const keeps = database.prepare<[string], Measured & { imported: string | null }>(
    `SELECT n, metric, imported, ${record} FROM experiment WHERE study_id = ? AND verdict = 'keep' AND phase = 'recorded'
     ORDER BY coalesce(verdict_order, n), n`,
  );
  const parentOf = database.prepare<[{ studyId: string; n: number }], { n: number }>(
    `SELECT e.n FROM experiment own CROSS JOIN experiment e ON e.study_id = +@studyId
       AND (e.attempt_commit = own.parent_commit OR e.branch_commit = own.parent_commit)
     WHERE own.study_id = +@studyId AND own.n = +@n AND e.n <> +@n ORDER BY e.verdict_order DESC LIMIT 1`,
  );
  // With this order of the join, SQLite looks up a parent by its commit. The baseline is its own parent, so UNION
  // ends the recursion.
  const lineage = database.prepare<
    [{ studyId: string; n: number }],
    Measured & { hypothesis: string | null; standing: Ancestor['standing'] }
  >(
    `WITH RECURSIVE line (n, parent) AS (
       SELECT n, parent_commit FROM experiment WHERE study_id = @studyId AND n = @n
       UNION
       SELECT e.n, e.parent_commit FROM line CROSS JOIN experiment e
         ON e.study_id = @studyId AND (e.attempt_commit = line.parent OR e.branch_commit = line.parent))
     SELECT n, hypothesis, metric, CASE WHEN verdict = 'keep' THEN 'kept'
       WHEN reason = 'rolled_back' OR evidence ->> '$.wasKept' THEN 'taken_back' ELSE 'left' END AS standing, ${record} FROM experiment
     WHERE study_id = @studyId AND n IN (SELECT n FROM line WHERE n <> @n) ORDER BY coalesce(verdict_order, n)`,
  );
  const crashesInRow = database.prepare<[{ studyId: string }], { count: number }>(
    `SELECT count(*) AS count FROM experiment WHERE study_id = @studyId AND verdict = 'crash' AND verdict_order > coalesce(
       (SELECT max(verdict_order) FROM experiment WHERE study_id = @studyId AND verdict <> 'crash'), -1)`,
  );
  const history = database.prepare<[string], HistoryRow>(
    `SELECT n, hypothesis, category, memo, verdict, reason, metric, evidence, ${record} FROM experiment
     WHERE study_id = +? AND verdict IS NOT NULL ORDER BY verdict_order`,
  );

  return {
    /** Number of the experiment whose commit `n` was made on; null for the baseline. */
    parentOf(studyId: string, n: number): number | null {
      return parentOf.get({ studyId, n })?.n ?? null;
    },
    /** The ancestors of `n`, the first one first. */
    lineage(studyId: string, n: number): readonly Ancestor[] {
      return lineage.all({ studyId, n }).map(row => ({
        ...{ n: row.n, hypothesis: row.hypothesis, standing: row.standing },
        metric: recordOf(row)?.mean ?? null,
      }));
    },
    /** The best value after each keep; for Pawl's own studies, the values at the branch. */
    bestSoFar(
      studyId: string,
      goal: Goal,
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
      return history.all(studyId).map(({ n, category, verdict, reason, metric, ...row }) => {
        const evidence = JSON.parse(row.evidence ?? '{}') as Partial<Evidence>;
        return {
          ...{ n, category, verdict, reason, metric },
          record: recordOf({ ...row, metric })?.mean ?? null,
          hypothesis: row.hypothesis ?? '',
          memo: decode(row.memo),
          incumbentMetric: evidence.incumbentMetric ?? null,
          incumbent: evidence.incumbentExperiment ?? null,
          ...(evidence.lateParent && { lateParent: evidence.lateParent.experiment }),
          ...(evidence.supersedes && { supersedes: evidence.supersedes }),
          guard: evidence.guard ?? null,
          probe: probeOf(evidence),
        };
      });
    },
    /** The best of Pawl's own studies is the {@link incumbent}. */
    tally(studyId: string, goal: Goal): Tally {
      const counted = { keep: 0, discard: 0, crash: 0, other: 0 };
      for (const row of counts.all(studyId)) counted[row.verdict] = row.count;
      const { other, ...count } = counted;
      const all = {
        ...count,
        finished: count.keep + count.discard + count.crash + other,
        baselineVerdict: baselineVerdict.get(studyId) ?? null,
      };
      const rows = keeps.all(studyId);
      const kept = rows.map(row => ({ n: row.n, metric: recordOf(row)?.mean ?? null }));
      // For Pawl's own studies, the branch: a keep with fewer lines may be slightly worse.
      const best = rows.at(-1)?.imported === null ? (kept.at(-1) ?? null) : findBest(kept, goal);
      return {
        ...all,
        keepRate: keepRate(countTried(all)),
        baseline: kept[0]?.metric ?? null,
        best: best?.metric ?? null,
        bestExperiment: best?.n ?? null,
      };
    },
  };
}

function probeOf({
  probe,
  hints,
  wasKept,
}: Partial<Evidence>): Pick<Evidence, 'probe' | 'hints' | 'wasKept'> {
  return { ...(probe && { probe }), ...(hints && { hints }), ...(wasKept && { wasKept }) };
}
