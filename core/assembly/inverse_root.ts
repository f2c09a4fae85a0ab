// Covariances of single fibres, and their inverse square roots.
//
//   K = L Lᵀ,   C_ss: rows and columns of K⁻¹ that belong to fibre s,   Q = C_ss^(−1/2)
//
// Columns of C go eight at a time through L and, from a copy of Lᵀ by rows, back to their own bin: what is above follows
// from symmetry. Roots: Cholesky's factorisation says whether there is one, and bounds of the spectrum. Then the coupled
// Newton–Schulz iteration
//
//   Y₀ = C/‖C‖, Z₀ = 1;   P = Z Y,   T = ½ρ (3 − ρ² P),   Y ← Y T,   Z ← T Z;   Y → (C/‖C‖)^(1/2),   Z → (C/‖C‖)^(−1/2)
//
// with ρ² = 3/(1 + m + m²) while the smallest eigenvalue of P, m², is small (Chen & Chow 2014): at cond 1000 nine steps
// instead of fourteen. All matrices are polynomials of C and commute: of Y T and T Z half is computed. P must be whole:
// its asymmetry is what holds rounding down, and with half of it 1e-14 becomes 1e-11 at cond 1000. Where cond(C) exceeds
// 1e6 the rows of the transposed Cholesky factor are made orthogonal by rotations, one-sided Jacobi (Veselić & Hari 1989),
// which keeps small eigenvalues to their own digits.
// Twins: gpu/kernels/inverse_root.cu, core/kernels/inverse_root.ts.
import { across, at, get, get2, set, set2 } from "./memory";

/** Columns of C that are solved for together. */
const COLUMNS = 8;
/** Steps of the iteration, sweeps of the eigen-solver, at most. */
const STEPS = 40;
const SWEEPS = 30;
/** ‖1 − P‖ (Frobenius) from which one more step leaves rounding alone. */
const NEAR: f64 = 1e-8;
/** Condition beyond which products are not asked. */
const ILL: f64 = 1e6;
/** Cosine of two columns of N that count as orthogonal, over N: what a sum of their products leaves. */
const ORTHOGONAL: f64 = 2.220446049250313e-16;

/** C_ss of B fibres. */
export function fibre_covariance(
  B: i32,
  P: i32,
  F: i32,
  L: i32,
  H: i32,
  l: usize,
  item: usize,
  c: usize,
  work: usize,
): void {
  const N = F * L;
  const turned = work;
  const x = at(work, N * (H + 1));
  let system = -1;
  for (let b = 0; b < B; b++) {
    const which = load<i32>(item + ((<usize> b) << 2));
    const band = l + ((<usize> (which / F) * N * (H + 1)) << 3);
    if (which / F != system) {
      system = which / F;
      turn(N, H, band, turned);
    }
    const out = c + ((<usize> b * L * L) << 3);
    for (let t0 = 0; t0 < L; t0 += COLUMNS) columnsOf(F, L, H, band, turned, which % F, t0, x, out);
  }
}

/** Lᵀ by rows: element k of row i is l_(i+k),i, the diagonal as its reciprocal. */
function turn(N: i32, H: i32, band: usize, out: usize): void {
  for (let i = 0; i < N; i++) {
    const row = at(out, i * (H + 1));
    set(row, 0, 1.0 / get(band, i * (H + 1) + H));
    for (let k = 1; k <= H; k++) set(row, k, i + k < N ? get(band, (i + k) * (H + 1) + H - k) : 0.0);
  }
}

