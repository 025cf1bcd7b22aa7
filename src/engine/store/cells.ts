import type { Cell } from '../../shared/notebook.ts';
import { isLeft, type Phase } from '../../shared/phases.ts';
import type { Evidence, Verdict } from '../../shared/study.ts';
import { type Database, decode } from './database.ts';
import { type RecordRow, recordOf, repeatColumns } from './record.ts';

type Row = RecordRow & {
  n: number;
  phase: Phase;
  why_waiting: string | null;
  hypothesis: string | null;
  category: string | null;
  predicted_effect: number | null;
  verdict: Verdict['word'] | null;
  reason: string | null;
  evidence: string | null;
  memory: number | null;
  started_at: number;
  ended_at: number | null;
  attempt_commit: string | null;
  trained_ms: number | null;
  tags: string;
  notes: number;
  contained: number | null;
  edited: number;
  other_line: number | null;
  combines: string | null;
  superseded_by: number | null;
  crash: string | null;
};

function fromRow(row: Row): Cell {
  const evidence = decode<Partial<Evidence>>(row.evidence);
  const incumbentMetric = evidence?.incumbentMetric ?? null;
  const record = recordOf(row);
  return {
    n: row.n,
    phase: row.phase,
    whyWaiting: isLeft(row.phase) ? row.why_waiting : null,
    hypothesis: row.hypothesis,
    category: row.category,
    predictedEffect: row.predicted_effect,
    verdict: verdictOf(row, evidence?.guard),
    metric: row.metric,
    incumbentMetric,
    record,
    delta: record === null || incumbentMetric === null ? null : record.mean - incumbentMetric,
    memory: row.memory,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    trainedSeconds: row.trained_ms === null ? null : row.trained_ms / 1000,
    commit: row.attempt_commit,
    tags: JSON.parse(row.tags) as string[],
    notes: row.notes,
    isContained: row.contained === null ? null : row.contained === 1,
    isAudited: row.verdict === 'keep' && evidence?.probe !== undefined,
    isEdited: row.edited === 1,
    parent: evidence?.lateParent?.experiment ?? evidence?.incumbentExperiment ?? null,
    otherLine: row.other_line,
    combines: decode<[number, number]>(row.combines),
    supersededBy: row.superseded_by,
    crash: row.crash,
  };
}

function verdictOf({ verdict, reason }: Row, guard: Evidence['guard']): Cell['verdict'] {
  if (reason === null) return null;
  return {
    ...({ word: verdict ?? 'other', reason } as NonNullable<Cell['verdict']>),
    ...(guard && { guard: { kind: guard.kind, name: guard.name } }),
  };
}

export type CellStore = ReturnType<typeof cellStore>;

/** Experiments as the notebook lists them: read only, many at a time. */
export function cellStore(database: Database) {
  const columns = `n, phase, why_waiting, hypothesis, category, predicted_effect, verdict, reason, evidence, metric, memory,
    started_at, ended_at, attempt_commit, other_line,
    (SELECT sum(run.ended_at - run.started_at) FROM run WHERE run.experiment_id = e.id) AS trained_ms,
    (SELECT json_group_array(tag) FROM (SELECT tag FROM tag WHERE tag.experiment_id = e.id ORDER BY position)) AS tags,
    (SELECT count(*) FROM note WHERE note.experiment_id = e.id) AS notes,
    (SELECT contained FROM run WHERE run.experiment_id = e.id ORDER BY k DESC LIMIT 1) AS contained,
    EXISTS (SELECT 1 FROM review WHERE review.study_id = e.study_id AND review.n = e.n AND outcome = 'edited'
      AND commit_name = e.attempt_commit) AS edited,
    (SELECT pair FROM idea WHERE idea.study_id = e.study_id AND idea.n = e.n AND pair IS NOT NULL AND state = 'taken' LIMIT 1) AS combines,
    CASE WHEN verdict = 'crash' THEN (SELECT crash ->> '$.message' FROM run
      WHERE run.experiment_id = e.id AND crash IS NOT NULL ORDER BY k DESC LIMIT 1) END AS crash,
    CASE WHEN verdict = 'keep' THEN (SELECT min(later.n) FROM experiment later, json_each(later.evidence, '$.supersedes') missing
      WHERE later.study_id = e.study_id AND later.evidence ->> '$.supersedes' IS NOT NULL AND later.verdict = 'keep'
      AND missing.value = e.n) END AS superseded_by,
    ${repeatColumns('e')}`;
  const byNumber = database.prepare<[string, number], Row>(
    `SELECT ${columns} FROM experiment e WHERE study_id = ? AND n = ?`,
  );
  const before = database.prepare<[string, number, number], Row>(
    `SELECT ${columns} FROM experiment e WHERE study_id = ? AND n < ? ORDER BY n DESC LIMIT ?`,
  );

  return {
    get(studyId: string, n: number): Cell | null {
      const row = byNumber.get(studyId, n);
      return row ? fromRow(row) : null;
    },
    /** Experiments below `n`, highest number first. */
    before(studyId: string, n: number, limit: number): readonly Cell[] {
      return before.all(studyId, n, limit).map(fromRow);
    },
  };
}
