// Likelihood of a spectrum under template × continuum, the continuum's K coefficients marginalised over flat priors:
//
//   A_ki = P_ki m_i s_i,  s = 1/σ,  y = d s;   N = A Aᵀ,  b = A y,  a = N⁻¹ b
//   −2 ln L = ln det N + Σ (y − aᵀA)² + 2 Σ ln σ
//
// and, with u_p = ∂m/∂p · s and c = aᵀP,
//
//   gradient_p = −2 Σ r_i c_i u_pi + 2 Σ u_pi m_i s_i h_i,  h_i = P_iᵀ N⁻¹ P_i      (exact: envelope theorem, tr N⁻¹∂N)
//   curvature  = 2 [G Gᵀ − (G Aᵀ) N⁻¹ (G Aᵀ)ᵀ],  G = c u                             (Kaufman's Gauss-Newton matrix)
//
// The residual is summed explicitly, not as yᵀy − bᵀa, which would lose digits. Sums run over tiles of 128 pixels in
// order, even and odd pixels apart, then even + odd.
// Source: spec of the reference's likelihood; Golub & Pereyra 1973, Kaufman 1975 (variable projection).
// Twins: gpu/kernels/chisq.cu, core/kernels/chisq.ts.
import { backSolve, cholesky, forwardSolve } from "./cholesky";
import { across, at, get, get2, set, set2 } from "./memory";

const TILE: i32 = 128;
const TILE_BYTES: usize = <usize> TILE << 3;

// @ts-ignore: decorator
@inline
function even(n: i32): i32 {
  return (n + 1) & ~1;
}

/** Pairs of row pairs of a symmetric product of n (even) rows. */
// @ts-ignore: decorator
@inline
function symmetricBlocks(n: i32): i32 {
  return (n >> 1) * ((n >> 1) + 1) / 2;
}

/** acc += rows rowsᵀ for n (even) rows of `length` (even) elements: 2×2 blocks, four lane pairs each. */
function symmetricProduct(n: i32, rows: usize, length: i32, acc: usize): void {
  for (let i = 0; i < n; i += 2) {
    for (let j = 0; j <= i; j += 2) {
      acc = blockProduct(rows + TILE_BYTES * i, rows + TILE_BYTES * j, length, acc);
    }
  }
}

/** acc += rowsA rowsBᵀ, both counts even. */
function crossProduct(nA: i32, rowsA: usize, nB: i32, rowsB: usize, length: i32, acc: usize): void {
  for (let i = 0; i < nA; i += 2) {
    for (let j = 0; j < nB; j += 2) {
      acc = blockProduct(rowsA + TILE_BYTES * i, rowsB + TILE_BYTES * j, length, acc);
    }
  }
}

// @ts-ignore: decorator
@inline
function blockProduct(a: usize, b: usize, length: i32, acc: usize): usize {
  let s00 = v128.load(acc);
  let s01 = v128.load(acc + 16);
  let s10 = v128.load(acc + 32);
  let s11 = v128.load(acc + 48);
  const end = a + (<usize> length << 3);
  while (a < end) {
    const a0 = v128.load(a);
    const a1 = v128.load(a, 1024); // TILE_BYTES
    const b0 = v128.load(b);
    const b1 = v128.load(b, 1024);
    s00 = f64x2.add(s00, f64x2.mul(a0, b0));
    s01 = f64x2.add(s01, f64x2.mul(a0, b1));
    s10 = f64x2.add(s10, f64x2.mul(a1, b0));
    s11 = f64x2.add(s11, f64x2.mul(a1, b1));
    a += 16;
    b += 16;
  }
  v128.store(acc, s00);
  v128.store(acc + 16, s01);
  v128.store(acc + 32, s10);
  v128.store(acc + 48, s11);
  return acc + 64;
}