/** Columns of C_ss of bins t0 … t0+7, from their own bin on, and what follows by symmetry. */
function columnsOf(
  F: i32,
  L: i32,
  H: i32,
  band: usize,
  turned: usize,
  s: i32,
  t0: i32,
  x: usize,
  out: usize,
): void {
  const N = F * L;
  const start = t0 * F + s;
  memory.fill(x + ((<usize> start) << 6), 0, (<usize> (N - start)) << 6);
  const columns = t0 + COLUMNS < L ? COLUMNS : L - t0;
  for (let q = 0; q < columns; q++) set(x, 8 * (start + q * F) + q, 1.0);
  for (let i = start; i < N; i++) {
    const low = i - H > start ? i - H : start;
    const scale = v128.load64_splat(at(turned, i * (H + 1)));
    substitute(at(band, i * (H + 1) + H - i + low), x + ((<usize> low) << 6), i - low, x + ((<usize> i) << 6), scale);
  }
  for (let i = N - 1; i >= start; i--) {
    const row = at(turned, i * (H + 1));
    const n = i + H < N ? H : N - 1 - i;
    const xi = x + ((<usize> i) << 6);
    substitute(at(row, 1), xi + 64, n, xi, v128.load64_splat(row));
  }
  for (let t = t0; t < L; t++) {
    const from = x + ((<usize> (t * F + s)) << 6);
    for (let q = 0; q < columns; q++) {
      const value = get(from, q);
      if (t < t0 + q) continue;
      set(out, t * L + t0 + q, value);
      set(out, (t0 + q) * L + t, value);
    }
  }
}

/** own ← (own − Σ_k l_k x_k) scale, eight columns at a time, n elements. */
// @ts-ignore: decorator
@inline
function substitute(l: usize, x: usize, n: i32, own: usize, scale: v128): void {
  let a0 = v128.load(own);
  let a1 = v128.load(own, 16);
  let a2 = v128.load(own, 32);
  let a3 = v128.load(own, 48);
  let b0 = f64x2.splat(0);
  let b1 = b0;
  let b2 = b0;
  let b3 = b0;
  const end = l + ((<usize> n) << 3);
  for (; l + 8 < end; l += 16) {
    const p = v128.load64_splat(l);
    a0 = f64x2.sub(a0, f64x2.mul(p, v128.load(x)));
    a1 = f64x2.sub(a1, f64x2.mul(p, v128.load(x, 16)));
    a2 = f64x2.sub(a2, f64x2.mul(p, v128.load(x, 32)));
    a3 = f64x2.sub(a3, f64x2.mul(p, v128.load(x, 48)));
    const q = v128.load64_splat(l, 8);
    b0 = f64x2.sub(b0, f64x2.mul(q, v128.load(x, 64)));
    b1 = f64x2.sub(b1, f64x2.mul(q, v128.load(x, 80)));
    b2 = f64x2.sub(b2, f64x2.mul(q, v128.load(x, 96)));
    b3 = f64x2.sub(b3, f64x2.mul(q, v128.load(x, 112)));
    x += 128;
  }
  if (l < end) {
    const p = v128.load64_splat(l);
    a0 = f64x2.sub(a0, f64x2.mul(p, v128.load(x)));
    a1 = f64x2.sub(a1, f64x2.mul(p, v128.load(x, 16)));
    a2 = f64x2.sub(a2, f64x2.mul(p, v128.load(x, 32)));
    a3 = f64x2.sub(a3, f64x2.mul(p, v128.load(x, 48)));
  }
  v128.store(own, f64x2.mul(f64x2.add(a0, b0), scale));
  v128.store(own, f64x2.mul(f64x2.add(a1, b1), scale), 16);
  v128.store(own, f64x2.mul(f64x2.add(a2, b2), scale), 32);
  v128.store(own, f64x2.mul(f64x2.add(a3, b3), scale), 48);
}

/** Doubles of a row of a matrix in scratch: N to the next multiple of 4, zeros behind. */
// @ts-ignore: decorator
@inline
function paddedRow(N: i32): i32 {
  return (N + 3) & ~3;
}

/**
 * Four rows from i on by four columns from j on of A B, K terms, into o; `mirrored`: their mirror image too, of the tile on
 * the diagonal the lower half. Element (i, k) of A is at a + i·down + k·right.
 */
