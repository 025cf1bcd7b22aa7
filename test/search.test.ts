import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Constant } from '../src/engine/proposers/search/constant.ts';
import { findConstants } from '../src/engine/proposers/search/constants.ts';
import { chooseMove } from '../src/engine/proposers/search/ladder.ts';
import { NONE_OR_ALL } from '../src/engine/proposers/search/literal.ts';
import { FINEST_STEP, turn } from '../src/engine/proposers/search/moves.ts';
import { seededRandom } from '../src/engine/proposers/search/random.ts';
import type { HistoryEntry } from '../src/engine/store/experiment-past.ts';
import { cpuMs } from './support/clock.ts';

const SOURCE = `"""Docs: X = 3 is not a constant."""
import os

DEPTH = 8               # layers
ASPECT_RATIO = 64
TOTAL_BATCH_SIZE = 2**19 # tokens
MATRIX_LR = 0.04
ADAM_BETAS = (0.8, 0.95)
WARMUP_RATIO = 0.0
USE_ROPE = True
BIG = 65_536
TINY: float = 1e-5
WINDOW_PATTERN = "SSSL"
ACTIVATION = "relu"     # one of "relu", "gelu"
SEED = 42
DATA_DIR = "/tmp"
COMPUTED = DEPTH * 2
lower = 3
TWICE = 1
TWICE = 2
class A:
    INSIDE = 5
if DEPTH == 8:
    pass
`;

const names = (source: string) => findConstants('train.py', source).map(constant => constant.name);

test('constants are the ALL_CAPS literals at the top level, without seeds, paths and computed ones', () => {
  expect(names(SOURCE)).toEqual([
    ...['DEPTH', 'ASPECT_RATIO', 'TOTAL_BATCH_SIZE', 'MATRIX_LR', 'ADAM_BETAS', 'WARMUP_RATIO', 'USE_ROPE'],
    ...['BIG', 'TINY', 'ACTIVATION'],
  ]);
  for (const { start, end, literal } of findConstants('train.py', SOURCE)) {
    expect(SOURCE.slice(start, end)).toBe(literal.text);
  }
});

test('constants of other languages are found as well', () => {
  expect(names('export const CHUNK_SIZE = 512;\nstatic const int LANES = 4;\nUNROLL=8\n')).toEqual([
    'CHUNK_SIZE',
    'LANES',
    'UNROLL',
  ]);
});

test('no line of a source file makes the reading of its constants slow', () => {
  const start = cpuMs();
  for (const line of [
    `A = (${' '.repeat(100_000)}x`,
    `A = ${'1,'.repeat(50_000)}`,
    `${'const '.repeat(20_000)}A = 1`,
  ]) {
    expect(findConstants('f', `${line}\nB = 2\n`).map(constant => constant.name)).toEqual(['B']);
  }
  // Worse than linear behaviour took minutes; this bounds the algorithm and times nothing.
  expect(cpuMs() - start).toBeLessThan(2_000);
});

function literalOf(text: string, comment = '') {
  const found = findConstants('f', `X = ${text} ${comment}\n`)[0];
  if (!found) throw new Error(`${text} is not a constant`);
  return found.literal;
}

test.each([
  ['8', 'up', 0, '10'],
  ['8', 'up', 1, '9'],
  ['1', 'down', 0, '0'],
  ['0', 'down', 0, null],
  ['64', 'up', 0, '128'],
  ['64', 'up', 1, null],
  ['300', 'up', 1, '450'],
  ['2**19', 'down', 0, '2**18'],
  ['65_536', 'up', 0, '131_072'],
  ['0.04', 'up', 0, '0.08'],
  ['0.95', 'up', 0, '0.975'],
  ['0.95', 'down', 0, '0.9'],
  ['1e-5', 'up', 0, '2e-5'],
  ['-0.5', 'up', 0, '-0.25'],
  ['0.0', 'up', 0, '0.1'],
  ['2.0', 'down', 0, '1.0'],
  ['True', 'other', 0, 'False'],
  ['false', 'other', 0, 'true'],
] as const)('%s turned %s by step %d becomes %s', (text, direction, size, expected) => {
  expect(turn(literalOf(text), direction, size, 0)).toBe(expected);
});

test('of a tuple one item is turned, of words another listed one is taken', () => {
  expect(turn(literalOf('(0.8, 0.95)'), 'up', 0, 1)).toBe('(0.8, 0.975)');
  expect(turn(literalOf('"relu"', '# "relu" or "gelu"'), 'other', 0, 0)).toBe('"gelu"');
});

test('a turned literal keeps its type, its sign and its range', () => {
  const number = fc.oneof(
    fc
      .integer({ min: -100_000, max: 100_000 })
      .filter(value => value !== NONE_OR_ALL)
      .map(String),
    fc
      .double({ min: 1e-6, max: 1e6, noNaN: true })
      .map(value => Number(value.toPrecision(6)).toExponential()),
    fc.double({ min: 0.001, max: 0.999, noNaN: true }).map(value => value.toFixed(3)),
  );
  const direction = fc.constantFrom('up', 'down') as fc.Arbitrary<'up' | 'down'>;
  fc.assert(
    fc.property(number, direction, fc.integer({ min: 0, max: FINEST_STEP }), (text, way, size) => {
      const before = literalOf(text);
      const moved = turn(before, way, size, 0);
      if (moved === null) return;
      const after = literalOf(moved);
      expect(after.kind).toBe(before.kind);
      const [old, now] = [Number(text), Number(moved)];
      if (old !== 0) expect(now * old).toBeGreaterThanOrEqual(0);
      if (way === 'up') expect(now).toBeGreaterThanOrEqual(old);
      else expect(now).toBeLessThanOrEqual(old);
      if (before.kind === 'float' && Math.abs(old) < 1) expect(Math.abs(now)).toBeLessThan(1);
    }),
    { examples: [['-2', 'up', 0]] },
  );
});

