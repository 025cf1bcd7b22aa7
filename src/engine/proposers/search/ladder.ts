import type { HistoryEntry } from '../../store/experiment-past.ts';
import { type Bounds, constantKey, isWithin } from './bounds.ts';
import { type Choice, type Move, memoSchema, spellValues } from './choice.ts';
import type { Constant } from './constant.ts';
import { type Direction, directionsOf, FINEST_STEP, turn } from './moves.ts';

/** What is known about changing one constant in one direction. */
type Arm = {
  tries: number;
  keeps: number;
  /** Failures since the last keep. */
  misses: number;
  crashes: number;
  /** Step to take next. */
  step: number;
  /** By how much the latest try improved the metric, if it was kept; else null. */
  lastGain: number | null;
};

/** Weights of {@link scoreArm}; docs/search.md explains them. */
const SCORE = {
  untried: 1,
  untriedAfterOppositeFailed: 1.15,
  untriedWayBack: 0.25,
  momentum: 1.6,
  missDecay: 0.5,
  paidBefore: 1.4,
  crashDecay: 0.4,
  pair: 0.4,
  jitter: 0.3,
};
const MAX_DRAWS = 400;

/**
 * Picks the next change. Pure: the same constants, history and random numbers give the same choice. Null if nothing
 * new was found in {@link MAX_DRAWS} draws.
 * @param refused memos of refused proposals, which are not repeated
 * @param bounds the constants that may be changed, and their ranges; null for all
 * @param pending memos of proposals in training, which count as misses until they have a result
 */
export function chooseMove(
  constants: readonly Constant[],
  history: readonly HistoryEntry[],
  refused: readonly unknown[],
  random: () => number,
  bounds: Bounds | null = null,
  pending: readonly unknown[] = [],
): Choice | null {
  const arms = learn([...history, ...pending.map(memo => ({ ...PENDING, memo }))]);
  const tried = new Set<string>([spellValues(constants, [])]);
  for (const memo of [...history.map(entry => entry.memo), ...refused, ...pending]) {
    const parsed = memoSchema.safeParse(memo);
    if (parsed.success) tried.add(parsed.data.values);
  }
  const free = bounds ? constants.filter(constant => bounds.has(constantKey(constant))) : constants;
  const candidates = free.flatMap(constant =>
    directionsOf(constant.literal).flatMap(direction => {
      const arm = arms.get(armKey(constant, direction)) ?? newArm();
      const move = makeMove(constant, direction, arm.step, random, bounds);
      return move
        ? [{ move, arm, score: scoreArm(arm, arms, constant, direction) + SCORE.jitter * random() }]
        : [];
    }),
  );
  candidates.sort((a, b) => b.score - a.score);

  const isNew = (moves: readonly Move[]) => !tried.has(spellValues(constants, moves));
  const single = candidates.find(candidate => isNew([candidate.move]));
  if (single && single.score >= SCORE.pair) return choose(constants, [single.move], single.arm);

  // Single changes have little left to teach: try several at once, and more of them the harder it is to find
  // something new.
  for (let draw = 0; draw < MAX_DRAWS; draw += 1) {
    const moves = drawMoves(free, 2 + Math.floor(draw / 100), random, bounds);
    if (moves.length > 0 && isNew(moves)) return choose(constants, moves, newArm());
  }
  return single ? choose(constants, [single.move], single.arm) : null;
}

type Outcome = Pick<HistoryEntry, 'memo' | 'verdict' | 'record' | 'incumbentMetric'>;
const PENDING = { verdict: 'discard', record: null, incumbentMetric: null } as const;

function learn(history: readonly Outcome[]): Map<string, Arm> {
  const arms = new Map<string, Arm>();
  for (const entry of history) {
    const memo = memoSchema.safeParse(entry.memo);
    if (!memo.success) continue;
    for (const move of memo.data.moves) {
      const key = armKey(move, move.direction);
      const arm = arms.get(key) ?? newArm();
      arms.set(key, arm);
      update(arm, entry, move.step);
    }
  }
  return arms;
}