// @ts-ignore: decorator
@inline
function productTile(
  S: i32,
  K: i32,
  a: usize,
  down: usize,
  right: usize,
  b: usize,
  o: usize,
  i: i32,
  j: i32,
  mirrored: bool,
): void {
  let c00 = f64x2.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  let p0 = a + down * i;
  let p1 = p0 + down;
  let p2 = p1 + down;
  let p3 = p2 + down;
  let q = at(b, j);
  const stride = (<usize> S) << 3;
  const end = q + stride * K;
  for (; q < end; q += stride) {
    const b0 = v128.load(q);
    const b1 = v128.load(q, 16);
    const a0 = v128.load64_splat(p0);
    c00 = f64x2.add(c00, f64x2.mul(a0, b0));
    c01 = f64x2.add(c01, f64x2.mul(a0, b1));
    const a1 = v128.load64_splat(p1);
    c10 = f64x2.add(c10, f64x2.mul(a1, b0));
    c11 = f64x2.add(c11, f64x2.mul(a1, b1));
    const a2 = v128.load64_splat(p2);
    c20 = f64x2.add(c20, f64x2.mul(a2, b0));
    c21 = f64x2.add(c21, f64x2.mul(a2, b1));
    const a3 = v128.load64_splat(p3);
    c30 = f64x2.add(c30, f64x2.mul(a3, b0));
    c31 = f64x2.add(c31, f64x2.mul(a3, b1));
    p0 += right;
    p1 += right;
    p2 += right;
    p3 += right;
  }
  if (mirrored && i == j) {
    c00 = f64x2.replace_lane(c00, 1, f64x2.extract_lane(c10, 0));
    c01 = v128.shuffle<f64>(c20, c30, 0, 2);
    c11 = v128.shuffle<f64>(c20, c30, 1, 3);
    c21 = f64x2.replace_lane(c21, 1, f64x2.extract_lane(c31, 0));
  }
  set2(o, i * S + j, c00);
  set2(o, i * S + j + 2, c01);
  set2(o, (i + 1) * S + j, c10);
  set2(o, (i + 1) * S + j + 2, c11);
  set2(o, (i + 2) * S + j, c20);
  set2(o, (i + 2) * S + j + 2, c21);
  set2(o, (i + 3) * S + j, c30);
  set2(o, (i + 3) * S + j + 2, c31);
  if (!mirrored || i == j) return;
  set2(o, j * S + i, v128.shuffle<f64>(c00, c10, 0, 2));
  set2(o, j * S + i + 2, v128.shuffle<f64>(c20, c30, 0, 2));
  set2(o, (j + 1) * S + i, v128.shuffle<f64>(c00, c10, 1, 3));
  set2(o, (j + 1) * S + i + 2, v128.shuffle<f64>(c20, c30, 1, 3));
  set2(o, (j + 2) * S + i, v128.shuffle<f64>(c01, c11, 0, 2));
  set2(o, (j + 2) * S + i + 2, v128.shuffle<f64>(c21, c31, 0, 2));
  set2(o, (j + 3) * S + i, v128.shuffle<f64>(c01, c11, 1, 3));
  set2(o, (j + 3) * S + i + 2, v128.shuffle<f64>(c21, c31, 1, 3));
}

/** o = A B of padded matrices of which K rows count. */
function product(S: i32, K: i32, a: usize, b: usize, o: usize): void {
  const down = (<usize> S) << 3;
  for (let i = 0; i < S; i += 4) {
    for (let j = 0; j < S; j += 4) productTile(S, K, a, down, 8, b, o, i, j, false);
  }
}

/** o = A B where that is symmetric: half of it is computed. */
function symmetricProduct(S: i32, K: i32, a: usize, b: usize, o: usize): void {
  const down = (<usize> S) << 3;
  for (let i = 0; i < S; i += 4) {
    for (let j = 0; j <= i; j += 4) productTile(S, K, a, down, 8, b, o, i, j, true);
  }
}

