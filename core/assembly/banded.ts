// Symmetric positive definite banded systems by Cholesky's factorisation.
//
//   K = L Lᵀ, both as lower bands row by row: element k of row i is column i−H+k, the diagonal last, zeros where there is
//   no such column.  l_ij = (k_ij − Σ_m l_im l_jm) / l_jj,   l_jj = √(k_jj − Σ_m l_jm²)
//
// Two columns by four rows at a time, sums in pairs of columns, even lane first. A pivot that is not a positive finite
// number makes the whole band of its system NaN. Twins: gpu/kernels/banded.cu, core/kernels/banded.ts.
import { across, at, get, get2, set, set2 } from "./memory";

/** Σ p_k q_k for k0 ≤ k < k1. */
// @ts-ignore: decorator
@inline
function dotRange(p: usize, q: usize, k0: i32, k1: i32): f64 {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let k = k0;
  for (; k + 3 < k1; k += 4) {
    s0 = f64x2.add(s0, f64x2.mul(get2(p, k), get2(q, k)));
    s1 = f64x2.add(s1, f64x2.mul(get2(p, k + 2), get2(q, k + 2)));
  }
  let sum = across(f64x2.add(s0, s1));
  for (; k < k1; k++) sum += get(p, k) * get(q, k);
  return sum;
}

// @ts-ignore: decorator
@inline
function max(a: i32, b: i32): i32 {
  return a > b ? a : b;
}

/** Most that any element other than 0 is away from the diagonal. */
function reach(N: i32, H: i32, band: usize): i32 {
  let most = 0;
  for (let i = 0; i < N; i++) {
    const row = at(band, i * (H + 1));
    let k = 0;
    while (k < H - most && get(row, k) == 0) k++;
    most = H - k;
    if (most == H) break;
  }
  return most;
}

/** Columns of a factor between calls: only at a call does the engine change to code it has optimised meanwhile. */
const PANEL = 64;

/** Factors a band of half-width H whose elements reach R ≤ H from the diagonal; false where a pivot is not positive. */
function factor(N: i32, H: i32, R: i32, band: usize): bool {
  // two calls, lest the one be inlined
  if (!factorPanel(N, H, R, band, 0, PANEL < N ? PANEL : N)) return false;
  for (let j = PANEL; j < N; j += PANEL) {
    if (!factorPanel(N, H, R, band, j, j + PANEL < N ? j + PANEL : N)) return false;
  }
  return true;
}

