import { normalFrom, seededRandom } from '../src/engine/proposers/search/random.ts';
import {
  findCandidateProbe,
  findNumberHints,
  findTakeBack,
  judgeCandidate,
  NO_PROBES,
} from '../src/engine/session/loop/probes.ts';
import {
  afterProbeRun,
  afterRepeat,
  afterVerdict,
  findClosing,
  findDue,
  incumbentOf,
  judgeAgain,
  NO_SEEDS,
  type Repeats,
  takeBack,
  takeBackFrom,
} from '../src/engine/session/loop/repeats.ts';
import { assess } from '../src/engine/statistics/claims.ts';
import { PRIOR_WEIGHTS, SCALES } from '../src/engine/statistics/effects.ts';
import { average, printTable, quantile } from './report.ts';

/**
 * The rule against greedy and against "confirm before keep", in worlds with a known truth: edits with effects like
 * those in upstream's published log, noisy numbers, and the code that decides in a study. Nothing is trained.
 */

/** The scale of the effects, and by default of the noise: upstream's, at a baseline of about 1. */
const SIGMA = 0.0007;
const BASELINE = 0.998;
/** With other validation data. */
const OTHER_BASELINE = 1.031;
const HORIZONS = [30, 100, 300];
/** Number of studies for each horizon and world. */
const STUDIES: Readonly<Record<number, number>> = { 30: 300, 100: 120, 300: 24 };
const SEED = 20261128;

type World = {
  readonly name: string;
  /** The error of one number; the code determines how noisy its own training is. */
  readonly noise: (random: Draws, code: number, time: number) => number;
};

const WORLDS: readonly World[] = [
  { name: 'Gaussian', noise: random => SIGMA * random.normal() },
  { name: 'twice as noisy', noise: random => 2 * SIGMA * random.normal() },
  // Student's t with 3 degrees of freedom, scaled to the same variance.
  {
    name: 'heavy tails',
    noise: random => {
      const chi = random.normal() ** 2 + random.normal() ** 2 + random.normal() ** 2;
      return (SIGMA * random.normal()) / Math.sqrt(chi / 3) / Math.sqrt(3);
    },
  },
  {
    name: 'drifting',
    noise: (random, _, time) => SIGMA * (random.normal() + Math.sin((2 * Math.PI * time) / 80)),
  },
  { name: 'noise of each code its own', noise: (random, code) => SIGMA * random.normal() * (0.5 + code) },
];

const POLICIES = ['greedy', 'confirm first', 'honest'] as const;
type Policy = (typeof POLICIES)[number];

export type Outcome = {
  readonly gain: number;
  readonly recorded: number;
  readonly keeps: number;
  readonly falseKeeps: number;
  readonly proven: number;
  readonly falselyProven: number;
  readonly provenGain: number;
  readonly runs: number;
  readonly spent: number;
  /** Keeps that a probe took back or rejected. */
  readonly takenBack: number;
  /** The stated probability of each keep, and whether it was a real gain. */
  readonly stated: readonly { readonly probability: number; readonly isTrue: boolean }[];
};

export async function benchVerdicts(): Promise<void> {
  for (const horizon of HORIZONS) {
    const studies = STUDIES[horizon] ?? 0;
    for (const world of WORLDS) {
      const outcomes = new Map(
        POLICIES.map(policy => [policy, simulateAll(policy, world, horizon, studies)]),
      );
      const [greedy, honest] = [outcomes.get('greedy') ?? [], outcomes.get('honest') ?? []];
      const title = `Verdicts: ${world.name}, ${horizon} runs, ${studies} studies (gain in thousandths of the metric)`;
      printTable(title, [
        ...POLICIES.map(policy => gainLine(policy, outcomes.get(policy) ?? [], greedy)),
        // As many experiments as `honest` has, which trains the baseline twice.
        gainLine('greedy, a run less', simulateAll('greedy', world, horizon - 1, studies), greedy),
        ...claimLines(honest, horizon),
      ]);
    }
  }
  printCalibration();
  printProbes();
}

