import { MAX_COLUMNS, type RawTable } from '../raw-table.ts';
import type { Tracked } from './tracked-run.ts';

/** Columns before the numbers. */
const OWN = ['run_name', 'status', 'commit'] as const;

/** One row per run: how it ended, its last numbers, and its settings. The row's line is the run's index, from 1. */
export function trackedTable({ runs, skipped, objective }: Tracked): RawTable {
  const numbers = [...new Set(runs.flatMap(run => [...run.summary.keys()]))].sort();
  const settings = [...new Set(runs.flatMap(run => [...run.settings.keys()]))].sort();
  const shownNumbers = numbers.slice(0, MAX_COLUMNS - OWN.length);
  const shownSettings = settings.slice(0, MAX_COLUMNS - OWN.length - shownNumbers.length);
  return {
    columns: [...OWN, ...shownNumbers, ...shownSettings.map(name => `settings.${name}`)],
    headingLine: 1,
    rows: runs.map((run, index) => ({
      line: index + 1,
      fields: [
        run.name,
        run.status ?? '',
        run.commit ?? '',
        ...shownNumbers.map(name => String(run.summary.get(name) ?? '')),
        ...shownSettings.map(name => run.settings.get(name) ?? ''),
      ],
      count: OWN.length + shownNumbers.length + shownSettings.length,
    })),
    skipped,
    told: {
      comments: [],
      metricNames: objective ? [objective.name] : [],
      goal: objective?.goal ?? null,
      verdictColumn: OWN.indexOf('status'),
    },
  };
}
