/** Model spectra brought to a grid uniform in ln λ at a Gaussian line spread, on the host: what an import needs. */

/** A grid uniform in ln λ. */
export interface LnGrid {
  /** First wavelength, Å. */
  readonly lam0: number;
  readonly dlnlam: number;
  readonly npix: number;
}

/** Grid from one wavelength to another at most. @param from, to - Å */
export function lnGrid(from: number, to: number, dlnlam: number): LnGrid {
  return { lam0: from, dlnlam, npix: Math.floor(Math.log(to / from) / dlnlam + 1e-9) + 1 };
}

/** Wavelengths of a grid, Å, shape (npix). */
export function gridWavelengths({ lam0, dlnlam, npix }: LnGrid): Float64Array {
  return Float64Array.from({ length: npix }, (_, i) => lam0 * Math.exp(i * dlnlam));
}

/** The Gaussian is cut at this many standard deviations. */
const REACH = 5;
/** Where samples are further apart than this share of σ, the spectrum is interpolated linearly between them. */
const DENSE = 0.8;

/** A linear map from spectra on one grid to another. */
export interface Resampler {
  /** @param flux - shape (input samples). @param out - shape (output pixels) */
  apply(flux: ArrayLike<number>, out: Float64Array): void;
}

/**
 * Convolution with a Gaussian and interpolation, as one sparse matrix whose rows sum to 1. Samples beyond the ends of
 * the input do not take part.
 *
 * @param from - wavelengths of the input, Å, increasing
 * @param to - wavelengths of the output, Å, within those of the input
 * @param sigma - standard deviation to convolve with at a wavelength, Å; 0 = linear interpolation
 */
export function resampler(from: Float64Array, to: Float64Array, sigma: (lam: number) => number): Resampler {
  const first = new Int32Array(to.length), count = new Int32Array(to.length);
  const weights: number[] = [];
  const n = from.length;
  let start = 0;
  for (let p = 0; p < to.length; p++) {
    const lam = to[p], s = sigma(lam), reach = REACH * s;
    while (start < n - 2 && from[start + 1] <= lam - reach) start++;
    let end = start + 1;
    while (end < n - 1 && from[end] < lam + reach) end++;
    const row = rowWeights(from, start, end, lam, s);
    const sum = row.reduce((total, weight) => total + weight, 0);
    first[p] = start;
    count[p] = row.length;
    for (const weight of row) weights.push(weight / sum);
  }
  return {
    apply(flux, out) {
      let k = 0;
      for (let p = 0; p < out.length; p++) {
        let sum = 0;
        for (let i = first[p]; i < first[p] + count[p]; i++) sum += weights[k++] * flux[i];
        out[p] = sum;
      }
    },
  };
}

/** Weights of samples start … end. */
function rowWeights(from: Float64Array, start: number, end: number, lam: number, s: number): Float64Array {
  const row = new Float64Array(end - start + 1);
  const step = (from[end] - from[start]) / (end - start);
  if (s > 0 && step <= DENSE * s) {
    for (let i = start; i <= end; i++) {
      const width = from[Math.min(i + 1, from.length - 1)] - from[Math.max(i - 1, 0)];
      row[i - start] = width * Math.exp(-0.5 * ((from[i] - lam) / s) ** 2);
    }
    return row;
  }
  const points = s > 0 ? 4 * REACH + 1 : 1;
  let i = start;
  for (let k = 0; k < points; k++) {
    const offset = points === 1 ? 0 : (k / (points - 1) * 2 - 1) * REACH;
    const x = Math.min(Math.max(lam + offset * s, from[start]), from[end]);
    while (i < end - 1 && from[i + 1] < x) i++;
    const t = (x - from[i]) / (from[i + 1] - from[i]);
    const weight = Math.exp(-0.5 * offset * offset);
    row[i - start] += weight * (1 - t);
    row[i + 1 - start] += weight * t;
  }
  return row;
}
