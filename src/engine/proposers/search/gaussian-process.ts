/**
 * Regression by a Gaussian process, pure: a Matérn 5/2 kernel with a length for each axis, observations with equal noise.
 * Formulas: Rasmussen and Williams, Gaussian Processes for Machine Learning, algorithm 2.1 and equation 4.17.
 */

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
  const root = rootOf(covariancesOf(axes, points, parameters).covariances);
  if (!root) return null;
  const weights = solveUpper(root, solveLower(root, Float64Array.from(values)));
  const variance = Math.exp(2 * parameters.scale);
  const acrossTo = (point: Point) => Float64Array.from(points, other => kernel(point, other));
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

/**
 * Matérn 5/2 of the distance, in lengths; two different categories are one unit apart. Rasmussen and Williams,
 * equation 4.17.
 */
export function kernelOf(axes: Axes, { inverseLengths, scale }: Hyperparameters): Kernel {
  const square = squareDistanceOf(axes, inverseLengths);
  const variance = Math.exp(2 * scale);
  return (a, b) => matern(variance, square(a, b));
}

function matern(variance: number, square: number): number {
  const root = Math.sqrt(5 * square);
  return variance * (1 + root + (5 * square) / 3) * Math.exp(-root);
}

/** The squared distance of two points, in lengths. */
function squareDistanceOf(axes: Axes, inverseLengths: readonly number[]): Kernel {
  const weights = Float64Array.from(inverseLengths, value => Math.exp(2 * value));
  const isCategory = axes.map(axis => axis.isCategory);
  return (a, b) => {
    let square = 0;
    for (let i = 0; i < weights.length; i += 1) {
      const apart = (a[i] ?? 0) - (b[i] ?? 0);
      if (apart !== 0) square += (weights[i] ?? 0) * (isCategory[i] ? 1 : apart * apart);
    }
    return square;
  };
}

/** Lower triangles: the covariances of the observations, and below the diagonal their derivatives by the squared distance. */
export function covariancesOf(
  axes: Axes,
  points: readonly Point[],
  { inverseLengths, scale, noise: logNoise }: Hyperparameters,
) {
  const distance = squareDistanceOf(axes, inverseLengths);
  const variance = Math.exp(2 * scale);
  const noise = Math.exp(2 * logNoise);
  const slopes = points.map((_, row) => new Float64Array(row));
  const covariances = points.map((point, i) => {
    const row = new Float64Array(i + 1);
    for (let j = 0; j < i; j += 1) {
      const square = distance(point, points[j] ?? point);
      const root = Math.sqrt(5 * square);
      row[j] = matern(variance, square);
      (slopes[i] ?? row)[j] = (-5 / 6) * variance * (1 + root) * Math.exp(-root);
    }
    row[i] = variance * (1 + JITTER) + noise;
    return row;
  });
  return { covariances, slopes, noise };
}

/** Lower triangle whose product with its transpose is the covariance of the observations; null if there is none. */
export function rootOf(covariances: readonly Float64Array[]): readonly Float64Array[] | null {
  const rows: Float64Array[] = [];
  for (const [i, own] of covariances.entries()) {
    const row = new Float64Array(i + 1);
    for (let j = 0; j < i; j += 1) {
      const other = rows[j];
      let rest = own[j] ?? 0;
      for (let k = 0; k < j; k += 1) rest -= (row[k] ?? 0) * (other?.[k] ?? 0);
      row[j] = rest / (other?.[j] ?? 1);
    }
    let rest = own[i] ?? 0;
    for (let k = 0; k < i; k += 1) rest -= (row[k] ?? 0) ** 2;
    if (!(rest > 0)) return null;
    row[i] = Math.sqrt(rest);
    rows.push(row);
  }
  return rows;
}

function solveLower(root: readonly Float64Array[], right: Float64Array): Float64Array {
  const solved = Float64Array.from(right);
  for (const [i, row] of root.entries()) {
    let rest = solved[i] ?? 0;
    for (let k = 0; k < i; k += 1) rest -= (row[k] ?? 0) * (solved[k] ?? 0);
    solved[i] = rest / (row[i] ?? 1);
  }
  return solved;
}

function solveUpper(root: readonly Float64Array[], right: Float64Array): Float64Array {
  const solved = Float64Array.from(right);
  for (let i = root.length - 1; i >= 0; i -= 1) {
    const row = root[i];
    const value = (solved[i] ?? 0) / (row?.[i] ?? 1);
    solved[i] = value;
    for (let k = 0; k < i; k += 1) solved[k] = (solved[k] ?? 0) - (row?.[k] ?? 0) * value;
  }
  return solved;
}
