import {
  type Axes,
  covariancesOf,
  type Hyperparameters,
  logPrior,
  type Point,
  slopeOfPrior,
  squareAlong,
  weightsOf,
} from './gaussian-process.ts';
import { inverseFrom, rootOf, solveLower, solveUpper, type Triangle } from './triangle.ts';

/** The step in one hyperparameter: its first, smallest and largest size, and its growth and shrinkage. */
const STEP = { first: 0.15, least: 0.005, most: 1, growth: 1.2, shrinkage: 0.5 };

type Slope = {
  /** Logarithm of the posterior density, up to a constant. */
  readonly height: number;
  /** Its derivatives by each axis's inverse length, by the scale and by the noise. */
  readonly gradient: Float64Array;
};

/**
 * Finds the most probable hyperparameters of a Gaussian process from `start` along the gradient. Each one has its own
 * step, which grows while the slope keeps its sign and shrinks when the sign changes (Rprop; Riedmiller and Braun,
 * 1993). Rounded to thousandths, so that they can be stored.
 */
export function findMostProbable(
  axes: Axes,
  points: readonly Point[],
  values: readonly number[],
  start: Hyperparameters,
  steps: number,
): Hyperparameters {
  const slopeAt = slopesOf(axes, points, values);
  let at = Float64Array.of(...start.inverseLengths, start.scale, start.noise);
  let best = { at, height: Number.NEGATIVE_INFINITY };
  let last: Float64Array | null = null;
  const sizes = new Float64Array(at.length).fill(STEP.first);
  for (let step = 0; step < steps; step += 1) {
    const slope = slopeAt(spell(at));
    if (!slope) break;
    if (slope.height > best.height) best = { at, height: slope.height };
    const { gradient } = slope;
    resize(sizes, gradient, last);
    last = gradient;
    at = at.map((value, place) => value + Math.sign(gradient[place] ?? 0) * (sizes[place] ?? 0));
  }
  return spell(best.at.map(value => Math.round(1000 * value) / 1000));
}

function spell(at: Float64Array): Hyperparameters {
  const axes = at.length - 2;
  return { inverseLengths: [...at.subarray(0, axes)], scale: at[axes] ?? 0, noise: at[axes + 1] ?? 0 };
}

function resize(sizes: Float64Array, gradient: Float64Array, last: Float64Array | null): void {
  for (const [place, size] of sizes.entries()) {
    const agreement = (gradient[place] ?? 0) * (last?.[place] ?? 0);
    const factor = agreement > 0 ? STEP.growth : agreement < 0 ? STEP.shrinkage : 1;
    sizes[place] = Math.min(Math.max(size * factor, STEP.least), STEP.most);
  }
}

/**
 * Gives the height and slope of the hyperparameters' posterior density; null where the kernel's matrix has no Cholesky
 * root in double precision. Rasmussen and Williams, Gaussian Processes for Machine Learning, equation 5.9.
 */
export function slopesOf(
  axes: Axes,
  points: readonly Point[],
  values: readonly number[],
): (parameters: Hyperparameters) => Slope | null {
  const size = points.length;
  const along = squaresAlong(axes, points);
  return parameters => {
    const lengths = weightsOf(parameters.inverseLengths);
    const kernel = covariancesOf(weigh(along, lengths), size, parameters);
    const root = rootOf(kernel.covariances, size);
    if (!root) return null;
    const whitened = solveLower(root, values);
    const weights = solveUpper(root, whitened);
    let height = logPrior(parameters);
    for (let row = 0, own = 0; row < size; row += 1, own += row)
      height -= 0.5 * (whitened[row] ?? 0) ** 2 + Math.log(root[own + row] ?? 1);
    const gradient = slopeOfPrior(parameters);
    const pulls = pullsOf(weights, inverseFrom(root, size));
    addScales(gradient, pulls, kernel.covariances, Math.exp(2 * parameters.noise), size);
    addLengths(gradient, pulls, kernel.slopes, along, lengths);
    return { height, gradient };
  };
}

/** How much each pair's covariance changes the height: half of the sum of the symmetric matrix's two equal halves. */
function pullsOf(weights: Float64Array, inverse: Triangle): Triangle {
  const pulls = new Float64Array(inverse.length);
  for (let row = 0, own = 0; row < weights.length; row += 1, own += row) {
    for (let other = 0; other <= row; other += 1) {
      const pull = (weights[row] ?? 0) * (weights[other] ?? 0) - (inverse[own + other] ?? 0);
      pulls[own + other] = row === other ? pull : 2 * pull;
    }
  }
  return pulls;
}

function addScales(
  gradient: Float64Array,
  pulls: Triangle,
  covariances: Triangle,
  noise: number,
  size: number,
): void {
  const scale = gradient.length - 2;
  let [whole, own] = [0, 0];
  for (let pair = 0; pair < pulls.length; pair += 1) whole += (pulls[pair] ?? 0) * (covariances[pair] ?? 0);
  for (let row = 0, start = 0; row < size; row += 1, start += row) own += noise * (pulls[start + row] ?? 0);
  gradient[scale] = (gradient[scale] ?? 0) + whole - own;
  gradient[scale + 1] = (gradient[scale + 1] ?? 0) + own;
}

function addLengths(
  gradient: Float64Array,
  pulls: Triangle,
  slopes: Triangle,
  along: Float64Array,
  lengths: Float64Array,
): void {
  const axes = lengths.length;
  for (let pair = 0; pair < pulls.length; pair += 1) {
    const pull = (pulls[pair] ?? 0) * (slopes[pair] ?? 0);
    for (let axis = 0; axis < axes; axis += 1)
      gradient[axis] = (gradient[axis] ?? 0) + pull * (lengths[axis] ?? 0) * (along[pair * axes + axis] ?? 0);
  }
}

/** For each pair of points its squared distance along each axis; the pairs are in the order of a triangle. */
function squaresAlong(axes: Axes, points: readonly Point[]): Float64Array {
  const along = new Float64Array((axes.length * points.length * (points.length + 1)) / 2);
  let place = 0;
  for (const [row, a] of points.entries())
    for (const b of points.slice(0, row + 1))
      for (let axis = 0; axis < axes.length; axis += 1, place += 1)
        along[place] = squareAlong(axes, axis, a, b);
  return along;
}

/** The squared distances of all pairs, in lengths. */
function weigh(along: Float64Array, weights: Float64Array): Triangle {
  const axes = weights.length;
  const squares = new Float64Array(along.length / axes);
  for (let pair = 0; pair < squares.length; pair += 1) {
    let square = 0;
    for (let axis = 0; axis < axes; axis += 1)
      square += (weights[axis] ?? 0) * (along[pair * axes + axis] ?? 0);
    squares[pair] = square;
  }
  return squares;
}
