/** Convolution of all spectra of an arm on a target, a block of them at a time. */
import { rebinLog, rebinWeights, rebinWidth } from "../kernels/rebin.ts";
import { place, type Target } from "../target.ts";

/** Spectra at a time: 64 of 20 000 pixels are 5 MB. */
const BLOCK = 64;
/** The Gaussian is cut at this many standard deviations; two input steps more on either side. */
const REACH = 5;

/** First index whose value is ≥ x. */
function lowerBound(values: Float64Array, x: number): number {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * @param input - wavelengths, Å, shape (N), and ln flux, shape (T, N)
 * @param lam - pixel centres, Å, in the same medium, shape (M)
 * @param sigma - standard deviation to convolve with, Å, at a wavelength
 * @param out - ln flux, shape (T, M)
 */
export function rebinned(
  target: Target,
  input: { readonly lam: Float64Array; readonly lnflux: Float32Array },
  lam: Float64Array,
  sigma: (lam: number) => number,
  out: Float32Array,
): void {
  const all = input.lam.length, M = lam.length, templates = input.lnflux.length / all;
  const sigmas = Float64Array.from(lam, sigma);
  const margin = REACH * Math.max(...[sigmas[0], sigmas[M - 1]]) + 2 * (lam[M - 1] - lam[M - 2]);
  const first = Math.max(0, lowerBound(input.lam, lam[0] - margin) - 2);
  const end = Math.min(all, lowerBound(input.lam, lam[M - 1] + margin) + 2);
  const lam0 = input.lam.slice(first, end);
  const W = rebinWidth(lam0, lam, sigmas);
  const { start, weights } = gaussianWeights(target, lam0, lam, sigmas, W);
  const of = (t: number) => input.lnflux.subarray(t * all + first, t * all + end);
  loggedThrough(
    target,
    { lam: lam0, templates, of },
    lam,
    { start, weights, W },
    (t, row) => out.set(row, t * M),
  );
}

/** Weights of a Gaussian and the pixels, shape (M, W) from knot start[j] on, each row of unit sum. */
function gaussianWeights(
  target: Target,
  lam0: Float64Array,
  lam: Float64Array,
  sigmas: Float64Array,
  W: number,
): { start: Int32Array; weights: Float64Array } {
  const N = lam0.length, M = lam.length;
  const mark = target.mark();
  try {
    const start = target.allocate("i32", M), weights = target.allocate("f64", M * W);
    target.run(rebinWeights, { N, M, W }, {
      lam0: place(target, lam0),
      lam1: place(target, lam),
      sigma: place(target, sigmas),
      start,
      weights,
    });
    const rows = target.download(weights) as Float64Array;
    normalise(rows, M, W);
    return { start: target.download(start) as Int32Array, weights: rows };
  } finally {
    target.release(mark);
  }
}

/** A linear map of spectra: pixel j takes W knots from start[j] on, by weights of shape (M, W). */
export interface KnotWeights {
  readonly start: Int32Array;
  readonly weights: Float64Array;
  readonly W: number;
}

/**
 * Spectra of ln flux through weights of their photons, a block of them at a time.
 *
 * @param input - knots, Å, shape (N); number of spectra; ln flux of each, shape (N)
 * @param lam - pixel centres, Å, shape (M)
 * @param take - is given every spectrum's ln flux, shape (M): −∞ or NaN where the sum is not positive
 */
export function loggedThrough(
  target: Target,
  input: { readonly lam: Float64Array; readonly templates: number; of(t: number): Float32Array },
  lam: Float64Array,
  map: KnotWeights,
  take: (t: number, row: Float32Array) => void,
): void {
  const N = input.lam.length, M = lam.length, { W } = map;
  const mark = target.mark();
  try {
    const knots = place(target, input.lam), pixels = place(target, lam);
    const start = place(target, map.start), weights = place(target, map.weights);
    const flux = target.allocate("f32", BLOCK * N), rows = target.allocate("f32", BLOCK * M);
    const packed = new Float32Array(BLOCK * N);
    for (let t = 0; t < input.templates; t += BLOCK) {
      const T = Math.min(BLOCK, input.templates - t);
      for (let k = 0; k < T; k++) packed.set(input.of(t + k), k * N);
      target.upload(flux, packed.subarray(0, T * N));
      const args = {
        lam0: knots,
        lam1: pixels,
        start,
        weights,
        flux: target.slice(flux, 0, T * N),
        out: target.slice(rows, 0, T * M),
      };
      target.run(rebinLog, { T, N, M, W }, args);
      const made = target.download(rows, 0, T * M) as Float32Array;
      for (let k = 0; k < T; k++) take(t + k, made.subarray(k * M, (k + 1) * M));
    }
  } finally {
    target.release(mark);
  }
}

/** Rows that reach beyond the input are weighted over what there is: the spectrum does not darken at its ends. */
function normalise(values: Float64Array, M: number, W: number): void {
  for (let j = 0; j < M; j++) {
    const row = values.subarray(j * W, (j + 1) * W);
    const sum = row.reduce((total, weight) => total + weight, 0);
    for (let k = 0; k < W; k++) row[k] /= sum;
  }
}
