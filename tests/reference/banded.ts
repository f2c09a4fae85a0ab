/** Slow references of the banded families: everything as dense matrices, by textbook loops. */

export type Matrix = number[][];

/** Dense symmetric matrix of a lower band: element k of row i is column i−H+k. */
export function denseOf(N: number, H: number, band: ArrayLike<number>): Matrix {
  const a = Array.from({ length: N }, () => new Array<number>(N).fill(0));
  for (let i = 0; i < N; i++) {
    for (let j = Math.max(0, i - H); j <= i; j++) a[i]![j] = a[j]![i] = band[i * (H + 1) + H - i + j]!;
  }
  return a;
}

/** Lower band of a matrix. */
export function bandOf(a: Matrix, H: number): number[] {
  return a.flatMap((row, i) => Array.from({ length: H + 1 }, (_, k) => row[i - H + k] ?? 0));
}

/** Lower factor of a symmetric positive definite matrix; all NaN where a pivot is not positive and finite. */
export function slowFactor(a: Matrix): Matrix {
  const l = a.map((row) => row.map(() => 0));
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i]![j]!;
      for (let k = 0; k < j; k++) sum -= l[i]![k]! * l[j]![k]!;
      if (i === j && !(sum > 0 && sum < Infinity)) return a.map((row) => row.map(() => NaN));
      l[i]![j] = i === j ? Math.sqrt(sum) : sum / l[j]![j]!;
    }
  }
  return l;
}

/** x of L x = b. */
export function slowForward(l: Matrix, b: readonly number[]): number[] {
  const x: number[] = [];
  l.forEach((row, i) => {
    let sum = b[i]!;
    for (let k = 0; k < i; k++) sum -= row[k]! * x[k]!;
    x.push(sum / row[i]!);
  });
  return x;
}

/** x of L Lᵀ x = b. */
export function slowSolve(l: Matrix, b: readonly number[]): number[] {
  const x = slowForward(l, b);
  for (let i = l.length - 1; i >= 0; i--) {
    for (let k = i + 1; k < l.length; k++) x[i]! -= l[k]![i]! * x[k]!;
    x[i]! /= l[i]![i]!;
  }
  return x;
}

export function slowInverse(a: Matrix): Matrix {
  const l = slowFactor(a);
  return a.map((_, j) => slowSolve(l, a.map((_, i) => i === j ? 1 : 0)));
}

/** Sizes of a bundle, as in the kernel fibre_schur. */
export type SchurSizes = Readonly<Record<"F" | "L" | "D" | "W" | "H", number>>;

/**
 * Inverse covariance of fibre s of K (unknown = bin·F + fibre), its W neighbours on either side eliminated; only within H
 * bins of the diagonal, columns of X only up to H + 4 bins past the couplings of their group of four.
 */
export function slowSchur(k: Matrix, s: number, { F, L, D, W, H }: SchurSizes): Matrix {
  const others: number[] = [], bins: number[] = [];
  for (let t = 0; t < L; t++) {
    for (let f = s - W; f <= s + W; f++) {
      if (f === s || f < 0 || f >= F) continue;
      others.push(t * F + f);
      bins.push(t);
    }
  }
  const l = slowFactor(others.map((m) => others.map((n) => k[m]![n]!)));
  const x = Array.from({ length: L }, (_, j) => {
    const end = j - j % 4 + D + 4 + H;
    return slowForward(l, others.map((m) => k[m]![j * F + s]!)).map((v, r) => bins[r]! < end ? v : 0);
  });
  return x.map((own, i) =>
    x.map((other, j) => {
      if (Math.abs(i - j) > H) return 0;
      return k[i * F + s]![j * F + s]! - own.reduce((sum, v, r) => sum + v * other[r]!, 0);
    })
  );
}

/** Σ_p g_p (1 − σ_p (S + σ_p)⁻¹). */
export function slowRoot(s: Matrix, shift: readonly number[], weight: readonly number[]): Matrix {
  const q = s.map((row) => row.map(() => 0));
  shift.forEach((sigma, p) => {
    const inverse = slowInverse(s.map((row, i) => row.map((v, j) => i === j ? v + sigma : v)));
    q.forEach((row, i) => {
      row.forEach((_, j) => row[j]! += weight[p]! * ((i === j ? 1 : 0) - sigma * inverse[i]![j]!));
    });
  });
  return q;
}

export function slowProduct(a: Matrix, v: readonly number[]): number[] {
  return a.map((row) => row.reduce((sum, value, j) => sum + value * v[j]!, 0));
}
