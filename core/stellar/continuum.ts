/** Basis functions of the multiplicative continuum. */

/**
 * K functions on x_i = 2(λ_i−λ_first)/(λ_last−λ_first) − 1.
 *
 * `chebyshev`: T_0 … T_{K−1}. `rbf`: 1, x, x² and, for M = K−3 > 0, M Gaussians exp(−½(x−c_j)²M²) at
 * c_j = −1 … 1 evenly (M = 1: −1), as the reference has it.
 *
 * @param lam - wavelengths, Å, shape (npix), increasing
 * @returns shape (K, npix), row-major
 */
export function continuumBasis(lam: Float64Array, K: number, kind: "rbf" | "chebyshev"): Float64Array {
  const n = lam.length;
  const basis = new Float64Array(K * n);
  const first = lam[0]!;
  const span = lam[n - 1]! - first;
  const gaussians = K - 3;
  for (let i = 0; i < n; i++) {
    const x = span > 0 ? 2 * (lam[i]! - first) / span - 1 : 0;
    for (let k = 0; k < K; k++) {
      let value: number;
      if (kind === "chebyshev") {
        value = k === 0 ? 1 : k === 1 ? x : 2 * x * basis[(k - 1) * n + i]! - basis[(k - 2) * n + i]!;
      } else if (k < 3) {
        value = k === 0 ? 1 : k === 1 ? x : x * x;
      } else {
        const centre = gaussians === 1 ? -1 : -1 + 2 * (k - 3) / (gaussians - 1);
        value = Math.exp(-0.5 * ((x - centre) * gaussians) ** 2);
      }
      basis[k * n + i] = value;
    }
  }
  return basis;
}