/** Columns j0 ≤ j < j1 of the factor, j0 even, those before being done. */
function factorPanel(N: i32, H: i32, R: i32, band: usize, j0: i32, j1: i32): bool {
  const stride = <usize> H << 3;
  // element (i, k) is at band + 8·(i·H + H + k)
  const base = band + ((<usize> H) << 3);
  for (let j = j0; j < j1; j += 2) {
    const lj = base + stride * j;
    const pivot = get(lj, j) - dotRange(lj, lj, max(j - R, 0), j);
    if (!(pivot > 0 && pivot < Infinity)) return false;
    const root = Math.sqrt(pivot);
    const scale = 1.0 / root;
    set(lj, j, root);
    if (j + 1 == N) break;
    const lm = lj + stride;
    let below: f64 = 0;
    if (R > 0) {
      below = (get(lm, j) - dotRange(lj, lm, max(j + 1 - R, 0), j)) * scale;
      set(lm, j, below);
    }
    const second = get(lm, j + 1) - dotRange(lm, lm, max(j + 1 - R, 0), j) - below * below;
    if (!(second > 0 && second < Infinity)) return false;
    const root2 = Math.sqrt(second);
    const scale2 = 1.0 / root2;
    set(lm, j + 1, root2);
    const last = j + R < N ? j + R : N - 1;
    let i = j + 2;
    for (; i + 3 <= last; i += 4) {
      const r0 = base + stride * i;
      const r1 = r0 + stride;
      const r2 = r1 + stride;
      const r3 = r2 + stride;
      let a0 = f64x2.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let b0 = a0;
      let b1 = a0;
      let b2 = a0;
      let b3 = a0;
      const common = max(i + 3 - R, 0);
      let k = common;
      for (; k + 1 < j; k += 2) {
        const p = get2(lj, k);
        const q = get2(lm, k);
        const v0 = get2(r0, k);
        a0 = f64x2.add(a0, f64x2.mul(p, v0));
        b0 = f64x2.add(b0, f64x2.mul(q, v0));
        const v1 = get2(r1, k);
        a1 = f64x2.add(a1, f64x2.mul(p, v1));
        b1 = f64x2.add(b1, f64x2.mul(q, v1));
        const v2 = get2(r2, k);
        a2 = f64x2.add(a2, f64x2.mul(p, v2));
        b2 = f64x2.add(b2, f64x2.mul(q, v2));
        const v3 = get2(r3, k);
        a3 = f64x2.add(a3, f64x2.mul(p, v3));
        b3 = f64x2.add(b3, f64x2.mul(q, v3));
      }
      let s0 = across(a0);
      let s1 = across(a1);
      let s2 = across(a2);
      let s3 = across(a3);
      let t0 = across(b0);
      let t1 = across(b1);
      let t2 = across(b2);
      let t3 = across(b3);
      if (k < j) {
        const p = get(lj, k);
        const q = get(lm, k);
        s0 += p * get(r0, k);
        t0 += q * get(r0, k);
        s1 += p * get(r1, k);
        t1 += q * get(r1, k);
        s2 += p * get(r2, k);
        t2 += q * get(r2, k);
        s3 += p * get(r3, k);
        t3 += q * get(r3, k);
      }
      // columns that only the first rows have
      const end = common < j ? common : j;
      for (let k = max(i - R, 0); k < end; k++) {
        const p = get(lj, k);
        const q = get(lm, k);
        s0 += p * get(r0, k);
        t0 += q * get(r0, k);
        if (k > i - R) {
          s1 += p * get(r1, k);
          t1 += q * get(r1, k);
        }
        if (k > i + 1 - R) {
          s2 += p * get(r2, k);
          t2 += q * get(r2, k);
        }
      }
      s0 = (get(r0, j) - s0) * scale;
      s1 = (get(r1, j) - s1) * scale;
      s2 = (get(r2, j) - s2) * scale;
      s3 = (get(r3, j) - s3) * scale;
      set(r0, j, s0);
      set(r1, j, s1);
      set(r2, j, s2);
      set(r3, j, s3);
      set(r0, j + 1, (get(r0, j + 1) - t0 - s0 * below) * scale2);
      set(r1, j + 1, (get(r1, j + 1) - t1 - s1 * below) * scale2);
      set(r2, j + 1, (get(r2, j + 1) - t2 - s2 * below) * scale2);
      set(r3, j + 1, (get(r3, j + 1) - t3 - s3 * below) * scale2);
    }
    for (; i <= last; i++) {
      const row = base + stride * i;
      const from = max(i - R, 0);
      const value = (get(row, j) - dotRange(lj, row, from, j)) * scale;
      set(row, j, value);
      set(row, j + 1, (get(row, j + 1) - dotRange(lm, row, from, j) - value * below) * scale2);
    }
    // the row that only the second column reaches
    if (R > 0 && j + 1 + R < N) {
      const row = base + stride * (j + 1 + R);
      set(row, j + 1, get(row, j + 1) * scale2);
    }
  }
  return true;
}

/** Factors of B bands; l may be band. */
export function banded_cholesky(B: i32, N: i32, H: i32, band: usize, l: usize): void {
  if (l != band) memory.copy(l, band, (<usize> B * N * (H + 1)) << 3);
  for (let s = 0; s < B; s++) {
    const one = l + ((<usize> s * N * (H + 1)) << 3);
    if (!factor(N, H, reach(N, H, one), one)) {
      for (let i = 0; i < N * (H + 1); i++) set(one, i, NaN);
    }
  }
}

/** x of K x = b, from the factors. */
export function banded_solve(B: i32, N: i32, H: i32, l: usize, b: usize, x: usize): void {
  for (let s = 0; s < B; s++) {
    const band = l + ((<usize> s * N * (H + 1)) << 3);
    const R = reach(N, H, band);
    const base = band + ((<usize> H) << 3);
    const stride = <usize> H << 3;
    const xs = at(x, s * N);
    const bs = at(b, s * N);
    for (let i = 0; i < N; i++) {
      const row = base + stride * i;
      set(xs, i, (get(bs, i) - dotRange(row, xs, max(i - R, 0), i)) / get(row, i));
    }
    for (let i = N - 1; i >= 0; i--) {
      const row = base + stride * i;
      const value = get(xs, i) / get(row, i);
      set(xs, i, value);
      const both = f64x2.splat(value);
      let k = max(i - R, 0);
      for (; k + 1 < i; k += 2) set2(xs, k, f64x2.sub(get2(xs, k), f64x2.mul(get2(row, k), both)));
      if (k < i) set(xs, k, get(xs, k) - get(row, k) * value);
    }
  }
}
