/**
 * Where the built-in spectra are computed, and how the samples become pixels: a fixed set of wavelengths, dense in line
 * cores, and a sparse matrix that integrates them with the Gaussian line spread.
 */

export interface Sampling {
  /** Vacuum wavelengths of the samples, Å, increasing, shape (samples). */
  readonly lam: Float64Array;
  /** First sample of every pixel and the number of samples, shape (npix). */
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** Weights of a pixel's samples, one pixel after another; they sum to 1 for every pixel. */
  readonly weights: Float64Array;
}

/** Samples between lines, Å: below σ of the line spread, where the trapezoid rule is exact to 1e-9 for a Gaussian. */
const STEP = 0.4;
/** Samples this far from a line centre, Å. */
const OFFSETS = [0, 0.03, 0.06, 0.09, 0.12, 0.15, 0.18, 0.22, 0.27, 0.33, 0.42, 0.55, 0.75];
/** Samples closer to each other than this, Å, are thinned. */
const CLOSEST = 0.02;
/** The Gaussian is cut at this many standard deviations. */
const REACH = 4.5;

function wavelengths(from: number, to: number, centres: readonly number[]): Float64Array {
  const all: number[] = [];
  for (let lam = from; lam <= to; lam += STEP) all.push(lam);
  for (const centre of centres) {
    for (const offset of OFFSETS) all.push(centre - offset, centre + offset);
  }
  const sorted = Float64Array.from(all).sort();
  const kept = [sorted[0]];
  for (const lam of sorted) {
    if (lam >= from && lam <= to && lam - kept.at(-1)! >= CLOSEST) kept.push(lam);
  }
  return Float64Array.from(kept);
}

/**
 * @param pixels - vacuum wavelengths of the pixels, Å, increasing
 * @param sigma - standard deviation of the line spread, Å
 * @param centres - vacuum wavelengths of the lines, Å
 */
export function sampling(pixels: Float64Array, sigma: number, centres: readonly number[]): Sampling {
  const npix = pixels.length;
  const lam = wavelengths(pixels[0] - REACH * sigma, pixels[npix - 1] + REACH * sigma, centres);
  const first = new Int32Array(npix), count = new Int32Array(npix);
  const weights: number[] = [];
  let start = 0;
  for (let p = 0; p < npix; p++) {
    const centre = pixels[p];
    while (lam[start] < centre - REACH * sigma) start++;
    let sum = 0, end = start;
    for (; end < lam.length && lam[end] <= centre + REACH * sigma; end++) {
      const width = lam[Math.min(end + 1, lam.length - 1)] - lam[Math.max(end - 1, 0)];
      const weight = width * Math.exp(-0.5 * ((lam[end] - centre) / sigma) ** 2);
      weights.push(weight);
      sum += weight;
    }
    first[p] = start;
    count[p] = end - start;
    for (let k = weights.length - (end - start); k < weights.length; k++) weights[k] /= sum;
  }
  return { lam, first, count, weights: Float64Array.from(weights) };
}
