import { type BudgetFit, describeBaselineTime } from './budget.ts';
import { REPEATABLE_DIGITS, USUAL_NOISE_SHARE } from './claims.ts';
import type { Contract } from './contract.ts';
import { shortNumber } from './short-number.ts';

/** Whether a metric is worth a night: what a few runs of the code as it is, and one of it broken, tell before any experiment. */
export type MetricCheck = {
  readonly metric: Pick<Contract['metric'], 'name' | 'goal'>;
  /** How many runs of the code as it is were asked for. */
  readonly asked: number;
  /** The numbers of those that count, in their order. */
  readonly values: readonly number[];
  readonly mean: number;
  readonly noise: {
    /** s: the standard deviation between runs of the same code, in the metric's unit. */
    readonly sigma: number;
    /** What the runs leave open: σ lies between the two with a probability of 80 %. */
    readonly low: number;
    readonly high: number;
  };
  /** Significant digits of the number as it was printed, and the step of the last one. */
  readonly digits: number;
  readonly step: number;
  /** The smallest gains that would be proven, in the metric's unit. */
  readonly gain: {
    /** By one run of an edit. */
    readonly oneRun: number;
    /** By as many repeats as an audit makes of one edit and its parent. */
    readonly night: number;
  };
  readonly night: {
    readonly hours: number;
    /** What one run takes, with the measuring after it. */
    readonly runSeconds: number;
    readonly experiments: number;
    /** Of all that fit, those of the audit and of the runs at the end from which the gain is told. */
    readonly auditRuns: number;
  };
  readonly budget: BudgetFit;
  readonly broken: BrokenRun;
  /** Of a number that repeats itself; null where it does not, or no seed was found. */
  readonly seeds: OtherSeeds | null;
};

/** What the code gives with other seeds. */
export type OtherSeeds = {
  readonly file: string;
  readonly name: string;
  readonly from: string;
  /** A run without a number has none. */
  readonly runs: readonly { readonly to: string; readonly value: number | null }[];
};

/** What came of breaking the code on purpose. */
export type BrokenRun =
  | { readonly kind: 'left_out' }
  | { readonly kind: 'no_constant' }
  | {
      readonly kind: 'run';
      readonly file: string;
      readonly name: string;
      readonly from: string;
      readonly to: string;
      /** Whether no training can be expected to be better so; another constant may be. */
      readonly isRuin: boolean;
      /** Null where it gave none. */
      readonly value: number | null;
      /** Why it gave none. */
      readonly fault: string | null;
    };

export type MetricCheckOutcome =
  | { readonly kind: 'measured'; readonly check: MetricCheck }
  /** The code as it is gave no number that counts. */
  | { readonly kind: 'failed'; readonly message: string; readonly tail: readonly string[] }
  | { readonly kind: 'stopped' };

/** How far a check is. */
export type MetricCheckProgress = {
  /** Which run it is, from 1; the same once more where one was not fair. 0 while the set-up command runs. */
  readonly run: number;
  /** As far as is known yet: a number that repeats itself is tried with other seeds as well. */
  readonly runs: number;
  readonly of: 'code' | 'broken' | 'seed';
};

/** What those are told who wait for a check; its outcome comes last. */
export type MetricCheckStep =
  | { readonly kind: 'progress'; readonly progress: MetricCheckProgress }
  | MetricCheckOutcome;

/** What a check is at, for those who wait. */
export function progressWords({ run, runs, of }: MetricCheckProgress): string {
  if (run === 0) return 'The set-up command runs.';
  return `Run ${run} of ${runs}${PROGRESS_WORDS[of]} …`;
}

const PROGRESS_WORDS: Readonly<Record<MetricCheckProgress['of'], string>> = {
  code: '',
  broken: ', with a constant broken on purpose',
  seed: ', with another seed',
};

/** A sentence of the result; a warning is a shape that is known to be bad. */
export type CheckLine = { readonly isWarning: boolean; readonly text: string };

export const METRIC_CHECK_RUNS = { least: 2, most: 10, usual: 3 };
export const METRIC_CHECK_HOURS = 8;

/** What a run takes beside its training: it starts, and it is measured. */
const BESIDE_SECONDS = 20;

/** About how long a check will take, as far as the budget tells. */
export function checkMinutes(runs: number, budgetSeconds: number): number {
  return Math.ceil((runs * (budgetSeconds + BESIDE_SECONDS)) / 60);
}

/** So few digits make every edit look like every other. */
const FEW_DIGITS = 2;
/** Some fourteen times as much as the field's usual trainings differ by. */
const LOUD_SHARE = 0.01;
/** Below, nearly every case fails; above, nearly none. */
const RATE_LOW = 0.05;
const RATE_HIGH = 0.9;
/** What breaking does has to be larger than so many deviations of what chance does. */
const MOVED_SIGMAS = 3;

