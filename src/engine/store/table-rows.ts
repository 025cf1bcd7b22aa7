import { SUMMARY, TRAINING } from '../../shared/proposers/model-calls.ts';
import type { TableRow } from '../../shared/table-rows.ts';
import type { Database } from './database.ts';

type Row = Omit<TableRow, 'summary'> & { readonly summary: string | null };

export type TableRowStore = ReturnType<typeof tableRowStore>;

/** What a table shows about many experiments in addition to their cells: read only. */
export function tableRowStore(database: Database) {
  const rows = database.prepare<[{ studyId: string; ns: string }], Row>(
    `SELECT e.n,
       (SELECT proposer FROM proposer_call WHERE study_id = e.study_id AND n = e.n AND outcome = 'proposed'
         ORDER BY id DESC LIMIT 1) AS proposer,
       (SELECT model FROM model_call WHERE study_id = e.study_id AND n = e.n
         AND proposer NOT IN ('${SUMMARY}', '${TRAINING}') ORDER BY id DESC LIMIT 1) AS model,
       (SELECT sum(cost_usd) FROM model_call WHERE study_id = e.study_id AND n = e.n
         AND proposer <> '${SUMMARY}') AS costUsd,
       sum(run.gpu_energy_wh) AS energyWh, max(run.peak_rss_bytes) AS peakRssBytes, count(run.id) AS runs,
       coalesce(max(run.summary) FILTER (WHERE run.k = e.evidence ->> '$.run'),
         (SELECT summary FROM run WHERE experiment_id = e.id AND purpose IS NULL ORDER BY k DESC LIMIT 1)) AS summary
     FROM json_each(@ns) AS wanted JOIN experiment e ON e.study_id = @studyId AND e.n = wanted.value
     LEFT JOIN run ON run.experiment_id = e.id GROUP BY e.id ORDER BY e.n`,
  );
  return {
    /** Those of the experiments that exist, in order. */
    read(studyId: string, ns: readonly number[]): readonly TableRow[] {
      return rows.all({ studyId, ns: JSON.stringify(ns) }).map(({ summary, ...row }) => ({
        ...row,
        summary:
          summary === null ? [] : Object.entries(JSON.parse(summary) as Record<string, number | string>),
      }));
    },
  };
}
