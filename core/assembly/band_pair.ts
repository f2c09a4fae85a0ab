// Symmetric banded matrices two at a time, one a lane: every element is a vector.
//
// Row i of N holds the columns i−H … i in elements 3 … H+3 of its H+4 vectors; the first three are zeros, so that four
// rows can be read from the column where the first of them begins. A lane whose pivot is not positive and finite
// becomes NaN from there on. Users: schur.ts, root.ts.

/** Vectors of one row. */
// @ts-ignore: decorator
@inline
export function pairStride(H: i32): i32 {
  return H + 4;
}

/** Address that, plus 16·k, is that of column k of row i. */
// @ts-ignore: decorator
@inline
export function pairRow(H: i32, a: usize, i: i32): usize {
  return a + ((<usize> (i * (H + 4) + 3 + H - i)) << 4);
}

// @ts-ignore: decorator
@inline
function vector(row: usize, k: i32): v128 {
  return v128.load(row + ((<usize> k) << 4));
}

/**
 * Σ p_k q_k of one row with four others, from byte `from` of each to byte `end`, to byte `to` of these; `rest`: what stands
 * there less the sum, times scale.
 */
// @ts-ignore: decorator
@inline
function fourSums(
  p: usize,
  q0: usize,
  q1: usize,
  q2: usize,
  q3: usize,
  from: usize,
  end: usize,
  to: usize,
  rest: bool,
  scale: v128,
): void {
  let t0 = f64x2.splat(0);
  let t1 = t0;
  let t2 = t0;
  let t3 = t0;
  let k = from;
  for (; k + 16 < end; k += 32) {
    const l = v128.load(p + k);
    t0 = f64x2.add(t0, f64x2.mul(l, v128.load(q0 + k)));
    t1 = f64x2.add(t1, f64x2.mul(l, v128.load(q1 + k)));
    t2 = f64x2.add(t2, f64x2.mul(l, v128.load(q2 + k)));
    t3 = f64x2.add(t3, f64x2.mul(l, v128.load(q3 + k)));
    const m = v128.load(p + k, 16);
    t0 = f64x2.add(t0, f64x2.mul(m, v128.load(q0 + k, 16)));
    t1 = f64x2.add(t1, f64x2.mul(m, v128.load(q1 + k, 16)));
    t2 = f64x2.add(t2, f64x2.mul(m, v128.load(q2 + k, 16)));
    t3 = f64x2.add(t3, f64x2.mul(m, v128.load(q3 + k, 16)));
  }
  if (k < end) {
    const l = v128.load(p + k);
    t0 = f64x2.add(t0, f64x2.mul(l, v128.load(q0 + k)));
    t1 = f64x2.add(t1, f64x2.mul(l, v128.load(q1 + k)));
    t2 = f64x2.add(t2, f64x2.mul(l, v128.load(q2 + k)));
    t3 = f64x2.add(t3, f64x2.mul(l, v128.load(q3 + k)));
  }
  v128.store(q0 + to, rest ? f64x2.mul(f64x2.sub(v128.load(q0 + to), t0), scale) : t0);
  v128.store(q1 + to, rest ? f64x2.mul(f64x2.sub(v128.load(q1 + to), t1), scale) : t1);
  v128.store(q2 + to, rest ? f64x2.mul(f64x2.sub(v128.load(q2 + to), t2), scale) : t2);
  v128.store(q3 + to, rest ? f64x2.mul(f64x2.sub(v128.load(q3 + to), t3), scale) : t3);
}

/** L of A = L Lᵀ in place of A; the reciprocals of the diagonal of L go to `inverse`, N vectors. */
export function factorPair(N: i32, H: i32, a: usize, inverse: usize): void {
  factorColumns(N, H, a, inverse, 0, N);
}

