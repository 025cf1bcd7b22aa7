import { InvalidArgumentError } from 'commander';
import { LANE_WORD, LANE_WORDS_HINT } from '../shared/machines/lanes.ts';

/** Reads a positive number, for commander. */
export function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('must be a number above 0.');
  return value;
}

export function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('must be an integer.');
  return value;
}

export function count(text: string): number {
  const value = whole(text);
  if (value === 0) throw new InvalidArgumentError('must be at least 1.');
  return value;
}

export function between(least: number, most: number) {
  return (text: string): number => {
    const value = whole(text);
    if (value < least || value > most) throw new InvalidArgumentError(`must be from ${least} to ${most}.`);
    return value;
  };
}

export function finite(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value)) throw new InvalidArgumentError('must be a number.');
  return value;
}

export function oneOf(...words: readonly string[]) {
  return (text: string): string => {
    if (!words.includes(text)) throw new InvalidArgumentError(`must be one of ${words.join(', ')}.`);
    return text;
  };
}

/** Collects values that are separated by commas or given by repeating the option. */
export function list(text: string, before: readonly string[] | undefined): readonly string[] {
  const words = text
    .split(',')
    .map(word => word.trim())
    .filter(Boolean);
  return [...(before ?? []), ...words];
}

/** Where runs are trained, see `shared/machines/lanes.ts`. */
export function lanes(text: string, before: readonly string[] | undefined): readonly string[] {
  const words = list(text, before);
  const odd = words.find(word => !LANE_WORD.test(word));
  if (odd !== undefined) throw new InvalidArgumentError(`"${odd}" is none. ${LANE_WORDS_HINT}`);
  return words;
}

/** The same for numbers of experiments. */
export function numbers(text: string, before: readonly number[] | undefined): readonly number[] {
  return [...(before ?? []), ...list(text, undefined).map(word => whole(word.replace(/^#/, '')))];
}
