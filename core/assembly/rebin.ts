// Line-spread function and pixels: a finely sampled spectrum as an instrument would record it.
//
//   out_j = (1/Δ_j) ∫_{pixel j} dλ ∫ F(λ′) G(λ − λ′; σ_j) dλ′ = Σ_i w_ij F_i,   F piecewise linear between its knots,
//   w_ij = ∫ Λ_i(λ′) K_j(λ′) dλ′,   K_j(λ′) = [Φ((e_{j+1}−λ′)/σ_j) − Φ((e_j−λ′)/σ_j)] / Δ_j
//
// with the edges e half-way between pixel centres, Δ_j half the distance between the centres on either side (the same but
// for the rounding of the edges, ε λ/Δ, and what published grids were divided by), Λ_i the triangle of knot i and Φ the
// normal distribution. The integrals are exact: with f₁(d) = σ J₁(d/σ), f₂(d) = σ² J₂(d/σ), J₁ = ∫Φ, J₂ = ∫J₁, and
// d₁(λ) = f₁(e_{j+1}−λ) − f₁(e_j−λ), d₂ likewise, the segment [a, b] of width h adds
//
//   to knot a: d₁(a) − (d₂(a) − d₂(b))/h        to knot b: (d₂(a) − d₂(b))/h − d₁(b)
//
// Left of the pixel's centre the mirror image is used, so that f₁ and f₂ are small where they are subtracted.
// Support: every segment within 5σ of the pixel's centre and one more on either side; where the pixel is wider than
// 2σ (down to σ = 0: pixel integration alone) half a pixel more. Weights of a pixel inside the input sum to 1 − 7e-7
// at worst, by that cut.
// Twins: gpu/kernels/rebin.cu, core/kernels/rebin.ts.
import { erfcx } from "./erf";
import { at, get, get2, set } from "./memory";

const HALF_ROOT: f64 = 0.70710678118654752; // 1/√2
const ROOT_HALF_PI: f64 = 1.2533141373155003; // √(π/2)
const DENSITY: f64 = 0.3989422804014327; // 1/√(2π)

/** f₁ and f₂ of the header at d; σ = 0 gives max(d, 0) and half its square. */
let first: f64 = 0;
let second: f64 = 0;

function integrals(d: f64, sigma: f64): void {
  let j1: f64 = 0, j2: f64 = 0; // σJ₁(−|x|), σ²J₂(−|x|)
  const x = sigma == 0 ? Infinity : Math.abs(d) / sigma;
  if (x < 38) {
    const density = DENSITY * Math.exp(-0.5 * x * x);
    const beyond = density * ROOT_HALF_PI * erfcx(x * HALF_ROOT); // Φ(−x)
    j1 = sigma * (density - x * beyond);
    j2 = 0.5 * sigma * sigma * ((x * x + 1.0) * beyond - x * density);
  } else if (x != x) {
    j1 = NaN;
    j2 = NaN;
  }
  first = d > 0 ? d + j1 : j1;
  second = d > 0 ? 0.5 * (d * d + sigma * sigma) - j2 : j2;
}

