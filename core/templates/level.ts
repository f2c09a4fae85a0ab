/**
 * Levelling of spectra: the marginal likelihood contains ln det N, which grows with the flux of a template, so among
 * templates at their natural brightness the fainter (cooler, metal-richer) would be preferred by up to a few tenths of
 * a σ. The reference's products are levelled per set-up for the same reason; spectra cut from a wider build are, here.
 */

/** Pixels skipped in taking medians: they are of broad ranges. */
const STRIDE = 8;

/**
 * Subtracts from every row of ln flux the straight line in λ through (median λ, median ln flux) of its two halves.
 *
 * @param lnflux - shape (templates, npix), changed in place
 * @param lam - wavelengths, Å, shape (npix)
 */
export function level(lnflux: Float32Array, lam: Float64Array): void {
  const npix = lam.length;
  const half = npix >> 1;
  const [left, right] = [lam[half >> 1], lam[half + ((npix - half) >> 1)]];
  for (let from = 0; from < lnflux.length; from += npix) {
    const low = thinnedMedian(lnflux, from, from + half);
    const high = thinnedMedian(lnflux, from + half, from + npix);
    const slope = right > left ? (high - low) / (right - left) : 0;
    for (let i = 0; i < npix; i++) lnflux[from + i] -= low + slope * (lam[i] - left);
  }
}

function thinnedMedian(values: Float32Array, from: number, to: number): number {
  const some = new Float32Array(Math.ceil((to - from) / STRIDE));
  for (let k = 0; k < some.length; k++) some[k] = values[from + k * STRIDE];
  return some.sort()[some.length >> 1];
}
