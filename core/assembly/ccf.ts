// χ² of many templates at many velocities, as correlations on a grid uniform in ln λ.
//
//   data d with weights w = 1/σ² on the grid, template t:   χ²(lag) − Σ d² w = −2 Σ_j t_j (d w)_{j+lag} + Σ_j t_j² w_{j+lag}
//
// A positive lag is a redshift: the template has moved by lag grid steps to longer wavelengths, λ_obs = λ e^{lag Δ ln λ}.
// Both sums are circular. They are added in Fourier space, P_k = conj(T_k) (−2 D_k) + conj(T²_k) W_k, and two
// templates travel as the real and the imaginary part of one inverse transform.
//
// Only the 2L+1 lags round zero are wanted, a few hundred of N. With M ≥ 2L+1 a power of two and s = N/M,
//
//   z_lag = Σ_{q<s} e^{2πi q lag/N} [ Σ_{j<M} Z_{q+sj} e^{2πi j lag/M} ]
//
// that is s transforms of M points, in blocks of columns that stay in cache, and a Horner sum over q.
// Twins: gpu/kernels/ccf.cu, core/kernels/ccf.ts.
import { passes, transform } from "./fourier";
import { at, get, set } from "./memory";

/** Columns transformed together. */
const BLOCK: i32 = 16;

/**
 * Adds the pixels FIRST ≤ p < LAST of one arm to the grids of G points of S stars, spectrum b to that of
 * star[b], the spectra of a star in their order. With c the continuum, y = flux/σ and
 * s = 1/σ a pixel carries the weight (c s)² of the value y/(c s) − 1; the share 1−f goes to grid point i, f to i+1.
 * Pixels with c ≤ 0 or s = 0 (or NaN for either) and those off the grid add nothing. `index` must not decrease, so
 * that a grid point receives its pixels in their order: first those of the cell to its left, then of that to its right.
 */
export function ccf_spread(
  B: i32,
  S: i32,
  P: i32,
  G: i32,
  FIRST: i32,
  LAST: i32,
  y: usize,
  s: usize,
  continuum: usize,
  index: usize,
  fraction: usize,
  star: usize,
  dw: usize,
  w: usize,
): void {
  const stop = LAST < P ? LAST : P;
  for (let b = 0; b < B; b++) {
    const yb = at(y, b * P);
    const sb = at(s, b * P);
    const cb = at(continuum, b * P);
    const owner = load<i32>(star + ((<usize> b) << 2));
    const dwb = at(dw, owner * G);
    const wb = at(w, owner * G);
    for (let p = FIRST; p < stop; p++) {
      const i = load<i32>(index + ((<usize> p) << 2));
      const c = get(cb, p);
      const inverse = get(sb, p);
      if (!(c > 0 && inverse > 0) || i < 0 || i + 1 >= G) continue;
      const cs = c * inverse;
      const weight = cs * cs;
      const value = get(yb, p) * cs - weight;
      const f = get(fraction, p);
      const g = 1.0 - f;
      set(wb, i, get(wb, i) + g * weight);
      set(wb, i + 1, get(wb, i + 1) + f * weight);
      set(dwb, i, get(dwb, i) + g * value);
      set(dwb, i + 1, get(dwb, i + 1) + f * value);
    }
  }
}

/** (im, re). */
// @ts-ignore: decorator
@inline
function swap(z: v128): v128 {
  return v128.shuffle<f64>(z, z, 1, 0);
}

/** conj(a) d + conj(a2) w, with −i d and −i w at hand. */
// @ts-ignore: decorator
@inline
function weighted(a: usize, a2: usize, d: v128, turnedD: v128, w: v128, turnedW: v128): v128 {
  const fromD = f64x2.add(f64x2.mul(v128.load64_splat(a), d), f64x2.mul(v128.load64_splat(a, 8), turnedD));
  const fromW = f64x2.add(f64x2.mul(v128.load64_splat(a2), w), f64x2.mul(v128.load64_splat(a2, 8), turnedW));
  return f64x2.add(fromD, fromW);
}

/** Where element k = q + s·j of a spectrum lies when columns q are stored in blocks. */
// @ts-ignore: decorator
@inline
function place(base: usize, k: i32, logS: i32, logM: i32, logQ: i32): usize {
  const q = k & ((1 << logS) - 1);
  const j = k >> logS;
  const where = ((q >> logQ) << (logM + logQ)) + (j << logQ) + (q & ((1 << logQ) - 1));
  return base + ((<usize> where) << 4);
}

/**
 * The spectrum of χ²_t + i χ²_u over N, all N points of it, in blocks of columns at z; u's spectra may be 0 for none.
 */