/** First knot at or beyond the value; N where there is none. */
function lowerBound(N: i32, x: usize, value: f64): i32 {
  let low = 0, high = N;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (get(x, middle) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Edge below pixel j, half-way to its neighbour; the outermost ones by symmetry. */
function edge(M: i32, x: usize, j: i32): f64 {
  if (j == 0) return get(x, 0) - 0.5 * (get(x, 1) - get(x, 0));
  if (j == M) return get(x, M - 1) + 0.5 * (get(x, M - 1) - get(x, M - 2));
  return 0.5 * (get(x, j - 1) + get(x, j));
}

/** Width of pixel j: half the distance between its neighbours, the whole one to its neighbour at either end. */
function pixelWidth(M: i32, x: usize, j: i32): f64 {
  if (j == 0) return get(x, 1) - get(x, 0);
  if (j == M - 1) return get(x, M - 1) - get(x, M - 2);
  return 0.5 * (get(x, j + 1) - get(x, j - 1));
}

/**
 * Weights of M ≥ 2 output pixels on N input knots: `start` the first knot of each, `weights` (M, W), zero beyond the
 * last. Knots past the W-th are left out: W must be what `rebinWidth` says.
 */
export function rebin_weights(
  N: i32,
  M: i32,
  W: i32,
  lam0: usize,
  lam1: usize,
  sigma: usize,
  start: usize,
  weights: usize,
): void {
  for (let j = 0; j < M; j++) {
    const row = at(weights, j * W);
    for (let i = 0; i < W; i++) set(row, i, 0);
    const centre = get(lam1, j);
    const s = get(sigma, j);
    const low = edge(M, lam1, j);
    const high = edge(M, lam1, j + 1);
    const width = pixelWidth(M, lam1, j);
    const reach = 5.0 * s + (width > 2.0 * s ? 0.5 * width : 0.0);
    let begin = lowerBound(N, lam0, centre - reach) - 1;
    let end = lowerBound(N, lam0, centre + reach) + 1;
    begin = begin < 0 ? 0 : begin;
    end = end > N - 1 ? N - 1 : end;
    if (end > begin + W - 1) end = begin + W - 1;
    store<i32>(start + ((<usize> j) << 2), begin < N ? begin : N - 1);

    let known = 0; // orientation that the values at the left knot were computed for
    let a1: f64 = 0, a2: f64 = 0;
    for (let i = begin; i < end; i++) {
      const a = get(lam0, i);
      const b = get(lam0, i + 1);
      const side = 0.5 * (a + b) > centre ? 1 : -1;
      const sign = <f64> side;
      if (known != side) {
        integrals(side > 0 ? high - a : a - low, s);
        a1 = first;
        a2 = second;
        integrals(side > 0 ? low - a : a - high, s);
        a1 -= first;
        a2 -= second;
        known = side;
      }
      integrals(side > 0 ? high - b : b - low, s);
      let b1 = first;
      let b2 = second;
      integrals(side > 0 ? low - b : b - high, s);
      b1 -= first;
      b2 -= second;
      const slope = sign * (a2 - b2) / (b - a);
      const k = i - begin;
      set(row, k, get(row, k) + (sign * a1 - sign * slope) / width);
      set(row, k + 1, get(row, k + 1) + (sign * slope - sign * b1) / width);
      a1 = b1;
      a2 = b2;
    }
  }
}

/** Σ_i w_i f_i over n knots, even lane first. */
// @ts-ignore: decorator
@inline
function weighted(n: i32, w: usize, f: usize): f64 {
  let sum = f64x2.splat(0), other = f64x2.splat(0);
  let i = 0;
  for (; i + 3 < n; i += 4) {
    sum = f64x2.add(sum, f64x2.mul(get2(w, i), get2(f, i)));
    other = f64x2.add(other, f64x2.mul(get2(w, i + 2), get2(f, i + 2)));
  }
  sum = f64x2.add(sum, other);
  let total = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
  for (; i < n; i++) total += get(w, i) * get(f, i);
  return total;
}

/** Knots of pixel j that exist. */
// @ts-ignore: decorator
@inline
function knots(N: i32, W: i32, begin: i32): i32 {
  return begin + W > N ? N - begin : W;
}

/** T spectra of N knots as M pixels each. */
export function rebin_apply(
  T: i32,
  N: i32,
  M: i32,
  W: i32,
  start: usize,
  weights: usize,
  flux: usize,
  out: usize,
): void {
  for (let t = 0; t < T; t++) {
    const from = at(flux, t * N);
    const to = at(out, t * M);
    for (let j = 0; j < M; j++) {
      const begin = load<i32>(start + ((<usize> j) << 2));
      set(to, j, weighted(knots(N, W, begin), at(weights, j * W), at(from, begin)));
    }
  }
}

/** T spectra of ln flux (float32), as photons: out_j = ln(Σ_i w_ij e^{in_i} λ_i / λ_j). */
export function rebin_log(
  T: i32,
  N: i32,
  M: i32,
  W: i32,
  lam0: usize,
  lam1: usize,
  start: usize,
  weights: usize,
  flux: usize,
  out: usize,
  work: usize,
): void {
  for (let t = 0; t < T; t++) {
    const from = flux + (<usize> t * N << 2);
    const to = out + (<usize> t * M << 2);
    for (let i = 0; i < N; i++) {
      set(work, i, Math.exp(<f64> load<f32>(from + ((<usize> i) << 2))) * get(lam0, i));
    }
    for (let j = 0; j < M; j++) {
      const begin = load<i32>(start + ((<usize> j) << 2));
      const photons = weighted(knots(N, W, begin), at(weights, j * W), at(work, begin));
      store<f32>(to + ((<usize> j) << 2), <f32> Math.log(photons / get(lam1, j)));
    }
  }
}
