import type { Experiment } from '../../shared/study.ts';

/** Upstream's heading, whatever the metric's name: scripts look for it. */
export const RESULTS_HEADING = 'commit\tval_bpb\tmemory_gb\tstatus\tdescription';

const MEGABYTES_PER_GIGABYTE = 1024;

/**
 * One line of results.tsv in upstream's form, without the newline: commit of 7 characters, metric `%.6f`, memory in
 * GB `%.1f`, status, description. A crash has 0.000000 and 0.0, as upstream writes it. Memory that was not measured
 * is also 0.0, because the form has no empty value. A discard without a number has `nan`, because 0 would look like
 * the best value.
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

/** The hypothesis as one field: tabs and line breaks would break the table. */
export function describe(experiment: Experiment): string {
  return (experiment.proposal?.hypothesis ?? '').replace(/[\t\r\n]+/g, ' ').trim();
}

/** The table of all recorded experiments; every line ends with a newline. */
export function formatResults(experiments: readonly Experiment[]): string {
  const lines = experiments.filter(isRecorded).map(formatResult);
  return [RESULTS_HEADING, ...lines, ''].join('\n');
}

export function isRecorded(experiment: Experiment): boolean {
  return experiment.phase === 'recorded' && experiment.verdict !== null;
}

/** The difference from the incumbent at the time of the verdict; null if either number is missing. */
export function metricDelta(experiment: Experiment): number | null {
  const { metric, verdict } = experiment;
  const before = verdict?.evidence.incumbentMetric;
  return metric === null || before === undefined ? null : metric - before;
}

/** An imported table as it was read: the same columns and fields in the same order, one row per line. */
export function formatImportedTable(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const oneLine = (field: string, place: number) =>
    field.replace(place === columns.length - 1 ? /[\r\n]+/g : /[\t\r\n]+/g, ' ');
  return [columns, ...rows].map(fields => `${fields.map(oneLine).join('\t')}\n`).join('');
}
