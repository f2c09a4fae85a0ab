/** The likelihood from its definition, with a dense solve and explicit loops. */
import { solveSystem } from "./cholesky.ts";

export interface SlowChisq {
  readonly value: number;
  readonly logdet: number;
  readonly chi2: number;
  readonly coeff: Float64Array;
  readonly normal: Float64Array;
}

/** −2 ln L without 2 Σ ln σ. */
export function slowChisq(
  basis: ArrayLike<number>,
  K: number,
  y: ArrayLike<number>,
  s: ArrayLike<number>,
  m: ArrayLike<number>,
): SlowChisq {
  const n = y.length;
  const A = (k: number, i: number) => basis[k * n + i]! * m[i]! * s[i]!;
  const normal = new Float64Array(K * K), rhs = new Float64Array(K);
  for (let k = 0; k < K; k++) {
    for (let l = 0; l < K; l++) for (let i = 0; i < n; i++) normal[k * K + l]! += A(k, i) * A(l, i);
    for (let i = 0; i < n; i++) rhs[k]! += A(k, i) * y[i]!;
  }
  const { a, logdet } = solveSystem(K, normal, rhs);
  let chi2 = 0;
  for (let i = 0; i < n; i++) {
    let fit = 0;
    for (let k = 0; k < K; k++) fit += a[k]! * A(k, i);
    chi2 += (y[i]! - fit) ** 2;
  }
  return { value: logdet + chi2, logdet, chi2, coeff: Float64Array.from(a), normal };
}

/** Template × continuum of coefficients `a`. */
export function slowModel(
  basis: ArrayLike<number>,
  a: ArrayLike<number>,
  m: ArrayLike<number>,
): Float64Array {
  const n = m.length;
  return Float64Array.from(m, (template, i) => {
    let continuum = 0;
    for (let k = 0; k < a.length; k++) continuum += a[k]! * basis[k * n + i]!;
    return template * continuum;
  });
}

/** Σ (y − model s)² over the pixels with good ≠ 0. */
export function slowGood(
  y: ArrayLike<number>,
  s: ArrayLike<number>,
  model: ArrayLike<number>,
  good: ArrayLike<number>,
): number {
  let sum = 0;
  for (let i = 0; i < y.length; i++) if (good[i]) sum += (y[i]! - model[i]! * s[i]!) ** 2;
  return sum;
}

/**
 * Gauss-Newton matrix 2 Gᵀ(1 − Aᵀ N⁻¹ A) G with G the derivative columns times continuum and weight, from what is left
 * of each column after its own dense fit.
 */
export function slowCurvature(
  basis: ArrayLike<number>,
  K: number,
  y: ArrayLike<number>,
  s: ArrayLike<number>,
  m: ArrayLike<number>,
  columns: readonly ArrayLike<number>[],
): Float64Array {
  const n = m.length, Q = columns.length;
  const { coeff, normal } = slowChisq(basis, K, y, s, m);
  const A = (k: number, i: number) => basis[k * n + i]! * m[i]! * s[i]!;
  const left = columns.map((column) => {
    const g = slowModel(basis, coeff, column).map((v, i) => v * s[i]!);
    const rhs = Float64Array.from({ length: K }, (_, k) => g.reduce((sum, v, i) => sum + v * A(k, i), 0));
    const { a } = solveSystem(K, normal, rhs);
    return g.map((v, i) => a.reduce((rest, ak, k) => rest - ak * A(k, i), v));
  });
  const out = new Float64Array(Q * Q);
  for (let q = 0; q < Q; q++) {
    for (let r = 0; r < Q; r++) {
      for (let i = 0; i < n; i++) out[q * Q + r]! += 2 * left[q]![i]! * left[r]![i]!;
    }
  }
  return out;
}

/** Five-point central difference of f at 0, error of the order h⁴. */
export function centralDifference(f: (h: number) => number, h: number): number {
  return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
}
