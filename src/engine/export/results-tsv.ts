import type { Experiment } from '../../shared/study.ts';

/** Upstream's heading, whatever the metric is called: scripts look for it. */
export const RESULTS_HEADING = 'commit\tval_bpb\tmemory_gb\tstatus\tdescription';

export const MEGABYTES_PER_GIGABYTE = 1024;

/**
 * One line of results.tsv in upstream's form, without the newline: commit of 7 characters, metric `%.6f`, memory in
 * GB `%.1f`, status, description. A crash has 0.000000 and 0.0, as upstream writes it; so has a memory that was not
 * measured, because the form knows no gap. A discard without a number has `nan`, for 0 would be the best of all.
 */
export function formatResult(experiment: Experiment): string {
  const { verdict, metric, memory, branchCommit } = experiment;
  const isCrash = verdict?.word === 'crash';
  return [
    branchCommit?.slice(0, 7) ?? '-',
    isCrash ? '0.000000' : (metric?.toFixed(6) ?? 'nan'),
    isCrash || memory === null ? '0.0' : (memory / MEGABYTES_PER_GIGABYTE).toFixed(1),
    verdict?.word ?? '',
    describe(experiment),
  ].join('\t');
}

/** The hypothesis in one field: tabs and line breaks would break the table. */
export function describe(experiment: Experiment): string {
  return (experiment.proposal?.hypothesis ?? '').replace(/[\t\r\n]+/g, ' ').trim();
}

/** The whole table of the recorded experiments, with a newline at the end of every line. */
export function formatResults(experiments: readonly Experiment[]): string {
  const lines = experiments.filter(isRecorded).map(formatResult);
  return [RESULTS_HEADING, ...lines, ''].join('\n');
}

export function isRecorded(experiment: Experiment): boolean {
  return experiment.phase === 'recorded' && experiment.verdict !== null;
}

/** Difference to the incumbent the verdict was made against; null where either number is missing. */
export function metricDelta(experiment: Experiment): number | null {
  const { metric, verdict } = experiment;
  const before = verdict?.evidence.incumbentMetric;
  return metric === null || before === undefined ? null : metric - before;
}

/** An imported table as it was read: its columns in their order, every field as it stood, in one line each. */
export function formatImportedTable(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const oneLine = (field: string, place: number) =>
    field.replace(place === columns.length - 1 ? /[\r\n]+/g : /[\t\r\n]+/g, ' ');
  return [columns, ...rows].map(fields => `${fields.map(oneLine).join('\t')}\n`).join('');
}