function update(arm: Arm, entry: Outcome, step = 0): void {
  arm.tries += 1;
  arm.lastGain = null;
  if (entry.verdict === 'keep') {
    const { record, incumbentMetric } = entry;
    arm.keeps += 1;
    arm.misses = 0;
    arm.crashes = 0;
    arm.step = step;
    arm.lastGain = record !== null && incumbentMetric !== null ? Math.abs(record - incumbentMetric) : null;
    return;
  }
  arm.misses += 1;
  if (entry.verdict === 'crash') arm.crashes += 1;
  arm.step = Math.min(step + 1, FINEST_STEP);
}

function scoreArm(
  arm: Arm,
  arms: ReadonlyMap<string, Arm>,
  constant: Pick<Constant, 'file' | 'name'>,
  direction: Direction,
): number {
  if (arm.lastGain !== null) return SCORE.momentum;
  if (arm.tries === 0) {
    const opposite = arms.get(armKey(constant, direction === 'up' ? 'down' : 'up'));
    if (!opposite || direction === 'other') return SCORE.untried;
    if (opposite.keeps > 0) return SCORE.untriedWayBack;
    return opposite.crashes > 0 ? SCORE.untried : SCORE.untriedAfterOppositeFailed;
  }
  const paid = arm.keeps > 0 ? SCORE.paidBefore : 1;
  return paid * SCORE.missDecay ** arm.misses * SCORE.crashDecay ** arm.crashes;
}

function drawMoves(
  constants: readonly Constant[],
  count: number,
  random: () => number,
  bounds: Bounds | null,
): readonly Move[] {
  const pool = [...constants];
  const moves: Move[] = [];
  while (moves.length < count && pool.length > 0) {
    const [constant] = pool.splice(Math.floor(random() * pool.length), 1);
    if (!constant) break;
    const directions = directionsOf(constant.literal);
    const direction = directions[Math.floor(random() * directions.length)] ?? 'up';
    const step = Math.floor(random() * (FINEST_STEP + 1));
    const move = makeMove(constant, direction, step, random, bounds);
    if (move) moves.push(move);
  }
  return moves;
}

/** The wanted step, or the next finer or bolder one that the literal allows. */
function makeMove(
  constant: Constant,
  direction: Direction,
  wanted: number,
  random: () => number,
  bounds: Bounds | null,
): Move | null {
  const pick = Math.floor(random() * 1000);
  const steps = [...Array(FINEST_STEP + 1).keys()].sort(
    (a, b) => Math.abs(a - wanted) - Math.abs(b - wanted) || a - b,
  );
  for (const step of steps) {
    const to = turn(constant.literal, direction, step, pick);
    if (to === null || to === constant.literal.text || !isWithin(constant, to, bounds)) continue;
    return { file: constant.file, name: constant.name, direction, step, from: constant.literal.text, to };
  }
  return null;
}

function choose(constants: readonly Constant[], moves: readonly Move[], arm: Arm): Choice {
  const memo = { moves: [...moves], values: spellValues(constants, moves) };
  return {
    moves,
    memo,
    because: explain(arm, moves.length),
    expectedGain: arm.lastGain && arm.lastGain / 2,
    expectedError: null,
  };
}

function explain(arm: Arm, count: number): string {
  if (count > 1) return 'Single changes no longer help, so this one changes several constants at once.';
  if (arm.lastGain !== null) return 'The last step in this direction was kept, so this one continues.';
  if (arm.tries === 0) return 'This direction has not been tried yet.';
  if (arm.keeps > 0) return 'This direction has helped before; this is a finer step.';
  return `${arm.misses} bolder ${arm.misses === 1 ? 'step' : 'steps'} in this direction did not help; this is a finer one.`;
}

function armKey(constant: Pick<Constant, 'file' | 'name'>, direction: Direction): string {
  return `${constant.file}\0${constant.name}\0${direction}`;
}

function newArm(): Arm {
  return { tries: 0, keeps: 0, misses: 0, crashes: 0, step: 0, lastGain: null };
}
