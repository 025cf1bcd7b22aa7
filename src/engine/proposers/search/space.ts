import type { Constant } from './constant.ts';
import { type Literal, NONE_OR_ALL, parseLiteral } from './literal.ts';
import { turn, writeFloat, writeInteger, writeItem } from './moves.ts';

/** How an axis measures values, so that equal distances have roughly equal effects. */
export type Scale =
  /** log2 of the size. */
  | 'logarithm'
  /**
   * Sizes below 1: log2 up to one half, above that minus log2 of the distance to 1. The two join smoothly, and 1 is
   * never reached.
   */
  | 'share'
  /** Floats that were once zero: a hundredth is at 1, and from about there each doubling adds 1. */
  | 'from zero'
  /** Integers below 10 count in ones; above, a step is a tenth of the size. */
  | 'count'
  /** Powers, by their exponents. */
  | 'exponent'
  /** Booleans and words, by their index. */
  | 'category';

/** A number, boolean or word that can be changed: a constant, or one item of a tuple. */
export type Axis = {
  /** Index of its constant. */
  readonly constant: number;
  /** Position in the tuple; null if the constant is not a tuple. */
  readonly item: number | null;
  readonly scale: Scale;
  readonly isCategory: boolean;
  /** For a category, how many texts it may have; else 0. */
  readonly categories: number;
  /** Whether only whole steps lead to another text. */
  readonly isWhole: boolean;
  /** The present literal, whose sign and notation are kept. */
  readonly literal: Literal;
  readonly isBelowOne: boolean;
};

const COUNTS_BELOW = 10;
const SMALLEST_POWER = 16;
const ZERO_UNIT = 0.01;

/**
 * The axes of constants. Each one's scale suits all of its earlier values, so that each has a coordinate.
 * @param seen texts of the constants that were tried, by index
 */
export function axesOf(
  constants: readonly Constant[],
  seen: readonly (readonly string[])[],
): readonly Axis[] {
  return constants.flatMap(({ literal }, constant) => {
    const texts = new Set(seen.map(values => values[constant] ?? literal.text));
    if (literal.kind !== 'tuple') return axisOf(literal, constant, null, [...texts]);
    const tuples = [...texts].flatMap(text => parseLiteral(text, '') ?? []);
    return literal.items.flatMap((item, place) => {
      const items = tuples.flatMap(tuple => (tuple.kind === 'tuple' ? (tuple.items[place]?.text ?? []) : []));
      return axisOf(item, constant, place, items);
    });
  });
}

function axisOf(
  literal: Literal,
  constant: number,
  item: number | null,
  seen: readonly string[],
): readonly Axis[] {
  const sizes = [literal.text, ...seen].map(sizeOf).filter(size => size !== null);
  const scale = scaleOf(literal, sizes);
  if (scale === null) return [];
  const isBelowOne = literal.kind === 'float' && sizes.every(size => size < 1);
  const isCategory = scale === 'category';
  const categories = isCategory ? categoriesOf(literal).length : 0;
  const isWhole = scale === 'count' || scale === 'exponent';
  return [{ constant, item, scale, isCategory, categories, isWhole, literal, isBelowOne }];
}

function scaleOf(literal: Literal, sizes: readonly number[]): Scale | null {
  switch (literal.kind) {
    case 'boolean':
    case 'choice':
      return 'category';
    case 'power':
      return 'exponent';
    case 'integer': {
      const isPower = sizes.every(size => size > 0 && Number.isInteger(Math.log2(size)));
      if (isPower && (literal.isSize || Math.max(...sizes) >= SMALLEST_POWER)) return 'exponent';
      return Math.min(...sizes) < COUNTS_BELOW ? 'count' : 'logarithm';
    }
    case 'float':
      if (Math.min(...sizes) === 0) return 'from zero';
      return sizes.every(size => size < 1) ? 'share' : 'logarithm';
    default:
      return null;
  }
}

function sizeOf(text: string): number | null {
  const size = Math.abs(Number(text.replaceAll('_', '')));
  return Number.isFinite(size) ? size : null;
}

/** The coordinate of a text on an axis; null for a text of another kind. */
export function coordinateOf({ scale, literal }: Axis, text: string): number | null {
  if (scale === 'category') return categoriesOf(literal).indexOf(text);
  if (literal.kind === 'power') {
    const exponent = /\*\*\s*(\d+)$/.exec(text)?.[1];
    return exponent === undefined ? null : Number(exponent);
  }
  const size = sizeOf(text);
  if (size === null) return null;
  const found = measure(scale, size);
  return Number.isFinite(found) ? found : null;
}