function gainLine(policy: string, outcomes: readonly Outcome[], greedy: readonly Outcome[]) {
  const [gain, floor] = [meanOf(outcomes, 'gain'), meanOf(greedy, 'gain')];
  // Both played the same studies, so the error is that of the differences.
  const differences = outcomes.map((outcome, place) => outcome.gain - (greedy[place]?.gain ?? 0));
  const error = deviation(differences) / Math.sqrt(differences.length);
  const tooGood = (meanOf(outcomes, 'recorded') - gain) / SIGMA;
  const falseKeeps = sumOf(outcomes, 'falseKeeps') / Math.max(1, sumOf(outcomes, 'keeps'));
  return {
    what: `${policy}: true gain; record too good by ${tooGood.toFixed(2)} σ; ${(100 * falseKeeps).toFixed(0)} % of ${(sumOf(outcomes, 'keeps') / outcomes.length).toFixed(1)} keeps false`,
    value: 1000 * gain,
    unit: '',
    reference: `greedy ${(1000 * floor).toFixed(2)} ± ${(1000 * error).toFixed(2)}`,
    ratio: gain / floor,
    isGood: policy === 'honest' ? gain >= floor - 2 * error : null,
  };
}

function claimLines(outcomes: readonly Outcome[], horizon: number) {
  const falsely = sumOf(outcomes, 'falselyProven') / Math.max(1, sumOf(outcomes, 'proven'));
  const stated = outcomes.flatMap(outcome => outcome.stated);
  const expected = stated.reduce((sum, { probability }) => sum + 1 - probability, 0);
  const untrue = stated.filter(({ isTrue }) => !isTrue).length;
  const most = Math.max(...outcomes.map(({ spent, runs }) => spent - Math.max(4, Math.floor(runs / 10))));
  return [
    {
      what: 'honest: claims that are false',
      value: 100 * falsely,
      unit: '%',
      reference: `5 % at most, of ${sumOf(outcomes, 'proven')}`,
      ratio: null,
      isGood: falsely <= 0.05,
    },
    {
      ...{ what: 'honest: keeps that are luck, by their probabilities', value: expected, unit: '' },
      ...{
        reference: `${untrue} of ${stated.length} are`,
        ratio: expected / Math.max(1, untrue),
        isGood: null,
      },
    },
    {
      what: 'honest: of the true gain that is claimed',
      value: (100 * sumOf(outcomes, 'provenGain')) / sumOf(outcomes, 'gain'),
      unit: '%',
      reference: 'all of it',
      ratio: null,
      isGood: null,
    },
    {
      what: 'honest: runs of audit and headline, median',
      value: quantile(
        outcomes.map(({ spent }) => spent),
        0.5,
      ),
      unit: '',
      reference: `max(4, T/10) at most, T = ${horizon} and these`,
      ratio: null,
      isGood: most <= 0,
    },
  ];
}

/** For all keeps of the Gaussian world: how often a keep of a stated probability was real. */
function printCalibration(): void {
  const world = WORLDS[0];
  if (!world) return;
  const stated = simulateAll('honest', world, 100, STUDIES[100] ?? 0).flatMap(outcome => outcome.stated);
  const edges = [0.25, 0.55, 0.75, 0.95, 1.0001];
  printTable(
    'Verdicts: what is said of a keep, and how often it is so (Gaussian, 100 runs)',
    edges.slice(1).map((high, place) => {
      const low = edges[place] ?? 0;
      const inBin = stated.filter(({ probability }) => probability >= low && probability < high);
      const said = inBin.reduce((sum, { probability }) => sum + probability, 0) / inBin.length;
      const so = inBin.filter(({ isTrue }) => isTrue).length / inBin.length;
      return {
        what: `said ${low.toFixed(2)} to ${Math.min(1, high).toFixed(2)}, ${inBin.length} keeps`,
        value: so,
        unit: '',
        reference: `said ${said.toFixed(2)}`,
        ratio: null,
        // It may be modest but never over-confident, apart from chance for this number of keeps.
        isGood: so >= said - 2 * Math.sqrt((said * (1 - said)) / inBin.length),
      };
    }),
  );
}

function simulateAll(policy: Policy, world: World, horizon: number, studies: number): readonly Outcome[] {
  return Array.from({ length: studies }, (_, study) => {
    const random = drawing(study, 0);
    // Every policy gets the same edits.
    const edits = Array.from({ length: horizon }, () => drawEdit(random));
    return simulate(policy, world, horizon, edits, drawing(study, 1));
  });
}

