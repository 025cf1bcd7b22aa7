import { isOfRecord, type Measurement, REPEAT_PURPOSES } from '../../shared/study.ts';

const APART = REPEAT_PURPOSES.filter(purpose => !isOfRecord(purpose))
  .map(purpose => `'${purpose}'`)
  .join(', ');

/** The columns for {@link recordOf}, if the statement calls the experiment `name`. */
export function repeatColumns(name: string): string {
  const counted = `FROM run WHERE run.experiment_id = ${name}.id AND (purpose IS NULL OR purpose NOT IN (${APART}))`;
  return `(SELECT count(value) ${counted}) AS repeats, (SELECT total(value) ${counted}) AS repeat_sum,
    (SELECT count(value) ${counted} AND value <> ${name}.metric) AS repeats_apart`;
}

/** An experiment's own number, null if it has none, and what {@link repeatColumns} selects. */
export type RecordRow<Metric = number | null> = {
  readonly metric: Metric;
  readonly repeats: number;
  readonly repeat_sum: number;
  readonly repeats_apart: number;
};

/** An experiment's record: the mean of the number that gave the verdict and those of all repeats. */
export function recordOf(row: RecordRow<number>): Measurement;
export function recordOf(row: RecordRow): Measurement | null;
export function recordOf({ metric, repeats, repeat_sum, repeats_apart }: RecordRow): Measurement | null {
  if (metric === null) return null;
  const runs = 1 + repeats;
  // The mean of equal numbers is exactly that number, but their sum divided by their count may not be.
  return { mean: repeats_apart === 0 ? metric : (metric + repeat_sum) / runs, runs };
}
