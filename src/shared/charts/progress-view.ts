/** The x axis: experiment number, hours since the first experiment, or count of keeps (without the others). */
export type ProgressAxis = 'experiment' | 'time' | 'kept';

export const PROGRESS_SCALES = ['auto', 'linear', 'log'] as const;
/**
 * The y scale: values, or their distances from the best on a logarithmic scale; `auto` chooses the one that shows the
 * steps of the best.
 */
type ProgressScaleChoice = (typeof PROGRESS_SCALES)[number];

export const PROGRESS_PRESETS = ['sitting', 'last', 'frontier'] as const;
/** A range that follows new experiments; see `presetRange`. */
export type ProgressPreset = (typeof PROGRESS_PRESETS)[number];

/** The visible part of the chart, in the units of its axes; null is everything. */
export type ProgressView = {
  readonly axis: ProgressAxis;
  readonly scale: ProgressScaleChoice;
  /** If a preset is chosen, `x` and `y` are null. */
  readonly preset: ProgressPreset | null;
  readonly x: readonly [number, number] | null;
  readonly y: readonly [number, number] | null;
};

export const WHOLE_VIEW: ProgressView = { axis: 'experiment', scale: 'auto', preset: null, x: null, y: null };

/** The view of everything, on the same axes. */
export function showAll(view: ProgressView): ProgressView {
  return { ...view, preset: null, x: null, y: null };
}

type Domain = readonly [number, number];

/** The narrowest useful range of x: four experiments, or a five-thousandth of the time. */
export function leastSpan(axis: ProgressAxis, whole: Domain): number {
  return axis === 'time' ? (whole[1] - whole[0]) / 5_000 : 4;
}

/** `domain` scaled by `factor` around `at`, inside `whole` and at least `least` wide; null if it would be everything. */
export function zoomDomain(
  domain: Domain,
  whole: Domain,
  factor: number,
  at: number,
  least: number,
): Domain | null {
  const span = domain[1] - domain[0];
  const scale = Math.max(least / span, factor);
  return fitDomain([at + (domain[0] - at) * scale, at + (domain[1] - at) * scale], whole);
}

/** `domain` moved by `by`, but not beyond `whole`; null if it is all of it. */
export function panDomain(domain: Domain, whole: Domain, by: number): Domain | null {
  return fitDomain([domain[0] + by, domain[1] + by], whole);
}

/** `domain` moved as little as needed to bring `at` into its inner nine tenths. */
export function revealInDomain(domain: Domain, whole: Domain, at: number): Domain | null {
  const edge = (domain[1] - domain[0]) * 0.05;
  if (at < domain[0] + edge) return panDomain(domain, whole, at - domain[0] - edge);
  if (at > domain[1] - edge) return panDomain(domain, whole, at - domain[1] + edge);
  return fitDomain(domain, whole);
}

/** Moves a domain inside `whole` without changing its span; null if it does not fit or fills it. */
function fitDomain(domain: Domain, whole: Domain): Domain | null {
  const span = domain[1] - domain[0];
  if (!(span < (whole[1] - whole[0]) * 0.9999)) return null;
  if (domain[0] < whole[0]) return [whole[0], whole[0] + span];
  if (domain[1] > whole[1]) return [whole[1] - span, whole[1]];
  return domain;
}