/** Reads out a symmetric product: matrix[i, j] for i, j < n, row length n. */
function symmetricResult(n: i32, acc: usize, matrix: usize): void {
  for (let i = 0; i < n; i += 2) {
    for (let j = 0; j <= i; j += 2) {
      for (let k = 0; k < 4; k++) {
        const r = i + (k >> 1);
        const c = j + (k & 1);
        const value = across(v128.load(acc + (<usize> k << 4)));
        set(matrix, r * n + c, value);
        set(matrix, c * n + r, value);
      }
      acc += 64;
    }
  }
}

/** Tile of the design: rows k < K are P_k c0, row K is y, zero up to an even count; c0 = m s into row `c0`. */
function designTile(
  K: i32,
  NP: i32,
  basis: usize,
  y: usize,
  s: usize,
  m: usize,
  stride: i32,
  p0: i32,
  n: i32,
  rows: usize,
  c0: usize,
): void {
  const length = even(n);
  for (let i = 0; i < n; i++) set(c0, i, get(m, (p0 + i) * stride) * get(s, p0 + i));
  if (n < length) set(c0, n, 0);
  for (let k = 0; k < K; k++) {
    const row = rows + TILE_BYTES * k;
    const p = at(basis, k * NP + p0);
    for (let i = 0; i + 1 < n; i += 2) set2(row, i, f64x2.mul(get2(p, i), get2(c0, i)));
    if (n < length) set2(row, n - 1, f64x2.replace_lane(f64x2.splat(0), 0, get(p, n - 1) * get(c0, n - 1)));
  }
  const data = rows + TILE_BYTES * K;
  memory.copy(data, at(y, p0), <usize> n << 3);
  if (n < length) set(data, n, 0);
  if (!(K & 1)) memory.fill(rows + TILE_BYTES * (K + 1), 0, <usize> length << 3);
}

/**
 * Normal equations and their solution for one spectrum. `m` has `stride` float64s between pixels. Leaves the K
 * coefficients at coeff, the factor (K×K, row-major) at factor; returns ln det N. scratch: chisqScratch(K, Q).
 */
export function marginalise(
  NP: i32,
  K: i32,
  basis: usize,
  y: usize,
  s: usize,
  m: usize,
  stride: i32,
  coeff: usize,
  factor: usize,
  scratch: usize,
): f64 {
  const n = even(K + 1);
  const rows = scratch;
  const c0 = rows + TILE_BYTES * n;
  const acc = c0 + TILE_BYTES;
  const matrix = acc + (<usize> symmetricBlocks(n) << 6);
  const normal = at(matrix, n * n);
  const rhs = at(normal, K * K);
  memory.fill(acc, 0, <usize> symmetricBlocks(n) << 6);
  for (let p0 = 0; p0 < NP; p0 += TILE) {
    const length = NP - p0 < TILE ? NP - p0 : TILE;
    designTile(K, NP, basis, y, s, m, stride, p0, length, rows, c0);
    symmetricProduct(n, rows, even(length), acc);
  }
  symmetricResult(n, acc, matrix);
  for (let k = 0; k < K; k++) {
    for (let l = 0; l < K; l++) set(normal, k * K + l, get(matrix, k * n + l));
    set(rhs, k, get(matrix, K * n + k));
  }
  const logdet = cholesky(K, normal, factor);
  if (isNaN(logdet)) {
    // no factor, no coefficients: NaN, not what stood in the scratch before
    for (let k = 0; k < K; k++) set(coeff, k, NaN);
    return NaN;
  }
  forwardSolve(K, factor, rhs, coeff);
  backSolve(K, factor, coeff, coeff);
  return logdet;
}

/** Continuum c = aᵀP at pixels p0 … p0+n−1. */
// @ts-ignore: decorator
@inline
function continuumTile(K: i32, NP: i32, basis: usize, coeff: usize, p0: i32, n: i32, c: usize): void {
  let i = 0;
  for (; i + 3 < n; i += 4) {
    let s0 = f64x2.splat(0);
    let s1 = f64x2.splat(0);
    let p = at(basis, p0 + i);
    for (let k = 0; k < K; k++) {
      const a = v128.load64_splat(at(coeff, k));
      s0 = f64x2.add(s0, f64x2.mul(a, v128.load(p)));
      s1 = f64x2.add(s1, f64x2.mul(a, v128.load(p, 16)));
      p += <usize> NP << 3;
    }
    set2(c, i, s0);
    set2(c, i + 2, s1);
  }
  for (; i < n; i++) {
    let sum: f64 = 0;
    for (let k = 0; k < K; k++) sum += get(coeff, k) * get(basis, k * NP + p0 + i);
    set(c, i, sum);
  }
}

