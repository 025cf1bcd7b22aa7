import { type Field, toCsv } from '../../shared/csv.ts';
import { toScalar } from '../../shared/scalar.ts';
import { type Experiment, runningBest, type Study } from '../../shared/study.ts';
import type { Ledger } from '../store/ledger.ts';
import { encodeSummary } from '../store/run-record.ts';
import { describe, formatImportedTable, formatResults, isRecorded, metricDelta } from './results-tsv.ts';

/** Experiments are read from the ledger in pages of this size, so that a long study does not fill the memory. */
const PAGE = 500;

export function* eachExperiment(ledger: Ledger, study: Study): Generator<Experiment> {
  for (let from = 0; ; ) {
    const page = ledger.experiments.page(study.id, from, PAGE);
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    from = last.n + 1;
  }
}

/** results.tsv: in upstream's form; for an imported study, the table as it was imported. */
export function exportTsv(ledger: Ledger, study: Study): string {
  const experiments = [...eachExperiment(ledger, study)];
  return study.importColumns
    ? formatImportedTable(
        study.importColumns,
        experiments.map(experiment => experiment.imported ?? []),
      )
    : formatResults(experiments);
}

/** One row per experiment with each of its scalars, as in RFC 4180. A missing value is an empty field. */
export function exportCsv(ledger: Ledger, study: Study): string {
  const experiments = [...eachExperiment(ledger, study)];
  const best = runningBest(
    experiments.map(({ verdict, record }) => ({ word: verdict?.word ?? null, metric: record?.mean ?? null })),
    study.contract.metric.goal,
  );
  const rows = experiments.map((experiment, index) => {
    const runs = ledger.runs.list(study.id, experiment.n);
    const { proposal, verdict, record } = experiment;
    const run = runs[verdict?.evidence.run ?? -1] ?? runs.at(-1);
    return {
      study: study.tag,
      experiment: experiment.n,
      phase: experiment.phase,
      verdict: verdict?.word,
      reason: verdict?.reason,
      [study.contract.metric.name]: experiment.metric,
      delta: metricDelta(experiment),
      best: best[index],
      record: record?.mean,
      record_runs: record?.runs,
      memory: experiment.memory,
      hypothesis: proposal?.hypothesis,
      rationale: proposal?.rationale,
      category: proposal?.category,
      predicted_effect: proposal?.predictedEffect,
      parent_commit: experiment.parentCommit,
      attempt_commit: experiment.attemptCommit,
      started_at: isUntimed(experiment) ? null : new Date(experiment.startedAt).toISOString(),
      ended_at: experiment.endedAt === null ? null : new Date(experiment.endedAt).toISOString(),
      runs: runs.length,
      outcome: run?.outcome?.kind,
      exit_code: run?.outcome?.kind === 'exit' ? run.outcome.code : null,
      crash: run?.crash?.message,
      peak_rss_bytes: run?.resources?.peakRssBytes,
      cpu_seconds: run?.resources?.cpuSeconds,
      output_bytes: run?.outputBytes,
      summary: run?.summary ? JSON.stringify(encodeSummary(run.summary)) : null,
      notes: ledger.notes
        .list(study.id, experiment.n)
        .map(note => note.text)
        .join('\n'),
      ...Object.fromEntries(
        (study.importColumns ?? []).map((column, place) => [
          `imported_${place + 1}_${column.trim()}`,
          experiment.imported?.[place],
        ]),
      ),
    };
  });
  const columns = [...new Set(rows.flatMap(row => Object.keys(row)))];
  return toCsv([columns, ...rows.map(row => columns.map(column => (row as Record<string, Field>)[column]))]);
}

/** Whether an imported row does not say when its experiment ran. */
function isUntimed({ imported, endedAt }: Experiment): boolean {
  return imported !== null && endedAt === null;
}

/** A study without the fields that an import does not know, such as the command and the proposer. */
function known(study: Study): object {
  if (study.state !== 'imported') return study;
  const { id, tag, state, createdAt, importedFrom, importColumns, contract } = study;
  const { name, goal, memory } = contract.metric;
  return {
    id,
    tag,
    state,
    createdAt,
    importedFrom,
    importColumns,
    contract: { metric: { name, goal, memory } },
  };
}

/** The whole study with its series, as pieces of one JSON document, in order. */
export function* exportJson(ledger: Ledger, study: Study): Generator<string> {
  yield `{"pawl":1,"study":${JSON.stringify(known(study))},"refusals":${JSON.stringify(ledger.refusals.list(study.id))},"experiments":[`;
  let separator = '';
  for (const experiment of eachExperiment(ledger, study)) {
    const runs = ledger.runs.list(study.id, experiment.n).map(run => ({
      ...run,
      summary: run.summary && encodeSummary(run.summary),
      series: ledger.runs.series(study.id, experiment.n, run.k).map(({ seconds, values }) => ({
        seconds,
        values: Object.fromEntries([...values].map(([key, value]) => [key, toScalar(value)])),
      })),
    }));
    const notes = ledger.notes.list(study.id, experiment.n);
    const startedAt = isUntimed(experiment) ? null : experiment.startedAt;
    yield `${separator}\n${JSON.stringify({ ...experiment, startedAt, notes, runs })}`;
    separator = ',';
  }
  yield '\n]}\n';
}

/** What `pawl results --format json` prints: the experiments without their series. */
export function resultRows(ledger: Ledger, study: Study) {
  const experiments = [...eachExperiment(ledger, study)].filter(isRecorded);
  const best = runningBest(
    experiments.map(({ verdict, record }) => ({ word: verdict?.word ?? null, metric: record?.mean ?? null })),
    study.contract.metric.goal,
  );
  return experiments.map((experiment, index) => ({
    experiment: experiment.n,
    verdict: experiment.verdict?.word ?? null,
    reason: experiment.verdict?.reason ?? null,
    metric: experiment.metric,
    delta: metricDelta(experiment),
    best: best[index] ?? null,
    record: experiment.record,
    memory: experiment.memory,
    seconds: experiment.trainedSeconds,
    commit: experiment.attemptCommit,
    hypothesis: describe(experiment),
  }));
}
