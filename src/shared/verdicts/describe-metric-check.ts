import { describeBaselineTime } from '../contract/budget.ts';
import { counted } from '../numbers.ts';
import { shortNumber } from '../short-number.ts';
import { REPEATABLE_DIGITS, USUAL_NOISE_SHARE } from './claims.ts';
import { hasMoved, isSame, looksRepeatable, type MetricCheck, rateOf } from './metric-check.ts';

/** A sentence of the result; a warning means a known problem of metrics. */
export type CheckLine = { readonly isWarning: boolean; readonly text: string };

/** With this few digits, most edits look equal. */
const FEW_DIGITS = 2;
/** About fourteen times the usual noise of trainings. */
const LOUD_SHARE = 0.01;
/** Below this, nearly every case fails; above the other, nearly none does. */
const RATE_LOW = 0.05;
const RATE_HIGH = 0.9;
/** Numbers with an exponent would have more, and read better unchanged. */
const MOST_DECIMALS = 12;

/** The result as sentences in reading order, the same in the terminal and in the window. */
export function describeMetricCheck(check: MetricCheck): readonly CheckLine[] {
  const budget = describeBaselineTime(check.budget);
  return [
    ...numberWords(check).map(plain),
    ...faultWords(check).map(warning),
    ...[...seedWords(check), ...gainWords(check)].map(plain),
    ...nightWords(check),
    { isWarning: budget.isFar, text: budget.text },
    brokenWords(check),
    ...findShapes(check).map(warning),
  ];
}

function plain(text: string): CheckLine {
  return { isWarning: false, text };
}

function warning(text: string): CheckLine {
  return { isWarning: true, text };
}

function numberWords(check: MetricCheck): readonly string[] {
  const { metric, values, mean, noise, asked, digits } = check;
  const count = values.length === asked ? `${asked} runs` : `${values.length} of ${asked} runs`;
  if (isSame(check)) {
    const same = `${count} of the unchanged code all gave ${metric.name} ${asPrinted(check, mean)}`;
    return [
      looksRepeatable(check)
        ? `${same}, to the last of ${digits} digits: it is repeatable. A difference is real for this seed, but perhaps not for another.`
        : `${same}; with ${digitWords(digits)} that does not prove that it is repeatable. σ is estimated as ${shortNumber(noise.sigma)}, between ${shortNumber(noise.low)} and ${shortNumber(noise.high)}.`,
    ];
  }
  const given = `${count} of the unchanged code gave ${metric.name} ${values.map(value => asPrinted(check, value)).join(', ')}`;
  const range = `between ${shortNumber(noise.low)} and ${shortNumber(noise.high)} (80 %)`;
  const source = sourceWords(check);
  return [
    values.length > 1 ? `${given}: ${asPrinted(check, mean)} on average.` : `${given}.`,
    isMostlyTaken(check)
      ? `σ is estimated as ${shortNumber(noise.sigma)}, ${values.length > 1 ? `mostly from ${source}` : source}; after so few runs it lies ${range}.`
      : `They differ by σ ${shortNumber(noise.sigma)}; after so few runs it lies ${range}.`,
  ];
}

/**
 * Whether less than half of σ² comes from the runs. It is (prior² + their squared deviations) / their count: the
 * prior of `estimateNoise` counts like one run.
 */
function isMostlyTaken({ values, mean, noise }: MetricCheck): boolean {
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return 2 * squares < noise.sigma ** 2 * values.length;
}

/** The source of `estimateNoise`'s prior. */
function sourceWords({ mean, step }: MetricCheck): string {
  return USUAL_NOISE_SHARE * Math.abs(mean) >= step / Math.sqrt(12)
    ? 'the usual noise of such trainings'
    : 'its rounding';
}

function faultWords({ values, asked, fault }: MetricCheck): readonly string[] {
  const without = asked - values.length;
  if (without === 0) return [];
  const what = without === 1 ? '1 run gave no number' : `${without} runs gave no number, the first of them`;
  return [`${what}: ${fault ?? 'the reason is unknown.'}`];
}

function seedWords(check: MetricCheck): readonly string[] {
  const { seeds, mean } = check;
  if (!isSame(check)) return [];
  if (!seeds) return ['No seed was found in the editable files, so no other seed was tried.'];
  const { file, name, from, runs } = seeds;
  const what = `With ${name} = ${runs.map(({ to }) => to).join(' and ')} instead of ${from} (${file})`;
  const values = runs.flatMap(({ value }) => value ?? []);
  if (values.length < runs.length) return [`${what}, it did not always give a number.`];
  const all = [mean, ...values];
  const middle = all.reduce((sum, value) => sum + value, 0) / all.length;
  const variance = all.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (all.length - 1);
  const is = `${what}, it is ${values.map(value => asPrinted(check, value)).join(' and ')}`;
  if (values.every(value => value === mean)) return [`${is} too: that seed has no effect.`];
  return [
    `${is}: seeds differ by σ ${shortNumber(Math.sqrt(variance))}, and a gain that is not much larger may hold for this seed only.`,
  ];
}

