import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findConstants } from '../src/engine/proposers/search/constants.ts';
import { seededRandom } from '../src/engine/proposers/search/random.ts';
import {
  afterRepeat,
  afterVerdict,
  findClosing,
  findDue,
  incumbentOf,
  judgeAgain,
  type Repeats,
  takeBack,
} from '../src/engine/session/loop/repeats.ts';
import type { HistoryEntry } from '../src/engine/store/experiment-past.ts';
import type { Verdict } from '../src/shared/study.ts';
import { byteLmTrainer, readByteLm, withSeed } from './byte-lm.ts';
import { average, printTable } from './report.ts';
import { applyChoice, entryOf, ladder } from './search-night.ts';
import { deviation, meanOf, noRepeats, type Outcome, sumOf, sumUp } from './verdicts.ts';

/**
 * The rule against greedy and against "confirm before keep" on byte-lm, with trainings instead of a simulation: each
 * training reads its text in its own order, which is the noise, and the search proposes. The true value of a commit
 * is the mean of trainings that no study has seen.
 */

const STUDIES = 4;
const TRAININGS = 30;
const TRUTH_RUNS = 4;
const SEEDS = 1_000_000;

type Policy = 'greedy' | 'honest' | 'confirm first';
/** By name; greedy is the floor of the others. */
type Outcomes = ReadonlyMap<string, Outcome>;
type Train = (source: string, seed: number) => number | null;
type Study = {
  readonly repeats: Repeats;
  /** The source that each experiment trained. */
  readonly sources: ReadonlyMap<number, string>;
};

/**
 * @param studies under each policy, with `trainings` each in addition to those of audit and headline
 * @param confirms whether "confirm before keep" is compared too, which takes most of the time
 */
