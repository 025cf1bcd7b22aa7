import { axisTicks, logTicks, type Tick } from './axis-ticks.ts';

export type Domain = readonly [number, number];

export type ProgressScale = {
  /** The values at the ends of the plot. */
  readonly domain: Domain;
  /** Marks; `at` in pixels. */
  readonly ticks: readonly Tick[];
  /** Converts from the axis's unit to pixels, and back. */
  toPixel(value: number): number;
  toValue(pixel: number): number;
};

/** A monotone function that is applied to values before they are spread evenly over the pixels, and its inverse. */
export type Warp = { to(value: number): number; from(warped: number): number };

export const LINEAR: Warp = { to: value => value, from: warped => warped };

/** Distances below this share of the total gain are drawn as zero, so that three decades remain. */
const LEAST_SHARE = 1e-3;

/**
 * The distance from the best on a logarithmic scale: sign(d) · ln(1 + |d| / c) of d = value − best, which is linear
 * near 0 and logarithmic beyond c (Webber, "A bi-symmetric log transformation for wide-range data", 2013). So the
 * best itself and better values have a position too. c is the noise of the measurements, at least a thousandth of the
 * whole gain.
 * @param gain by how much the best is better than the first number
 */
export function distanceWarp(best: number, gain: number, noise: number): Warp & { readonly least: number } {
  const least = Math.max(noise, Math.abs(gain) * LEAST_SHARE) || 1;
  return {
    least,
    to: value => Math.sign(value - best) * Math.log1p(Math.abs(value - best) / least),
    from: warped => best + Math.sign(warped) * Math.expm1(Math.abs(warped)) * least,
  };
}

export function makeScale(
  domain: Domain,
  range: readonly [number, number],
  ticks: readonly Tick[],
  warp: Warp = LINEAR,
): ProgressScale {
  const [from, to] = [warp.to(domain[0]), warp.to(domain[1])];
  const perUnit = (range[1] - range[0]) / (to - from || 1);
  const toPixel = (value: number) => range[0] + (warp.to(value) - from) * perUnit;
  return {
    domain,
    toPixel,
    toValue: pixel => warp.from(from + (pixel - range[0]) / perUnit),
    ticks: ticks.map(({ at, label }) => ({ at: toPixel(at), label })),
  };
}

/** The ticks whose labels have enough room; earlier ones have priority. */
export function spreadTicks(ticks: readonly Tick[], least: number): readonly Tick[] {
  const kept: Tick[] = [];
  for (const tick of ticks) {
    if (kept.every(({ at }) => Math.abs(at - tick.at) >= least)) kept.push(tick);
  }
  return kept;
}

/** Ticks at distances from the best on its worse side, and at the best itself. The labels are the distances. */
export function distanceTicks(domain: Domain, best: number, least: number, count: number): readonly Tick[] {
  const isLower = domain[1] - best >= best - domain[0];
  const furthest = isLower ? domain[1] - best : best - domain[0];
  const sign = isLower ? 1 : -1;
  const nearest = Math.max(least, sign * (isLower ? domain[0] - best : domain[1] - best));
  if (!(furthest > nearest)) return axisTicks(domain, count);
  const powers = logTicks([nearest, furthest], Math.max(1, count - 1));
  // Within a decade or two there may be only one power of ten, which does not show the scale.
  const away = (powers.length > 1 ? powers : axisTicks([nearest, furthest], count)).map(({ at, label }) => ({
    at: best + sign * at,
    label: `${isLower ? '+' : '−'}${label}`,
  }));
  const isBestInSight = domain[0] <= best && best <= domain[1];
  return isBestInSight ? [{ at: best, label: 'best' }, ...away] : away;
}