/** Σ (y − c m s)², and the model c m into `model` (contiguous) where that is not null. */
export function residual(
  NP: i32,
  K: i32,
  basis: usize,
  y: usize,
  s: usize,
  m: usize,
  stride: i32,
  coeff: usize,
  model: usize,
  scratch: usize,
): f64 {
  let sum0: f64 = 0;
  let sum1: f64 = 0;
  for (let p0 = 0; p0 < NP; p0 += TILE) {
    const n = NP - p0 < TILE ? NP - p0 : TILE;
    continuumTile(K, NP, basis, coeff, p0, n, scratch);
    for (let i = 0; i < n; i++) {
      const value = get(scratch, i) * get(m, (p0 + i) * stride);
      const r = get(y, p0 + i) - value * get(s, p0 + i);
      if (i & 1) sum1 += r * r;
      else sum0 += r * r;
      if (model) set(model, p0 + i, value);
    }
  }
  return sum0 + sum1;
}

/**
 * −2 ln L without 2Σlnσ, its gradient and Gauss-Newton matrix for a spectrum whose columns stand interleaved at T:
 * pixel i, column q at T[i·Q + q], column 0 the template, the others its derivatives; Q even. gradient[q] and
 * curvature[q·Q + q'] are written for all q; those of column 0 mean nothing. Coefficients go to coeff.
 */
