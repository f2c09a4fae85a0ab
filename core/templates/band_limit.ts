/**
 * Spectra without what pixels cannot carry, for fits with a resolution matrix.
 *
 * The matrix multiplies a template that is sampled once a pixel. Detail finer than two pixels comes out of that as
 * coarser detail, which moves the wrong way when the matrix is displaced; and rows that are samples of a profile say
 * little of displacements near that limit. So the spectra are filtered to
 *
 *   H(k) = ½ erfc((k − CUT)/(√2 SOFTNESS)) · A(k)/A(0),   A(k) = Σ_m N(m; σ₀) cos(πkm) / exp(−½ (πkσ₀)²)
 *
 * with k in units of the pixels' Nyquist frequency and σ₀, the spectra's line spread, in pixels. A is the response of
 * the sampled Gaussian that the matrix is divided by (lsfInverse) over that of the Gaussian the spectra have: what is
 * divided out too much is put back.
 */
import type { Target } from "../target.ts";
import { type KnotWeights, loggedThrough } from "./prepare_rebin.ts";
import type { PreparedArm } from "./prepared.ts";
import { gridWavelengths, type LnGrid } from "./resample.ts";

/** Where half is left, and how softly it ends; shares of the Nyquist frequency. */
const CUT = 0.85, SOFTNESS = 0.05;
/** Nothing is left from here on. */
const END = CUT + 7 * SOFTNESS;
/** In wavelength the filter is a sinc under a Gaussian of σ = 1/(π SOFTNESS) pixels, cut at 5 of them. */
const REACH = 5 / (Math.PI * SOFTNESS);
/** Frequencies and distances (per pixel) of the filter's table: neither step moves an entry by 1e-7. */
const FREQUENCIES = 128, FINE = 128;

/**
 * What is left of a sine.
 *
 * @param k - frequency, units of the Nyquist frequency of the pixels
 * @param sigma - line spread of the spectra, pixels
 */
export function bandLimitResponse(k: number, sigma: number): number {
  const x = Math.abs(k);
  if (x >= END) return 0;
  return 0.5 * (1 - erf((x - CUT) / (Math.SQRT2 * SOFTNESS))) * excess(x, sigma) / excess(0, sigma);
}

/** A(k); 1 for spectra without a line spread, by which nothing is divided. */
function excess(k: number, sigma: number): number {
  if (sigma === 0) return 1;
  let sum = 1;
  for (let m = 1; m <= 9 * sigma; m++) {
    sum += 2 * Math.exp(-0.5 * (m / sigma) ** 2) * Math.cos(Math.PI * k * m);
  }
  return sum / (Math.sqrt(2 * Math.PI) * sigma) * Math.exp(0.5 * (Math.PI * k * sigma) ** 2);
}

/** Error function by Simpson's rule, to 1e-9. */
function erf(x: number): number {
  const end = Math.min(Math.abs(x), 6), steps = 1000, h = end / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    sum += Math.exp(-((i * h) ** 2)) * (i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2);
  }
  return Math.sign(x) * 2 / Math.sqrt(Math.PI) * sum * h / 3;
}

/** The filter at distances 0, 1/FINE, … pixels: ∫ H(k) cos(πkx) dk; the trapezoidal rule is exact for it. */
function profile(sigma: number): Float64Array {
  const response = Float64Array.from(
    { length: FREQUENCIES },
    (_, i) => (i === 0 ? 0.5 : 1) * bandLimitResponse(END * i / FREQUENCIES, sigma),
  );
  return Float64Array.from({ length: Math.ceil(REACH * FINE) + 3 }, (_, t) => {
    const step = Math.PI * END / FREQUENCIES * t / FINE;
    return response.reduce((sum, h, i) => sum + h * Math.cos(step * i), 0);
  });
}

/** Weights of N knots on themselves, shape (N, W) from knot start[j] on; beyond the ends the spectrum is mirrored. */
function filterWeights(lam: Float64Array, pixel: number, sigma: number): KnotWeights {
  const N = lam.length, reach = REACH * pixel;
  const table = profile(sigma);
  const at = (distance: number) => {
    const x = Math.abs(distance) / pixel * FINE, i = Math.min(Math.floor(x), table.length - 3);
    const u = x - i;
    // cubic through four entries, of which the first is the mirror image of the second at distance 0
    const [a, b, c, d] = [table[i === 0 ? 1 : i - 1], table[i], table[i + 1], table[i + 2]];
    return b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)));
  };
  const half = Math.min(Math.ceil(reach / (lam[1] - lam[0])), N - 1);
  const W = Math.min(2 * half + 1, N);
  const start = new Int32Array(N), weights = new Float64Array(N * W);
  const ratio = lam[1] / lam[0];
  for (let j = 0; j < N; j++) {
    const first = start[j] = Math.min(Math.max(0, j - half), N - W);
    let sum = 0;
    for (let n = j - half; n <= j + half; n++) {
      // knots of a ln λ grid go on beyond its ends; each stands for a share of λ that grows with it
      const beyond = n < 0 || n >= N ? lam[j] * ratio ** (n - j) : lam[n];
      if (Math.abs(beyond - lam[j]) > reach) continue;
      const weight = at(beyond - lam[j]) * beyond;
      const inside = n < 0 ? -n : n >= N ? 2 * (N - 1) - n : n;
      weights[j * W + inside - first] += weight * lam[j] / lam[inside];
      sum += weight;
    }
    for (let m = 0; m < W; m++) weights[j * W + m] /= sum;
  }
  return { start, weights, W };
}

/**
 * Filters spectra.
 *
 * @param spectra - with their Gaussian line spread σ₀, Å
 * @param pixel - of the data, Å
 * @param out - ln flux, shape (templates, npix); where the filtered flux would not be positive, that of the input
 */
export function bandLimit(
  target: Target,
  spectra: LnGrid & Pick<PreparedArm, "sigma0" | "lnflux">,
  pixel: number,
  out: Float32Array,
): void {
  const { npix, sigma0, lnflux } = spectra;
  const lam = gridWavelengths(spectra);
  const of = (t: number) => lnflux.subarray(t * npix, (t + 1) * npix);
  const filter = filterWeights(lam, pixel, sigma0 / pixel);
  loggedThrough(target, { lam, templates: lnflux.length / npix, of }, lam, filter, (t, row) => {
    const given = of(t);
    out.set(row.map((value, i) => Number.isFinite(value) ? value : given[i]), t * npix);
  });
}
