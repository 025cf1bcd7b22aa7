import type { Constant } from './constant.ts';
import { readNumber } from './literal.ts';

/** The range in which constants may be changed, by {@link constantKey}; both ends are included, and null is unbounded. */
export type Bounds = ReadonlyMap<string, { readonly low: number; readonly high: number } | null>;

export function isWithin(constant: Constant, to: string, bounds: Bounds | null): boolean {
  const bound = bounds?.get(constantKey(constant));
  if (!bound) return true;
  const { low, high } = bound;
  const outside = (value: number) => Math.max(low - value, value - high, 0);
  const value = readNumber({ ...constant.literal, text: to });
  if (value === null) return false;
  const now = readNumber(constant.literal);
  // A value outside may only move towards the range, step by step.
  return outside(value) === 0 || (now !== null && outside(value) < outside(now));
}

export function constantKey({ file, name }: Pick<Constant, 'file' | 'name'>): string {
  return `${file}\0${name}`;
}

/** The file and name in a {@link constantKey}. */
export function splitKey(key: string): Pick<Constant, 'file' | 'name'> {
  const [file = '', name = ''] = key.split('\0');
  return { file, name };
}
