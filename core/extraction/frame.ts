/** A frame: spectra of one camera's fibres, put together from bundles. */
import { FLAG } from "./job.ts";

/** Bits of a frame's MASK: those of the DESI pipeline's spectral mask that extraction can tell, and two of ours. */
export const FRAME_MASK = {
  /** More than half of the bin's light falls on masked pixels. */
  SOMEBADPIX: 1,
  /** All of it does, or the fibre's light is not on the CCD: flux and ivar are 0. */
  ALLBADPIX: 2,
  /** The pixel model does not fit: chi2pix is more than five times its median over fibres, and over wavelengths. */
  BAD2DFIT: 128,
  /** Ours. Next to no unmasked light: the weak prior holds the flux, ivar counts it. */
  REGULARISED: 1 << 16,
  /** Ours. The system of equations could not be solved: flux and ivar are 0. */
  FAILED: 1 << 17,
} as const;

const BAD_FIT = 5;
/** A bin of which no more than this is unmasked is wholly masked; sums of its masked light come to 1 within 1e-15. */
const WHOLE = 1e-9;

/** What the mask of a frame is made from, all of shape (fibres, bins). */
export interface BinQuality {
  readonly fibres: number;
  readonly bins: number;
  readonly ivar: Float64Array;
  readonly chi2pix: Float64Array;
  readonly pixmaskFraction: Float64Array;
  /** Bits of FLAG. */
  readonly flags: Uint32Array;
}

/** MASK of a frame, shape (fibres, bins). */
export function frameMask(quality: BinQuality): Uint32Array {
  const { fibres, bins, pixmaskFraction, flags, chi2pix, ivar } = quality;
  const mask = new Uint32Array(fibres * bins);
  const used = (i: number) => ivar[i]! > 0;
  const byBin = Array.from(
    { length: bins },
    (_, w) =>
      median(Array.from({ length: fibres }, (_, f) => f * bins + w).filter(used).map((i) => chi2pix[i]!)),
  );
  for (let f = 0; f < fibres; f++) {
    const row = Array.from({ length: bins }, (_, w) => f * bins + w);
    const ofFibre = median(row.filter(used).map((i) => chi2pix[i]!));
    for (let w = 0; w < bins; w++) {
      const i = f * bins + w;
      let bits = 0;
      if (pixmaskFraction[i]! > 0.5) bits |= FRAME_MASK.SOMEBADPIX;
      if (pixmaskFraction[i]! >= 1 - WHOLE || (flags[i]! & FLAG.NO_LIGHT) !== 0) bits |= FRAME_MASK.ALLBADPIX;
      if ((flags[i]! & FLAG.REGULARISED) !== 0) bits |= FRAME_MASK.REGULARISED;
      if ((flags[i]! & FLAG.FAILED) !== 0) bits |= FRAME_MASK.FAILED;
      if (used(i) && chi2pix[i]! > BAD_FIT * byBin[w]! && chi2pix[i]! > BAD_FIT * ofFibre) {
        bits |= FRAME_MASK.BAD2DFIT;
      }
      mask[i] = bits;
    }
  }
  return mask;
}

/** Median, the mean of both middle values; NaN of nothing. */
function median(values: number[]): number {
  values.sort((a, b) => a - b);
  const middle = values.length >> 1;
  if (values.length === 0) return NaN;
  return values.length % 2 === 1 ? values[middle]! : 0.5 * (values[middle - 1]! + values[middle]!);
}

/** Width of each bin, Å: central differences, one-sided at the ends. */
export function binWidths(wave: Float64Array): Float64Array {
  const last = wave.length - 1;
  return wave.map((_, i) => {
    if (last === 0) return 1;
    const low = Math.max(0, i - 1), high = Math.min(last, i + 1);
    return (wave[high]! - wave[low]!) / (high - low);
  });
}
