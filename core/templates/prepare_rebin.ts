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
  const lam0 = input.lam.slice(first, end), N = end - first;
  const W = rebinWidth(lam0, lam, sigmas);
  const mark = target.mark();
  try {
    const knots = place(target, lam0), pixels = place(target, lam);
    const start = target.allocate("i32", M), weights = target.allocate("f64", M * W);
    target.run(rebinWeights, { N, M, W }, {
      lam0: knots,
      lam1: pixels,
      sigma: place(target, sigmas),
      start,
      weights,
    });
    normalise(target, weights, M, W);
    const flux = target.allocate("f32", BLOCK * N), rows = target.allocate("f32", BLOCK * M);
    const packed = new Float32Array(BLOCK * N);
    for (let t = 0; t < templates; t += BLOCK) {
      const T = Math.min(BLOCK, templates - t);
      for (let k = 0; k < T; k++) {
        packed.set(input.lnflux.subarray((t + k) * all + first, (t + k) * all + end), k * N);
      }
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
      out.set(target.download(rows, 0, T * M) as Float32Array, t * M);
    }
  } finally {
    target.release(mark);
  }
}

/** Rows that reach beyond the input are weighted over what there is: the spectrum does not darken at its ends. */
function normalise(target: Target, weights: ReturnType<Target["allocate"]>, M: number, W: number): void {
  const values = target.download(weights) as Float64Array;
  for (let j = 0; j < M; j++) {
    const row = values.subarray(j * W, (j + 1) * W);
    const sum = row.reduce((total, weight) => total + weight, 0);
    for (let k = 0; k < W; k++) row[k] /= sum;
  }
  target.upload(weights, values);
}