export function projectedGradient(
  NP: i32,
  K: i32,
  Q: i32,
  basis: usize,
  y: usize,
  s: usize,
  T: usize,
  coeff: usize,
  gradient: usize,
  curvature: usize,
  scratch: usize,
): f64 {
  const n = even(K + 1);
  const rows = scratch;
  const c0 = rows + TILE_BYTES * n;
  const columns = c0 + TILE_BYTES; // Q rows
  const c = columns + TILE_BYTES * Q;
  const r = c + TILE_BYTES;
  const v = r + TILE_BYTES;
  const factor = v + 2 * TILE_BYTES;
  const inverse = at(factor, K * K);
  const cross = at(inverse, K * K); // Q × K
  const solved = at(cross, Q * K);
  const dots = at(solved, Q * K); // per column pair: two sums of two lanes, twice
  const accCross = dots + (<usize> Q << 5);
  const accOwn = accCross + (<usize> ((Q >> 1) * (n >> 1)) << 6);
  const own = accOwn + (<usize> symmetricBlocks(Q) << 6);

  // marginalise works in the same scratch below `columns` and after it; it is done before they are used
  const logdet = marginalise(NP, K, basis, y, s, T, Q, coeff, curvature, scratch);
  memory.copy(factor, curvature, <usize> (K * K) << 3);
  invert(K, factor, inverse);

  memory.fill(dots, 0, own - dots);
  let chi0 = f64x2.splat(0);
  for (let p0 = 0; p0 < NP; p0 += TILE) {
    const length = NP - p0 < TILE ? NP - p0 : TILE;
    const padded = even(length);
    designTile(K, NP, basis, y, s, T, Q, p0, length, rows, c0);
    continuumTile(K, NP, basis, coeff, p0, length, c);
    leverageTile(K, NP, basis, inverse, p0, length, v);
    if (length < padded) {
      set(c, length, 0);
      set(v, length, 0);
    }
    const data = rows + TILE_BYTES * K;
    for (let i = 0; i < padded; i += 2) {
      const ci = get2(c, i);
      const own0 = get2(c0, i);
      const ri = f64x2.sub(get2(data, i), f64x2.mul(ci, own0));
      chi0 = f64x2.add(chi0, f64x2.mul(ri, ri));
      set2(r, i, f64x2.mul(ri, ci));
      set2(v, i, f64x2.mul(get2(v, i), own0));
    }
    for (let q = 0; q < Q; q += 2) {
      const dot = dots + (<usize> q << 5);
      let r0 = v128.load(dot);
      let r1 = v128.load(dot + 16);
      let d0 = v128.load(dot + 32);
      let d1 = v128.load(dot + 48);
      let source = at(T, p0 * Q + q);
      const step = <usize> Q << 3;
      const row = columns + TILE_BYTES * q;
      for (let i = 0; i < padded; i += 2) {
        const left = v128.load(source);
        const right = i + 1 < length ? v128.load(source + step) : f64x2.splat(0);
        source += step << 1;
        const si = i + 1 < length ? get2(s, p0 + i) : f64x2.replace_lane(f64x2.splat(0), 0, get(s, p0 + i));
        const u0 = f64x2.mul(v128.shuffle<f64>(left, right, 0, 2), si);
        const u1 = f64x2.mul(v128.shuffle<f64>(left, right, 1, 3), si);
        const ri = get2(r, i);
        const vi = get2(v, i);
        const ci = get2(c, i);
        r0 = f64x2.add(r0, f64x2.mul(u0, ri));
        r1 = f64x2.add(r1, f64x2.mul(u1, ri));
        d0 = f64x2.add(d0, f64x2.mul(u0, vi));
        d1 = f64x2.add(d1, f64x2.mul(u1, vi));
        set2(row, i, f64x2.mul(u0, ci));
        v128.store(row + TILE_BYTES + (<usize> i << 3), f64x2.mul(u1, ci));
      }
      v128.store(dot, r0);
      v128.store(dot + 16, r1);
      v128.store(dot + 32, d0);
      v128.store(dot + 48, d1);
    }
    crossProduct(Q, columns, even(K), rows, padded, accCross);
    symmetricProduct(Q, columns, padded, accOwn);
  }

  let acc = accCross;
  for (let i = 0; i < Q; i += 2) {
    for (let j = 0; j < K; j += 2) {
      for (let k = 0; k < 4; k++) {
        const row = i + (k >> 1);
        const column = j + (k & 1);
        if (column < K) set(cross, row * K + column, across(v128.load(acc + (<usize> k << 4))));
      }
      acc += 64;
    }
  }
  for (let q = 0; q < Q; q++) forwardSolve(K, factor, at(cross, q * K), at(solved, q * K));
  symmetricResult(Q, accOwn, own);
  for (let q = 0; q < Q; q++) {
    const dot = dots + (<usize> (q & ~1) << 5) + (<usize> (q & 1) << 4);
    set(gradient, q, 2.0 * across(v128.load(dot + 32)) - 2.0 * across(v128.load(dot)));
    for (let p = 0; p <= q; p++) {
      let sum: f64 = 0;
      for (let k = 0; k < K; k++) sum += get(solved, q * K + k) * get(solved, p * K + k);
      const value = 2.0 * (get(own, q * Q + p) - sum);
      set(curvature, q * Q + p, value);
      set(curvature, p * Q + q, value);
    }
  }
  return logdet + across(chi0);
}

/** N⁻¹ from its factor. */
function invert(K: i32, factor: usize, inverse: usize): void {
  for (let k = 0; k < K; k++) {
    const column = at(inverse, k * K);
    for (let l = 0; l < K; l++) set(column, l, l == k ? 1.0 : 0.0);
    forwardSolve(K, factor, column, column);
    backSolve(K, factor, column, column);
  }
}

