/** Small dense quadratics on the host: a few parameters a star, never a spectrum. Matrices are row-major n×n. */

/** Factor of a symmetric positive definite matrix (lower), or null where it is not one. */
export function choleskyFactor(matrix: Float64Array, n: number): Float64Array | null {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!;
      if (i === j) {
        if (!(sum > 0) || !Number.isFinite(sum)) return null;
        l[i * n + i] = Math.sqrt(sum);
      } else {
        l[i * n + j] = sum / l[j * n + j]!;
      }
    }
  }
  return l;
}

/** x with L Lᵀ x = b. */
export function choleskySolve(l: Float64Array, b: Float64Array, n: number): Float64Array {
  const x = b.slice();
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i]! -= l[i * n + k]! * x[k]!;
    x[i]! /= l[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i]! -= l[k * n + i]! * x[k]!;
    x[i]! /= l[i * n + i]!;
  }
  return x;
}

/** Inverse of a symmetric positive definite matrix, scaled to unit diagonal first; null where it is not one. */
export function invertSymmetric(matrix: Float64Array, n: number): Float64Array | null {
  const scale = Float64Array.from({ length: n }, (_, i) => 1 / Math.sqrt(matrix[i * n + i]!));
  if (scale.some((s) => !Number.isFinite(s))) return null;
  const scaled = matrix.map((value, k) => value * scale[Math.floor(k / n)]! * scale[k % n]!);
  const l = choleskyFactor(scaled, n);
  if (l === null) return null;
  const inverse = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    const unit = new Float64Array(n);
    unit[j] = 1;
    const column = choleskySolve(l, unit, n);
    for (let i = 0; i < n; i++) inverse[i * n + j] = column[i]! * scale[i]! * scale[j]!;
  }
  return inverse;
}

/** Predicted fall −(g·s + ½ sᵀHs) of a step. */
export function predictedFall(H: Float64Array, g: Float64Array, s: Float64Array): number {
  const n = g.length;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    let row = 0;
    for (let j = 0; j < n; j++) row += H[i * n + j]! * s[j]!;
    sum += s[i]! * (g[i]! + 0.5 * row);
  }
  return -sum;
}

/**
 * Minimises g·s + ½ sᵀHs over lo ≤ s ≤ hi by an active-set method started at s = 0, which must be inside.
 *
 * @param H - symmetric, positive semidefinite (a floor is put under its diagonal), shape (n, n)
 * @returns the step; components on a bound equal it exactly
 */
export function boxStep(H: Float64Array, g: Float64Array, lo: Float64Array, hi: Float64Array): Float64Array {
  const n = g.length;
  const s = new Float64Array(n);
  const scale = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const width = hi[i]! - lo[i]!;
    const floor = Number.isFinite(width) && width > 0 ? 1e-9 / (width * width) : 1e-12;
    scale[i] = 1 / Math.sqrt(Math.max(H[i * n + i]!, floor));
  }
  const free = new Array<boolean>(n).fill(true);
  for (let i = 0; i < n; i++) {
    if ((lo[i]! >= 0 && g[i]! >= 0) || (hi[i]! <= 0 && g[i]! <= 0)) free[i] = false;
  }
  for (let round = 0; round < 8 * n + 8; round++) {
    const index: number[] = [];
    for (let i = 0; i < n; i++) if (free[i]) index.push(i);
    const m = index.length;
    const residual = gradientAt(H, g, s);
    let blocked = -1;
    if (m > 0) {
      const reduced = new Float64Array(m * m);
      const rhs = new Float64Array(m);
      for (let a = 0; a < m; a++) {
        const i = index[a]!;
        rhs[a] = -residual[i]! * scale[i]!;
        for (let b = 0; b < m; b++) {
          reduced[a * m + b] = H[i * n + index[b]!]! * scale[i]! * scale[index[b]!]!;
        }
        reduced[a * m + a]! += 1e-12;
      }
      let l = choleskyFactor(reduced, m);
      for (let ridge = 1e-9; l === null && ridge < 1e3; ridge *= 10) {
        for (let a = 0; a < m; a++) reduced[a * m + a]! += ridge;
        l = choleskyFactor(reduced, m);
      }
      if (l === null) return s;
      const d = choleskySolve(l, rhs, m);
      let alpha = 1;
      for (let a = 0; a < m; a++) {
        const i = index[a]!;
        const move = d[a]! * scale[i]!;
        const room = move > 0 ? (hi[i]! - s[i]!) / move : move < 0 ? (lo[i]! - s[i]!) / move : Infinity;
        if (room < alpha) {
          alpha = Math.max(room, 0);
          blocked = i;
        }
      }
      for (let a = 0; a < m; a++) {
        const i = index[a]!;
        s[i] = Math.min(hi[i]!, Math.max(lo[i]!, s[i]! + alpha * d[a]! * scale[i]!));
      }
      if (blocked >= 0) {
        const i = blocked;
        s[i] = s[i]! - lo[i]! < hi[i]! - s[i]! ? lo[i]! : hi[i]!;
        free[i] = false;
        continue;
      }
    }
    // stationary on the free set: release the bound that pulls hardest inwards
    const now = gradientAt(H, g, s);
    let worst = -1, pull = 1e-12;
    for (let i = 0; i < n; i++) {
      if (free[i] || hi[i]! <= lo[i]!) continue;
      const inward = s[i]! <= lo[i]! ? -now[i]! : now[i]!;
      if (inward * scale[i]! > pull) {
        pull = inward * scale[i]!;
        worst = i;
      }
    }
    if (worst < 0) break;
    free[worst] = true;
  }
  return s;
}

function gradientAt(H: Float64Array, g: Float64Array, s: Float64Array): Float64Array {
  const n = g.length;
  const out = g.slice();
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) out[i]! += H[i * n + j]! * s[j]!;
  return out;
}