/** Columns j0 ≤ j < j1 of the factor, those before being done; of rows only j0 … j1−1+H are looked at. */
export function factorColumns(N: i32, H: i32, a: usize, inverse: usize, j0: i32, j1: i32): void {
  const one = f64x2.splat(1.0);
  const zero = f64x2.splat(0.0);
  const huge = f64x2.splat(Infinity);
  const nan = f64x2.splat(NaN);
  for (let j = j0; j < j1; j++) {
    const lj = pairRow(H, a, j);
    const from = j > H ? j - H : 0;
    let s0 = zero;
    let s1 = zero;
    let k = from;
    for (; k + 1 < j; k += 2) {
      const u = vector(lj, k);
      const v = vector(lj, k + 1);
      s0 = f64x2.add(s0, f64x2.mul(u, u));
      s1 = f64x2.add(s1, f64x2.mul(v, v));
    }
    if (k < j) {
      const u = vector(lj, k);
      s0 = f64x2.add(s0, f64x2.mul(u, u));
    }
    let pivot = f64x2.sub(vector(lj, j), f64x2.add(s0, s1));
    pivot = v128.bitselect(pivot, nan, v128.and(f64x2.gt(pivot, zero), f64x2.lt(pivot, huge)));
    const root = f64x2.sqrt(pivot);
    const scale = f64x2.div(one, root);
    v128.store(lj + ((<usize> j) << 4), root);
    v128.store(inverse + ((<usize> j) << 4), scale);
    const last = j + H < N ? j + H : N - 1;
    let i = j + 1;
    for (; i + 3 <= last; i += 4) {
      const r0 = pairRow(H, a, i);
      const r1 = pairRow(H, a, i + 1);
      const r2 = pairRow(H, a, i + 2);
      const r3 = pairRow(H, a, i + 3);
      const from = (<usize> (i > H ? i - H : 0)) << 4;
      const at = (<usize> j) << 4;
      fourSums(lj, r0, r1, r2, r3, from, at, at, true, scale);
    }
    if (i > last) continue;
    // up to three rows more, those that are not there in the place of the first
    const at = (<usize> j) << 4;
    const r0 = pairRow(H, a, i);
    const r1 = i + 1 <= last ? pairRow(H, a, i + 1) : r0;
    const r2 = i + 2 <= last ? pairRow(H, a, i + 2) : r0;
    let t0 = zero;
    let t1 = zero;
    let t2 = zero;
    for (let k = (<usize> (i > H ? i - H : 0)) << 4; k < at; k += 16) {
      const l = v128.load(lj + k);
      t0 = f64x2.add(t0, f64x2.mul(l, v128.load(r0 + k)));
      t1 = f64x2.add(t1, f64x2.mul(l, v128.load(r1 + k)));
      t2 = f64x2.add(t2, f64x2.mul(l, v128.load(r2 + k)));
    }
    v128.store(r0 + at, f64x2.mul(f64x2.sub(v128.load(r0 + at), t0), scale));
    if (i + 1 <= last) v128.store(r1 + at, f64x2.mul(f64x2.sub(v128.load(r1 + at), t1), scale));
    if (i + 2 <= last) v128.store(r2 + at, f64x2.mul(f64x2.sub(v128.load(r2 + at), t2), scale));
  }
}

/** Rows i0 ≤ i < i1 of L z = b for two right-hand sides at once, in place; those before are done. */
export function forwardPair(H: i32, a: usize, inverse: usize, x: usize, y: usize, i0: i32, i1: i32): void {
  for (let i = i0; i < i1; i++) {
    const row = pairRow(H, a, i);
    let s0 = f64x2.splat(0);
    let s1 = s0;
    let t0 = s0;
    let t1 = s0;
    let k = i > H ? i - H : 0;
    for (; k + 1 < i; k += 2) {
      const l0 = vector(row, k);
      const l1 = vector(row, k + 1);
      s0 = f64x2.add(s0, f64x2.mul(l0, vector(x, k)));
      t0 = f64x2.add(t0, f64x2.mul(l0, vector(y, k)));
      s1 = f64x2.add(s1, f64x2.mul(l1, vector(x, k + 1)));
      t1 = f64x2.add(t1, f64x2.mul(l1, vector(y, k + 1)));
    }
    if (k < i) {
      const l0 = vector(row, k);
      s0 = f64x2.add(s0, f64x2.mul(l0, vector(x, k)));
      t0 = f64x2.add(t0, f64x2.mul(l0, vector(y, k)));
    }
    const scale = vector(inverse, i);
    const at = (<usize> i) << 4;
    v128.store(x + at, f64x2.mul(f64x2.sub(v128.load(x + at), f64x2.add(s0, s1)), scale));
    v128.store(y + at, f64x2.mul(f64x2.sub(v128.load(y + at), f64x2.add(t0, t1)), scale));
  }
}