/** h_i = P_iᵀ N⁻¹ P_i at pixels p0 … p0+n−1. */
function leverageTile(K: i32, NP: i32, basis: usize, inverse: usize, p0: i32, n: i32, h: usize): void {
  const row = <usize> NP << 3;
  let i = 0;
  for (; i + 3 < n; i += 4) {
    let h0 = f64x2.splat(0);
    let h1 = f64x2.splat(0);
    const p = at(basis, p0 + i);
    for (let k = 0; k < K; k++) {
      let s0 = f64x2.splat(0);
      let s1 = f64x2.splat(0);
      let pl = p;
      let from = at(inverse, k * K);
      for (let l = 0; l < k; l++) {
        const w = v128.load64_splat(from);
        s0 = f64x2.add(s0, f64x2.mul(w, v128.load(pl)));
        s1 = f64x2.add(s1, f64x2.mul(w, v128.load(pl, 16)));
        pl += row;
        from += 8;
      }
      const w = v128.load64_splat(from);
      const p0k = v128.load(pl);
      const p1k = v128.load(pl, 16);
      s0 = f64x2.add(f64x2.add(s0, s0), f64x2.mul(w, p0k));
      s1 = f64x2.add(f64x2.add(s1, s1), f64x2.mul(w, p1k));
      h0 = f64x2.add(h0, f64x2.mul(s0, p0k));
      h1 = f64x2.add(h1, f64x2.mul(s1, p1k));
    }
    set2(h, i, h0);
    set2(h, i + 2, h1);
  }
  for (; i < n; i++) {
    let sum: f64 = 0;
    for (let k = 0; k < K; k++) {
      let part: f64 = 0;
      for (let l = 0; l < k; l++) part += get(inverse, k * K + l) * get(basis, l * NP + p0 + i);
      part = part + part + get(inverse, k * K + k) * get(basis, k * NP + p0 + i);
      sum += part * get(basis, k * NP + p0 + i);
    }
    set(h, i, sum);
  }
}

/** Spectra y, s against templates m: value without 2Σlnσ, coefficients, ln det N, Σ residual² over all and good pixels. */
export function chisq(
  E: i32,
  NP: i32,
  K: i32,
  basis: usize,
  y: usize,
  s: usize,
  m: usize,
  good: usize,
  value: usize,
  coeff: usize,
  logdet: usize,
  chi2: usize,
  chi2good: usize,
  model: usize,
  work: usize,
): void {
  const factor = work;
  const scratch = at(work, K * K);
  for (let e = 0; e < E; e++) {
    const shift = <usize> e * NP << 3;
    const a = at(coeff, e * K);
    const det = marginalise(NP, K, basis, y + shift, s + shift, m + shift, 1, a, factor, scratch);
    const chi = residual(NP, K, basis, y + shift, s + shift, m + shift, 1, a, model + shift, scratch);
    set(logdet, e, det);
    set(chi2, e, chi);
    set(chi2good, e, goodResidual(NP, y + shift, s + shift, model + shift, good + <usize> e * NP));
    set(value, e, det + chi);
  }
}

/** Σ (y − model s)² over the pixels with good ≠ 0. */
export function goodResidual(NP: i32, y: usize, s: usize, model: usize, good: usize): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < NP; i++) {
    if (load<u8>(good + i)) {
      const r = get(y, i) - get(model, i) * get(s, i);
      sum += r * r;
    }
  }
  return sum;
}

/** The same with gradient and Gauss-Newton matrix, template and derivatives interleaved: T[e, i, q]. */
export function chisq_gradient(
  E: i32,
  NP: i32,
  K: i32,
  Q: i32,
  basis: usize,
  y: usize,
  s: usize,
  T: usize,
  value: usize,
  coeff: usize,
  gradient: usize,
  curvature: usize,
  work: usize,
): void {
  // the factor passes through the curvature matrix, which may be the smaller of the two
  const full = work;
  const scratch = at(work, Q * Q > K * K ? Q * Q : K * K);
  for (let e = 0; e < E; e++) {
    const shift = <usize> e * NP << 3;
    const f = projectedGradient(
      NP,
      K,
      Q,
      basis,
      y + shift,
      s + shift,
      at(T, e * NP * Q),
      at(coeff, e * K),
      at(gradient, e * Q),
      full,
      scratch,
    );
    set(value, e, f);
    memory.copy(at(curvature, e * Q * Q), full, <usize> (Q * Q) << 3);
  }
}
