import type { ProposerOutcome, ProposerRecord } from '../../shared/proposers/proposer-calls.ts';
import type { Database } from './database.ts';
import { repeatColumns } from './record.ts';

export type ProposerCall = {
  readonly n: number;
  readonly at: number;
  readonly proposer: string;
  readonly outcome: ProposerOutcome;
  readonly message: string | null;
  readonly seconds: number | null;
};

export type ProposerCallStore = ReturnType<typeof proposerCallStore>;

/** Who was asked for a proposal and what the result was, with or without an experiment. */
export function proposerCallStore(database: Database) {
  const begin = database.prepare(
    `INSERT INTO proposer_call (study_id, n, at, proposer, outcome) VALUES (?, ?, ?, ?, 'open')`,
  );
  const add = database.prepare<[ProposerCall, string]>(
    `INSERT INTO proposer_call (study_id, n, at, proposer, outcome, message, seconds)
     VALUES (?, @n, @at, @proposer, @outcome, @message, @seconds)`,
  );
  const end = database.prepare('UPDATE proposer_call SET outcome = ?, message = ?, seconds = ? WHERE id = ?');
  const latest = database.prepare<[string, string, number], ProposerCall>(
    `SELECT n, at, proposer, outcome, message, seconds FROM proposer_call
     WHERE study_id = ? AND proposer = ? AND outcome NOT IN ('open', 'cancelled') ORDER BY id DESC LIMIT ?`,
  );
  const list = database.prepare<[string], ProposerCall>(
    'SELECT n, at, proposer, outcome, message, seconds FROM proposer_call WHERE study_id = ? ORDER BY id',
  );
  const author = database.prepare<[string, number], { proposer: string }>(
    `SELECT proposer FROM proposer_call WHERE study_id = ? AND n = ? AND outcome = 'proposed' ORDER BY id DESC LIMIT 1`,
  );
  const calls = database.prepare<
    [{ study: string | null }],
    { proposer: string; calls: number; proposed: number; seconds: number | null }
  >(
    `SELECT proposer, count(*) AS calls, count(*) FILTER (WHERE outcome = 'proposed') AS proposed,
       sum(seconds) AS seconds
     FROM proposer_call WHERE study_id = coalesce(@study, study_id) GROUP BY proposer ORDER BY min(id)`,
  );
  const failures = database.prepare<
    [{ study: string | null }],
    { proposer: string; outcome: ProposerOutcome; count: number; last: string | null }
  >(
    // SQLite takes the bare column from the row with the largest id.
    `SELECT proposer, outcome, count(*) AS count, message AS last, max(id) FROM proposer_call
     WHERE study_id = coalesce(@study, study_id) AND outcome NOT IN ('proposed', 'open')
     GROUP BY proposer, outcome
     ORDER BY count(*) DESC`,
  );
  const costs = database.prepare<[{ study: string | null }], { proposer: string; usd: number | null }>(
    `SELECT proposer, sum(cost_usd) AS usd FROM model_call WHERE study_id = coalesce(@study, study_id)
     GROUP BY proposer`,
  );
  const results = database.prepare<
    [{ study: string | null }],
    {
      proposer: string;
      experiments: number;
      keep: number;
      discard: number;
      crash: number;
      gain: number | null;
    }
  >(
    `WITH kept AS (
       SELECT study_id, n, verdict_order, (metric + repeat_sum) / (1 + repeats) AS record
       FROM (SELECT study_id, n, verdict, verdict_order, metric, ${repeatColumns('e')} FROM experiment e) own
       WHERE verdict = 'keep' AND NOT EXISTS (
         SELECT 1 FROM experiment later, json_each(later.evidence, '$.supersedes') missing
         WHERE later.study_id = own.study_id AND later.evidence ->> '$.supersedes' IS NOT NULL
           AND later.verdict = 'keep' AND missing.value = own.n)
     ), step AS (
       SELECT study_id, n, (record - lag(record) OVER branch) / nullif(abs(first_value(record) OVER branch), 0)
         * iif(contract ->> '$.metric.goal' = 'maximize', 1, -1) AS gain
       FROM kept JOIN study ON study.id = study_id WINDOW branch AS (PARTITION BY study_id ORDER BY verdict_order)
     )
     SELECT author.proposer, count(*) AS experiments, count(*) FILTER (WHERE verdict = 'keep') AS keep,
       count(*) FILTER (WHERE verdict = 'discard') AS discard, count(*) FILTER (WHERE verdict = 'crash') AS crash,
       sum(step.gain) AS gain
     FROM experiment JOIN (
       SELECT study_id, n, proposer, max(id) FROM proposer_call
       WHERE outcome = 'proposed' AND study_id = coalesce(@study, study_id) GROUP BY study_id, n
     ) author USING (study_id, n) LEFT JOIN step USING (study_id, n)
     WHERE verdict IS NOT NULL GROUP BY author.proposer`,
  );
  const closeOpen = database.prepare(
    `UPDATE proposer_call SET outcome = 'cancelled', message = ? WHERE outcome = 'open'`,
  );
  return {
    /** Closes requests that will never be answered. */
    closeOpen(message: string): void {
      closeOpen.run(message);
    },
    /** Stores that a proposer is about to be asked. Returns an id for {@link end}. */
    begin(studyId: string, n: number, at: number, proposer: string): number {
      return Number(begin.run(studyId, n, at, proposer).lastInsertRowid);
    },
    /** Stores a call that took almost no time, after it has ended. */
    add(studyId: string, call: ProposerCall): void {
      add.run(call, studyId);
    },
    end(id: number, outcome: ProposerOutcome, message: string | null, seconds: number): void {
      end.run(outcome, message, seconds, id);
    },
    /** Newest first; only calls that ended by themselves. */
    latest(studyId: string, proposer: string, count: number): readonly ProposerCall[] {
      return latest.all(studyId, proposer, count);
    },
    /** Oldest first. */
    list(studyId: string): readonly ProposerCall[] {
      return list.all(studyId);
    },
    /** The proposer of an experiment; null if the ledger does not say. */
    author(studyId: string, n: number): string | null {
      return author.get(studyId, n)?.proposer ?? null;
    },
    /** In the order in which they were first asked; for all studies if none is named. */
    records(study: string | null): readonly Omit<ProposerRecord, 'restsUntil'>[] {
      const failed = failures.all({ study });
      const usd = new Map(costs.all({ study }).map(row => [row.proposer, row.usd]));
      const made = new Map(results.all({ study }).map(row => [row.proposer, row]));
      return calls.all({ study }).map(({ proposer, calls, proposed, seconds }) => {
        const result = made.get(proposer);
        return {
          ...{ proposer, calls, proposed, seconds: seconds ?? 0 },
          failures: failed
            .filter(row => row.proposer === proposer)
            .map(({ outcome, count, last }) => ({ outcome, count, last: last ?? '' })),
          costUsd: usd.get(proposer) ?? null,
          experiments: result?.experiments ?? 0,
          keep: result?.keep ?? 0,
          discard: result?.discard ?? 0,
          crash: result?.crash ?? 0,
          gainShare: result?.gain ?? 0,
        };
      });
    },
  };
}
