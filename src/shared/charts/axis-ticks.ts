import { scaleLinear } from 'd3-scale';
import { clamp, MINUS } from '../numbers.ts';

/** A mark on an axis; `at` in the axis' own unit. */
export type Tick = { readonly at: number; readonly label: string };

/** About `count` round numbers inside the domain, all with the same number of decimals. */
export function axisTicks(
  domain: readonly [number, number],
  count: number,
  isWhole = false,
): readonly Tick[] {
  const values = scaleLinear().domain(domain).ticks(Math.max(1, count));
  const between =
    values.length > 1 ? Math.abs((values[1] ?? 0) - (values[0] ?? 0)) : powerBelow(domain[1] - domain[0]);
  const step = isWhole ? Math.max(1, between) : between;
  const label = tickFormat(Math.max(Math.abs(domain[0]), Math.abs(domain[1])), step);
  return values.filter(at => !isWhole || Number.isInteger(at)).map(at => ({ at, label: label(at) }));
}

/**
 * Ticks of a logarithmic axis: powers of ten, and twice and five times those if there are few. The domain must be
 * above 0.
 */
export function logTicks(domain: readonly [number, number], count: number): readonly Tick[] {
  if (domain[1] / domain[0] < 10) return axisTicks(domain, count);
  const fine = decimals(domain, [1, 2, 5]);
  const powers = decimals(domain, [1]);
  const every = Math.ceil(powers.length / Math.max(2, count));
  const values = fine.length <= count ? fine : powers.filter((_, index) => index % every === 0);
  return values.map(at => ({ at, label: at >= 1e-3 && at < 1e7 ? group(String(at)) : exponent(at, 0) }));
}

/** The largest power of ten up to `size`: a single tick is a multiple of it. */
function powerBelow(size: number): number {
  return size > 0 ? 10 ** Math.floor(Math.log10(size)) : 1;
}

/** The numbers inside the domain that are one of these digits times a power of ten. */
function decimals(domain: readonly [number, number], digits: readonly number[]): readonly number[] {
  const first = Math.floor(Math.log10(domain[0]));
  const decades = Math.ceil(Math.log10(domain[1])) - first + 1;
  return Array.from({ length: decades }, (_, index) =>
    digits.map(digit => Number(`${digit}e${first + index}`)),
  )
    .flat()
    .filter(at => at >= domain[0] && at <= domain[1]);
}

/** A format for numbers up to `size` with a distance of `step`. */
function tickFormat(size: number, step: number): (value: number) => string {
  if (size >= 1e7 || (size > 0 && size < 1e-5)) {
    const digits = clamp(Math.ceil(Math.log10(size / step)), 0, 6);
    return value => (value === 0 ? '0' : exponent(value, digits));
  }
  const decimals = clamp(Math.ceil(-Math.log10(step) - 1e-9), 0, 12);
  return value => group(value.toFixed(decimals)).replace('-', MINUS);
}

function exponent(value: number, digits: number): string {
  return value.toExponential(digits).replace('e+', 'e').replaceAll('-', MINUS);
}

/** Groups of three digits from ten thousand on; toLocaleString would be fifty times slower, in every frame. */
function group(text: string): string {
  const [whole = '', decimals] = text.split('.');
  const grouped = whole.replace('-', '').length > 4 ? whole.replaceAll(/\B(?=(\d{3})+$)/g, ',') : whole;
  return decimals === undefined ? grouped : `${grouped}.${decimals}`;
}
