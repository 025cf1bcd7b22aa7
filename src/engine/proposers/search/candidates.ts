import type { HistoryEntry } from '../../store/experiment-past.ts';
import { type Bounds, constantKey, isWithin } from './bounds.ts';
import { memoSchema } from './choice.ts';
import type { Constant } from './constant.ts';
import { type Axis, coordinateOf, itemOf, textAt, withItem } from './space.ts';

/** How many constants a candidate changes, and with which probability. */
const CHANGES = [
  { count: 1, share: 0.45 },
  { count: 2, share: 0.3 },
  { count: 3, share: 0.15 },
  { count: 5, share: 0.1 },
] as const;
/** The standard deviation of steps, in units of the axes. */
const REACH = { first: 0.6, afterKeep: 1.25, afterMiss: 0.94, least: 0.15, most: 3 };
const MAX_DRAWS = 2_000;

/** The size of the next steps: larger after each keep of the search, smaller after each miss. */
export function reachOf(history: readonly HistoryEntry[]): number {
  return history.reduce((reach, { memo, verdict }) => {
    if (memoSchema.safeParse(memo).data?.process === undefined) return reach;
    const next = reach * (verdict === 'keep' ? REACH.afterKeep : REACH.afterMiss);
    return Math.min(Math.max(next, REACH.least), REACH.most);
  }, REACH.first);
}

export type Surroundings = {
  readonly constants: readonly Constant[];
  readonly axes: readonly Axis[];
  readonly bounds: Bounds | null;
  readonly isNew: (texts: readonly string[]) => boolean;
  readonly random: () => number;
  readonly normal: () => number;
};

/**
 * Up to `count` different sets of values, as texts of the constants by index, each a few steps from `base`. If every
 * draw was tried before, the steps become longer.
 */
export function drawCandidates(
  base: readonly string[],
  reach: number,
  count: number,
  surroundings: Surroundings,
  changes: readonly { readonly count: number; readonly share: number }[] = CHANGES,
): readonly (readonly string[])[] {
  const { constants, axes, bounds, random, isNew } = surroundings;
  const own = constants.map((constant, place) =>
    bounds && !bounds.has(constantKey(constant)) ? [] : axes.filter(axis => axis.constant === place),
  );
  const free = constants.map((_, place) => place).filter(place => (own[place]?.length ?? 0) > 0);
  const found = new Map<string, readonly string[]>();
  for (let draw = 0; draw < MAX_DRAWS && found.size < count; draw += 1) {
    const longer = found.size > 0 ? 1 : 2 ** Math.floor(draw / 200);
    const texts = [...base];
    for (const place of pick(free, drawCount(changes, random), random)) {
      const axis = own[place]?.[Math.floor(random() * (own[place]?.length ?? 0))];
      const constant = constants[place];
      const text = axis && step(axis, texts[place] ?? '', reach * longer, surroundings);
      if (constant && text && isWithin(constant, text, bounds)) texts[place] = text;
    }
    const key = texts.join('\n');
    if (!found.has(key) && isNew(texts)) found.set(key, texts);
  }
  return [...found.values()];
}

function drawCount(
  changes: readonly { readonly count: number; readonly share: number }[],
  random: () => number,
): number {
  let left = random();
  for (const { count, share } of changes) {
    left -= share;
    if (left < 0) return count;
  }
  return 1;
}

function pick(places: readonly number[], count: number, random: () => number): readonly number[] {
  const left = [...places];
  const picked: number[] = [];
  while (picked.length < count && left.length > 0) {
    picked.push(...left.splice(Math.floor(random() * left.length), 1));
  }
  return picked;
}

/** The constant's text after a random step along the axis; null if there is no step. */
function step(axis: Axis, text: string, reach: number, { random, normal }: Surroundings): string | null {
  const item = itemOf(axis, text);
  const at = item === null ? null : coordinateOf(axis, item);
  if (item === null || at === null) return null;
  const by = reach * normal();
  const to = axis.isCategory
    ? Math.floor(random() * axis.categories)
    : axis.isWhole
      ? at + (Math.abs(by) < 1 ? Math.sign(by) : by)
      : at + by;
  const next = textAt(axis, to, item);
  return next === null ? null : withItem(axis, text, next);
}