/** Plays the strategy against a made-up objective; returns the best value and every set of values tried. */
function play(
  source: string,
  seed: number,
  experiments: number,
  objective: (values: Record<string, number>) => number | null,
) {
  let best = source;
  const read = (text: string) =>
    Object.fromEntries(findConstants('f', text).map(({ name, literal }) => [name, Number(literal.text)]));
  let bestValue = objective(read(source)) ?? Number.NaN;
  const history: HistoryEntry[] = [];
  const tried: string[] = [];
  for (let n = 1; n <= experiments; n += 1) {
    const constants = findConstants('f', best);
    const choice = chooseMove(constants, history, [], seededRandom(seed, n));
    if (!choice) break;
    const attempt = apply(best, constants, choice.moves);
    const value = objective(read(attempt));
    const isKeep = value !== null && value < bestValue;
    history.push({
      n,
      hypothesis: '',
      category: null,
      memo: JSON.parse(JSON.stringify(choice.memo)),
      verdict: value === null ? 'crash' : isKeep ? 'keep' : 'discard',
      reason: '',
      metric: value,
      record: value,
      guard: null,
      incumbent: null,
      incumbentMetric: bestValue,
    });
    tried.push(attempt);
    if (isKeep) [best, bestValue] = [attempt, value];
  }
  return { bestValue, tried, history };
}

function apply(
  source: string,
  constants: readonly Constant[],
  moves: readonly { name: string; to: string }[],
): string {
  return [...constants].reverse().reduce((text, { name, start, end }) => {
    const move = moves.find(candidate => candidate.name === name);
    return move ? text.slice(0, start) + move.to + text.slice(end) : text;
  }, source);
}

const BOWL = 'LR = 0.5\nDEPTH = 2\nWIDTH = 16\nDECAY = 0.9\nUSELESS = 7\n';
const bowl = (values: Record<string, number>) =>
  Math.abs(Math.log2((values.LR ?? 0) / 0.04)) +
  0.3 * Math.abs((values.DEPTH ?? 0) - 9) +
  Math.abs(Math.log2((values.WIDTH ?? 0) / 128)) +
  2 * Math.abs(Math.log2((1 - (values.DECAY ?? 0)) / 0.02));

test('the search climbs down a bowl in a night of thirty', () => {
  for (const seed of [1, 2, 3])
    expect(play(BOWL, seed, 30, bowl).bestValue).toBeLessThan(
      0.5 * bowl({ LR: 0.5, DEPTH: 2, WIDTH: 16, DECAY: 0.9 }),
    );
});

test('the search learns: it beats its own choices made without their verdicts', () => {
  const learning = (seed: number) => play(BOWL, seed, 30, bowl).bestValue;
  const forgetful = (seed: number) => {
    let best = BOWL;
    for (let n = 1; n <= 30; n += 1) {
      const constants = findConstants('f', best);
      const choice = chooseMove(constants, [], [], seededRandom(seed, n));
      const attempt = choice ? apply(best, constants, choice.moves) : best;
      const value = (text: string) =>
        bowl(
          Object.fromEntries(
            findConstants('f', text).map(({ name, literal }) => [name, Number(literal.text)]),
          ),
        );
      if (value(attempt) < value(best)) best = attempt;
    }
    return bowl(
      Object.fromEntries(findConstants('f', best).map(({ name, literal }) => [name, Number(literal.text)])),
    );
  };
  const mean = (of: (seed: number) => number) =>
    [1, 2, 3, 4, 5, 6, 7, 8].reduce((sum, seed) => sum + of(seed), 0) / 8;
  expect(mean(learning)).toBeLessThan(mean(forgetful));
});

test('the search never repeats itself', () => {
  fc.assert(
    fc.property(fc.integer(), seed => {
      const { tried } = play(BOWL, seed, 60, bowl);
      expect(new Set([BOWL, ...tried]).size).toBe(tried.length + 1);
    }),
    { numRuns: 20 },
  );
});

test('the search is the same for the same seed and differs for another', () => {
  expect(play(BOWL, 7, 20, bowl).tried).toEqual(play(BOWL, 7, 20, bowl).tried);
  expect(play(BOWL, 7, 20, bowl).tried).not.toEqual(play(BOWL, 8, 20, bowl).tried);
});

test('a direction that crashes is left for a finer step or another constant', () => {
  const { history } = play('A = 0.5\nB = 0.5\n', 3, 12, values =>
    (values.A ?? 0) > 0.5 ? null : bowl({ ...values, LR: 1, DEPTH: 9, WIDTH: 128, DECAY: values.B ?? 0 }),
  );
  const crashes = history.filter(entry => entry.verdict === 'crash').length;
  expect(crashes).toBeLessThan(6);
});

test('what is being trained counts as a miss until its number comes: another direction is turned meanwhile', () => {
  const constants = findConstants('train.py', SOURCE);
  const turned = (pending: readonly unknown[], seed: number) =>
    chooseMove(constants, [], [], seededRandom(seed), null, pending);
  for (let seed = 0; seed < 20; seed += 1) {
    const first = turned([], seed);
    const second = turned([first?.memo], seed);
    const directions = [first, second].map(choice =>
      choice?.moves.map(({ name, direction }) => [name, direction]),
    );
    expect(directions[1]).not.toEqual(directions[0]);
  }
});

test('constants that cannot be turned leave nothing to propose', () => {
  expect(chooseMove([], [], [], seededRandom(1))).toBeNull();
});