function simulate(
  policy: Policy,
  world: World,
  horizon: number,
  edits: readonly Edit[],
  random: Draws,
  hasOtherData = false,
): Outcome {
  const truth = new Map([[0, { value: BASELINE, there: OTHER_BASELINE, code: 0.5 }]]);
  let time = 0;
  const run = (n: number) => {
    const commit = truth.get(n);
    time += 1;
    return round(commit ? commit.value + world.noise(random, commit.code, time) : Number.NaN);
  };
  let repeats = noRepeats(policy === 'honest' ? 'honest' : 'greedy', hasOtherData);
  let confirmations = 0;
  let takenBack = 0;
  const take = (due: NonNullable<ReturnType<typeof findDue>>) => {
    if (due.purpose === 'probe') {
      time += 1;
      const { there = Number.NaN, code = 0 } = truth.get(due.n) ?? {};
      const value = round(there + world.noise(random, code, time));
      repeats = afterProbeRun(repeats, due.n, { value, isOwnFailure: false });
      for (let back = findTakeBack(repeats); back; back = findTakeBack(repeats)) {
        takenBack += 1;
        repeats = takeBackFrom(repeats, back);
      }
      return;
    }
    const after = afterRepeat(repeats, due, run(due.n), true);
    repeats = judgeAgain(after, due) ? takeBack(after, due.n) : after;
  };
  const baseline = { run: 0, metric: run(0) };
  repeats = afterVerdict(repeats, 0, { word: 'keep', reason: 'baseline', evidence: baseline });
  for (let n = 1; n <= edits.length && repeats.runs + confirmations - repeats.spent < horizon; ) {
    const due = findDue(repeats);
    if (due) {
      take(due);
      continue;
    }
    const edit = edits[n - 1];
    const incumbent = incumbentOf(repeats);
    if (!edit || !incumbent) break;
    const { value = Number.NaN, there = Number.NaN } = truth.get(incumbent.experiment) ?? {};
    truth.set(n, { value: value + edit.effect, there: there + edit.effectThere, code: edit.code });
    let metric = run(n);
    if (policy === 'confirm first' && metric < incumbent.value) {
      metric = (metric + run(n)) / 2;
      confirmations += 1;
    }
    const evidence = { run: 0, metric, incumbentExperiment: incumbent.experiment };
    const candidate = { n, value: metric };
    if (findNumberHints(repeats, candidate).length > 0) {
      for (let probe = findCandidateProbe(repeats, candidate); probe !== null; ) {
        take({ n: probe, purpose: 'probe' });
        probe = findCandidateProbe(repeats, candidate);
      }
    }
    const shown = judgeCandidate(repeats, candidate);
    if (shown?.reason) takenBack += 1;
    const isKeep = metric < incumbent.value && !shown?.reason;
    repeats = afterVerdict(
      repeats,
      n,
      isKeep ? { word: 'keep', reason: 'better', evidence } : { word: 'discard', reason: 'worse', evidence },
    );
    n += 1;
  }
  for (let due = findClosing(repeats); due; due = findClosing(repeats)) take(due);
  return { ...sumUp(repeats, truth), takenBack };
}

/** The repeats of a study in which nothing has been trained yet. */
export function noRepeats(rule: Repeats['rule'], hasOtherData: boolean): Repeats {
  return {
    ...{ rule, goal: 'minimize', trials: [], tried: [], discards: 0, runs: 0, auditedAt: 0, spent: 0 },
    ...{ baselineRuns: 2, granted: null, fresh: [], seeds: NO_SEEDS },
    probes: { ...NO_PROBES, isPossible: hasOtherData },
  };
}

