import {
  type Axes,
  covariancesOf,
  type Hyperparameters,
  logPrior,
  type Point,
  rootOf,
  slopeOfPrior,
} from './gaussian-process.ts';

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
  let at = Float64Array.of(...start.inverseLengths, start.scale, start.noise);
  let best = { at, height: Number.NEGATIVE_INFINITY };
  let last: Float64Array | null = null;
  const sizes = new Float64Array(at.length).fill(STEP.first);
  for (let step = 0; step < steps; step += 1) {
    const slope = slopeAt(axes, points, values, spell(at));
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
 * Height and slope of the hyperparameters' posterior density; null if the kernel's matrix has no Cholesky root in
 * double precision. Rasmussen and Williams, Gaussian Processes for Machine Learning, equation 5.9.
 */
export function slopeAt(
  axes: Axes,
  points: readonly Point[],
  values: readonly number[],
  parameters: Hyperparameters,
): Slope | null {
  const { covariances, slopes, noise } = covariancesOf(axes, points, parameters);
  const root = rootOf(covariances);
  if (!root) return null;
  const inverse = columnsOfInverse(root);
  const whitened = values.map((_, row) => {
    let sum = 0;
    for (let k = 0; k <= row; k += 1) sum += (inverse[k]?.[row] ?? 0) * (values[k] ?? 0);
    return sum;
  });
  const weights = inverse.map((column, row) => {
    let sum = 0;
    for (let k = row; k < column.length; k += 1) sum += (column[k] ?? 0) * (whitened[k] ?? 0);
    return sum;
  });
  let height = logPrior(parameters);
  for (const [row, value] of whitened.entries()) height -= 0.5 * value ** 2 + Math.log(root[row]?.[row] ?? 1);
  const gradient = slopeOfPrior(parameters);
  const scale = axes.length;
  const squares = Float64Array.from(parameters.inverseLengths, value => Math.exp(2 * value));
  for (const [i, column] of inverse.entries()) {
    for (let j = 0; j <= i; j += 1) {
      // The symmetric matrix has two equal halves, and half of their sum counts.
      const pull = (weights[i] ?? 0) * (weights[j] ?? 0) - product(column, inverse[j], i);
      if (i === j) {
        const own = covariances[i]?.[i] ?? 0;
        gradient[scale] = (gradient[scale] ?? 0) + pull * (own - noise);
        gradient[scale + 1] = (gradient[scale + 1] ?? 0) + pull * noise;
        continue;
      }
      gradient[scale] = (gradient[scale] ?? 0) + 2 * pull * (covariances[i]?.[j] ?? 0);
      addLengths(gradient, axes, squares, points[i], points[j], pull * (slopes[i]?.[j] ?? 0));
    }
  }
  return { height, gradient };
}

/** The columns of a lower triangle's inverse, each as long as the matrix. */
function columnsOfInverse(root: readonly Float64Array[]): readonly Float64Array[] {
  return root.map((_, start) => {
    const column = new Float64Array(root.length);
    for (let row = start; row < root.length; row += 1) {
      const own = root[row];
      let rest = row === start ? 1 : 0;
      for (let k = start; k < row; k += 1) rest -= (own?.[k] ?? 0) * (column[k] ?? 0);
      column[row] = rest / (own?.[row] ?? 1);
    }
    return column;
  });
}

function product(a: Float64Array, b: Float64Array | undefined, from: number): number {
  let sum = 0;
  for (let k = from; k < a.length; k += 1) sum += (a[k] ?? 0) * (b?.[k] ?? 0);
  return sum;
}

function addLengths(
  gradient: Float64Array,
  axes: Axes,
  squares: Float64Array,
  a: Point | undefined,
  b: Point | undefined,
  pull: number,
): void {
  for (let axis = 0; axis < squares.length; axis += 1) {
    const apart = (a?.[axis] ?? 0) - (b?.[axis] ?? 0);
    if (apart === 0) continue;
    const square = axes[axis]?.isCategory ? 1 : apart * apart;
    gradient[axis] = (gradient[axis] ?? 0) + 2 * pull * (squares[axis] ?? 0) * square;
  }
}
