/** Natural cubic spline by a dense solve: slow, short. */
import { solveSystem } from "./cholesky.ts";

/** S″/6 at the knots. */
export function slowSpline(x: ArrayLike<number>, y: ArrayLike<number>): Float64Array {
  const n = x.length, m = n - 2;
  const z = new Float64Array(n);
  if (m < 1) return z;
  const matrix = new Float64Array(m * m), rhs = new Float64Array(m);
  for (let i = 0; i < m; i++) {
    const before = x[i + 1]! - x[i]!, after = x[i + 2]! - x[i + 1]!;
    matrix[i * m + i] = 2 * (before + after);
    if (i > 0) matrix[i * m + i - 1] = before;
    if (i + 1 < m) matrix[i * m + i + 1] = after;
    rhs[i] = (y[i + 2]! - y[i + 1]!) / after - (y[i + 1]! - y[i]!) / before;
  }
  z.set(solveSystem(m, matrix, rhs).a, 1);
  return z;
}

/** S at one point, the interval found by search; NaN outside. */
export function slowSplineValue(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  z: ArrayLike<number>,
  at: number,
): number {
  if (!(at >= x[0]! && at <= x[x.length - 1]!)) return NaN;
  let i = 0;
  while (i < x.length - 2 && at >= x[i + 1]!) i++;
  const h = x[i + 1]! - x[i]!;
  const right = at - x[i]!, left = x[i + 1]! - at;
  return z[i + 1]! / h * right ** 3 + z[i]! / h * left ** 3 + (y[i + 1]! / h - z[i + 1]! * h) * right +
    (y[i]! / h - z[i]! * h) * left;
}
