import type { EngineEvent } from '../../shared/events.ts';
import { fromScalar, toScalar } from '../../shared/scalar.ts';
import type { Crash, RepeatPurpose, Run, ShownOutcome, Summary } from '../../shared/study.ts';
import type { Fairness } from '../../shared/verdicts/fairness.ts';
import { decode } from './database.ts';

/** A run as its row of the ledger holds it. */
export type RunRecord = {
  id: number;
  n: number;
  k: number;
  commit_name: string;
  started_at: number;
  ended_at: number | null;
  outcome: string | null;
  summary: string | null;
  crash: string | null;
  peak_rss_bytes: number | null;
  cpu_seconds: number | null;
  output_bytes: number | null;
  units: string | null;
  contained: number | null;
  lane: string | null;
  fairness: string | null;
  gpu_energy_wh: number | null;
  purpose: RepeatPurpose | null;
  value: number | null;
};

/** What a {@link RunRecord} selects; `e` is the run's experiment. */
export const RUN_COLUMNS = `run.id, e.n, k, commit_name, run.started_at, run.ended_at, outcome, summary, crash,
  peak_rss_bytes, cpu_seconds, output_bytes, units, contained, lane, fairness, gpu_energy_wh, purpose, value`;

export function decodeRun(row: RunRecord): Run {
  return {
    n: row.n,
    k: row.k,
    commit: row.commit_name,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    outcome: decode<ShownOutcome>(row.outcome),
    summary: row.summary === null ? null : decodeSummary(JSON.parse(row.summary)),
    crash: decode<Crash>(row.crash),
    resources:
      row.ended_at === null ? null : { peakRssBytes: row.peak_rss_bytes, cpuSeconds: row.cpu_seconds },
    outputBytes: row.output_bytes,
    units: row.units === null ? {} : (JSON.parse(row.units) as Record<string, string>),
    isContained: row.contained === null ? null : row.contained === 1,
    lane: row.lane,
    gpuEnergyWh: row.gpu_energy_wh,
    fairness: decode<Fairness>(row.fairness),
    purpose: row.purpose,
    value: row.value,
  };
}

type ScalarSummary = NonNullable<Extract<EngineEvent, { type: 'run_finished' }>['summary']>;

/** The summary in a form that JSON can express. */
export function encodeSummary(summary: Summary): ScalarSummary {
  return Object.fromEntries(Object.entries(summary).map(([name, value]) => [name, toScalar(value)]));
}

function decodeSummary(summary: ScalarSummary): Summary {
  return Object.fromEntries(Object.entries(summary).map(([name, value]) => [name, fromScalar(value)]));
}
