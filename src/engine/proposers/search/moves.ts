import { unreachable } from '../../../shared/errors.ts';
import { type Literal, NONE_OR_ALL } from './literal.ts';

/** The direction of a change. `other` is for values without an order. */
export type Direction = 'up' | 'down' | 'other';

/** Factors of a step, from the boldest to the finest. */
const STEP_FACTORS = [2, 1.5, 1.25, 1.1] as const;
export const FINEST_STEP = STEP_FACTORS.length - 1;
/** Zero has no scale, so its steps up are these. */
const STEPS_FROM_ZERO = [0.1, 0.03, 0.01, 0.003] as const;

/**
 * The literal's text after a step, or null if no step is possible: integers stay integers and keep their sign, powers
 * of two stay powers of two, shares stay between 0 and 1 (near 1, the distance to 1 is scaled), and the notation is
 * kept.
 * @param step index into {@link STEP_FACTORS}
 * @param pick index for tuples (which item) and words (which choice), any non-negative integer
 */
export function turn(literal: Literal, direction: Direction, step: number, pick: number): string | null {
  const factor = STEP_FACTORS[step];
  if (factor === undefined) return null;
  switch (literal.kind) {
    case 'boolean': {
      if (direction !== 'other') return null;
      const isPython = /^[TF]/.test(literal.text);
      const text = String(!literal.value);
      return isPython ? (text[0] ?? '').toUpperCase() + text.slice(1) : text;
    }
    case 'power': {
      if (direction === 'other' || step > 0) return null;
      const exponent = literal.exponent + (direction === 'up' ? 1 : -1);
      return exponent < 0 ? null : literal.text.replace(/\d+$/, String(exponent));
    }
    case 'integer': {
      if (direction === 'other') return null;
      const value = turnInteger(literal, direction, step, factor);
      return value === null ? null : writeInteger(value, literal.text);
    }
    case 'float': {
      if (direction === 'other') return null;
      const value = turnFloat(literal.value, direction, step, factor);
      return value === null ? null : writeFloat(value, literal);
    }
    case 'choice': {
      if (direction !== 'other') return null;
      const others = literal.choices.filter(choice => choice !== literal.value);
      const choice = others[pick % others.length];
      return choice === undefined ? null : literal.text.replace(literal.value, choice);
    }
    case 'tuple': {
      const index = pick % literal.items.length;
      const item = literal.items[index];
      const text = item ? turn(item, direction, step, 0) : null;
      if (text === null) return null;
      return writeItem(literal.text, index, text);
    }
    default:
      return unreachable(literal);
  }
}

/** A tuple's text with one item replaced. */
export function writeItem(tuple: string, place: number, text: string): string {
  let position = -1;
  return tuple.replace(/[^\s,()[\]][^,()[\]]*/g, part => {
    position += 1;
    return position === place ? text : part;
  });
}

/** Whether a literal can go up and down, or only take other values. */
export function directionsOf(literal: Literal): readonly Direction[] {
  return literal.kind === 'boolean' || literal.kind === 'choice' ? ['other'] : ['up', 'down'];
}

/** Integers this small are counts (layers, orders) and change by one. */
const SMALL_INTEGER = 10;

function turnInteger(
  { value, isSize }: Extract<Literal, { kind: 'integer' }>,
  direction: Direction,
  step: number,
  factor: number,
): number | null {
  const size = Math.abs(value);
  const isUp = (direction === 'up') === value >= 0;
  let moved: number;
  if (isSize || (size >= SMALL_INTEGER && Number.isInteger(Math.log2(size)))) {
    if (step > 0 || (size === 1 && !isUp)) return null;
    moved = isUp ? size * 2 : size / 2;
  } else if (size < SMALL_INTEGER) {
    // The bold step is two, so that counts have two sizes of steps as well.
    if (step > 1) return null;
    const by = step === 0 && size >= 4 ? 2 : 1;
    moved = isUp ? size + by : size - by;
  } else {
    moved = roundLike(isUp ? size * factor : size / factor, size);
    if (moved === size) moved += isUp ? 1 : -1;
  }
  if (moved < 0 || (moved === 0 && size > 1)) return null;
  const signed = value < 0 ? -moved : moved;
  return signed === NONE_OR_ALL ? null : signed;
}

/** Rounds to as many significant digits as people use for such a number: 300 → 450, not 451. */
function roundLike(value: number, example: number): number {
  const digits = Math.max(2, String(example).replace(/0+$/, '').length);
  return Math.round(Number(value.toPrecision(digits)));
}

function turnFloat(value: number, direction: Direction, step: number, factor: number): number | null {
  if (value === 0) return direction === 'up' ? (STEPS_FROM_ZERO[step] ?? null) : null;
  const isUp = (direction === 'up') === value > 0;
  const size = Math.abs(value);
  let moved: number;
  if (size > 0.5 && size < 1) moved = 1 - (isUp ? (1 - size) / factor : (1 - size) * factor);
  else moved = isUp ? size * factor : size / factor;
  // A share that would reach 1 goes only half of the way to 1.
  if (size < 1 && moved >= 1) moved = (1 + size) / 2;
  if (moved <= 0) moved = size / 2;
  return value < 0 ? -moved : moved;
}

export function writeInteger(value: number, like: string): string {
  const text = String(value);
  return like.includes('_') ? text.replace(/\B(?=(\d{3})+(?!\d))/g, '_') : text;
}

/** A number in the file's notation, with this many significant digits. */
export function writeFloat(value: number, like: Extract<Literal, { kind: 'float' }>, digits = 4): string {
  const rounded = Number(value.toPrecision(digits));
  const text = String(rounded);
  if (/e/i.test(like.text)) return withExponent(rounded.toExponential().replace('e+', 'e'), like);
  if (text.includes('e')) return withExponent(text, like);
  return text.includes('.') ? text : `${text}.0`;
}

/** A number that was written with an exponent but no point keeps its type. */
function withExponent(text: string, like: Extract<Literal, { kind: 'float' }>): string {
  const hasNone = /^[^.]*e/i.test(like.text);
  if (!like.needsPoint || hasNone) return text;
  const [mantissa = '', exponent = ''] = text.split('e');
  const sign = /^[+-]/.test(exponent) ? '' : '+';
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}e${sign}${exponent}`;
}
