import { readFile } from 'node:fs/promises';
import { CURVE_PARTS, type Curve, CurveReader } from '../src/engine/metrics/curve.ts';
import { judgeCurve, type PastRun, PRUNE_RUNS } from '../src/engine/stages/judge/prune.ts';
import { isBetter } from '../src/shared/study.ts';
import { printTable } from './report.ts';

const STUDIES = 200;
const EXPERIMENTS = 80;
const RECORDED = new URL('curves/byte-lm.json', import.meta.url);
/** How often the order of recorded experiments is shuffled. */
const ORDERS = 200;

/** How much a study saves by ending runs early, and what that loses: on recorded curves and on a generated family. */
export async function benchPrune(): Promise<void> {
  const recorded = JSON.parse(await readFile(RECORDED, 'utf8')) as readonly PastRun[];
  const random = randomFrom(7);
  const [baseline, ...others] = recorded;
  if (!baseline) throw new Error('no curve was recorded');
  const orders = Array.from({ length: ORDERS }, () => [baseline, ...shuffled(others, random)]);
  const families: readonly (readonly [string, readonly (readonly PastRun[])[]])[] = [
    [`byte-lm, ${recorded.length} recorded runs in ${ORDERS} orders`, orders],
    ...(['calm', 'mixed', 'wild'] as const).map(
      kind =>
        [
          `generated, ${kind}: ${STUDIES} studies of ${EXPERIMENTS}`,
          Array.from({ length: STUDIES }, (_, seed) => generatedStudy(kind, randomFrom(seed))),
        ] as const,
    ),
  ];
  const lines = families.map(([what, studies]) => {
    const all = studies.map(replay);
    const sum = (pick: (result: Replayed) => number) =>
      all.reduce((total, result) => total + pick(result), 0);
    const lost = (100 * sum(result => result.lost)) / sum(result => result.keeps);
    return {
      what: `time saved, ${what}`,
      value: (100 * sum(result => result.saved)) / sum(result => result.runs),
      unit: '%',
      reference: `${sum(result => result.pruned)} of ${sum(result => result.runs)} runs ended early; of ${sum(result => result.keeps)} would-be keeps lost: ${lost.toFixed(2)} %, at most 1 %`,
      ratio: null,
      isGood: lost <= 1,
    };
  });
  printTable('Early ends: what the default rule saves', lines);
}

type Replayed = {
  readonly runs: number;
  readonly pruned: number;
  /** Number of runs. */
  readonly saved: number;
  readonly keeps: number;
  readonly lost: number;
};

/** A study as the loop would have run it, with the results that the ended runs would have had. */
function replay(study: readonly PastRun[]): Replayed {
  const [baseline, ...others] = study;
  if (!baseline) throw new Error('a study has a baseline');
  let incumbent = baseline;
  const past: PastRun[] = [];
  const result = { runs: study.length, pruned: 0, saved: 0, keeps: 0, lost: 0 };
  for (const run of others) {
    const isKeep = isBetter('minimize', run.metric, incumbent.metric);
    if (isKeep) result.keeps += 1;
    const share = endOf(run, incumbent, past);
    if (share !== null) {
      result.pruned += 1;
      result.saved += 1 - share;
      if (isKeep) result.lost += 1;
      continue;
    }
    if (isKeep) {
      past.unshift(incumbent);
      incumbent = run;
    } else {
      past.unshift(run);
    }
  }
  return result;
}

/** How far a run gets, as a share, before it is ended; null if it is not ended. */
function endOf(run: PastRun, incumbent: PastRun, past: readonly PastRun[]): number | null {
  for (let parts = 1; parts < CURVE_PARTS; parts += 1) {
    const curve = { ...run.curve, points: run.curve.points.slice(0, parts) };
    const earlier = past.slice(0, PRUNE_RUNS);
    if (judgeCurve({ goal: 'minimize', metric: 'val_bpb', curve, incumbent, earlier })) {
      return parts / CURVE_PARTS;
    }
  }
  return null;
}

/** Kinds of generated studies: how far their ideas' effects spread, as shares of the metric. */
const KINDS = {
  calm: { effect: 0.006, bad: 0.1, cross: 0.006, speed: 0.05, mismatch: 0.001 },
  mixed: { effect: 0.015, bad: 0.2, cross: 0.02, speed: 0.15, mismatch: 0.003 },
  wild: { effect: 0.03, bad: 0.3, cross: 0.05, speed: 0.3, mismatch: 0.006 },
} as const;

/**
 * A study of runs whose loss falls as a power of the steps (Hestness et al., 2017) and faster while the schedule
 * cools down in the last 40 %. Ideas differ in their final loss, in speed, in how far off they are half way (for some
 * without any relation to the end, for some because they will be better), and in the part of the metric that the loss
 * does not show.
 */
function generatedStudy(kind: keyof typeof KINDS, random: () => number): readonly PastRun[] {
  const spread = KINDS[kind];
  const steps = 300 + 1_500 * random();
  const floor = 0.6 + 0.3 * random();
  const exponent = 0.2 + 0.3 * random();
  const cooling = 0.02 + 0.06 * random();
  const noise = 0.005 + 0.02 * random();
  let best = 0;
  return Array.from({ length: EXPERIMENTS + 1 }, (_, n) => {
    const isBaseline = n === 0;
    const isBad = !isBaseline && random() < spread.bad;
    // Ideas build on the best, and most of them gain nothing.
    const own = isBaseline ? 0 : 0.5 * spread.effect + spread.effect * normal(random);
    const effect = isBad ? best + spread.effect * (2 + 10 * random()) : best + own;
    // A third pays off late: the better it ends, the worse it looks half way.
    const late = random() < 1 / 3 ? Math.max(0, -1.5 * own) : 0;
    const cross = isBaseline ? 0 : spread.cross * heavy(random) + late;
    const speed = isBaseline ? 1 : Math.exp(spread.speed * normal(random));
    const hidden = isBaseline ? 0 : spread.mismatch * heavy(random);
    const reader = new CurveReader({ metric: 'val_bpb', budgetSeconds: 300 });
    const total = Math.round(steps * speed);
    const at = (step: number) => {
      const share = step / total;
      const fallen = floor + 4 * (step + 10) ** -exponent;
      const cooled = 1 - cooling * Math.max(0, (share - 0.6) / 0.4);
      return fallen * cooled * (1 + effect * Math.min(1, 3 * share) + cross * Math.sin(Math.PI * share));
    };
    for (let step = 0; step <= total; step += 1) {
      const share = step / total;
      const loss = at(step) * (1 + noise * normal(random));
      const values = new Map(Object.entries({ step, progress: 100 * share, loss }));
      reader.add({ seconds: 300 * share, values });
    }
    const metric = at(total) * (1 + hidden);
    if (effect < best) best = effect;
    return { curve: reader.curve(true) as Curve, metric };
  });
}

function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map(item => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

/** Mulberry32, a small seeded generator, so that two runs of the bench give the same numbers. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Mean 0 and standard deviation 1, by Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Student's t with 4 degrees of freedom: most values are small, some are not. */
function heavy(random: () => number): number {
  const squares = Array.from({ length: 4 }, () => normal(random) ** 2).reduce((sum, square) => sum + square);
  return normal(random) / Math.sqrt(squares / 4);
}
