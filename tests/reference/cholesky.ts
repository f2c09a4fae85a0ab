/** Slow reference: Gaussian elimination with the textbook triple loop, no pairs. */

export interface Solved {
  /** Lower factor, (K, K). */
  l: number[];
  a: number[];
  logdet: number;
}

/** Solves one symmetric positive definite system of K unknowns; all NaN where a pivot is not positive and finite. */
export function solveSystem(K: number, n: ArrayLike<number>, b: ArrayLike<number>): Solved {
  const l = new Array<number>(K * K).fill(0);
  for (let i = 0; i < K; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = n[i * K + j];
      for (let k = 0; k < j; k++) sum -= l[i * K + k] * l[j * K + k];
      if (i === j) {
        if (!(sum > 0 && sum < Infinity)) {
          return { l: l.fill(NaN), a: new Array(K).fill(NaN), logdet: NaN };
        }
        l[i * K + i] = Math.sqrt(sum);
      } else l[i * K + j] = sum / l[j * K + j];
    }
  }
  const a = Array.from({ length: K }, (_, i) => b[i]);
  for (let i = 0; i < K; i++) {
    for (let k = 0; k < i; k++) a[i] -= l[i * K + k] * a[k];
    a[i] /= l[i * K + i];
  }
  for (let i = K - 1; i >= 0; i--) {
    for (let k = i + 1; k < K; k++) a[i] -= l[k * K + i] * a[k];
    a[i] /= l[i * K + i];
  }
  let logdet = 0;
  for (let i = 0; i < K; i++) logdet += 2 * Math.log(l[i * K + i]);
  return { l, a, logdet };
}