function product(
  N: i32,
  t: usize,
  t2: usize,
  u: usize,
  u2: usize,
  fd: usize,
  fw: usize,
  z: usize,
  logS: i32,
  logM: i32,
  logQ: i32,
): void {
  const conjugate = f64x2.replace_lane(f64x2.splat(1), 1, -1);
  const byI = f64x2.replace_lane(f64x2.splat(1), 0, -1);
  const scale = f64x2.splat(1.0 / <f64> N);
  const minusTwo = f64x2.splat(-2.0 / <f64> N);
  const H = N >> 1;
  for (let k = 0; k <= H; k++) {
    const offset = (<usize> k) << 4;
    const d = f64x2.mul(v128.load(fd + offset), minusTwo);
    const w = f64x2.mul(v128.load(fw + offset), scale);
    // conj(a) b = Re a · b + Im a · (−i b)
    const turnedD = f64x2.mul(swap(d), conjugate);
    const turnedW = f64x2.mul(swap(w), conjugate);
    let p = weighted(t + offset, t2 + offset, d, turnedD, w, turnedW);
    let q = u != 0 ? weighted(u + offset, u2 + offset, d, turnedD, w, turnedW) : f64x2.splat(0);
    if (k == 0 || k == H) {
      // real by definition
      p = f64x2.replace_lane(p, 1, 0);
      q = f64x2.replace_lane(q, 1, 0);
    }
    v128.store(place(z, k, logS, logM, logQ), f64x2.add(p, f64x2.mul(swap(q), byI)));
    if (k > 0 && k < H) {
      const mirrored = f64x2.add(f64x2.mul(p, conjugate), f64x2.mul(swap(f64x2.mul(q, conjugate)), byI));
      v128.store(place(z, N - k, logS, logM, logQ), mirrored);
    }
  }
}

/** χ² of one template at every lag into its envelope and its own minimum. */
function collect(
  t: i32,
  L: i32,
  M: i32,
  lane: usize,
  sums: usize,
  envelope: usize,
  envelopeTemplate: usize,
  lowest: usize,
  lowestLag: usize,
): void {
  let best: f64 = NaN;
  let bestLag: i32 = 0;
  for (let i = 0; i <= 2 * L; i++) {
    const value = load<f64>(sums + (((<usize> ((i - L) & (M - 1))) << 4) + (lane << 3)));
    if (i == 0 || value < best) {
      best = value;
      bestLag = i - L;
    }
    if (t == 0 || value < get(envelope, i)) {
      set(envelope, i, value);
      store<i32>(envelopeTemplate + ((<usize> i) << 2), t);
    }
  }
  store<f64>(lowest, best);
  store<i32>(lowestLag, bestLag);
}

/**
 * χ² − Σ d² w of T templates against B spectra at lags −L..L (2L+1 ≤ N): the lowest over templates at each lag with
 * its template, and the lowest over lags of each template with its lag; ties go to the first. More lags than grid
 * points: NaN.
 */
export function ccf_scan(
  B: i32,
  T: i32,
  N: i32,
  L: i32,
  twiddles: usize,
  tm: usize,
  tm2: usize,
  fd: usize,
  fw: usize,
  envelope: usize,
  envelopeTemplate: usize,
  lowest: usize,
  lowestLag: usize,
  work: usize,
): void {
  const lags = 2 * L + 1;
  if (lags > N) {
    for (let i = 0; i < B * lags; i++) set(envelope, i, NaN);
    for (let i = 0; i < B * T; i++) set(lowest, i, NaN);
    return;
  }
  const logN = 31 - clz(N);
  let logM = 32 - clz(lags - 1); // ⌈log₂ lags⌉
  if (lags == 1) logM = 0;
  const M = 1 << logM;
  const logS = logN - logM;
  const logQ = logS < 4 ? logS : 4;
  const Q = 1 << logQ;
  const blocks = 1 << (logS - logQ);
  const spectrum = ((<usize> N) + 2) << 3;
  const z = work;
  const columns = work + ((<usize> N) << 4);
  const sums = columns + ((<usize> N) << 4);
  const blockBytes = (<usize> M * Q) << 4;
  const sign = f64x2.replace_lane(f64x2.splat(1), 0, -1);
  const even = (passes(M) & 1) == 0;

  for (let t = 0; t < T; t += 2) {
    const pair = t + 1 < T;
    const members = pair ? 2 : 1;
    const first = tm + spectrum * t;
    const first2 = tm2 + spectrum * t;
    for (let b = 0; b < B; b++) {
      product(
        N,
        first,
        first2,
        pair ? first + spectrum : 0,
        pair ? first2 + spectrum : 0,
        fd + spectrum * b,
        fw + spectrum * b,
        z,
        logS,
        logM,
        logQ,
      );
      for (let i = 0; i < M; i++) v128.store(sums + ((<usize> i) << 4), f64x2.splat(0));
      for (let block = blocks - 1; block >= 0; block--) {
        const source = z + blockBytes * block;
        const result = even ? source : columns;
        transform(M, Q, Q, 1, twiddles, 1 << logS, source, result, even ? columns : source);
        for (let i = 0; i < lags; i++) {
          // e^{2πi lag/N}: the table ends at three quarters, negative lags are conjugates of positive ones
          const lag = i - L;
          const root = twiddles + ((<usize> (lag < 0 ? -lag : lag)) << 4);
          const re = v128.load64_splat(root);
          const im = lag < 0 ? f64x2.neg(v128.load64_splat(root, 8)) : v128.load64_splat(root, 8);
          const turn = f64x2.mul(im, sign);
          const where = (<usize> (lag & (M - 1))) << 4;
          const column = result + (where << logQ);
          let sum = v128.load(sums + where);
          for (let q = Q - 1; q >= 0; q--) {
            sum = f64x2.add(f64x2.mul(sum, re), f64x2.mul(swap(sum), turn));
            sum = f64x2.add(sum, v128.load(column + ((<usize> q) << 4)));
          }
          v128.store(sums + where, sum);
        }
      }
      for (let lane = 0; lane < members; lane++) {
        collect(
          t + lane,
          L,
          M,
          <usize> lane,
          sums,
          at(envelope, b * lags),
          envelopeTemplate + ((<usize> b * lags) << 2),
          at(lowest, b * T + t + lane),
          lowestLag + ((<usize> b * T + t + lane) << 2),
        );
      }
    }
  }
}
