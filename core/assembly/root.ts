// Inverse square roots of covariances from their inverses: Q = C^(−1/2) = S^(1/2) of a banded S, as a sum over poles.
//
//   √S ≈ Σ_p g_p S (S + σ_p)⁻¹ = Σ_p g_p (1 − σ_p (S + σ_p)⁻¹)
//
// The poles are those of Zolotarev's approximation on [m, M], an interval that holds the spectrum (core/extraction/
// poles.ts): the error falls by e^(−2π²/(ln(M/m)+3)) with each. Every pole is a banded Cholesky factorisation, two
// solutions (Q·1 and Q·x, with right-hand sides S·1 and S·x that nothing cancels in), and the band of the inverse by
// Takahashi's recursion. Two poles go at a time, one a lane. Source: Hale, Higham & Trefethen 2008, SIAM J. Numer.
// Anal. 46, 2505, method 3. Twins: gpu/kernels/root.cu, core/kernels/root.ts.
import {
  backwardRow,
  factorColumns,
  factorPair,
  forwardPair,
  inverseRow,
  pairRow,
  pairStride,
  windowRow,
  windowRows,
  windowVectors,
} from "./band_pair";
import { across, at, get, set } from "./memory";

/** Rows that are factored while they are in the cache. */
const CHUNK = 64;

/** Rows i0 ≤ i < i1 of S + shift, a lower band, into both lanes. */
function spread(H: i32, s: usize, shift: v128, a: usize, i0: i32, i1: i32): void {
  for (let i = i0; i < i1; i++) {
    const row = a + ((<usize> (i * pairStride(H))) << 4);
    v128.store(row, f64x2.splat(0));
    v128.store(row + 16, f64x2.splat(0));
    v128.store(row + 32, f64x2.splat(0));
    const from = at(s, i * (H + 1));
    for (let k = 0; k < H; k++) v128.store(row + ((<usize> (3 + k)) << 4), v128.load64_splat(at(from, k)));
    v128.store(row + ((<usize> (3 + H)) << 4), f64x2.add(v128.load64_splat(at(from, H)), shift));
  }
}

/** Σ_j S_ij v_j for all i; element j of v is v[j·stride], of out out[i]. */
function multiply(N: i32, H: i32, s: usize, v: usize, stride: i32, out: usize): void {
  for (let i = 0; i < N; i++) set(out, i, 0);
  for (let i = 0; i < N; i++) {
    const row = at(s, i * (H + 1) + H - i);
    const vi = get(v, i * stride);
    let sum = get(row, i) * vi;
    for (let k = i > H ? i - H : 0; k < i; k++) {
      sum += get(row, k) * get(v, k * stride);
      set(out, k, get(out, k) + get(row, k) * vi);
    }
    set(out, i, get(out, i) + sum);
  }
}

/** Bounds of the spectra of B·F matrices: largest row sums of |S| and of |S⁻¹| within the band. */
export function band_extent(B: i32, F: i32, L: i32, H: i32, s: usize, low: usize, high: usize, work: usize): void {
  const a = work;
  const inverse = a + ((<usize> (L * pairStride(H))) << 4);
  const window = inverse + ((<usize> L) << 4);
  const sums = window + ((<usize> windowVectors(H)) << 4);
  const rows = windowRows(H);
  for (let m = 0; m < B * F; m++) {
    const one = s + ((<usize> m * L * (H + 1)) << 3);
    for (let i = 0; i < L; i++) set(sums, i, 0);
    let most: f64 = 0;
    for (let i = 0; i < L; i++) {
      const row = at(one, i * (H + 1) + H - i);
      let sum = Math.abs(get(row, i));
      for (let k = i > H ? i - H : 0; k < i; k++) {
        const value = Math.abs(get(row, k));
        sum += value;
        set(sums, k, get(sums, k) + value);
      }
      set(sums, i, get(sums, i) + sum);
    }
    for (let i = 0; i < L; i++) most = Math.max(most, get(sums, i));
    set(high, m, most);
    spread(H, one, f64x2.splat(0), a, 0, L);
    factorPair(L, H, a, inverse);
    let widest: f64 = 0;
    for (let i = 0; i < L; i++) set(sums, i, 0);
    for (let i = L - 1; i >= 0; i--) {
      inverseRow(L, H, a, inverse, rows, window, i);
      const here = windowRow(H, rows, window, i);
      const last = i + H < L ? i + H : L - 1;
      let sum = Math.abs(f64x2.extract_lane(v128.load(here + ((<usize> i) << 4)), 0));
      for (let j = i + 1; j <= last; j++) {
        const value = Math.abs(f64x2.extract_lane(v128.load(here + ((<usize> j) << 4)), 0));
        sum += value;
        set(sums, j, get(sums, j) + value);
      }
      set(sums, i, get(sums, i) + sum);
    }
    for (let i = 0; i < L; i++) widest = Math.max(widest, get(sums, i));
    set(low, m, 1.0 / widest);
  }
}

