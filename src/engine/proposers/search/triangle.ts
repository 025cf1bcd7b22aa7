/**
 * Matrices by their lower triangles, row by row in one array, because loops over one array take a fraction of the time
 * of loops over arrays of rows. Row `i` begins at `i * (i + 1) / 2`.
 */
export type Triangle = Float64Array;

/** Lower triangle whose product with its transpose is the matrix (Cholesky); null if there is none in double precision. */
export function rootOf(matrix: Triangle, size: number): Triangle | null {
  const root = Float64Array.from(matrix);
  for (let i = 0, own = 0; i < size; i += 1, own += i) {
    for (let j = 0, other = 0; j < i; j += 1, other += j) {
      let rest = root[own + j] ?? 0;
      for (let k = 0; k < j; k += 1) rest -= (root[own + k] ?? 0) * (root[other + k] ?? 0);
      root[own + j] = rest / (root[other + j] ?? 1);
    }
    let rest = root[own + i] ?? 0;
    for (let k = 0; k < i; k += 1) rest -= (root[own + k] ?? 0) ** 2;
    if (!(rest > 0)) return null;
    root[own + i] = Math.sqrt(rest);
  }
  return root;
}

/** The vector whose product with the triangle is `right`. */
export function solveLower(root: Triangle, right: ArrayLike<number>): Float64Array {
  const solved = Float64Array.from(right);
  for (let i = 0, own = 0; i < solved.length; i += 1, own += i) {
    let rest = solved[i] ?? 0;
    for (let k = 0; k < i; k += 1) rest -= (root[own + k] ?? 0) * (solved[k] ?? 0);
    solved[i] = rest / (root[own + i] ?? 1);
  }
  return solved;
}

/** The vector whose product with the triangle's transpose is `right`. */
export function solveUpper(root: Triangle, right: ArrayLike<number>): Float64Array {
  const solved = Float64Array.from(right);
  for (let i = solved.length - 1; i >= 0; i -= 1) {
    const own = (i * (i + 1)) / 2;
    const value = (solved[i] ?? 0) / (root[own + i] ?? 1);
    solved[i] = value;
    for (let k = 0; k < i; k += 1) solved[k] = (solved[k] ?? 0) - (root[own + k] ?? 0) * value;
  }
  return solved;
}

/** The inverse of the matrix that has this root. */
export function inverseFrom(root: Triangle, size: number): Triangle {
  const columns = columnsOfInverse(root, size);
  const inverse = new Float64Array(root.length);
  for (let i = 0, own = 0; i < size; i += 1, own += i) {
    for (let j = 0; j <= i; j += 1) {
      let sum = 0;
      for (let k = i; k < size; k += 1) sum += (columns[i * size + k] ?? 0) * (columns[j * size + k] ?? 0);
      inverse[own + j] = sum;
    }
  }
  return inverse;
}

/** The columns of the root's inverse, one after the other. */
function columnsOfInverse(root: Triangle, size: number): Float64Array {
  const columns = new Float64Array(size * size);
  for (let start = 0; start < size; start += 1) {
    const column = start * size;
    for (let row = start; row < size; row += 1) {
      const own = (row * (row + 1)) / 2;
      let rest = row === start ? 1 : 0;
      for (let k = start; k < row; k += 1) rest -= (root[own + k] ?? 0) * (columns[column + k] ?? 0);
      columns[column + row] = rest / (root[own + row] ?? 1);
    }
  }
  return columns;
}
