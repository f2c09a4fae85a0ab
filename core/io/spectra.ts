/**
 * What a reader of spectra hands to the pipelines, whatever the file was: DESI, SDSS, LAMOST.
 *
 * A file is a list of rows (stars or exposures) by a list of arms; every arm has one wavelength grid that all its
 * rows share. Arrays are row-major, the pixel axis fast.
 */
import type { Header } from "./fits_header.ts";
import type { Table } from "./fits_table.ts";

/** Refractive medium that wavelengths are measured in. */
export type Medium = "air" | "vacuum";

/** Rest frame of the wavelength scale, hence of every velocity measured on it. */
export type Frame = "heliocentric" | "barycentric" | "topocentric" | "unknown";

/** Line-spread function of a spectrum, before pixel integration. */
export type LineSpread =
  /** Gaussian of constant full width at half maximum, Å. */
  | { readonly kind: "fwhm"; readonly angstrom: number }
  /** Gaussian of constant standard deviation, Å. */
  | { readonly kind: "sigma"; readonly angstrom: number }
  /** Gaussian of FWHM λ/R. */
  | { readonly kind: "resolution"; readonly R: number }
  /** Gaussian of tabulated standard deviation, Å, at the wavelengths of the arm, shape (npix). */
  | { readonly kind: "table"; readonly sigma: Float64Array };

/** One arm of a file: a wavelength grid and what is known of the instrument there. */
export interface ArmGrid {
  /** Instrument set-up, as in the reference's products: `desi_b`, `sdss`, `lamost`. */
  readonly setup: string;
  /** Short name used in HDU and column names: `b`, `r`, `z`; SDSS and LAMOST, which have one arm: `opt`. */
  readonly arm: string;
  /** Wavelengths, Å, shape (npix), increasing. */
  readonly lam: Float64Array;
  readonly medium: Medium;
  readonly frame: Frame;
  readonly lsf: LineSpread;
  /** Number of diagonals of the resolution matrix, 0 where the file has none. */
  readonly ndiag: number;
  /** Why this arm is fitted only when asked for by name; absent where it is fitted like any other. */
  readonly onRequest?: string;
}

/** The pixels of some rows of one arm. */
export interface ArmRows {
  /** Flux, the file's own units, shape (rows, npix). */
  readonly flux: Float32Array;
  /** Inverse variance of the flux, shape (rows, npix). */
  readonly ivar: Float32Array;
  /** Mask, 0 = good, any other bit pattern = bad (bit 31 makes it negative), shape (rows, npix). */
  readonly mask: Int32Array;
  /** Resolution matrix in the file's (DESI) storage: diagonals, shape (rows, ndiag, npix); null unless asked for. */
  readonly resolution: Float32Array | null;
}

/** An open file of spectra. */
export interface SpectrumFile {
  readonly path: string;
  readonly format: "desi-coadd" | "desi-spectra" | "sdss" | "lamost" | "desi-frame";
  readonly rows: number;
  readonly arms: readonly ArmGrid[];
  /** Primary header. */
  readonly header: Header;
  /** One row a spectrum. Always has TARGETID (int64); SDSS and LAMOST readers build one from the header. */
  readonly fibermap: Table;
  /** DESI SCORES, or null. */
  readonly scores: Table | null;
  /** DESI EXP_FIBERMAP, or null. */
  readonly expFibermap: Table | null;
  /** A catalogue redshift stored in the file itself (SDSS Z, LAMOST Z), per row; NaN if none. Shape (rows). */
  readonly catalogueZ: Float64Array | null;
  /**
   * Pixels of the given rows.
   *
   * @param arm - index into `arms`
   * @param rows - 0-based rows of the file, any order, duplicates legal
   * @param withResolution - read the resolution matrix too (DESI)
   */
  read(arm: number, rows: ArrayLike<number>, withResolution: boolean): ArmRows;
  close(): void;
}
