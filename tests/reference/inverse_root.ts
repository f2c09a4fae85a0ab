/** Slow references of the family inverse_root: dense inverses, and the eigen-decomposition by two-sided Jacobi rotations. */
import { type Matrix, slowInverse } from "./banded.ts";

/** Eigenvalues, and eigenvectors as rows, of a symmetric matrix: the largest element off the diagonal is turned away. */
export function slowEigen(a: Matrix): { readonly values: number[]; readonly vectors: Matrix } {
  const n = a.length, m = a.map((row) => [...row]);
  const vectors: Matrix = a.map((_, i) => a.map((_, j) => i === j ? 1 : 0));
  for (let sweep = 0; sweep < 60; sweep++) {
    let turned = false;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const off = m[p]![q]!;
        if (Math.abs(off) <= 1e-17 * Math.sqrt(Math.abs(m[p]![p]! * m[q]![q]!))) continue;
        turned = true;
        const theta = Math.atan2(2 * off, m[q]![q]! - m[p]![p]!) / 2;
        const small = Math.abs(theta) > Math.PI / 4 ? theta - Math.sign(theta) * Math.PI / 2 : theta;
        const [c, s] = [Math.cos(small), Math.sin(small)];
        for (let k = 0; k < n; k++) {
          const [x, y] = [m[p]![k]!, m[q]![k]!];
          [m[p]![k], m[q]![k]] = [c * x - s * y, s * x + c * y];
        }
        for (const row of m) [row[p], row[q]] = [c * row[p]! - s * row[q]!, s * row[p]! + c * row[q]!];
        // exact zeros: what is left is rounding
        m[p]![q] = m[q]![p] = 0;
        for (let k = 0; k < n; k++) {
          const [x, y] = [vectors[p]![k]!, vectors[q]![k]!];
          [vectors[p]![k], vectors[q]![k]] = [c * x - s * y, s * x + c * y];
        }
      }
    }
    if (!turned) break;
  }
  return { values: m.map((row, i) => row[i]!), vectors };
}

/** a^(−1/2); all NaN where a is not positive definite. */
export function slowInverseRoot(a: Matrix): Matrix {
  const symmetric = a.map((row, i) => row.map((v, j) => j <= i ? v : a[j]![i]!));
  const { values, vectors } = slowEigen(symmetric);
  const sound = values.every((v) => v > 0 && v < Infinity);
  const weight = values.map((v) => sound ? 1 / Math.sqrt(v) : NaN);
  return a.map((row, i) =>
    row.map((_, j) => vectors.reduce((sum, u, k) => sum + weight[k]! * u[i]! * u[j]!, 0))
  );
}

/** Rows and columns of fibre s of (L Lᵀ)⁻¹, L given as a dense lower matrix. */
export function slowCovariance(lower: Matrix, F: number, s: number): Matrix {
  const k = lower.map((a) => lower.map((b) => a.reduce((sum, v, m) => sum + v * b[m]!, 0)));
  const own = (a: Matrix) => a.filter((_, m) => m % F === s);
  return own(slowInverse(k)).map((row) => row.filter((_, m) => m % F === s));
}
