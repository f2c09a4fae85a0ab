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
import { leveragePairs, leverageTile } from "./leverage";
import { across, at, get, get2, set, set2 } from "./memory";
import {
  basisProduct,
  even,
  rowProducts,
  symmetricBlocks,
  symmetricProduct,
  symmetricResult,
  TILE,
  TILE_BYTES,
} from "./tile_products";

/** Tile of the design: row k < K is P_k c0, c0 = m s; zeros past n and in the row that makes an odd K even. */
function designTile(
  K: i32,
  NP: i32,
  basis: usize,
  s: usize,
  m: usize,
  p0: i32,
  n: i32,
  rows: usize,
  c0: usize,
): void {
  const length = even(n);
  scaledTemplate(s, m, p0, n, c0);
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
function scaledTemplate(s: usize, m: usize, p0: i32, n: i32, c0: usize): void {
  for (let i = 0; i + 1 < n; i += 2) set2(c0, i, f64x2.mul(get2(m, p0 + i), get2(s, p0 + i)));
  if (n & 1) {
    const last = p0 + n - 1;
    set2(c0, n - 1, f64x2.replace_lane(f64x2.splat(0), 0, get(m, last) * get(s, last)));
  }
}

/** y at pixels p0 … p0+n−1, a zero behind an odd n. */
// @ts-ignore: decorator
@inline
function dataTile(y: usize, p0: i32, n: i32, data: usize): void {
  for (let i = 0; i + 1 < n; i += 2) set2(data, i, get2(y, p0 + i));
  if (n & 1) set2(data, n - 1, f64x2.replace_lane(f64x2.splat(0), 0, get(y, p0 + n - 1)));
}

/**
 * Normal equations and their solution for one spectrum under the template m. Leaves the K coefficients at coeff, the
 * factor (K×K, row-major) at factor; returns ln det N. The scratch is that of the kernel table.
 */
export function marginalise(
  NP: i32,
  K: i32,
  basis: usize,
  y: usize,
  s: usize,
  m: usize,
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
    designTile(K, NP, basis, s, m, p0, length, rows, c0);
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
 * pixel i, column q at T[i·Q + q], column 0 the template, which stands at m as well, the others its derivatives. gradient[q] and curvature[q·Q + q']
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
  m: usize,
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

  const logdet = marginalise(NP, K, basis, y, s, m, coeff, curvature, scratch);
  memory.copy(factor, curvature, <usize> (K * K) << 3);
  invert(K, factor, inverse);
  leveragePairs(K, inverse, pairs);

  memory.fill(dots, 0, own - dots);
  const step = <usize> Q << 3;
  let chi0 = f64x2.splat(0);
  for (let p0 = 0; p0 < NP; p0 += TILE) {
    const length = NP - p0 < TILE ? NP - p0 : TILE;
    const padded = even(length);
    scaledTemplate(s, m, p0, length, c0);
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
    const det = marginalise(NP, K, basis, y + shift, s + shift, m + shift, a, factor, scratch);
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
  const m = at(work, Q * Q > K * K ? Q * Q : K * K);
  const scratch = at(m, NP);
  for (let e = 0; e < E; e++) {
    const shift = <usize> e * NP << 3;
    const columns = at(T, e * NP * Q);
    for (let i = 0; i < NP; i++) set(m, i, get(columns, i * Q));
    const f = projectedGradient(
      NP,
      K,
      Q,
      0,
      Q,
      basis,
      y + shift,
      s + shift,
      columns,
      m,
      at(coeff, e * K),
      at(gradient, e * Q),
      full,
      scratch,
    );
    set(value, e, f);
    memory.copy(at(curvature, e * Q * Q), full, <usize> (Q * Q) << 3);
  }
}
