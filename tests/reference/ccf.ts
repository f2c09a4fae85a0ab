/** Slow reference: the correlations of a velocity scan as direct sums. */

/** −2 Σ_j t_j dw_{j+lag} + Σ_j t_j² w_{j+lag} for lag = −L..L, circular. */
export function slowScan(
  template: ArrayLike<number>,
  dw: ArrayLike<number>,
  w: ArrayLike<number>,
  L: number,
): Float64Array {
  const N = template.length;
  const out = new Float64Array(2 * L + 1);
  for (let lag = -L; lag <= L; lag++) {
    for (let j = 0; j < N; j++) {
      const k = (j + lag + N) % N;
      out[lag + L] += template[j] * (template[j] * w[k] - 2 * dw[k]);
    }
  }
  return out;
}

/** What one spectrum adds to the grid, point by point (a gather, where the kernel may scatter). */
export function slowSpread(
  G: number,
  pixels: readonly [first: number, last: number],
  y: ArrayLike<number>,
  s: ArrayLike<number>,
  continuum: ArrayLike<number>,
  index: ArrayLike<number>,
  fraction: ArrayLike<number>,
): { dw: Float64Array; w: Float64Array } {
  const dw = new Float64Array(G), w = new Float64Array(G);
  for (let g = 0; g < G; g++) {
    for (let p = pixels[0]; p < pixels[1]; p++) {
      if (!(continuum[p] > 0 && s[p] > 0) || index[p] < 0 || index[p] >= G - 1) continue;
      const share = index[p] === g ? 1 - fraction[p] : index[p] === g - 1 ? fraction[p] : 0;
      if (share === 0) continue;
      const weight = (continuum[p] * s[p]) ** 2;
      w[g] += share * weight;
      dw[g] += share * (y[p] * s[p] * continuum[p] - weight);
    }
  }
  return { dw, w };
}

/**
 * Flux and inverse variance of one arm on a grid as another implementation prepares them: divided by the continuum,
 * interpolated linearly in λ; ivar = w_l w_r/(a² w_r + b² w_l), a and b the shares of the left and the right pixel, 0
 * where either is 0 and off the arm.
 */
export function interpolateArm(
  lam: ArrayLike<number>,
  flux: ArrayLike<number>,
  ivar: ArrayLike<number>,
  continuum: ArrayLike<number>,
  grid: ArrayLike<number>,
): { flux: Float64Array; ivar: Float64Array } {
  const G = grid.length;
  const out = { flux: new Float64Array(G), ivar: new Float64Array(G) };
  let left = 0;
  for (let g = 0; g < G; g++) {
    while (left < lam.length - 2 && lam[left + 1] < grid[g]) left++;
    const b = (grid[g] - lam[left]) / (lam[left + 1] - lam[left]), a = 1 - b;
    if (b < 0 || b > 1) continue;
    const value = (i: number) => ivar[i] > 0 ? flux[i] / continuum[i] : 0;
    const [wl, wr] = [left, left + 1].map((i) => ivar[i] * continuum[i] ** 2);
    out.flux[g] = a * value(left) + b * value(left + 1);
    out.ivar[g] = wl * wr === 0 ? 0 : wl * wr / (a * a * wr + b * b * wl);
  }
  return out;
}
