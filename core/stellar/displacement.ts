/**
 * Resolution matrices whose rows are centred beside their pixels: a spectrum is moved in wavelength by moving its matrix
 * (a fibre's own barycentric correction: desihub/desispec#2648). A product with a template that is sampled at the pixels
 * moves all of a spectrum but its finest detail, which is aliased: up to 2.5 % of the velocity would be missing. So the
 * displacement is taken out of the rows (kernel resolution_deconvolve) and given to the template's wavelengths.
 */
import { dopplerFactor, dopplerVelocity, LIGHT } from "../doppler.ts";

/** 0.05 km/s: rows of undisplaced matrices of DESI scatter, and their medians lie within it. */
const NONE = 0.05 / LIGHT;
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
  const step = lam[1]! - lam[0]!;
  const sums = moment(matrix, ndiag, npix, 0), firsts = moment(matrix, ndiag, npix, 1);
  const centres: number[] = [];
  const rows: number[] = [];
  let left = 0, right = 0;
  for (let i = w; i < npix - w; i++) {
    if (!(sums[i]! > 0)) continue;
    const centre = firsts[i]! / sums[i]! * step / lam[i]!;
    if (centre <= -NONE) left++;
    else if (centre >= NONE) right++;
    centres.push(centre);
    rows.push(i);
  }
  // the median is within ±NONE: told without sorting, since it is what most matrices have
  if (2 * Math.max(left, right) <= centres.length) return UNDISPLACED;
  const seconds = moment(matrix, ndiag, npix, 2);
  const variance = median(rows.map((i) => seconds[i]! / sums[i]! - (firsts[i]! / sums[i]!) ** 2));
  const most = MOST * step / lam[npix - 1]!;
  return {
    relative: Math.max(-most, Math.min(most, median(centres))),
    spread: Math.max(NARROWEST, Math.min(WIDEST, Math.sqrt(Math.max(0, variance)))),
  };
}

/** Σ x^power over the entries of every whole row, x in pixels from its own; 0 for rows that reach beyond the ends. */
function moment(matrix: Float32Array, ndiag: number, npix: number, power: number): Float64Array {
  const w = ndiag >> 1;
  const out = new Float64Array(npix);
  for (let m = 0; m < ndiag; m++) {
    const factor = (m - w) ** power;
    const diagonal = (ndiag - 1 - m) * npix + m - w;
    for (let i = w; i < npix - w; i++) out[i]! += factor * matrix[diagonal + i]!;
  }
  return out;
}

function median(values: readonly number[]): number {
  return Float64Array.from(values).sort()[values.length >> 1]!;
}

/** The velocity, km/s, at which a template is seen where one at `velocity` is looked at through a displacement. */
export function seenThrough({ relative }: Displacement, velocity: number): number {
  return dopplerVelocity(dopplerFactor(velocity) / (1 + relative));
}
