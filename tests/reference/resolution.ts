/** Slow reference: resolution matrices as full matrices, deconvolution by solving for each row. */

/** R (P, P) of the stored diagonals D (W, P); `wrap` as in the kernel. */
function fullRow(
  W: number,
  P: number,
  d: ArrayLike<number>,
  i: number,
  wrap: boolean,
): number[] {
  const w = (W - 1) / 2;
  return Array.from({ length: W }, (_, m) => {
    const j = i + m - w;
    const k = 2 * w - m;
    if (j === -1 && wrap) return d[k * P + P - 1];
    return j < 0 || j >= P ? 0 : d[k * P + j];
  });
}

/** x with A x = b by elimination with row exchanges. */
function solve(A: number[][], b: number[]): number[] {
  const n = b.length;
  const a = A.map((row, i) => [...row, b[i]]);
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i][k]) > Math.abs(a[best][k])) best = i;
    [a[k], a[best]] = [a[best], a[k]];
    for (let i = k + 1; i < n; i++) {
      const f = a[i][k] / a[k][k];
      for (let j = k; j <= n; j++) a[i][j] -= f * a[k][j];
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    x[i] = a[i][n];
    for (let j = i + 1; j < n; j++) x[i] -= a[i][j] * x[j];
    x[i] /= a[i][i];
  }
  return x;
}

/**
 * Rows (P, W) of one deconvolved matrix.
 *
 * @param sigma - template line-spread function, pixels; 0 for none
 * @param displaced - pixels by which every row is displaced, and σ of the Gaussians, in pixels, that it is made of
 */
export function slowDeconvolve(
  W: number,
  P: number,
  d: ArrayLike<number>,
  sigma: number,
  wrap = false,
  displaced: { readonly delta: ArrayLike<number>; readonly spread: number } | null = null,
): number[] {
  const w = (W - 1) / 2;
  const density = (x: number, s: number) =>
    s === 0 ? Number(x === 0) : Math.exp(-(x ** 2) / 2 / s ** 2) / Math.sqrt(2 * Math.PI) / s;
  const square = (s: number, delta: number) =>
    Array.from({ length: W }, (_, a) => Array.from({ length: W }, (_, b) => density(a - b - delta, s)));
  const centred = (row: number[], i: number): number[] => {
    if (displaced === null || displaced.delta[i] === 0) return row;
    const { delta, spread } = displaced;
    const parts = solve(square(spread, delta[i]), row);
    return row.map((_, a) => parts.reduce((sum, part, b) => sum + part * density(a - b, spread), 0));
  };
  const G = square(sigma, 0);
  const rows = Array.from(
    { length: P },
    (_, i) =>
      solve(G, centred(fullRow(W, P, d, i, wrap), i)).map((v, m) => i + m - w < 0 || i + m - w >= P ? 0 : v),
  );
  const sums = rows.map((row) => row.reduce((a, b) => a + b, 0));
  const sorted = [...sums].sort((a, b) => a - b);
  const median = (sorted[Math.floor((P - 1) / 2)] + sorted[Math.floor(P / 2)]) / 2;
  return rows.flatMap((row, i) =>
    (i < w || i >= P - w) && sums[i] !== 0 ? row.map((v) => v * median / sums[i]) : row
  );
}

/** One matrix, rows (P, W), times a vector: entry m of row i multiplies pixel i+m−w. */
export function slowResolve(W: number, rows: ArrayLike<number>, vec: ArrayLike<number>): Float64Array {
  const w = (W - 1) / 2;
  return Float64Array.from(vec, (_, i) => {
    let sum = 0;
    for (let m = 0; m < W; m++) {
      const j = i + m - w;
      if (j >= 0 && j < vec.length) sum += rows[i * W + m] * vec[j];
    }
    return sum;
  });
}

/** Rows (P, W) of a Gaussian resolution matrix, each of unit sum over the pixels that exist. */
export function slowGaussian(W: number, lam: ArrayLike<number>, sigma: ArrayLike<number>): number[] {
  const P = lam.length, w = (W - 1) / 2;
  return Array.from({ length: P }, (_, i) => {
    const row = Array.from({ length: W }, (_, m) => {
      const j = i + m - w;
      if (j < 0 || j >= P) return 0;
      if (sigma[i] === 0) return Number(i === j);
      return Math.exp(-(((lam[j] - lam[i]) / sigma[i]) ** 2) / 2);
    });
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((v) => v / total);
  }).flat();
}