/** More stand in numbers with an exponent, which read better as they are. */
const MOST_DECIMALS = 12;

const RATE_NAME =
  /(?:^|[^a-z])(?:acc|accuracy|pass(?:ed)?|pass_?rate|rate|success|solved|correct|recall|precision|f1|auc|em|exact_match|win|hits?|score)(?:[^a-z]|$)/i;

/** The metric as a share of cases that succeed, from 0 to 1; null where it does not look like one. */
export function rateOf({
  metric,
  values,
  mean,
}: Pick<MetricCheck, 'metric' | 'values' | 'mean'>): number | null {
  const inWords = metric.name.replace(/([a-z])([A-Z])/g, '$1_$2');
  if (metric.goal !== 'maximize' || !RATE_NAME.test(inWords) || values.some(value => value < 0)) return null;
  if (values.every(value => value <= 1)) return mean;
  const isPercent = /%|percent|pct|acc|pass|rate/i.test(inWords) && values.every(value => value <= 100);
  return isPercent ? mean / 100 : null;
}

/** Whether every run gave the very same number. */
export function isSame({ values }: Pick<MetricCheck, 'values'>): boolean {
  return values.length > 1 && values.every(value => value === values[0]);
}

/** Whether chance plays no part in the number, as far as so few runs tell. */
export function looksRepeatable(check: Pick<MetricCheck, 'values' | 'digits'>): boolean {
  return isSame(check) && check.digits >= REPEATABLE_DIGITS;
}

/** Whether breaking the code moved its number; null where it gave none, or was not tried. */
export function hasMoved(check: MetricCheck): boolean | null {
  const { broken, mean, noise, values } = check;
  if (broken.kind !== 'run' || broken.value === null) return null;
  const difference = Math.abs(broken.value - mean);
  if (looksRepeatable(check)) return difference > 0;
  return difference > MOVED_SIGMAS * noise.sigma * Math.sqrt(1 + 1 / values.length);
}

/** The result in sentences, in the order they are read; the same in the terminal and in the window. */
export function describeMetricCheck(check: MetricCheck): readonly CheckLine[] {
  const plain = [...numberWords(check), ...seedWords(check), ...gainWords(check), ...nightWords(check)];
  const budget = describeBaselineTime(check.budget);
  const { text, isWarning } = brokenWords(check);
  const shapes = findShapes(check);
  return [
    ...plain.map(line => ({ isWarning: false, text: line })),
    { isWarning: budget.isFar, text: budget.text },
    { isWarning, text },
    ...shapes.map(line => ({ isWarning: true, text: line })),
  ];
}

function numberWords(check: MetricCheck): readonly string[] {
  const { metric, values, mean, noise, asked, digits } = check;
  const count = values.length === asked ? `${asked} runs` : `${values.length} of ${asked} runs`;
  if (isSame(check)) {
    const same = `${count} of the code as it is all gave ${metric.name} ${asPrinted(check, mean)}`;
    return [
      looksRepeatable(check)
        ? `${same}, to the last of ${digits} digits: it repeats itself. A difference is one for this seed, and may be none for another.`
        : `${same}; with ${digitWords(digits)} that does not say that it repeats itself. σ is taken for ${shortNumber(noise.sigma)}, between ${shortNumber(noise.low)} and ${shortNumber(noise.high)}.`,
    ];
  }
  return [
    `${count} of the code as it is gave ${metric.name} ${values.map(value => asPrinted(check, value)).join(', ')}: ${shortNumber(mean, 4)} in the mean.`,
    `They differ by σ ${shortNumber(noise.sigma)}; so few runs leave it between ${shortNumber(noise.low)} and ${shortNumber(noise.high)} (80 %).`,
  ];
}

function seedWords(check: MetricCheck): readonly string[] {
  const { seeds, mean } = check;
  if (!isSame(check)) return [];
  if (!seeds) return ['No seed was found in the editable files, so what others give was not seen.'];
  const { file, name, from, runs } = seeds;
  const what = `With ${name} = ${runs.map(({ to }) => to).join(' and ')} in place of ${from} (${file})`;
  const values = runs.flatMap(({ value }) => value ?? []);
  if (values.length < runs.length) return [`${what} it did not always give a number.`];
  const all = [mean, ...values];
  const middle = all.reduce((sum, value) => sum + value, 0) / all.length;
  const variance = all.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (all.length - 1);
  const is = `${what} it is ${values.map(value => asPrinted(check, value)).join(' and ')}`;
  if (values.every(value => value === mean)) return [`${is} as well: that seed decides nothing.`];
  return [
    `${is}: seeds differ by σ ${shortNumber(Math.sqrt(variance))}, and a gain that is not much larger may be one of this seed only.`,
  ];
}

