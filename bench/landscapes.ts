import type { Constant } from '../src/engine/proposers/search/constant.ts';
import { findConstants } from '../src/engine/proposers/search/constants.ts';
import { readNumber } from '../src/engine/proposers/search/literal.ts';
import { normalFrom, seededRandom } from '../src/engine/proposers/search/random.ts';

/** The constants of the synthetic family: one of every kind found in training scripts. */
export const SOURCE = `MATRIX_LR = 0.04
EMBED_LR = 0.6
SCALAR_LR = 2.5
WEIGHT_DECAY = 0.1
MOMENTUM = 0.95
BETA2 = 0.98
WARMUP = 0.0
EPS = 1e-8
DEPTH = 8
HEADS = 6
HIDDEN = 300
BATCH = 2**16
USE_NORM = True
ACTIVATION = "relu"  # one of "relu", "gelu", "silu"
`;

/** The constants between 0 and 1. */
const SHARES: ReadonlySet<string> = new Set(['EMBED_LR', 'MOMENTUM', 'BETA2']);

/** Standard deviation of the noise, as a share of the loss between the start and the optimum. */
const NOISE = 0.025;
/** How far optima lie from the start: standard deviation in doublings (steps, for counts). */
const OFFSET = 1.2;
/** How strongly a constant's optimum depends on others. */
const COUPLING = 0.35;
/** The squared distance from which the loss grows linearly instead of quadratically. */
const BEND = 40;
const CRASH_REGIONS = 2;

export type Landscape = {
  /** The loss without noise; null if the training crashes. Scaled: 1 at the start, 0 at the optimum. */
  readonly loss: (source: string) => number | null;
  /** The loss that training number `n` of a study with this seed measures. */
  readonly measure: (source: string, seed: number, n: number) => number | null;
};

/** One landscape of the family. Lower is better. */
export function landscape(seed: number): Landscape {
  const random = seededRandom(seed, 77);
  const normal = normalFrom(random);
  const start = readUnits(SOURCE);
  const numbers = start.map((_, place) => place).slice(0, 12);
  const optimum = start.map((value, place) => (place < 12 ? value + OFFSET * normal() : value));
  // The optimum must have values that can be written in the source.
  for (const place of [8, 9]) optimum[place] = Math.max(1, Math.round(optimum[place] ?? 1));
  optimum[11] = Math.round(optimum[11] ?? 16);
  optimum[6] = Math.max(0, optimum[6] ?? 0);
  const weights = numbers.map(() => Math.exp(0.9 * normal()));
  const coupling = numbers.map(own =>
    numbers.map(other => (own !== other && random() < 0.2 ? COUPLING * normal() : 0)),
  );
  const wordCosts = [0, 1, 2].map(() => 3 * random());
  const flagCost = 4 * (random() - 0.5);
  const regions = Array.from({ length: CRASH_REGIONS }, () => {
    const direction = numbers.map(() => (random() < 0.25 ? normal() : 0));
    const length = Math.hypot(...direction) || 1;
    const at = (units: readonly number[]) =>
      numbers.reduce(
        (sum, place) =>
          sum + ((direction[place] ?? 0) / length) * ((units[place] ?? 0) - (start[place] ?? 0)),
        0,
      );
    // Never at the optimum: then nothing would be left to find.
    const edge = Math.max(0.5 + 1.5 * random(), at(optimum) + 0.3);
    return (units: readonly number[]) => at(units) > edge;
  });
  const raw = (units: readonly number[]) => {
    const apart = numbers.map(
      place => ((units[place] ?? 0) - (optimum[place] ?? 0)) / (place === 8 || place === 9 ? 2 : 1),
    );
    let square = 0;
    for (const own of numbers) {
      const leaning = numbers.reduce(
        (sum, other) => sum + (coupling[own]?.[other] ?? 0) * (apart[other] ?? 0),
        apart[own] ?? 0,
      );
      square += (weights[own] ?? 0) * leaning ** 2;
    }
    square += (units[12] ?? 0) * flagCost + (flagCost < 0 ? -flagCost : 0);
    square += (wordCosts[units[13] ?? 0] ?? 0) - Math.min(...wordCosts);
    // Flatter far away, as losses are.
    return Math.sqrt(BEND + square) - Math.sqrt(BEND);
  };
  const top = raw(start);
  const loss = (source: string) => {
    const units = readUnits(source);
    return regions.some(isIn => isIn(units)) ? null : raw(units) / top;
  };
  return {
    loss,
    measure(source, study, n) {
      const value = loss(source);
      return value === null ? null : value + NOISE * normalFrom(seededRandom(seed, study, n))();
    },
  };
}

/** Doublings, steps and places: the variables of the loss. */
function readUnits(source: string): number[] {
  return findConstants('train.py', source).map(unitOf);
}

function unitOf({ name, literal }: Constant): number {
  if (literal.kind === 'boolean') return literal.value ? 1 : 0;
  if (literal.kind === 'choice') return literal.choices.indexOf(literal.value);
  if (literal.kind === 'power') return literal.exponent;
  const value = readNumber(literal) ?? Number.NaN;
  if (name === 'DEPTH' || name === 'HEADS') return value;
  if (name === 'WARMUP') return 8 * value;
  // Half of the way to 0 or to 1 is one step, and no value between is left out.
  if (SHARES.has(name)) return value > 0.5 ? -Math.log2(Math.max(0, 1 - value)) : 2 + Math.log2(value);
  return Math.log2(value);
}
