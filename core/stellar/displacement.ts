/**
 * Resolution matrices whose rows are centred beside their pixels: a spectrum is moved in wavelength by moving its matrix
 * (a fibre's own barycentric correction: desihub/desispec#2648). A product with a template that is sampled at the pixels
 * moves all of a spectrum but its finest detail, which is aliased: up to 2.5 % of the velocity would be missing. So the
 * displacement is taken out of the rows (kernel resolution_deconvolve) and given to the template's wavelengths.
 */
import { dopplerFactor, dopplerVelocity, LIGHT } from "../doppler.ts";

/** km/s: rows of undisplaced matrices of DESI scatter so much that their medians lie within it. */
const NONE = 0.05;
/** Pixels: beyond a half the values at the pixels no longer tell what lies between them. */
const MOST = 0.25;
/** Pixels: Gaussians of these widths can be told apart by float32 values at the pixels. */
const NARROWEST = 0.6, WIDEST = 1;

export interface Displacement {
  /** Δλ/λ, positive to the red; 0 within what undisplaced matrices scatter. */
  readonly relative: number;
  /** σ of a row in pixels. */
  readonly spread: number;
}

export const UNDISPLACED: Displacement = { relative: 0, spread: 1 };

/**
 * Displacement of a matrix: the median over its rows of their centres. What is more than a quarter of a pixel stays in
 * the rows.
 *
 * @param matrix - as stored, shape (ndiag, npix): element m of row i is matrix[ndiag−1−m, i+m−⌊ndiag/2⌋]
 * @param lam - pixels, Å
 */
export function displacementOf(matrix: Float32Array, ndiag: number, lam: Float64Array): Displacement {
  const npix = lam.length, w = ndiag >> 1;
  if (npix <= 2 * w) return UNDISPLACED;
  const sums = new Float64Array(npix), first = new Float64Array(npix), second = new Float64Array(npix);
  for (let m = 0; m < ndiag; m++) {
    const x = m - w;
    const diagonal = (ndiag - 1 - m) * npix + x;
    for (let i = w; i < npix - w; i++) {
      const weight = matrix[diagonal + i]!;
      sums[i]! += weight;
      first[i]! += x * weight;
      second[i]! += x * x * weight;
    }
  }
  /** Over whole rows that are not empty. */
  const median = (value: (i: number) => number): number => {
    const all = Float64Array.from(lam, (_, i) => i >= w && i < npix - w && sums[i]! > 0 ? value(i) : NaN);
    const sorted = all.filter((x) => !Number.isNaN(x)).sort();
    return sorted[sorted.length >> 1] ?? NaN;
  };
  const step = lam[1]! - lam[0]!;
  const relative = median((i) => first[i]! / sums[i]! * step / lam[i]!);
  if (!(Math.abs(relative) * LIGHT >= NONE)) return UNDISPLACED;
  const most = MOST * step / lam[npix - 1]!;
  const variance = median((i) => second[i]! / sums[i]! - (first[i]! / sums[i]!) ** 2);
  return {
    relative: Math.max(-most, Math.min(most, relative)),
    spread: Math.max(NARROWEST, Math.min(WIDEST, Math.sqrt(Math.max(0, variance)))),
  };
}

/** The velocity, km/s, at which a template is seen where one at `velocity` is looked at through a displacement. */
export function seenThrough({ relative }: Displacement, velocity: number): number {
  return dopplerVelocity(dopplerFactor(velocity) / (1 + relative));
}
