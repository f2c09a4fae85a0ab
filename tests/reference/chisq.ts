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