/** Bands of Q, Q·1 and Q·x of B·F matrices. */
export function band_root(
  B: i32,
  F: i32,
  L: i32,
  H: i32,
  P: i32,
  ND: i32,
  s: usize,
  x: usize,
  count: usize,
  shift: usize,
  weight: usize,
  q: usize,
  rowsum: usize,
  qx: usize,
  work: usize,
): void {
  const a = work;
  const inverse = a + ((<usize> (L * pairStride(H))) << 4);
  const u = inverse + ((<usize> L) << 4);
  const v = u + ((<usize> L) << 4);
  const window = v + ((<usize> L) << 4);
  const products = window + ((<usize> windowVectors(H)) << 4);
  const rows = windowRows(H);
  // 1 for every bin, element 0 of a row of zero stride
  const one = products + ((<usize> (2 * L)) << 3);
  set(one, 0, 1.0);
  for (let b = 0; b < B; b++) {
    for (let f = 0; f < F; f++) {
      const m = b * F + f;
      const sm = s + ((<usize> m * L * (H + 1)) << 3);
      const qm = q + ((<usize> m * L * (ND + 1)) << 3);
      const sumM = at(rowsum, m * L);
      const qxM = at(qx, m * L);
      multiply(L, H, sm, one, 0, products);
      multiply(L, H, sm, at(x, b * L * F + f), F, at(products, L));
      const n = load<i32>(count + ((<usize> m) << 2));
      let constant: f64 = 0;
      for (let p = 0; p < n; p++) constant += get(weight, m * P + p);
      for (let i = 0; i < L; i++) {
        set(sumM, i, 0);
        set(qxM, i, 0);
        for (let k = 0; k < ND; k++) set(qm, i * (ND + 1) + k, 0);
        set(qm, i * (ND + 1) + ND, constant);
      }
      for (let p = 0; p < n; p += 2) {
        // of an odd number the last pole is alone: the other lane does the same and counts for nothing
        const other = p + 1 < n ? p + 1 : p;
        const sigma = f64x2.replace_lane(f64x2.splat(get(shift, m * P + p)), 1, get(shift, m * P + other));
        const g0 = get(weight, m * P + p);
        const g1 = p + 1 < n ? get(weight, m * P + other) : 0.0;
        const g = f64x2.replace_lane(f64x2.splat(g0), 1, g1);
        const gs = f64x2.mul(g, sigma);
        for (let i = 0; i < L; i++) {
          v128.store(u + ((<usize> i) << 4), f64x2.splat(get(products, i)));
          v128.store(v + ((<usize> i) << 4), f64x2.splat(get(products, L + i)));
        }
        let ready = 0;
        for (let i = 0; i < L; i += CHUNK) {
          const end = i + CHUNK < L ? i + CHUNK : L;
          const reach = end + H < L ? end + H : L;
          spread(H, sm, sigma, a, ready, reach);
          ready = reach;
          factorColumns(L, H, a, inverse, i, end);
          forwardPair(H, a, inverse, u, v, i, end);
        }
        for (let i = L - 1; i >= 0; i--) {
          backwardRow(H, a, inverse, u, v, i);
          inverseRow(L, H, a, inverse, rows, window, i);
          const here = windowRow(H, rows, window, i);
          for (let d = 0; d <= ND && i + d < L && d <= H; d++) {
            const z = f64x2.mul(gs, v128.load(here + ((<usize> (i + d)) << 4)));
            const place = (i + d) * (ND + 1) + ND - d;
            set(qm, place, get(qm, place) - across(z));
          }
          set(sumM, i, get(sumM, i) + across(f64x2.mul(g, v128.load(u + ((<usize> i) << 4)))));
          set(qxM, i, get(qxM, i) + across(f64x2.mul(g, v128.load(v + ((<usize> i) << 4)))));
        }
      }
    }
  }
}

/** Flux, inverse variance and stored columns of R of the bins that are kept: R = Q / Σ_j Q_ij, flux = R x. */
export function decorrelate(
  B: i32,
  L: i32,
  M: i32,
  FIRST: i32,
  ND: i32,
  q: usize,
  rowsum: usize,
  qx: usize,
  flux: usize,
  ivar: usize,
  resolution: usize,
): void {
  const bands = 2 * ND + 1;
  for (let b = 0; b < B; b++) {
    const qb = q + ((<usize> b * L * (ND + 1)) << 3);
    const sum = at(rowsum, b * L);
    const r = resolution + ((<usize> b * bands * M) << 3);
    for (let j = 0; j < M; j++) {
      const bin = FIRST + j;
      const total = get(sum, bin);
      set(flux, b * M + j, get(qx, b * L + bin) / total);
      set(ivar, b * M + j, total * total);
      for (let k = 0; k < bands; k++) {
        const i = bin - ND + k;
        let value: f64 = 0;
        if (i >= 0 && i < L) {
          const low = i < bin ? i : bin;
          const high = i < bin ? bin : i;
          value = get(qb, high * (ND + 1) + ND - high + low) / get(sum, i);
        }
        set(r, k * M + j, value);
      }
    }
  }
}