/** The result of a study, by the true numbers of its commits. */
export function sumUp(
  repeats: Repeats,
  truth: ReadonlyMap<number, { readonly value: number }>,
): Omit<Outcome, 'takenBack'> {
  const incumbent = incumbentOf(repeats);
  const trueValue = (n: number | null | undefined) => truth.get(n ?? 0)?.value ?? Number.NaN;
  const baseline = trueValue(0);
  const kept = repeats.trials.filter(({ isKept, parent }) => isKept && parent !== null);
  const effect = (n: number) => trueValue(n) - trueValue(repeats.trials.find(trial => trial.n === n)?.parent);
  const claims = assess(repeats.trials)?.claims ?? [];
  const proven = claims.filter(({ isProven }) => isProven);
  return {
    gain: baseline - trueValue(incumbent?.experiment),
    recorded: baseline - (incumbent?.value ?? Number.NaN),
    keeps: kept.length,
    falseKeeps: kept.filter(({ n }) => effect(n) >= 0).length,
    proven: proven.length,
    falselyProven: proven.filter(({ n }) => effect(n) >= 0).length,
    provenGain: proven.reduce((sum, { n }) => sum - effect(n), 0),
    runs: repeats.runs,
    spent: repeats.spent,
    stated: claims.map(({ n, probability }) => ({ probability, isTrue: effect(n) < 0 })),
  };
}

/**
 * The effect of probing on studies: honest ones, whose effects differ by half (standard deviation) on other data, and
 * ones in which one edit halfway has learnt the data by heart, and gains nothing on any other.
 */
function printProbes(): void {
  const [world] = WORLDS;
  if (!world) return;
  const lines = [30, 100].flatMap(horizon => {
    const studies = STUDIES[horizon] ?? 0;
    const outcomes = (byHeart: number) =>
      Array.from({ length: studies }, (_, study) => {
        const random = drawing(study, 0);
        const edits = Array.from({ length: horizon }, () => drawEdit(random));
        const place = Math.floor(horizon / 2);
        if (byHeart > 0) edits[place] = { effect: -byHeart * SIGMA, effectThere: 0, code: 0.5 };
        return simulate('honest', world, horizon, edits, drawing(study, 1), true);
      });
    const share = (of: readonly Outcome[]) =>
      (100 * of.filter(({ takenBack }) => takenBack > 0).length) / of.length;
    return [
      { what: `${horizon} runs, honest: something is held to be learnt by heart`, value: share(outcomes(0)) },
      { what: `${horizon} runs, 8 s of it learnt by heart: found`, value: share(outcomes(8)) },
      { what: `${horizon} runs, 20 s of it learnt by heart: found`, value: share(outcomes(20)) },
    ].map(line => ({ ...line, unit: '% of studies', reference: '', ratio: null, isGood: null }));
  });
  printTable('Verdicts: probes with other data (Gaussian)', lines);
}

function drawEdit(random: Draws): Edit {
  const effect = drawEffect(random);
  return { effect, effectThere: effect * (1 + 0.5 * random.normal()), code: random.uniform() };
}

/** An edit's true effect, drawn from the prior. */
function drawEffect(random: Draws): number {
  let left = random.uniform();
  const place = PRIOR_WEIGHTS.findIndex(weight => {
    left -= weight;
    return left < 0;
  });
  if (place <= 0) return 0;
  const size = Math.abs(random.normal()) * SIGMA * (SCALES[(place - 1) % SCALES.length] ?? 0);
  return place <= SCALES.length ? -size : size;
}

/** Rounded as a training prints it. */
function round(value: number): number {
  return Number(value.toFixed(6));
}

type Edit = {
  readonly effect: number;
  /** The effect on the other data. */
  readonly effectThere: number;
  readonly code: number;
};

type Draws = { readonly uniform: () => number; readonly normal: () => number };

/** The same numbers in every run of the bench, and different ones for each study and each of its streams. */
function drawing(study: number, stream: number): Draws {
  const uniform = seededRandom(SEED, study, stream);
  return { uniform, normal: normalFrom(uniform) };
}

type NumberField = { [K in keyof Outcome]: Outcome[K] extends number ? K : never }[keyof Outcome];

export function sumOf(outcomes: readonly Outcome[], field: NumberField): number {
  return outcomes.reduce((sum, outcome) => sum + outcome[field], 0);
}

export function meanOf(outcomes: readonly Outcome[], field: NumberField): number {
  return sumOf(outcomes, field) / outcomes.length;
}

export function deviation(values: readonly number[]): number {
  const middle = average(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}