function gainWords(check: MetricCheck): readonly string[] {
  const { gain, step, night } = check;
  if (looksRepeatable(check))
    return [`One run shows any gain large enough to be printed, of ${shortNumber(step)} or more.`];
  const one = `One run proves a gain of ${shortNumber(gain.oneRun)} or more`;
  if (night.experiments === 0) return [`${one}.`];
  return [`${one}; a night, which repeats the runs of what it keeps, a gain of ${shortNumber(gain.night)}.`];
}

function nightWords(check: MetricCheck): readonly CheckLine[] {
  const { hours, runSeconds, experiments, auditRuns } = check.night;
  const room = Math.floor((hours * 3_600) / runSeconds);
  if (experiments === 0) {
    const none = `No experiment fits: a run takes ${timeWords(runSeconds)}`;
    return [
      warning(
        room === 0
          ? `${none}, and the night lasts ${hours} h.`
          : `${none}, and ${hours} h have room for ${counted(room, 'run')}, which the baseline and the audit use up.`,
      ),
    ];
  }
  const fit = `A run takes ${timeWords(runSeconds)}: ${hours} h have room for ${counted(experiments, 'experiment')}, not counting the time for proposals.`;
  const audit = looksRepeatable(check)
    ? 'A repeatable number needs no audit.'
    : `The audit takes ${auditRuns} more runs, ${timeWords(auditRuns * runSeconds)}.`;
  return [plain(fit), plain(audit)];
}

function brokenWords(check: MetricCheck): CheckLine {
  const { broken, metric, mean } = check;
  const unseen = 'it is unknown whether the number notices';
  if (broken.kind === 'left_out') return plain(`Nothing was broken on purpose, so ${unseen}.`);
  if (broken.kind === 'no_constant')
    return plain(`The editable files have no constant to break, so ${unseen}.`);
  const { name, value, fault } = broken;
  const what = `With ${name} = ${broken.to} instead of ${broken.from} (${broken.file})`;
  if (value === null)
    return plain(`${what}, the run gave no number, so ${unseen}: ${fault ?? 'the reason is unknown.'}`);
  const is = `${what}, it is ${asPrinted(check, value)}`;
  if (hasMoved(check) === false) {
    const like = value === mean ? 'exactly the same' : 'a difference that chance explains';
    return warning(
      `${is}, ${like}: the number may not depend on what the code does. Check that it is computed from the trained model.`,
    );
  }
  const isBetter = value < mean === (metric.goal === 'minimize');
  const by = shortNumber(Math.abs(value - mean));
  if (!isBetter) return plain(`${is}, worse by ${by}: the number notices.`);
  return broken.isRuin
    ? warning(`${is}, better by ${by}: check that metric.goal is the right way round.`)
    : plain(`${is}, better by ${by}: the number notices, and ${name} is worth searching.`);
}

/** Known problems that make a metric hard to improve, each with advice. */
function findShapes(check: MetricCheck): readonly string[] {
  const { mean, noise, digits, step, gain, night } = check;
  const found: string[] = [];
  const rate = rateOf(check);
  if (rate !== null && rate < RATE_LOW)
    found.push(
      `Nearly everything fails (${percent(rate)}), so nearly all edits look the same. Rewrite the task or the metric first: easier cases, or partial credit.`,
    );
  if (rate !== null && rate > RATE_HIGH) {
    const left = (1 - rate) * (mean / rate);
    const isBeyond = night.experiments > 0 && !looksRepeatable(check) && left < gain.night;
    const beyond = isBeyond ? ', less than a night can prove' : '';
    found.push(
      `Nearly everything succeeds (${percent(rate)}): only ${shortNumber(left)} is left to gain${beyond}.`,
    );
  }
  if (digits <= FEW_DIGITS || (digits < REPEATABLE_DIGITS && step > noise.sigma))
    found.push(
      `It is printed with ${digitWords(digits)}, in steps of ${shortNumber(step)}, and σ is ${shortNumber(noise.sigma)}: most edits will give one of a few values. Print more digits, or measure on more cases.`,
    );
  const share = mean === 0 ? 0 : noise.sigma / Math.abs(mean);
  if (share > LOUD_SHARE && !isSame(check))
    found.push(
      `It varies by ${percent(share)} when nothing changes; trainings usually vary by ${percent(USUAL_NOISE_SHARE)}. Fix the seeds, or measure on more data.`,
    );
  return found;
}

/** A number with as many decimals as the training prints. */
function asPrinted({ step, values }: MetricCheck, value: number): string {
  // The step of a share does not show how many digits are printed.
  const decimals = Math.max(Math.round(-Math.log10(step)), ...values.map(decimalsOf));
  return decimals >= 0 && decimals <= MOST_DECIMALS ? value.toFixed(decimals) : String(value);
}

/** Number of decimals; 0 for a number that is written with an exponent. */
function decimalsOf(value: number): number {
  return /^-?\d+\.(\d+)$/.exec(String(value))?.[1]?.length ?? 0;
}

function digitWords(digits: number): string {
  return counted(digits, 'digit');
}

function percent(share: number): string {
  return `${shortNumber(100 * share)} %`;
}

/** `12.3 s`, `5.4 min`, `1.5 h`. */
export function timeWords(seconds: number): string {
  if (seconds < 89.95) return `${shortNumber(seconds, 3)} s`;
  if (seconds < 89.5 * 60) return `${shortNumber(seconds / 60)} min`;
  return `${shortNumber(seconds / 3_600)} h`;
}
