/**
 * Regression by a Gaussian process, pure: a Matérn 5/2 kernel with a length for each axis, observations with equal noise.
 * Formulas: Rasmussen and Williams, Gaussian Processes for Machine Learning, algorithm 2.1 and equation 4.17.
 */

import { rootOf, solveLower, solveUpper, type Triangle } from './triangle.ts';

/** Coordinates of a point, one per axis. On an axis of categories, only equality matters. */
export type Point = Float64Array;

export type Axes = readonly { readonly isCategory: boolean }[];

/** All values are natural logarithms. */
export type Hyperparameters = {
  /** 1 / length for each axis: how fast the function changes along it. */
  readonly inverseLengths: readonly number[];
  /** The function's standard deviation around its mean, 0. */
  readonly scale: number;
  /** The noise's standard deviation. */
  readonly noise: number;
};

export type Posterior = {
  /** The function's mean and standard deviation at a point, without noise. */
  readonly at: (point: Point) => { readonly mean: number; readonly deviation: number };
  /** Only the mean, which takes a fraction of the time. */
  readonly meanAt: (point: Point) => number;
};

type LogNormal = { readonly mean: number; readonly deviation: number };
/** Priors of the logarithms: a length of four units, values with deviation 1, noise of a tenth of that. */
const PRIORS = {
  inverseLength: { mean: Math.log(1 / 4), deviation: 1 },
  scale: { mean: 0, deviation: 0.5 },
  noise: { mean: Math.log(0.1), deviation: 1 },
} as const satisfies Readonly<Record<string, LogNormal>>;

/** Added to the diagonal, so that equal points do no harm. */
const JITTER = 1e-8;

export function priorMedian(axes: Axes): Hyperparameters {
  return {
    inverseLengths: axes.map(() => PRIORS.inverseLength.mean),
    scale: PRIORS.scale.mean,
    noise: PRIORS.noise.mean,
  };
}

/** The process given the observations; null if the kernel's matrix has no Cholesky root in double precision. */
export function condition(
  axes: Axes,
  points: readonly Point[],
  values: readonly number[],
  parameters: Hyperparameters,
): Posterior | null {
  const kernel = kernelOf(axes, parameters);
  const squares = squaresOf(axes, points, parameters);
  const root = rootOf(covariancesOf(squares, points.length, parameters).covariances, points.length);
  if (!root) return null;
  const weights = solveUpper(root, solveLower(root, values));
  const variance = Math.exp(2 * parameters.scale);
  const acrossTo = (point: Point) => {
    const across = new Float64Array(points.length);
    for (let i = 0; i < across.length; i += 1) across[i] = kernel(point, points[i] ?? point);
    return across;
  };
  const meanOf = (across: Float64Array) => {
    let mean = 0;
    for (let i = 0; i < across.length; i += 1) mean += (across[i] ?? 0) * (weights[i] ?? 0);
    return mean;
  };
  return {
    at(point) {
      const across = acrossTo(point);
      const explained = solveLower(root, across).reduce((sum, part) => sum + part * part, 0);
      return { mean: meanOf(across), deviation: Math.sqrt(Math.max(variance - explained, 0)) };
    },
    meanAt: point => meanOf(acrossTo(point)),
  };
}

/** The squared distances of all pairs, in lengths. */
function squaresOf(axes: Axes, points: readonly Point[], { inverseLengths }: Hyperparameters): Triangle {
  const weights = weightsOf(inverseLengths);
  const squares = new Float64Array((points.length * (points.length + 1)) / 2);
  let pair = 0;
  for (const [row, a] of points.entries()) {
    for (const b of points.slice(0, row + 1)) {
      squares[pair] = squareDistance(axes, weights, a, b);
      pair += 1;
    }
  }
  return squares;
}

/** Logarithm of the hyperparameters' prior density, up to a constant. */
export function logPrior({ inverseLengths, scale, noise }: Hyperparameters): number {
  const lengths = inverseLengths.reduce((sum, length) => sum + logDensity(length, PRIORS.inverseLength), 0);
  return lengths + logDensity(scale, PRIORS.scale) + logDensity(noise, PRIORS.noise);
}

/** The derivatives of {@link logPrior} by each axis's inverse length, by the scale and by the noise. */
export function slopeOfPrior({ inverseLengths, scale, noise }: Hyperparameters): Float64Array {
  const slope = (value: number, { mean, deviation }: LogNormal) => (mean - value) / deviation ** 2;
  const lengths = inverseLengths.map(length => slope(length, PRIORS.inverseLength));
  return Float64Array.of(...lengths, slope(scale, PRIORS.scale), slope(noise, PRIORS.noise));
}

function logDensity(value: number, { mean, deviation }: LogNormal): number {
  return -0.5 * ((value - mean) / deviation) ** 2;
}

type Kernel = (a: Point, b: Point) => number;

/** Matérn 5/2 of the distance, in lengths. Rasmussen and Williams, equation 4.17. */
export function kernelOf(axes: Axes, { inverseLengths, scale }: Hyperparameters): Kernel {
  const weights = weightsOf(inverseLengths);
  const variance = Math.exp(2 * scale);
  return (a, b) => {
    const square = squareDistance(axes, weights, a, b);
    const root = Math.sqrt(5 * square);
    return variance * (1 + root + (5 * square) / 3) * Math.exp(-root);
  };
}

/** By what squared distances along the axes are multiplied, to be in lengths. */
export function weightsOf(inverseLengths: readonly number[]): Float64Array {
  return Float64Array.from(inverseLengths, value => Math.exp(2 * value));
}

function squareDistance(axes: Axes, weights: Float64Array, a: Point, b: Point): number {
  let square = 0;
  for (let axis = 0; axis < weights.length; axis += 1)
    square += (weights[axis] ?? 0) * squareAlong(axes, axis, a, b);
  return square;
}

/** The squared distance along one axis; two different categories are one unit apart. */
export function squareAlong(axes: Axes, axis: number, a: Point, b: Point): number {
  const apart = (a[axis] ?? 0) - (b[axis] ?? 0);
  return apart !== 0 && axes[axis]?.isCategory ? 1 : apart * apart;
}

/**
 * The covariances of observations with these squared distances, in lengths, and the derivatives of the covariances by
 * the squared distance.
 */
export function covariancesOf(squares: Triangle, size: number, { scale, noise }: Hyperparameters) {
  const variance = Math.exp(2 * scale);
  const covariances = new Float64Array(squares.length);
  const slopes = new Float64Array(squares.length);
  for (let pair = 0; pair < squares.length; pair += 1) {
    const square = squares[pair] ?? 0;
    const root = Math.sqrt(5 * square);
    const decay = Math.exp(-root);
    covariances[pair] = variance * (1 + root + (5 * square) / 3) * decay;
    slopes[pair] = (-5 / 6) * variance * (1 + root) * decay;
  }
  for (let row = 0, own = 0; row < size; row += 1, own += row)
    covariances[own + row] = variance * (1 + JITTER) + Math.exp(2 * noise);
  return { covariances, slopes };
}