/** Row i of Lᵀ x = z for two right-hand sides, in place: to be called for i = N−1 … 0 in turn. */
// @ts-ignore: decorator
@inline
export function backwardRow(H: i32, a: usize, inverse: usize, x: usize, y: usize, i: i32): void {
  const row = pairRow(H, a, i);
  const scale = vector(inverse, i);
  const at = (<usize> i) << 4;
  const u = f64x2.mul(v128.load(x + at), scale);
  const v = f64x2.mul(v128.load(y + at), scale);
  v128.store(x + at, u);
  v128.store(y + at, v);
  for (let k = i > H ? i - H : 0; k < i; k++) {
    const l = vector(row, k);
    const p = (<usize> k) << 4;
    v128.store(x + p, f64x2.sub(v128.load(x + p), f64x2.mul(l, u)));
    v128.store(y + p, f64x2.sub(v128.load(y + p), f64x2.mul(l, v)));
  }
}

/** Rows of the window that {@link inverseRow} works in: a power of two above H. */
export function windowRows(H: i32): i32 {
  let rows = 1;
  while (rows <= H) rows *= 2;
  return rows;
}

/** Vectors of the window and of the column that {@link inverseRow} wants. */
// @ts-ignore: decorator
@inline
export function windowVectors(H: i32): i32 {
  return windowRows(H) * (2 * H + 1) + H + 1;
}

/** Address that, plus 16·j, is that of column j of row i of the inverse, |i−j| ≤ H, while the window holds it. */
// @ts-ignore: decorator
@inline
export function windowRow(H: i32, rows: i32, window: usize, i: i32): usize {
  return window + ((<usize> ((i & (rows - 1)) * (2 * H + 1) + H - i)) << 4);
}

/**
 * Columns i … i+H of row i of A⁻¹, from the factor and the rows below in the window (Takahashi): to be called for
 * i = N−1 … 0 in turn.
 *   Z_ij = −Σ_{k>i} (l_ki / l_ii) Z_kj,   Z_ii = 1/l_ii² − Σ_{k>i} (l_ki / l_ii) Z_ki
 */
export function inverseRow(N: i32, H: i32, a: usize, inverse: usize, rows: i32, window: usize, i: i32): void {
  const u = window + ((<usize> (rows * (2 * H + 1))) << 4);
  const scale = vector(inverse, i);
  const last = i + H < N ? i + H : N - 1;
  const n = last - i;
  const column = (<usize> i) << 4;
  // with the sign of the sums
  const minus = f64x2.neg(scale);
  for (let t = 0; t < n; t++) {
    v128.store(u + ((<usize> t) << 4), f64x2.mul(v128.load(pairRow(H, a, i + 1 + t) + column), minus));
  }
  const here = windowRow(H, rows, window, i);
  const zero = f64x2.splat(0);
  let diagonal = f64x2.mul(scale, scale);
  let j = i + 1;
  for (; j + 3 <= last; j += 4) {
    const z0 = windowRow(H, rows, window, j) + column + 16;
    const z1 = windowRow(H, rows, window, j + 1) + column + 16;
    const z2 = windowRow(H, rows, window, j + 2) + column + 16;
    const z3 = windowRow(H, rows, window, j + 3) + column + 16;
    fourSums(u, z0, z1, z2, z3, 0, (<usize> n) << 4, -16, false, scale);
    const at = j - i - 1;
    const right = here + ((<usize> j) << 4);
    const t0 = v128.load(z0 - 16);
    const t1 = v128.load(z1 - 16);
    const t2 = v128.load(z2 - 16);
    const t3 = v128.load(z3 - 16);
    v128.store(right, t0);
    v128.store(right + 16, t1);
    v128.store(right + 32, t2);
    v128.store(right + 48, t3);
    diagonal = f64x2.add(diagonal, f64x2.mul(vector(u, at), t0));
    diagonal = f64x2.add(diagonal, f64x2.mul(vector(u, at + 1), t1));
    diagonal = f64x2.add(diagonal, f64x2.mul(vector(u, at + 2), t2));
    diagonal = f64x2.add(diagonal, f64x2.mul(vector(u, at + 3), t3));
  }
  for (; j <= last; j++) {
    const z = windowRow(H, rows, window, j) + column + 16;
    let t = zero;
    for (let k = 0; k < n; k++) t = f64x2.add(t, f64x2.mul(vector(u, k), vector(z, k)));
    diagonal = f64x2.add(diagonal, f64x2.mul(vector(u, j - i - 1), t));
    v128.store(z - 16, t);
    v128.store(here + ((<usize> j) << 4), t);
  }
  v128.store(here + column, diagonal);
}
