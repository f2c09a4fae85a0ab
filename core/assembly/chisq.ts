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

/** Sums of row pairs I and J ≤ I of a symmetric product: 2×2 elements of two lanes. */
// @ts-ignore: decorator
@inline
function blockAt(acc: usize, I: i32, J: i32): usize {
  return acc + (<usize> (I * (I + 1) / 2 + J) << 6);
}

/** acc += rows rowsᵀ for n (even) rows of `length` (even) elements, lower triangle of 2×2 blocks. */
function symmetricProduct(n: i32, rows: usize, length: i32, acc: usize): void {
  const pairs = n >> 1;
  let I = 0;
  while (I < pairs) {
    const a = rows + (TILE_BYTES << 1) * I;
    // two blocks at once share what they read of the other row pair
    const both = (I & 1) == 1 && I + 1 < pairs;
    for (let J = 0; J <= I; J++) {
      const b = rows + (TILE_BYTES << 1) * J;
      if (both) tallBlock(a, b, b + TILE_BYTES, length, blockAt(acc, I, J), blockAt(acc, I + 1, J));
      else block(a, b, b + TILE_BYTES, length, blockAt(acc, I, J));
    }
    I++;
    if (both) {
      const last = a + (TILE_BYTES << 1);
      block(last, last, last + TILE_BYTES, length, blockAt(acc, I, I));
      I++;
    }
  }
}

/** acc += 2×2 products of rows a, a+1 with b0, b1. */
// @ts-ignore: decorator
@inline
function block(a: usize, b0: usize, b1: usize, length: i32, acc: usize): void {
  let s00 = v128.load(acc);
  let s01 = v128.load(acc, 16);
  let s10 = v128.load(acc, 32);
  let s11 = v128.load(acc, 48);
  const end = a + (<usize> length << 3);
  while (a < end) {
    const x0 = v128.load(a);
    const x1 = v128.load(a, 1024); // TILE_BYTES
    const y0 = v128.load(b0);
    const y1 = v128.load(b1);
    s00 = f64x2.add(s00, f64x2.mul(x0, y0));
    s01 = f64x2.add(s01, f64x2.mul(x0, y1));
    s10 = f64x2.add(s10, f64x2.mul(x1, y0));
    s11 = f64x2.add(s11, f64x2.mul(x1, y1));
    a += 16;
    b0 += 16;
    b1 += 16;
  }
  v128.store(acc, s00);
  v128.store(acc, s01, 16);
  v128.store(acc, s10, 32);
  v128.store(acc, s11, 48);
}

/** Rows a … a+3 with b0, b1: two blocks. */
// @ts-ignore: decorator
@inline
function tallBlock(a: usize, b0: usize, b1: usize, length: i32, acc: usize, below: usize): void {
  let s00 = v128.load(acc);
  let s01 = v128.load(acc, 16);
  let s10 = v128.load(acc, 32);
  let s11 = v128.load(acc, 48);
  let s20 = v128.load(below);
  let s21 = v128.load(below, 16);
  let s30 = v128.load(below, 32);
  let s31 = v128.load(below, 48);
  const end = a + (<usize> length << 3);
  while (a < end) {
    const y0 = v128.load(b0);
    const y1 = v128.load(b1);
    let x = v128.load(a);
    s00 = f64x2.add(s00, f64x2.mul(x, y0));
    s01 = f64x2.add(s01, f64x2.mul(x, y1));
    x = v128.load(a, 1024);
    s10 = f64x2.add(s10, f64x2.mul(x, y0));
    s11 = f64x2.add(s11, f64x2.mul(x, y1));
    x = v128.load(a, 2048);
    s20 = f64x2.add(s20, f64x2.mul(x, y0));
    s21 = f64x2.add(s21, f64x2.mul(x, y1));
    x = v128.load(a, 3072);
    s30 = f64x2.add(s30, f64x2.mul(x, y0));
    s31 = f64x2.add(s31, f64x2.mul(x, y1));
    a += 16;
    b0 += 16;
    b1 += 16;
  }
  v128.store(acc, s00);
  v128.store(acc, s01, 16);
  v128.store(acc, s10, 32);
  v128.store(acc, s11, 48);
  v128.store(below, s20);
  v128.store(below, s21, 16);
  v128.store(below, s30, 32);
  v128.store(below, s31, 48);
}