function gainWords(check: MetricCheck): readonly string[] {
  const { gain, step } = check;
  if (looksRepeatable(check))
    return [`One run shows any gain that is printed, of ${shortNumber(step)} or more.`];
  return [
    `One run proves a gain of ${shortNumber(gain.oneRun)} or more; a night, which measures again what it keeps, one of ${shortNumber(gain.night)}.`,
  ];
}

function nightWords(check: MetricCheck): readonly string[] {
  const { hours, runSeconds, experiments, auditRuns } = check.night;
  const fit = `A run takes ${timeWords(runSeconds)}: ${hours} h have room for ${experiments === 1 ? '1 experiment' : `${experiments} experiments`}, without the time that proposals take.`;
  if (looksRepeatable(check)) return [fit, 'There is nothing to audit in a number that repeats itself.'];
  return [fit, `The audit takes ${auditRuns} runs beside them, ${timeWords(auditRuns * runSeconds)}.`];
}

function brokenWords(check: MetricCheck): CheckLine {
  const { broken, metric, mean } = check;
  const warning = (text: string) => ({ isWarning: true, text });
  const plain = (text: string) => ({ isWarning: false, text });
  const unseen = 'it was not seen whether the number notices';
  if (broken.kind === 'left_out') return plain(`Nothing was broken on purpose, so ${unseen}.`);
  if (broken.kind === 'no_constant')
    return plain(`The editable files have no constant to break, so ${unseen}.`);
  const { name, value, fault } = broken;
  const what = `With ${name} = ${broken.to} in place of ${broken.from} (${broken.file})`;
  if (value === null)
    return plain(`${what} the run gave no number, so ${unseen}: ${fault ?? 'nobody says why.'}`);
  const is = `${what} it is ${asPrinted(check, value)}`;
  if (hasMoved(check) === false) {
    const like = value === mean ? 'the very same' : 'which chance explains';
    return warning(
      `${is}, ${like}: the number may not notice what the code does. Look whether it is computed from what was trained.`,
    );
  }
  const isBetter = value < mean === (metric.goal === 'minimize');
  const by = shortNumber(Math.abs(value - mean));
  if (!isBetter) return plain(`${is}, worse by ${by}: the number notices.`);
  return broken.isRuin
    ? warning(`${is}, better by ${by}: look whether metric.goal is the right way round.`)
    : plain(`${is}, better by ${by}: the number notices, and ${name} is worth a search.`);
}

/** Shapes that make a metric a bad one to climb, each with what to do. */
function findShapes(check: MetricCheck): readonly string[] {
  const { mean, noise, digits, step, gain } = check;
  const found: string[] = [];
  const rate = rateOf(check);
  if (rate !== null && rate < RATE_LOW)
    found.push(
      `Nearly everything fails (${percent(rate)}), so nearly every edit looks like every other. Rewrite the task or the number first: easier cases, or credit for parts.`,
    );
  if (rate !== null && rate > RATE_HIGH) {
    const left = (1 - rate) * (mean / rate);
    const beyond = !looksRepeatable(check) && left < gain.night ? ', less than a night can prove' : '';
    found.push(
      `Nearly everything succeeds (${percent(rate)}): only ${shortNumber(left)} is left to gain${beyond}.`,
    );
  }
  if (digits <= FEW_DIGITS || (digits < REPEATABLE_DIGITS && step > noise.sigma))
    found.push(
      `It is printed with ${digitWords(digits)}, in steps of ${shortNumber(step)}, and σ is ${shortNumber(noise.sigma)}: most edits give one of a few values. Print more digits, or measure on more cases.`,
    );
  const share = mean === 0 ? 0 : noise.sigma / Math.abs(mean);
  if (share > LOUD_SHARE && !isSame(check))
    found.push(
      `It moves by ${percent(share)} of itself when nothing changes; trainings usually move by ${percent(USUAL_NOISE_SHARE)}. Fix the seeds, or measure on more data.`,
    );
  return found;
}

/** A number with as many digits behind the point as the training prints. */
function asPrinted({ step }: MetricCheck, value: number): string {
  const decimals = Math.round(-Math.log10(step));
  return decimals >= 0 && decimals <= MOST_DECIMALS ? value.toFixed(decimals) : String(value);
}

function digitWords(digits: number): string {
  return digits === 1 ? '1 digit' : `${digits} digits`;
}

function percent(share: number): string {
  return `${shortNumber(100 * share)} %`;
}

/** `12.3 s`, `5.4 min`, `1.5 h`. */
function timeWords(seconds: number): string {
  if (seconds < 90) return `${shortNumber(seconds, 3)} s`;
  if (seconds < 5_400) return `${shortNumber(seconds / 60)} min`;
  return `${shortNumber(seconds / 3_600)} h`;
}
