import { axisTicks, logTicks, type Tick } from '../../../shared/charts/axis-ticks.ts';
import { readNumeral } from '../../format/numeral.ts';

/** Values along a line, from 0 at its start to 1 at its end. */
export type ConstantAxis = {
  readonly name: string;
  readonly kind: 'numbers' | 'words';
  readonly isLog: boolean;
  /** The position of a value; null if it has none. */
  readonly placeOf: (text: string) => number | null;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
  /** Ranges in which nothing was tried. */
  readonly gaps: readonly (readonly [number, number])[];
  /** The value at a position, in the filter's notation; null for words. */
  readonly valueAt: (place: number) => number | null;
};

/** If the largest value is at least this many times the smallest, the axis is logarithmic. */
const LOG_RATIO = 8;
/** Margin on both sides of the tried values. */
const PADDING = 0.08;
/** A larger distance between neighbouring values is a gap. */
const GAP = 0.2;
/** This close to a tried value does not belong to a gap. */
const MARGIN = 0.025;
const TICKS = 4;
/** More different words do not fit beside each other. */
const MOST_WORDS = 12;

/** The axis of a constant with these texts; null if it had only one, or too many words. */
export function axisOf(name: string, texts: Iterable<string>): ConstantAxis | null {
  const different = [...new Set(texts)];
  if (different.length < 2) return null;
  const numbers = different.map(readNumeral).filter(number => number !== null);
  if (numbers.length === different.length) return numberAxis(name, numbers);
  return different.length > MOST_WORDS ? null : wordAxis(name, different.sort());
}

export function numberAxis(name: string, values: readonly number[]): ConstantAxis {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const isLog = least > 0 && most / least >= LOG_RATIO;
  const [to, from] = isLog ? [Math.log, Math.exp] : [(value: number) => value, (value: number) => value];
  const span = to(most) - to(least) || Math.abs(to(most)) || 1;
  const low = to(least) - PADDING * span;
  const high = to(most) + PADDING * span;
  const place = (value: number) => (to(value) - low) / (high - low);
  const domain = [from(low), from(high)] as const;
  return {
    ...{ name, kind: 'numbers', isLog },
    placeOf: text => {
      const value = readNumeral(text);
      if (value === null || (isLog && value <= 0)) return null;
      return place(value);
    },
    ticks: (isLog ? sizeTicks(domain) : axisTicks(domain, TICKS, values.every(Number.isInteger))).map(
      ({ at, label }) => ({
        at: place(at),
        label,
      }),
    ),
    gaps: gapsOf([...new Set(values)].map(place).sort((a, b) => a - b)),
    valueAt: at => from(low + at * (high - low)),
  };
}

/** Powers of ten and, if there are few, also twice and five times those. */
function sizeTicks(domain: readonly [number, number]): readonly Tick[] {
  const powers = logTicks(domain, TICKS);
  if (powers.length > 2) return powers;
  const first = Math.floor(Math.log10(domain[0]));
  const last = Math.ceil(Math.log10(domain[1]));
  const values = Array.from({ length: last - first + 1 }, (_, index) => first + index).flatMap(power =>
    [1, 2, 5].map(times => Number(`${times}e${power}`)),
  );
  return values
    .filter(at => at >= domain[0] && at <= domain[1])
    .map(at => ({ at, label: at >= 1e-3 && at < 1e6 ? String(at) : at.toExponential().replace('e+', 'e') }));
}

function wordAxis(name: string, words: readonly string[]): ConstantAxis {
  const place = (index: number) => (index + 0.5) / words.length;
  return {
    ...{ name, kind: 'words', isLog: false, gaps: [] },
    placeOf: text => (words.includes(text) ? place(words.indexOf(text)) : null),
    ticks: words.map((label, index) => ({ at: place(index), label })),
    valueAt: () => null,
  };
}

/** @param places in ascending order */
function gapsOf(places: readonly number[]): ConstantAxis['gaps'] {
  const between = places
    .slice(1)
    .map((place, index) => [(places[index] ?? 0) + MARGIN, place - MARGIN] as const)
    .filter(([from, to]) => to - from > GAP - 2 * MARGIN);
  const ends = [[0, (places[0] ?? 1) - MARGIN] as const, [(places.at(-1) ?? 0) + MARGIN, 1] as const];
  return [...between, ...ends];
}
