/** What the fit needs of a library for one arm of one kind of input: the spectra at the data's line spread. */
import type { LineSpread, Medium } from "../io/spectra.ts";

export interface PreparedArm {
  /** Set-up of the data this was prepared for. */
  readonly setup: string;
  readonly lam0: number;
  readonly dlnlam: number;
  readonly npix: number;
  readonly medium: Medium;
  /**
   * Standard deviation, Å, of the line spread left in the spectra when the data bring a resolution matrix, which is
   * deconvolved by it; NaN when the spectra already have the data's line spread.
   */
  readonly sigma0: number;
  /** ln flux, shape (templates, npix). A SharedArrayBuffer may be under it, so that workers share one copy. */
  readonly lnflux: Float32Array;
}

/** What to prepare for: one arm of an input. */
export interface PreparationRequest {
  readonly setup: string;
  /** Data wavelengths, Å, increasing. */
  readonly lam: Float64Array;
  readonly medium: Medium;
  readonly lsf: LineSpread;
  /** Use the data's resolution matrix: the library stays at a narrow line spread sigma0. */
  readonly resolutionMatrix: boolean;
  /** With the matrix: leave out of the spectra what the data's pixels cannot carry. */
  readonly bandLimit?: boolean;
  /** Largest |velocity| of the search, km/s: the spectra must cover the data shifted by it. */
  readonly maxVel: number;
}
