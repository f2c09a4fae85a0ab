/** What a worker is given to extract, and what it gives back: plain data, that a message can carry. */
import type { Psf } from "./psf.ts";

/** `bundle`: one banded system a bundle, exact. `reference`: the overlapping patches of spex, for comparison. */
export type Tiling = "bundle" | "reference";

export interface ExtractionOptions {
  readonly tiling: Tiling;
  /** Groups of fibres that a bundle is cut into; only in reference tiling. An uneven split is legal. */
  readonly nsubbundles: number;
  /** Bins of a patch; only in reference tiling. */
  readonly nwavestep: number;
  /** Bins on both sides of a patch, and the fraction of them that is added; only in reference tiling. */
  readonly wavepad: number;
  readonly wavepadFrac: number;
  /** Fraction of the rows touched by padding bins alone that is used; only in reference tiling. */
  readonly pixpadFrac: number;
  /** Relative error of the pixel model that chi2pix allows for; null: what the PSF says. */
  readonly psferr: number | null;
  /** α of the zero prior of every bin that has light. */
  readonly regularize: number;
  /** Whether the pixel model is wanted. */
  readonly model: boolean;
}

export const DEFAULT_EXTRACTION: ExtractionOptions = {
  tiling: "bundle",
  nsubbundles: 5,
  nwavestep: 50,
  wavepad: 10,
  wavepadFrac: 0.2,
  pixpadFrac: 0.8,
  psferr: null,
  regularize: 0,
  model: false,
};

/** All that the bundles of a file share. */
export interface ExtractionJob {
  readonly psf: Psf;
  /** Wavelengths of the bins that are kept, Å: one grid for all fibres, uniform. */
  readonly wave: Float64Array;
  readonly options: ExtractionOptions;
  /** Fibres of a bundle, at most, for what memory a batch will want; 25 unless it is said. */
  readonly bundleSize?: number;
}

/** A rectangle of the CCD: columns [x0, x0 + columns), rows [y0, y0 + rows). */
export interface Cutout {
  readonly x0: number;
  readonly y0: number;
  readonly columns: number;
  readonly rows: number;
}

/** Fibres that share light: any number of them, counted from 0 among the fibres of the PSF. */
export interface Bundle {
  readonly firstFibre: number;
  readonly fibres: number;
}

export interface BundleInput extends Bundle {
  /** What {@link bundleCutout} says; inside the CCD, may be empty. */
  readonly cutout: Cutout;
  /** Counts, electrons, [rows][columns] of the cut-out. Where ivar is 0 they mean nothing, NaN is legal there. */
  readonly image: Float32Array | Float64Array;
  /** Inverse variances, 0 where the pixel is masked; finite and ≥ 0. */
  readonly ivar: Float32Array | Float64Array;
}

export interface ExtractionBatch {
  readonly bundles: readonly BundleInput[];
}

/** Bits of {@link BundleResult.flags}. */
export const FLAG = {
  /** The bin saw no unmasked light: flux and ivar are 0; its R is that of the prior and means nothing. */
  NO_LIGHT: 1,
  /** The weak prior holds the bin: next to no light that is not masked. */
  REGULARISED: 2,
  /** The system could not be solved: flux, ivar, chi2pix are 0. */
  FAILED: 4,
} as const;

/** Spectra of one bundle: a row a fibre, a column a bin of the job's grid, float64, per bin (not per Å). */
export interface BundleResult extends Bundle {
  /** Flux convolved with the resolution, electrons a bin, [fibre][bin]. */
  readonly flux: Float64Array;
  /** Inverse variances of flux, [fibre][bin]; 0 where a bin saw no light. */
  readonly ivar: Float64Array;
  /** Number of stored diagonals of R, 2·halfY + 1. */
  readonly bands: number;
  /** R[j − ndiag + k][j] at [fibre][k][j], ndiag = (bands − 1)/2: columns of R, as SciPy's dia_matrix keeps them. */
  readonly resolution: Float64Array;
  /** χ² a pixel under the bin's spot, [fibre][bin]; 0 where no pixel is good. */
  readonly chi2pix: Float64Array;
  /** Fraction of the bin's light that falls on masked pixels, [fibre][bin]. */
  readonly pixmaskFraction: Float64Array;
  /** Bits of {@link FLAG}, [fibre][bin]. */
  readonly flags: Uint32Array;
  /** Pixel model A·x of the kept bins on the bundle's cut-out, electrons, [rows][columns]; where it was asked for. */
  readonly model?: { readonly cutout: Cutout; readonly data: Float64Array };
}
