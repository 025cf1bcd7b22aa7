import type { ModelCall, Spend } from '../../shared/proposers/model-calls.ts';
import type { Database } from './database.ts';

type Row = Omit<ModelCall, 'tokens' | 'isKept'> & {
  isKept: number;
  inputTokens: number | null;
  cacheReadTokens: number | null;
  cacheWriteTokens: number | null;
  outputTokens: number | null;
};

type CallCost = Pick<ModelCall, 'n' | 'at' | 'proposer'> & { readonly usd: number | null };

export type ModelCallStore = ReturnType<typeof modelCallStore>;

/** Every request to a model, stored before it is made. */
export function modelCallStore(database: Database) {
  const begin = database.prepare(
    `INSERT INTO model_call (study_id, n, at, proposer, model, outcome, reserved_usd) VALUES (?, ?, ?, ?, ?, 'open', ?)`,
  );
  const reserve = database.prepare('UPDATE model_call SET reserved_usd = ? WHERE id = ?');
  const end = database.prepare(
    `UPDATE model_call SET outcome = @outcome, message = @message, request_id = @requestId, input_tokens = @input,
       cache_read_tokens = @cacheRead, cache_write_tokens = @cacheWrite, output_tokens = @output, cost_usd = @costUsd,
       seconds = @seconds WHERE id = @id`,
  );
  const kept = database.prepare(
    `INSERT INTO model_call (study_id, n, at, proposer, model, outcome, reserved_usd, cost_usd, seconds, is_kept)
     VALUES (?, ?, ?, ?, ?, 'ok', 0, 0, 0, 1)`,
  );
  const list = database.prepare<[string, number], Row>(
    `SELECT n, at, proposer, model, request_id AS requestId, outcome, message, input_tokens AS inputTokens,
       cache_read_tokens AS cacheReadTokens, cache_write_tokens AS cacheWriteTokens, output_tokens AS outputTokens,
       cost_usd AS costUsd, seconds, is_kept AS isKept FROM model_call WHERE study_id = ? AND n = ? ORDER BY id`,
  );
  const sums = `count(*) AS calls, count(*) FILTER (WHERE outcome <> 'ok') AS failed,
    coalesce(sum(input_tokens), 0) AS inputTokens, coalesce(sum(cache_read_tokens), 0) AS cacheReadTokens,
    coalesce(sum(cache_write_tokens), 0) AS cacheWriteTokens, coalesce(sum(output_tokens), 0) AS outputTokens,
    sum(cost_usd) AS costUsd, count(*) FILTER (WHERE reserved_usd IS NULL) AS unpriced`;
  const ofStudy = database.prepare<[string], Spend>(`SELECT ${sums} FROM model_call WHERE study_id = ?`);
  const committed = database.prepare<[string, number], { usd: number }>(
    `SELECT coalesce(sum(coalesce(cost_usd, reserved_usd)), 0) AS usd FROM model_call
     WHERE study_id = ? AND id > ?`,
  );
  const costs = database.prepare<
    [{ proposer: string }],
    { gitDir: string; usd: number | null; unknown: number; isProposed: number }
  >(
    `WITH tried AS (
       SELECT study_id, n, max(is_proposed) AS is_proposed FROM (
         SELECT study_id, n, 1 AS is_proposed FROM proposer_call
         WHERE proposer = @proposer AND outcome = 'proposed'
         UNION SELECT study_id, n, 0 FROM model_call WHERE proposer = @proposer
       ) GROUP BY study_id, n
     )
     SELECT study.git_dir AS gitDir, sum(call.cost_usd) AS usd, tried.is_proposed AS isProposed,
       count(*) FILTER (WHERE call.id IS NOT NULL AND call.cost_usd IS NULL) AS unknown
     FROM tried JOIN study ON study.id = tried.study_id
     LEFT JOIN model_call AS call
       ON call.study_id = tried.study_id AND call.n = tried.n AND call.proposer = @proposer
     GROUP BY tried.study_id, tried.n`,
  );
  const studyCosts = database.prepare<[string], CallCost>(
    'SELECT n, at, proposer, cost_usd AS usd FROM model_call WHERE study_id = ? ORDER BY id',
  );
  const newest = database.prepare<[], { id: number | null }>('SELECT max(id) AS id FROM model_call');
  const closeOpen = database.prepare(
    `UPDATE model_call SET outcome = 'cancelled', message = ? WHERE outcome = 'open'`,
  );
  return {
    /** Closes requests that will never be answered. */
    closeOpen(message: string): void {
      closeOpen.run(message);
    },
    /**
     * Stores that a call is about to be made which costs at most `reservedUsd` (null if the model has no price).
     * Returns its id for {@link end}.
     */
    begin(
      studyId: string,
      call: Pick<ModelCall, 'n' | 'at' | 'proposer' | 'model'> & { readonly reservedUsd: number | null },
    ): number {
      const { n, at, proposer, model, reservedUsd } = call;
      return Number(begin.run(studyId, n, at, proposer, model, reservedUsd).lastInsertRowid);
    },
    /** Raises the highest cost of an open call. */
    reserve(id: number, usd: number): void {
      reserve.run(usd, id);
    },
    /** A question that was answered from the kept answers, at no cost. */
    answerKept(studyId: string, call: Pick<ModelCall, 'n' | 'at' | 'proposer' | 'model'>): void {
      kept.run(studyId, call.n, call.at, call.proposer, call.model);
    },
    end(
      id: number,
      result: Pick<ModelCall, 'outcome' | 'message' | 'requestId' | 'tokens' | 'costUsd' | 'seconds'>,
    ): void {
      const { tokens, ...rest } = result;
      end.run({ id, ...rest, ...tokens });
    },
    /** The cost of each call in US dollars, oldest first; null if it has no price. */
    studyCosts(studyId: string): readonly CallCost[] {
      return studyCosts.all(studyId);
    },
    list(studyId: string, n: number): readonly ModelCall[] {
      return list
        .all(studyId, n)
        .map(({ inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens, isKept, ...call }) => ({
          ...call,
          isKept: isKept === 1,
          tokens: {
            input: inputTokens,
            cacheRead: cacheReadTokens,
            cacheWrite: cacheWriteTokens,
            output: outputTokens,
          },
        }));
    },
    /** Of the whole study. */
    spend(studyId: string): Spend {
      return ofStudy.get(studyId) ?? NOTHING_SPENT;
    },
    /** US dollars that a study's calls after the call `after` cost, or may have cost if unknown. */
    committedUsd(studyId: string, after: number): number {
      return committed.get(studyId, after)?.usd ?? 0;
    },
    /**
     * The cost of each experiment that a proposer made or was asked for, over all studies; 0 if it made no call.
     * Leaves out experiments of unknown cost, and those whose calls were all rejected.
     */
    costsOf(proposer: string): readonly { readonly gitDir: string; readonly usd: number }[] {
      return costs
        .all({ proposer })
        .filter(({ usd, unknown, isProposed }) => unknown === 0 && (isProposed === 1 || (usd ?? 0) > 0))
        .map(({ gitDir, usd }) => ({ gitDir, usd: usd ?? 0 }));
    },
    /** Id of the newest call of all; 0 before the first. */
    newest(): number {
      return newest.get()?.id ?? 0;
    },
  };
}

const NOTHING_SPENT: Spend = {
  calls: 0,
  failed: 0,
  inputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  costUsd: null,
  unpriced: 0,
};
