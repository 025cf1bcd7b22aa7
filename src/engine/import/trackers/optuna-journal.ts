import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Skipped } from '../../../shared/imports.ts';
import { counted } from '../../../shared/numbers.ts';
import { parsePythonJson } from '../../metrics/python-json.ts';
import type { Goal } from '../imported-table.ts';
import { type OptunaStudy, type OptunaTrial, parameterText, trackedTrials } from './optuna-trials.ts';
import { type Tracked, wholeTime } from './tracked-run.ts';

/** After this many lines, the engine gets a turn. */
const LINES_A_TURN = 2_000;
/** Each line begins with the number of an operation. */
const HEAD = '{"op_code":';
const OPERATION = { createStudy: 0, deleteStudy: 1, studyAttribute: 3, createTrial: 4 } as const;
const OF_TRIAL = { parameter: 5, state: 6, report: 7 } as const;

/** Numbers of Optuna's `StudyDirection` and `TrialState`. */
const GOALS: readonly (Goal | null)[] = [null, 'minimize', 'maximize'];
const STATES = ['RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING'] as const;

type Line = Readonly<Record<string, unknown>>;

type Trial = {
  readonly study: OptunaStudy;
  readonly number: number;
  state: string;
  startedAt: number | null;
  endedAt: number | null;
  values: readonly number[];
  readonly parameters: Map<string, string>;
  readonly reports: Map<number, number>;
};

export function isOptunaJournal(head: Buffer): boolean {
  return head.toString('latin1').startsWith(HEAD);
}

/**
 * The trials in a file of Optuna's `JournalStorage`: a log of operations, one per line, which names studies and trials by
 * the order in which they were created. Without trials that wait for their turn.
 */
export async function readOptunaJournal(content: Buffer): Promise<Tracked> {
  const journal = new Journal();
  let unread = 0;
  for (const [index, text] of content.toString('utf8').split('\n').entries()) {
    if (index % LINES_A_TURN === 0) await nextTurn();
    const line = text === '' ? null : parseLine(text);
    if (line) journal.add(line);
    else if (text !== '') unread += 1;
  }
  const trials = journal.trials();
  const tracked = trackedTrials(trials, trials.length);
  const skipped: Skipped[] =
    unread > 0
      ? [{ line: null, reason: `${counted(unread, 'line')} cannot be read, as after a full disk.` }]
      : [];
  return { ...tracked, skipped: [...skipped, ...tracked.skipped] };
}

class Journal {
  /** By their numbers; null if deleted. */
  readonly #studies: (OptunaStudy | null)[] = [];
  readonly #trials: Trial[] = [];
  readonly #counts = new Map<OptunaStudy, number>();

  add(line: Line): void {
    const study = this.#studies[Number(line.study_id)];
    if (line.op_code === OPERATION.createStudy) this.#createStudy(line);
    else if (line.op_code === OPERATION.deleteStudy && study) this.#studies[Number(line.study_id)] = null;
    else if (line.op_code === OPERATION.studyAttribute && study) nameMetrics(study, line.system_attr);
    else if (line.op_code === OPERATION.createTrial && study) this.#createTrial(study, line);
    else {
      const trial = this.#trials[Number(line.trial_id)];
      // Operations of a worker that came too late.
      if (trial && (trial.state === 'RUNNING' || trial.state === 'WAITING')) change(trial, line);
    }
  }

  trials(): readonly OptunaTrial[] {
    return this.#trials.filter(({ study, state }) => this.#studies.includes(study) && state !== 'WAITING');
  }

  #createStudy({ study_name, directions }: Line): void {
    const name = String(study_name);
    if (this.#studies.some(study => study?.name === name)) return;
    const goals = listOf(directions).map(direction => GOALS[Number(direction)] ?? null);
    this.#studies.push({ name, goals, metricNames: [] });
  }

  /** A trial that was added whole has its parameters and numbers in this line. */
  #createTrial(study: OptunaStudy, line: Line): void {
    const distributions = objectOf(line.distributions);
    const number = this.#counts.get(study) ?? 0;
    this.#counts.set(study, number + 1);
    const trial: Trial = {
      study,
      number,
      state: STATES[Number(line.state ?? 0)] ?? String(line.state),
      startedAt: timeOf(line.datetime_start),
      endedAt: timeOf(line.datetime_complete),
      values: listOf(line.values ?? (line.value == null ? [] : [line.value])).map(Number),
      parameters: new Map(),
      reports: new Map(),
    };
    for (const [name, value] of Object.entries(objectOf(line.params)))
      trial.parameters.set(name, parameterText(Number(value), String(distributions[name])));
    for (const [step, value] of Object.entries(objectOf(line.intermediate_values)))
      trial.reports.set(Number(step), Number(value));
    this.#trials.push(trial);
  }
}

function change(trial: Trial, line: Line): void {
  if (line.op_code === OF_TRIAL.parameter) {
    const text = parameterText(Number(line.param_value_internal), String(line.distribution));
    trial.parameters.set(String(line.param_name), text);
  } else if (line.op_code === OF_TRIAL.report) {
    trial.reports.set(Number(line.step), Number(line.intermediate_value));
  } else if (line.op_code === OF_TRIAL.state) {
    trial.state = STATES[Number(line.state)] ?? String(line.state);
    trial.startedAt = timeOf(line.datetime_start) ?? trial.startedAt;
    trial.endedAt = timeOf(line.datetime_complete) ?? trial.endedAt;
    if (line.values != null) trial.values = listOf(line.values).map(Number);
  }
}

function nameMetrics(study: OptunaStudy, attribute: unknown): void {
  const names = objectOf(attribute)['study:metric_names'];
  if (names !== undefined) study.metricNames.splice(0, Infinity, ...listOf(names).map(String));
}

/** Null is a number that is missing, never 0. */
function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.map(part => part ?? Number.NaN) : [];
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** Without a zone, as before Optuna 5, it is the local time of its machine. */
function timeOf(text: unknown): number | null {
  return typeof text === 'string' ? wholeTime(Date.parse(text)) : null;
}

function parseLine(text: string): Line | null {
  try {
    return objectOf(parsePythonJson(text));
  } catch {
    return null;
  }
}
