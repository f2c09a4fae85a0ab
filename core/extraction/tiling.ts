/** Which bins and pixels a bundle and its patches take part in. */
import type { Bundle, Cutout, ExtractionJob, ExtractionOptions } from "./job.ts";
import type { SpotCorners } from "./patches.ts";
import { centroid, type Psf, spotSize } from "./psf.ts";

/**
 * Bins of padding at both ends of a bundle: what the light outside the grid does to the bins inside falls to 2e-8 σ over
 * 40 bins (12 leave 0.03 σ).
 */
export const BUNDLE_PADDING = 40;

/** Bins of padding at both ends of the wavelength grid, or of a patch. At least the diagonals of R that are stored. */
export function padding(psf: Psf, options: ExtractionOptions): number {
  if (options.tiling === "bundle") return BUNDLE_PADDING;
  const asked = options.wavepad + Math.floor(options.wavepad * options.wavepadFrac);
  return Math.max(asked, psf.halfY);
}

/** Bins that the spots of a bundle are made for: how many there are before the grid, and in all. */
export function spotBins(
  { psf, wave, options }: ExtractionJob,
): { readonly before: number; readonly bins: number } {
  const pad = padding(psf, options);
  // the last patch is short, and its padding is lengthened in place of the rest
  return { before: pad, bins: pad + wave.length + Math.max(pad, BUNDLE_PADDING) };
}

/** `count` wavelengths from bin `first` of a uniform grid on, which may lie outside it. */
export function wavelengths(wave: Float64Array, first: number, count: number): Float64Array {
  const start = wave[0]!;
  const step = wave.length > 1 ? (wave[wave.length - 1]! - start) / (wave.length - 1) : 1;
  return Float64Array.from({ length: count }, (_, i) => {
    const bin = first + i;
    return bin >= 0 && bin < wave.length ? wave[bin]! : start + bin * step;
  });
}

/** First column and row of the spot of a fibre at a wavelength. */
export function spotCorner(
  psf: Psf,
  fibre: number,
  wave: number,
): { readonly x: number; readonly y: number } {
  const { x, y } = centroid(psf, fibre, wave);
  return { x: Math.floor(x - psf.halfX + 0.5), y: Math.floor(y - psf.halfY + 0.5) };
}

/** Corners of the spots of a bundle, as the kernel psf_spots has them but for the last bit of a centroid. */
export function bundleCorners(job: ExtractionJob, { firstFibre, fibres }: Bundle): SpotCorners {
  const { before, bins } = spotBins(job), wave = wavelengths(job.wave, -before, bins);
  const xc = new Int32Array(fibres * bins), yc = xc.slice();
  for (let f = 0; f < fibres; f++) {
    wave.forEach((lambda, w) => {
      const { x, y } = spotCorner(job.psf, firstFibre + f, lambda);
      xc[f * bins + w] = x;
      yc[f * bins + w] = y;
    });
  }
  return { xc, yc, bins, ...spotSize(job.psf) };
}

/** The pixels that spots of fibres [first, first + count) at the given wavelengths touch, also outside the CCD. */
export function touched(psf: Psf, first: number, count: number, wave: Float64Array): Cutout {
  const size = spotSize(psf);
  let x0 = Infinity, x1 = -Infinity, y0 = Infinity, y1 = -Infinity;
  for (let fibre = first; fibre < first + count; fibre++) {
    for (const lambda of wave) {
      const { x, y } = spotCorner(psf, fibre, lambda);
      x0 = Math.min(x0, x);
      y0 = Math.min(y0, y);
      x1 = Math.max(x1, x);
      y1 = Math.max(y1, y);
    }
  }
  return { x0, y0, columns: x1 + size.columns - x0, rows: y1 + size.rows - y0 };
}

/** The part of a rectangle that lies on the CCD; empty where none does. */
export function onCcd(psf: Psf, { x0, y0, columns, rows }: Cutout): Cutout {
  const clip = (v: number, size: number) => Math.min(Math.max(v, 0), size);
  const [left, right] = [clip(x0, psf.columns), clip(x0 + columns, psf.columns)];
  const [low, high] = [clip(y0, psf.rows), clip(y0 + rows, psf.rows)];
  return { x0: left, y0: low, columns: right - left, rows: high - low };
}

/** The pixels of the CCD that the extraction of a bundle wants to see. */
export function bundleCutout(job: ExtractionJob, { firstFibre, fibres }: Bundle): Cutout {
  const { before, bins } = spotBins(job);
  return onCcd(job.psf, touched(job.psf, firstFibre, fibres, wavelengths(job.wave, -before, bins)));
}