/** o = Aᵀ A. */
function gram(S: i32, K: i32, a: usize, o: usize): void {
  const right = (<usize> S) << 3;
  for (let i = 0; i < S; i += 4) {
    for (let j = 0; j <= i; j += 4) productTile(S, K, a, 8, right, a, o, i, j, true);
  }
}

/** Σ p_k q_k of n elements. */
// @ts-ignore: decorator
@inline
function dot(n: i32, p: usize, q: usize): f64 {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let k = 0;
  for (; k + 3 < n; k += 4) {
    s0 = f64x2.add(s0, f64x2.mul(get2(p, k), get2(q, k)));
    s1 = f64x2.add(s1, f64x2.mul(get2(p, k + 2), get2(q, k + 2)));
  }
  let sum = across(f64x2.add(s0, s1));
  for (; k < n; k++) sum += get(p, k) * get(q, k);
  return sum;
}

/** Lower factor of a (padded), into g, zeros above; false where a pivot is not positive and finite. */
function factor(N: i32, S: i32, a: usize, g: usize): bool {
  for (let i = 0; i < N; i++) {
    const gi = at(g, i * S);
    for (let j = 0; j < i; j++) {
      const gj = at(g, j * S);
      set(gi, j, (get(a, i * S + j) - dot(j, gi, gj)) / get(gj, j));
    }
    const pivot = get(a, i * S + i) - dot(i, gi, gi);
    if (!(pivot > 0 && pivot < Infinity)) return false;
    set(gi, i, Math.sqrt(pivot));
    for (let j = i + 1; j < S; j++) set(gi, j, 0);
  }
  return true;
}

/** An eigenvalue not below the smallest of G Gᵀ, and near it: inverse iteration. v: N doubles. */
function smallest(N: i32, S: i32, g: usize, v: usize): f64 {
  // no eigenvector is orthogonal to that
  for (let i = 0; i < N; i++) set(v, i, 1.0 + <f64> (i * 7 % 11) / 11.0);
  let value: f64 = Infinity;
  for (let step = 0; step < 4; step++) {
    const before = dot(N, v, v);
    for (let i = 0; i < N; i++) set(v, i, (get(v, i) - dot(i, at(g, i * S), v)) / get(g, i * S + i));
    // vᵀ A⁻¹ v = |G⁻¹ v|²
    value = before / dot(N, v, v);
    for (let i = N - 1; i >= 0; i--) {
      const row = at(g, i * S);
      const x = get(v, i) / get(row, i);
      set(v, i, x);
      const both = f64x2.splat(x);
      let k = 0;
      for (; k + 1 < i; k += 2) set2(v, k, f64x2.sub(get2(v, k), f64x2.mul(get2(row, k), both)));
      if (k < i) set(v, k, get(v, k) - get(row, k) * x);
    }
    const size = 1.0 / Math.sqrt(dot(N, v, v));
    for (let i = 0; i < N; i++) set(v, i, get(v, i) * size);
  }
  return value;
}

/** ‖1 − P‖, Frobenius. */
function distance(N: i32, S: i32, p: usize): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < N; i++) {
    const row = at(p, i * S);
    const own = get(row, i);
    // the diagonal apart: nothing cancels
    sum += dot(i, row, row) + (1.0 - own) * (1.0 - own) + dot(N - 1 - i, at(row, i + 1), at(row, i + 1));
  }
  return Math.sqrt(sum);
}

/** T = ½ρ (3 − ρ² P). */
function polynomial(N: i32, S: i32, rho: f64, p: usize, t: usize): void {
  const factor = f64x2.splat(-0.5 * rho * rho * rho);
  for (let i = 0; i < N * S; i += 2) set2(t, i, f64x2.mul(factor, get2(p, i)));
  for (let i = 0; i < N; i++) set(t, i * S + i, get(t, i * S + i) + 1.5 * rho);
}

/**
 * A^(−1/2) by products: y holds A, of norm below 1; z, p, t are room. Returns where the root is; 0 where it does not
 * converge.
 */
