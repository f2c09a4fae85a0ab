/** Natural cubic spline by a dense solve: slow, short. */
import { solveSystem } from "./cholesky.ts";

/** S″/6 at the knots. */
export function slowSpline(x: ArrayLike<number>, y: ArrayLike<number>): Float64Array {
  return slowSplines(x)(y);
}

/** Natural splines on the same knots: values to S″/6. The dense matrix is factored once. */
export function slowSplines(x: ArrayLike<number>): (y: ArrayLike<number>) => Float64Array {
  const n = x.length, m = n - 2;
  if (m < 1) return () => new Float64Array(n);
  const { l } = solveSystem(m, systemMatrix(x), new Float64Array(m));
  return (y) => {
    const z = new Float64Array(n);
    for (let i = 0; i < m; i++) {
      let sum = (y[i + 2]! - y[i + 1]!) / (x[i + 2]! - x[i + 1]!) - (y[i + 1]! - y[i]!) / (x[i + 1]! - x[i]!);
      for (let k = 0; k < i; k++) sum -= l[i * m + k]! * z[k + 1]!;
      z[i + 1] = sum / l[i * m + i]!;
    }
    for (let i = m - 1; i >= 0; i--) {
      let sum = z[i + 1]!;
      for (let k = i + 1; k < m; k++) sum -= l[k * m + i]! * z[k + 1]!;
      z[i + 1] = sum / l[i * m + i]!;
    }
    return z;
  };
}

/** The matrix of the inner knots, (n−2, n−2). */
function systemMatrix(x: ArrayLike<number>): Float64Array {
  const m = x.length - 2;
  const matrix = new Float64Array(m * m);
  for (let i = 0; i < m; i++) {
    const before = x[i + 1]! - x[i]!, after = x[i + 2]! - x[i + 1]!;
    matrix[i * m + i] = 2 * (before + after);
    if (i > 0) matrix[i * m + i - 1] = before;
    if (i + 1 < m) matrix[i * m + i + 1] = after;
  }
  return matrix;
}

/** Spacing, 1/spacing, superdiagonal and 1/pivot of each knot by dense elimination: l_ii² are the pivots. */
export function slowFactor(x: ArrayLike<number>): Float64Array {
  const n = x.length, m = Math.max(0, n - 2);
  const out = new Float64Array(n * 4);
  const { l } = m > 0 ? solveSystem(m, systemMatrix(x), new Float64Array(m)) : { l: [] };
  for (let i = 0; i < n - 1; i++) {
    const h = x[i + 1]! - x[i]!;
    out.set([h, 1 / h], 4 * i);
    if (i === 0) continue;
    const pivot = l[(i - 1) * m + i - 1]! ** 2;
    out.set([h / pivot, 1 / pivot], 4 * i + 2);
  }
  return out;
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