export async function benchVerdictsOfByteLm(
  studies = STUDIES,
  trainings = TRAININGS,
  confirms = true,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-bench-'));
  try {
    const trainAny = await byteLmTrainer(folder);
    const train: Train = (source, seed) => trainAny(withSeed(source, seed));
    const baseline = await readByteLm();
    const all: Outcomes[] = [];
    for (let study = 0; study < studies; study += 1) {
      const play = (policy: Policy, most = trainings) => playStudy(policy, baseline, study, most, train);
      const honest = await play('honest');
      const played: [string, Study][] = [['greedy', await play('greedy')]];
      played.push(['honest', honest]);
      // The difference to this one is not the price of the repeats, but what they changed.
      played.push(['greedy with as many experiments', await play('greedy', honest.sources.size)]);
      if (confirms) played.push(['confirm first', await play('confirm first')]);
      const outcomes = new Map(played.map(([name, one]) => [name, assessStudy(one, train)]));
      all.push(outcomes);
      const gains = [...outcomes].map(([name, { gain }]) => `${name} ${gain.toFixed(4)}`);
      const { proven = 0, falselyProven = 0 } = outcomes.get('honest') ?? {};
      console.log(
        `study ${study + 1}, true gain: ${gains.join(', ')}; ${falselyProven} of ${proven} claims false`,
      );
    }
    printResults(all, trainings, deviation(freshNumbers(baseline, train)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A study under one of the policies. All give the same code the same seeds, in training order. */
async function playStudy(
  policy: Policy,
  baseline: string,
  study: number,
  trainings: number,
  train: Train,
): Promise<Study> {
  const sources = new Map([[0, baseline]]);
  const trained = new Map<string, number>();
  const run = (source: string) => {
    const time = trained.get(source) ?? 0;
    trained.set(source, time + 1);
    return train(source, 1 + Math.floor(SEEDS * seededRandom(study, time)()));
  };
  let repeats = noRepeats(policy === 'honest' ? 'honest' : 'greedy', false);
  let confirmations = 0;
  const history: HistoryEntry[] = [];
  const take = (due: NonNullable<ReturnType<typeof findDue>>) => {
    const after = afterRepeat(repeats, due, run(sources.get(due.n) ?? ''), true);
    const isTakenBack = judgeAgain(after, due) !== null;
    repeats = isTakenBack ? takeBack(after, due.n) : after;
    const place = history.findIndex(({ n }) => n === due.n);
    const entry = history[place];
    const values = repeats.trials.find(({ n }) => n === due.n)?.values ?? [];
    const back = { verdict: 'discard', reason: 'rolled_back' } as const;
    if (entry) history[place] = { ...entry, record: average(values), ...(isTakenBack && back) };
  };
  const first = run(baseline);
  if (first === null) throw new Error('The baseline fails.');
  history.push(entryOf(0, null, 'keep', first, null));
  repeats = afterVerdict(repeats, 0, {
    ...{ word: 'keep', reason: 'baseline' },
    evidence: { run: 0, metric: first },
  });
  while (repeats.runs + confirmations - repeats.spent < trainings) {
    const due = findDue(repeats);
    const incumbent = incumbentOf(repeats);
    if (due) take(due);
    if (due || !incumbent) continue;
    const n = history.length;
    const source = sources.get(incumbent.experiment) ?? '';
    const constants = findConstants('train.py', source);
    const standing = { n: incumbent.experiment, metric: incumbent.value };
    const choice = await ladder(constants, history, standing, study + 1, 'minimize');
    if (!choice) break;
    const attempt = applyChoice(source, constants, choice);
    sources.set(n, attempt);
    const number = run(attempt);
    const isConfirmed = policy === 'confirm first' && number !== null && number < incumbent.value;
    if (isConfirmed) confirmations += 1;
    const again = isConfirmed ? run(attempt) : number;
    const metric = number === null || again === null ? null : (number + again) / 2;
    const isKeep = metric !== null && metric < incumbent.value;
    const word = metric === null ? 'crash' : isKeep ? 'keep' : 'discard';
    history.push(entryOf(n, choice.memo, word, metric, standing));
    const evidence = {
      ...{ run: 0, incumbentExperiment: incumbent.experiment },
      ...(metric === null ? {} : { metric }),
    };
    repeats = afterVerdict(repeats, n, verdictOf(word, evidence));
  }
  for (let due = findClosing(repeats); due; due = findClosing(repeats)) take(due);
  return { repeats, sources };
}

function verdictOf(word: 'keep' | 'discard' | 'crash', evidence: Verdict['evidence']): Verdict {
  if (word === 'keep') return { word, reason: 'better', evidence };
  return word === 'crash' ? { word, reason: 'diverged', evidence } : { word, reason: 'worse', evidence };
}

/** The result, by the true numbers of the base and all keeps. */
function assessStudy({ repeats, sources }: Study, train: Train): Outcome {
  const truth = new Map<number, { readonly value: number }>();
  for (const { n, isKept } of repeats.trials)
    if (isKept) truth.set(n, { value: average(freshNumbers(sources.get(n) ?? '', train)) });
  return { ...sumUp(repeats, truth), takenBack: 0 };
}

/** Measurements with seeds that no study uses. */
function freshNumbers(source: string, train: Train): readonly number[] {
  return Array.from({ length: TRUTH_RUNS }, (_, run) => train(source, SEEDS + run + 1) ?? Number.NaN);
}

function printResults(all: readonly Outcomes[], trainings: number, noise: number): void {
  const of = (name: string) => all.flatMap(outcomes => outcomes.get(name) ?? []);
  const [greedy, honest] = [of('greedy'), of('honest')];
  const floor = meanOf(greedy, 'gain');
  const lines = [...(all[0]?.keys() ?? [])].map(name => {
    const outcomes = of(name);
    const gain = meanOf(outcomes, 'gain');
    const tooGood = meanOf(outcomes, 'recorded') - gain;
    // All policies played the same studies, so the error is that of the differences.
    const differences = outcomes.map(({ gain: own }, study) => own - (greedy[study]?.gain ?? Number.NaN));
    const error = all.length > 1 ? deviation(differences) / Math.sqrt(all.length) : Number.NaN;
    return {
      what: `${name}: true gain; record too good by ${tooGood.toFixed(4)}; ${sumOf(outcomes, 'falseKeeps')} of ${sumOf(outcomes, 'keeps')} keeps false`,
      ...{ value: gain, unit: 'bpb', ratio: gain / floor },
      reference: `greedy ${floor.toFixed(4)} ± ${error.toFixed(4)}`,
      isGood: name === 'honest' && all.length > 1 ? gain >= floor - 2 * error : null,
    };
  });
  const [proven, falsely] = [sumOf(honest, 'proven'), sumOf(honest, 'falselyProven')];
  printTable(
    `Verdicts on byte-lm: ${trainings} trainings, ${all.length} studies, noise ${noise.toFixed(4)} by ${TRUTH_RUNS} runs of the baseline`,
    [
      ...lines,
      {
        ...{ what: 'honest: claims that are false', value: falsely, unit: '', ratio: null },
        ...{ reference: `5 % at most, of ${proven}`, isGood: proven > 0 ? falsely <= 0.05 * proven : null },
      },
      {
        what: 'honest: of the true gain that is claimed',
        value: (100 * sumOf(honest, 'provenGain')) / sumOf(honest, 'gain'),
        ...{ unit: '%', reference: 'all of it', ratio: null, isGood: null },
      },
      {
        what: 'honest: trainings of audit and headline, mean',
        value: meanOf(honest, 'spent'),
        ...{ unit: '', reference: `max(4, T/10) at most, T = ${trainings} and these`, ratio: null },
        isGood: honest.every(({ spent, runs }) => spent <= Math.max(4, Math.floor(runs / 10))),
      },
    ],
  );
}