function byProducts(N: i32, S: i32, least: f64, y: usize, z: usize, p: usize, t: usize): usize {
  let m = Math.sqrt(least);
  for (let step = 0; step < STEPS; step++) {
    // at first Z is 1, and P is Y
    const first = step == 0;
    if (!first) product(S, N, z, y, p);
    const from = first ? y : p;
    const near = distance(N, S, from);
    if (!(near < Infinity)) return 0;
    const last = near < NEAR;
    const rho = last ? 1.0 : Math.sqrt(3.0 / (1.0 + m + m * m));
    m = Math.min(1.0, 0.5 * rho * m * (3.0 - rho * rho * m * m));
    polynomial(N, S, rho, from, t);
    if (last) {
      if (first) return t;
      symmetricProduct(S, N, t, z, p);
      return p;
    }
    // P is done with, then the old Y
    symmetricProduct(S, N, y, t, p);
    if (first) {
      const old = z;
      z = t;
      t = old;
    } else {
      symmetricProduct(S, N, t, z, y);
      const old = z;
      z = y;
      y = old;
    }
    const old = y;
    y = p;
    p = old;
  }
  return 0;
}

/**
 * C^(−1/2) from the Cholesky factor g of C, into o. Rows of u, at first Gᵀ, are rotated until they are orthogonal: then
 * they are the eigenvectors of C times the roots of their eigenvalues. False where that takes too many sweeps.
 */
function byEigenvectors(N: i32, S: i32, g: usize, u: usize, norm: usize, o: usize): bool {
  for (let i = 0; i < N; i++) for (let j = 0; j < N; j++) set(u, i * S + j, get(g, j * S + i));
  for (let i = 0; i < N; i++) for (let j = N; j < S; j++) set(u, i * S + j, 0);
  const least = ORTHOGONAL * <f64> N;
  let turning = true;
  for (let sweep = 0; sweep < SWEEPS && turning; sweep++) {
    turning = false;
    // anew each sweep: updates would carry on their rounding
    for (let i = 0; i < N; i++) set(norm, i, dot(S, at(u, i * S), at(u, i * S)));
    for (let i = 0; i < N - 1; i++) {
      const ui = at(u, i * S);
      for (let j = i + 1; j < N; j++) {
        const uj = at(u, j * S);
        const both = dot(S, ui, uj);
        const a = get(norm, i);
        const b = get(norm, j);
        if (!(Math.abs(both) > least * Math.sqrt(a * b))) continue;
        turning = true;
        const zeta = (b - a) / (2.0 * both);
        const t = (zeta < 0 ? -1.0 : 1.0) / (Math.abs(zeta) + Math.sqrt(1.0 + zeta * zeta));
        const cosine = 1.0 / Math.sqrt(1.0 + t * t);
        rotate(S, ui, uj, cosine, cosine * t);
        set(norm, i, dot(S, ui, ui));
        set(norm, j, dot(S, uj, uj));
      }
    }
  }
  if (turning) return false;
  // Q = Σ u uᵀ/|u|³
  for (let i = 0; i < N; i++) {
    const row = at(u, i * S);
    const length = Math.sqrt(dot(S, row, row));
    const scale = f64x2.splat(1.0 / (length * Math.sqrt(length)));
    for (let j = 0; j < S; j += 2) set2(row, j, f64x2.mul(scale, get2(row, j)));
  }
  gram(S, N, u, o);
  return true;
}

/** (p, q) ← (c p − s q, s p + c q), n elements, n even. */
// @ts-ignore: decorator
@inline
function rotate(n: i32, p: usize, q: usize, c: f64, s: f64): void {
  const cosine = f64x2.splat(c);
  const sine = f64x2.splat(s);
  for (let k = 0; k < n; k += 2) {
    const x = get2(p, k);
    const y = get2(q, k);
    set2(p, k, f64x2.sub(f64x2.mul(cosine, x), f64x2.mul(sine, y)));
    set2(q, k, f64x2.add(f64x2.mul(sine, x), f64x2.mul(cosine, y)));
  }
}

