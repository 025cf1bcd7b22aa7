import type { Skipped } from '../../../shared/imports.ts';
import type { Goal } from '../imported-table.ts';
import { jsonText } from '../json-text.ts';
import { MAX_RUNS, RunGatherers, type Tracked, type TrackedRun } from './tracked-run.ts';

export type OptunaStudy = {
  readonly name: string;
  /** Of each objective; null if it was never told. */
  readonly goals: readonly (Goal | null)[];
  /** Empty if the study has not named its objectives. */
  readonly metricNames: string[];
};

/** A trial that has begun. */
export type OptunaTrial = {
  readonly study: OptunaStudy;
  readonly number: number;
  readonly state: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** One per objective; none if it has not come so far. */
  readonly values: readonly number[];
  readonly parameters: Iterable<readonly [string, string]>;
  /** Reported to the pruner: step and value. */
  readonly reports: Iterable<readonly [number, number]>;
};

/**
 * A run per trial, under the names that Optuna's own tables give to its numbers. A study says which direction is
 * better.
 * @param count how many there are at most
 */
export function trackedTrials(trials: Iterable<OptunaTrial>, count: number): Tracked {
  const gatherers = new RunGatherers(Math.min(count, MAX_RUNS));
  const found: { readonly study: OptunaStudy; readonly run: TrackedRun }[] = [];
  for (const trial of trials) {
    if (found.length >= MAX_RUNS) break;
    const { study, values } = trial;
    const gatherer = gatherers.next();
    const [first = 'value'] = namesOf(study);
    for (const [step, value] of trial.reports) gatherer.add(0, step, [[first, value]]);
    // The last report is not the result.
    gatherer.summary.delete(first);
    for (const [index, name] of namesOf(study).entries()) {
      const value = values[index];
      if (value !== undefined) gatherer.summary.set(name, value);
    }
    for (const [name, value] of trial.parameters) gatherer.setting(name, value);
    const run = {
      name: `trial ${trial.number}`,
      ...{ status: trial.state, exitCode: null, startedAt: trial.startedAt, endedAt: trial.endedAt },
      ...{ settings: gatherer.settings, summary: gatherer.summary, points: gatherer.points(), commit: null },
    };
    found.push({ study, run });
  }
  const studies = [...new Set(found.map(({ study }) => study))];
  const objectives = studies.flatMap(study =>
    namesOf(study).map((name, index) => ({ name, goal: study.goals[index] ?? null })),
  );
  const [objective = null, ...others] = objectives;
  const skipped: Skipped[] =
    count > MAX_RUNS
      ? [{ line: null, reason: `only the first ${MAX_RUNS} of ${count} trials were read.` }]
      : [];
  return {
    runs: found.map(({ study, run }) =>
      studies.length > 1 ? { ...run, name: `${study.name}: ${run.name}` } : run,
    ),
    skipped,
    objective: others.every(({ name, goal }) => name === objective?.name && goal === objective.goal)
      ? objective
      : null,
  };
}

function namesOf({ goals, metricNames }: OptunaStudy): readonly string[] {
  return goals.map((_, index) => metricNames[index] ?? (goals.length === 1 ? 'value' : `values_${index}`));
}

/** A parameter's value: a choice is stored as its index, an integer as a float. */
export function parameterText(value: number, distribution: string): string {
  const { attributes }: { attributes?: { choices?: readonly unknown[] } } = parse(distribution);
  const choices = attributes?.choices;
  return choices ? (jsonText(choices[value] ?? null) ?? '') : String(value);
}

/** An object that Optuna wrote as JSON; empty if the text is none. */
export function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