function measure(scale: Exclude<Scale, 'category'>, size: number): number {
  switch (scale) {
    case 'share':
      return size > 0.5 ? -Math.log2(1 - size) : 2 + Math.log2(size);
    case 'from zero':
      return Math.log2(1 + size / ZERO_UNIT);
    case 'count':
      return size <= COUNTS_BELOW ? size : COUNTS_BELOW * (1 + Math.log(size / COUNTS_BELOW));
    default:
      return Math.log2(size);
  }
}

/** The size at a coordinate: the inverse of {@link measure}. */
function sizeAt(scale: Exclude<Scale, 'category'>, at: number): number {
  switch (scale) {
    case 'share':
      return at > 1 ? 1 - 2 ** -at : 2 ** (at - 2);
    case 'from zero':
      return ZERO_UNIT * (2 ** Math.max(at, 0) - 1);
    case 'count':
      return at <= COUNTS_BELOW ? at : COUNTS_BELOW * Math.exp(at / COUNTS_BELOW - 1);
    default:
      return 2 ** at;
  }
}

/** The axis's item in the text of its constant. */
export function itemOf({ item }: Axis, text: string): string | null {
  if (item === null) return text;
  const tuple = parseLiteral(text, '');
  return tuple?.kind === 'tuple' ? (tuple.items[item]?.text ?? null) : null;
}

/** The constant's text with the axis's item replaced. */
export function withItem({ item: place }: Axis, text: string, item: string): string {
  return place === null ? item : writeItem(text, place, item);
}

/**
 * The text nearest to a coordinate, in few digits; null if that is `now`, or if none has the same sign. Integers stay
 * integers, powers stay powers, and floats that were always below 1 stay below 1.
 */
export function textAt(axis: Axis, at: number, now: string): string | null {
  const { literal, scale } = axis;
  if (scale === 'category') {
    const text = categoriesOf(literal)[at];
    return text === undefined || text === now ? null : text;
  }
  if (literal.kind === 'power') {
    const exponent = Math.round(at);
    const text = literal.text.replace(/\d+$/, String(exponent));
    return exponent < 0 || text === now ? null : text;
  }
  const isNegative = literal.text.startsWith('-');
  const size = sizeAt(scale, scale === 'exponent' ? Math.round(at) : at);
  for (const digits of [2, 3, 4]) {
    const text = write(axis, size, digits, isNegative);
    if (text !== null && text !== now) return text;
  }
  return null;
}

function write(
  { literal, scale, isBelowOne }: Axis,
  size: number,
  digits: number,
  isNegative: boolean,
): string | null {
  if (literal.kind === 'integer') {
    const rounded = Math.round(scale === 'exponent' ? size : Number(size.toPrecision(digits)));
    if (!Number.isSafeInteger(rounded) || rounded < 0) return null;
    if (scale === 'exponent' && size < 1) return null;
    // A count may go from one to zero; for anything larger, zero would mean something else.
    if (rounded === 0 && sizeOf(literal.text) !== 0 && sizeOf(literal.text) !== 1) return null;
    const signed = isNegative ? -rounded : rounded;
    return signed === NONE_OR_ALL ? null : writeInteger(signed, literal.text);
  }
  if (literal.kind !== 'float') return null;
  const isNearOne = scale === 'share' && size > 0.5;
  // 12 digits hide the rounding error of the subtraction.
  const rounded = Number(
    isNearOne ? (1 - Number((1 - size).toPrecision(digits))).toPrecision(12) : size.toPrecision(digits),
  );
  if (!Number.isFinite(rounded) || (isBelowOne && rounded >= 1)) return null;
  if (rounded === 0 && scale !== 'from zero') return null;
  return writeFloat(isNegative ? -rounded : rounded, literal, 12);
}

/** All texts that a word or a boolean may have, in an order that does not depend on the present one. */
function categoriesOf(literal: Literal): readonly string[] {
  if (literal.kind === 'choice')
    return literal.choices.map(choice => literal.text.replace(literal.value, choice));
  const other = turn(literal, 'other', 0, 0) ?? literal.text;
  return [literal.text, other].sort();
}
