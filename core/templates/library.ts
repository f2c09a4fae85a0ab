/**
 * A template library: model spectra on a grid of stellar parameters (or without labels), at one or more line-spread
 * functions.
 *
 * Spectra are stored as natural logarithms of flux, float32, on grids uniform in ln λ: λ_i = lam0 · exp(i·dlnlam).
 */
import type { LineSpread, Medium } from "../io/spectra.ts";

/** One parameter of a grid. */
export interface Axis {
  /** `teff`, `logg`, `feh`, `alpha`, or another name from the source. */
  readonly name: string;
  /** `K`, `dex`, … */
  readonly unit: string;
  /** Interpolation is linear in log10 of the parameter (teff), not in the parameter. */
  readonly log10: boolean;
  /** Node values, physical units, increasing. */
  readonly values: Float64Array;
}

/** Spectra of all templates over one wavelength range at one line spread. */
export interface TemplateArm {
  /** Instrument set-up that this arm was made for (`desi_b`), or `full` for one that serves any instrument it covers. */
  readonly setup: string;
  /** First wavelength, Å. */
  readonly lam0: number;
  /** Step in ln λ. */
  readonly dlnlam: number;
  readonly npix: number;
  readonly medium: Medium;
  readonly lsf: LineSpread;
  /** ln flux, shape (templates, npix). */
  readonly lnflux: Float32Array;
}

/** A set of arms made together: the reference's `std` and `resolmat` products, or `full`. */
export interface TemplateBuild {
  readonly name: string;
  readonly arms: readonly TemplateArm[];
}

export interface TemplateLibrary {
  readonly name: string;
  /** Grid axes in interpolation order; empty for unlabelled templates. */
  readonly axes: readonly Axis[];
  /** Number of templates. */
  readonly templates: number;
  /** Parameters of every template, physical units, shape (templates, axes). */
  readonly params: Float64Array;
  /** Template at every node, −1 = hole; C order over the axes, last axis fast. Empty without axes. */
  readonly idgrid: Int32Array;
  /** Class of every template (`STAR-A`, …) where the source names one, else null. */
  readonly classes: readonly string[] | null;
  readonly builds: readonly TemplateBuild[];
  /** Where it came from: source, program, version, date, remarks. */
  readonly provenance: Readonly<Record<string, string>>;
  /** SHA-256 of axes, parameters and spectra, hexadecimal: goes into every output made with it. */
  readonly checksum: string;
}