/** acc += rows · y for n (even) rows, two lanes a row. */
function rowProducts(n: i32, rows: usize, y: usize, length: i32, acc: usize): void {
  for (let i = 0; i < n; i += 2) {
    let a = rows + TILE_BYTES * i;
    let b = y;
    let s0 = v128.load(acc);
    let s1 = v128.load(acc, 16);
    const end = a + (<usize> length << 3);
    while (a < end) {
      const d = v128.load(b);
      s0 = f64x2.add(s0, f64x2.mul(v128.load(a), d));
      s1 = f64x2.add(s1, f64x2.mul(v128.load(a, 1024), d)); // TILE_BYTES
      a += 16;
      b += 16;
    }
    v128.store(acc, s0);
    v128.store(acc, s1, 16);
    acc += 32;
  }
}

/**
 * acc += rows Pᵀ for n (even) rows of a tile and the K rows of the basis at pixel p0: blocks of 2×2, those of a row pair
 * together.
 */
function basisProduct(n: i32, rows: usize, K: i32, NP: i32, basis: usize, p0: i32, length: i32, acc: usize): void {
  const across = (K + 1) >> 1;
  const pairs = n >> 1;
  const whole = length & ~1;
  const row = <usize> NP << 3;
  for (let I = 0; I < pairs; I += 2) {
    const a = rows + (TILE_BYTES << 1) * I;
    const to = acc + (<usize> (I * across) << 6);
    for (let J = 0; J < across; J++) {
      const b = at(basis, p0) + row * (2 * J);
      // of an odd K the last row stands twice
      const next = 2 * J + 1 < K ? b + row : b;
      const here = to + (<usize> J << 6);
      if (I + 1 < pairs) tallBlock(a, b, next, whole, here, here + (<usize> across << 6));
      else block(a, b, next, whole, here);
    }
  }
  if (whole == length) return;
  // the odd pixel counts to the even lane
  for (let q = 0; q < n; q++) {
    const u = get(rows + TILE_BYTES * q, whole);
    const line = acc + (<usize> ((q >> 1) * across) << 6) + (<usize> (q & 1) << 5);
    for (let k = 0; k < K; k++) {
      const sum = line + (<usize> (k >> 1) << 6) + (<usize> (k & 1) << 4);
      store<f64>(sum, load<f64>(sum) + u * get(basis, k * NP + p0 + whole));
    }
  }
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

/** Tile of the design: row k < K is P_k c0, c0 = m s; zeros past n and in the row that makes an odd K even. */
function designTile(
  K: i32,
  NP: i32,
  basis: usize,
  s: usize,
  m: usize,
  stride: i32,
  p0: i32,
  n: i32,
  rows: usize,
  c0: usize,
): void {
  const length = even(n);
  scaledTemplate(s, m, stride, p0, n, c0);
  for (let k = 0; k < K; k++) {
    const row = rows + TILE_BYTES * k;
    const p = at(basis, k * NP + p0);
    for (let i = 0; i + 1 < n; i += 2) set2(row, i, f64x2.mul(get2(p, i), get2(c0, i)));
    if (n < length) set2(row, n - 1, f64x2.replace_lane(f64x2.splat(0), 0, get(p, n - 1) * get(c0, n - 1)));
  }
  if (K & 1) memory.fill(rows + TILE_BYTES * K, 0, <usize> length << 3);
}

/** c0 = m s at pixels p0 … p0+n−1, a zero behind an odd n. */
// @ts-ignore: decorator
@inline
function scaledTemplate(s: usize, m: usize, stride: i32, p0: i32, n: i32, c0: usize): void {
  for (let i = 0; i < n; i++) set(c0, i, get(m, (p0 + i) * stride) * get(s, p0 + i));
  if (n & 1) set(c0, n, 0);
}

/** y at pixels p0 … p0+n−1, a zero behind an odd n. */
// @ts-ignore: decorator
@inline
function dataTile(y: usize, p0: i32, n: i32, data: usize): void {
  for (let i = 0; i + 1 < n; i += 2) set2(data, i, get2(y, p0 + i));
  if (n & 1) set2(data, n - 1, f64x2.replace_lane(f64x2.splat(0), 0, get(y, p0 + n - 1)));
}

/**
 * Normal equations and their solution for one spectrum. `m` has `stride` float64s between pixels. Leaves the K
 * coefficients at coeff, the factor (K×K, row-major) at factor; returns ln det N. The scratch is that of the kernel table.
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
  const n = even(K);
  const rows = scratch;
  const data = rows + TILE_BYTES * n;
  const c0 = data + TILE_BYTES;
  const acc = c0 + TILE_BYTES;
  const sums = acc + (<usize> symmetricBlocks(n) << 6);
  const matrix = sums + (<usize> n << 4);
  const normal = at(matrix, n * n);
  const rhs = at(normal, K * K);
  memory.fill(acc, 0, matrix - acc);
  for (let p0 = 0; p0 < NP; p0 += TILE) {
    const length = NP - p0 < TILE ? NP - p0 : TILE;
    designTile(K, NP, basis, s, m, stride, p0, length, rows, c0);
    dataTile(y, p0, length, data);
    symmetricProduct(n, rows, even(length), acc);
    rowProducts(n, rows, data, even(length), sums);
  }
  symmetricResult(n, acc, matrix);
  for (let k = 0; k < K; k++) {
    for (let l = 0; l < K; l++) set(normal, k * K + l, get(matrix, k * n + l));
    set(rhs, k, across(v128.load(sums + (<usize> k << 4))));
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
  const row = <usize> NP << 3;
  let i = 0;
  for (; i + 7 < n; i += 8) {
    let s0 = f64x2.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let p = at(basis, p0 + i);
    for (let k = 0; k < K; k++) {
      const a = v128.load64_splat(at(coeff, k));
      s0 = f64x2.add(s0, f64x2.mul(a, v128.load(p)));
      s1 = f64x2.add(s1, f64x2.mul(a, v128.load(p, 16)));
      s2 = f64x2.add(s2, f64x2.mul(a, v128.load(p, 32)));
      s3 = f64x2.add(s3, f64x2.mul(a, v128.load(p, 48)));
      p += row;
    }
    set2(c, i, s0);
    set2(c, i + 2, s1);
    set2(c, i + 4, s2);
    set2(c, i + 6, s3);
  }
  for (; i < n; i++) {
    let sum: f64 = 0;
    for (let k = 0; k < K; k++) sum += get(coeff, k) * get(basis, k * NP + p0 + i);
    set(c, i, sum);
  }
}

/** Σ (y − c m s)², and the model c m into `model` where that is not null. */
export function residual(
  NP: i32,
  K: i32,
  basis: usize,
  y: usize,
  s: usize,
  m: usize,
  coeff: usize,
  model: usize,
  scratch: usize,
): f64 {
  let sum = f64x2.splat(0);
  for (let p0 = 0; p0 < NP; p0 += TILE) {
    const n = NP - p0 < TILE ? NP - p0 : TILE;
    continuumTile(K, NP, basis, coeff, p0, n, scratch);
    let i = 0;
    for (; i + 1 < n; i += 2) {
      const value = f64x2.mul(get2(scratch, i), get2(m, p0 + i));
      const r = f64x2.sub(get2(y, p0 + i), f64x2.mul(value, get2(s, p0 + i)));
      sum = f64x2.add(sum, f64x2.mul(r, r));
      if (model) set2(model, p0 + i, value);
    }
    if (i < n) {
      const value = get(scratch, i) * get(m, p0 + i);
      const r = get(y, p0 + i) - value * get(s, p0 + i);
      sum = f64x2.add(sum, f64x2.replace_lane(f64x2.splat(0), 0, r * r));
      if (model) set(model, p0 + i, value);
    }
  }
  return across(sum);
}

/**
 * −2 ln L without 2Σlnσ, its gradient and Gauss-Newton matrix for a spectrum whose columns stand interleaved at T:
 * pixel i, column q at T[i·Q + q], column 0 the template, the others its derivatives. gradient[q] and curvature[q·Q + q']
 * are written for the `count` columns from `first` on; count is even. Those of column 0 mean nothing. Coefficients go to
 * coeff.
 */
export function projectedGradient(
  NP: i32,
  K: i32,
  Q: i32,
  first: i32,
  count: i32,
  basis: usize,
  y: usize,
  s: usize,
  T: usize,
  coeff: usize,
  gradient: usize,
  curvature: usize,
  scratch: usize,
): f64 {
  // marginalise works in the same scratch; it is done before this is used
  const c0 = scratch;
  const data = c0 + TILE_BYTES;
  const c = data + TILE_BYTES;
  const r = c + TILE_BYTES;
  const v = r + TILE_BYTES;
  const columns = v + TILE_BYTES; // count rows c u
  const weighted = columns + TILE_BYTES * count; // count rows c u c0
  const factor = weighted + TILE_BYTES * count;
  const inverse = at(factor, K * K);
  const pairs = at(inverse, K * K); // see leveragePairs
  const cross = at(pairs, K * (K + 3)); // count × K
  const solved = at(cross, count * K);
  const dots = at(solved, count * K); // per column pair: two sums of two lanes, twice
  const accCross = dots + (<usize> count << 5);
  const accOwn = accCross + (<usize> ((count >> 1) * ((K + 1) >> 1)) << 6);
  const own = accOwn + (<usize> symmetricBlocks(count) << 6);

  const logdet = marginalise(NP, K, basis, y, s, T, Q, coeff, curvature, scratch);
  memory.copy(factor, curvature, <usize> (K * K) << 3);
  invert(K, factor, inverse);
  leveragePairs(K, inverse, pairs);

  memory.fill(dots, 0, own - dots);
  const step = <usize> Q << 3;
  let chi0 = f64x2.splat(0);
  for (let p0 = 0; p0 < NP; p0 += TILE) {
    const length = NP - p0 < TILE ? NP - p0 : TILE;
    const padded = even(length);
    scaledTemplate(s, T, Q, p0, length, c0);
    dataTile(y, p0, length, data);
    continuumTile(K, NP, basis, coeff, p0, length, c);
    leverageTile(K, NP, basis, pairs, p0, length, v);
    if (length < padded) {
      set(c, length, 0);
      set(v, length, 0);
    }
    for (let i = 0; i < padded; i += 2) {
      const ci = get2(c, i);
      const own0 = get2(c0, i);
      const ri = f64x2.sub(get2(data, i), f64x2.mul(ci, own0));
      chi0 = f64x2.add(chi0, f64x2.mul(ri, ri));
      set2(r, i, f64x2.mul(ri, ci));
      set2(v, i, f64x2.mul(get2(v, i), own0));
    }
    for (let q = 0; q < count; q += 2) {
      const dot = dots + (<usize> q << 5);
      let r0 = v128.load(dot);
      let r1 = v128.load(dot, 16);
      let d0 = v128.load(dot, 32);
      let d1 = v128.load(dot, 48);
      let source = at(T, p0 * Q + first + q);
      const row = columns + TILE_BYTES * q;
      const heavy = weighted + TILE_BYTES * q;
      for (let i = 0; i < padded; i += 2) {
        const left = v128.load(source);
        const right = i + 1 < length ? v128.load(source + step) : f64x2.splat(0);
        source += step << 1;
        const si = i + 1 < length ? get2(s, p0 + i) : f64x2.replace_lane(f64x2.splat(0), 0, get(s, p0 + i));
        const u0 = f64x2.mul(v128.shuffle<f64>(left, right, 0, 2), si);
        const u1 = f64x2.mul(v128.shuffle<f64>(left, right, 1, 3), si);
        const ri = get2(r, i);
        const vi = get2(v, i);
        r0 = f64x2.add(r0, f64x2.mul(u0, ri));
        r1 = f64x2.add(r1, f64x2.mul(u1, ri));
        d0 = f64x2.add(d0, f64x2.mul(u0, vi));
        d1 = f64x2.add(d1, f64x2.mul(u1, vi));
        const ci = get2(c, i);
        const g0 = f64x2.mul(u0, ci);
        const g1 = f64x2.mul(u1, ci);
        const at0 = get2(c0, i);
        const pixel = <usize> i << 3;
        v128.store(row + pixel, g0);
        v128.store(row + pixel, g1, 1024); // TILE_BYTES
        v128.store(heavy + pixel, f64x2.mul(g0, at0));
        v128.store(heavy + pixel, f64x2.mul(g1, at0), 1024);
      }
      v128.store(dot, r0);
      v128.store(dot, r1, 16);
      v128.store(dot, d0, 32);
      v128.store(dot, d1, 48);
    }
    basisProduct(count, weighted, K, NP, basis, p0, length, accCross);
    symmetricProduct(count, columns, padded, accOwn);
  }

  let acc = accCross;
  for (let i = 0; i < count; i += 2) {
    for (let j = 0; j < K; j += 2) {
      for (let k = 0; k < 4; k++) {
        const row = i + (k >> 1);
        const column = j + (k & 1);
        if (column < K) set(cross, row * K + column, across(v128.load(acc + (<usize> k << 4))));
      }
      acc += 64;
    }
  }
  for (let q = 0; q < count; q++) forwardSolve(K, factor, at(cross, q * K), at(solved, q * K));
  symmetricResult(count, accOwn, own);
  for (let q = 0; q < count; q++) {
    const dot = dots + (<usize> (q & ~1) << 5) + (<usize> (q & 1) << 4);
    set(gradient, first + q, 2.0 * across(v128.load(dot + 32)) - 2.0 * across(v128.load(dot)));
    for (let p = 0; p <= q; p++) {
      let sum: f64 = 0;
      for (let k = 0; k < K; k++) sum += get(solved, q * K + k) * get(solved, p * K + k);
      const value = 2.0 * (get(own, q * count + p) - sum);
      set(curvature, (first + q) * Q + first + p, value);
      set(curvature, (first + p) * Q + first + q, value);
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

/**
 * The quadratic form P_iᵀ N⁻¹ P_i = Σ_k P_k Σ_{l≤k} w_kl P_l, w_kl = 2 N⁻¹_kl below the diagonal: per pair of rows k,
 * k+1 the weights (w_kl, w_{k+1,l}) for l = 0 … k+1, zero where there is none.
 */
function leveragePairs(K: i32, inverse: usize, pairs: usize): void {
  for (let k = 0; k < K; k += 2) {
    for (let l = 0; l <= k + 1; l++) {
      for (let row = k; row <= k + 1; row++) {
        const w = row >= K || l > row ? 0.0 : get(inverse, row * K + l);
        store<f64>(pairs, l < row ? w + w : w);
        pairs += 8;
      }
    }
  }
}

/** h_i = P_iᵀ N⁻¹ P_i at pixels p0 … p0+n−1. */
function leverageTile(K: i32, NP: i32, basis: usize, pairs: usize, p0: i32, n: i32, h: usize): void {
  const row = <usize> NP << 3;
  const zero = f64x2.splat(0);
  let i = 0;
  for (; i + 7 < n; i += 8) {
    let h0 = zero, h1 = zero, h2 = zero, h3 = zero;
    const p = at(basis, p0 + i);
    let weight = pairs;
    for (let k = 0; k < K; k += 2) {
      let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
      let b0 = zero, b1 = zero, b2 = zero, b3 = zero;
      let pl = p;
      const last = k + 1 < K ? k + 1 : k;
      for (let l = 0; l <= last; l++) {
        const wa = v128.load64_splat(weight);
        const wb = v128.load64_splat(weight, 8);
        let x = v128.load(pl);
        a0 = f64x2.add(a0, f64x2.mul(wa, x));
        b0 = f64x2.add(b0, f64x2.mul(wb, x));
        x = v128.load(pl, 16);
        a1 = f64x2.add(a1, f64x2.mul(wa, x));
        b1 = f64x2.add(b1, f64x2.mul(wb, x));
        x = v128.load(pl, 32);
        a2 = f64x2.add(a2, f64x2.mul(wa, x));
        b2 = f64x2.add(b2, f64x2.mul(wb, x));
        x = v128.load(pl, 48);
        a3 = f64x2.add(a3, f64x2.mul(wa, x));
        b3 = f64x2.add(b3, f64x2.mul(wb, x));
        pl += row;
        weight += 16;
      }
      const pk = p + row * k;
      h0 = f64x2.add(h0, f64x2.mul(a0, v128.load(pk)));
      h1 = f64x2.add(h1, f64x2.mul(a1, v128.load(pk, 16)));
      h2 = f64x2.add(h2, f64x2.mul(a2, v128.load(pk, 32)));
      h3 = f64x2.add(h3, f64x2.mul(a3, v128.load(pk, 48)));
      if (k + 1 < K) {
        const next = pk + row;
        h0 = f64x2.add(h0, f64x2.mul(b0, v128.load(next)));
        h1 = f64x2.add(h1, f64x2.mul(b1, v128.load(next, 16)));
        h2 = f64x2.add(h2, f64x2.mul(b2, v128.load(next, 32)));
        h3 = f64x2.add(h3, f64x2.mul(b3, v128.load(next, 48)));
      }
    }
    set2(h, i, h0);
    set2(h, i + 2, h1);
    set2(h, i + 4, h2);
    set2(h, i + 6, h3);
  }
  for (; i < n; i++) {
    let sum: f64 = 0;
    let weight = pairs;
    for (let k = 0; k < K; k += 2) {
      let a: f64 = 0, b: f64 = 0;
      const last = k + 1 < K ? k + 1 : k;
      for (let l = 0; l <= last; l++) {
        const x = get(basis, l * NP + p0 + i);
        a += load<f64>(weight) * x;
        b += load<f64>(weight, 8) * x;
        weight += 16;
      }
      sum += a * get(basis, k * NP + p0 + i);
      if (k + 1 < K) sum += b * get(basis, (k + 1) * NP + p0 + i);
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
    const chi = residual(NP, K, basis, y + shift, s + shift, m + shift, a, model + shift, scratch);
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
      0,
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