/** C^(−1/2) of B matrices. */
export function inverse_root(B: i32, N: i32, c: usize, q: usize, method: usize, work: usize): void {
  const S = paddedRow(N);
  const size = (<usize> S * S) << 3;
  const v = work + 5 * size;
  for (let b = 0; b < B; b++) {
    const from = c + ((<usize> b * N * N) << 3);
    const to = q + ((<usize> b * N * N) << 3);
    memory.fill(work, 0, 5 * size);
    const y = work;
    const g = work + size;
    // the norms of the sum of a row, and of Frobenius: the eigenvalues are below both
    let all: f64 = 0;
    for (let i = 0; i < N; i++) set(v, i, 0);
    for (let i = 0; i < N; i++) {
      let own: f64 = 0;
      for (let j = 0; j <= i; j++) {
        const value = get(from, i * N + j);
        set(y, i * S + j, value);
        set(y, j * S + i, value);
        const size = Math.abs(value);
        own += size;
        if (j < i) set(v, j, get(v, j) + size);
        all += (j < i ? 2.0 : 1.0) * value * value;
      }
      set(v, i, get(v, i) + own);
    }
    let norm: f64 = 0;
    for (let i = 0; i < N; i++) norm = Math.max(norm, get(v, i));
    norm = Math.min(norm, Math.sqrt(all));
    let how: u8 = 0;
    let root: usize = 0;
    let scale: f64 = 1;
    if (factor(N, S, y, g)) {
      const least = smallest(N, S, g, v);
      if (norm < ILL * least) {
        const unit = f64x2.splat(1.0 / norm);
        for (let i = 0; i < N * S; i += 2) set2(y, i, f64x2.mul(unit, get2(y, i)));
        root = byProducts(N, S, 0.5 * least / norm, y, work + 2 * size, work + 3 * size, work + 4 * size);
        scale = 1.0 / Math.sqrt(norm);
        how = 1;
      }
      if (root == 0) {
        root = work + 4 * size;
        scale = 1.0;
        how = byEigenvectors(N, S, g, work + 2 * size, v, root) ? 2 : 0;
      }
    }
    store<u8>(method + b, how);
    for (let i = 0; i < N; i++) {
      for (let j = 0; j < N; j++) set(to, i * N + j, how == 0 ? NaN : scale * get(root, i * S + j));
    }
  }
}

/** Flux, inverse variance and stored columns of R of the bins that are kept, of B fibres. */
export function decorrelate_block(
  B: i32,
  P: i32,
  F: i32,
  L: i32,
  M: i32,
  FIRST: i32,
  ND: i32,
  q: usize,
  x: usize,
  item: usize,
  flux: usize,
  ivar: usize,
  resolution: usize,
  rowsum: usize,
): void {
  const bands = 2 * ND + 1;
  for (let b = 0; b < B; b++) {
    const which = load<i32>(item + ((<usize> b) << 2));
    const own = x + ((<usize> (which / F) * L * F + which % F) << 3);
    const root = q + ((<usize> b * L * L) << 3);
    for (let i = 0; i < L; i++) {
      const row = at(root, i * L);
      let sum: f64 = 0;
      for (let j = 0; j < L; j++) sum += get(row, j);
      set(rowsum, i, sum);
    }
    const r = resolution + ((<usize> b * bands * M) << 3);
    for (let w = 0; w < M; w++) {
      const bin = FIRST + w;
      const row = at(root, bin * L);
      let sum: f64 = 0;
      for (let j = 0; j < L; j++) sum += get(row, j) * get(own, j * F);
      const total = get(rowsum, bin);
      set(flux, b * M + w, sum / total);
      set(ivar, b * M + w, total * total);
      for (let k = 0; k < bands; k++) {
        const i = bin - ND + k;
        set(r, k * M + w, i >= 0 && i < L ? get(root, i * L + bin) / get(rowsum, i) : 0.0);
      }
    }
  }
}
