/** The point spread function of a spectrograph: where light of a fibre and wavelength lands on the CCD, in what shape. */

/** A wavelength interval, Å, that Legendre polynomials are scaled to. */
export interface Domain {
  readonly min: number;
  readonly max: number;
}

/** Parameters of a spot before and after its Gauss-Hermite coefficients, in the order of {@link Psf.shape}. */
export const WIDTHS = ["GHSIGX", "GHSIGY"] as const;
export const TAILS = ["TAILAMP", "TAILCORE", "TAILXSCA", "TAILYSCA", "TAILINDE"] as const;

/**
 * A Gauss-Hermite PSF. Pixel centres are whole numbers, (0, 0) the first pixel of the CCD; x counts columns, y rows.
 * Every parameter is a Legendre series in wavelength, continued beyond its domain without a limit.
 */
export interface Psf {
  /** File that it was read from. */
  readonly path: string;
  /** `r0`, "" if the file does not say. */
  readonly camera: string;
  /** Number of the first fibre. */
  readonly firstFibre: number;
  readonly fibres: number;
  /** Size of the CCD, pixels. */
  readonly columns: number;
  readonly rows: number;
  /** A spot has 2·halfX + 1 columns and 2·halfY + 1 rows. */
  readonly halfX: number;
  readonly halfY: number;
  /** Highest Gauss-Hermite degrees in x and y. */
  readonly degreeX: number;
  readonly degreeY: number;
  readonly traceDomain: Domain;
  readonly traceTerms: number;
  /** Coefficients of column and row of the centroid, [fibre][x, y][traceTerms], pixels. */
  readonly trace: Float64Array;
  readonly shapeDomain: Domain;
  readonly shapeTerms: number;
  /**
   * Coefficients of σx, σy (pixels), GH[i][j] (i = degree in x, slow; j = degree in y) and the five tail parameters,
   * [fibre][parameter][shapeTerms].
   */
  readonly shape: Float64Array;
  /** Relative error of the pixel model that chi2pix allows for. */
  readonly error: number;
}

/** Parameters of one spot. */
export function shapeParameters(psf: Psf): number {
  return WIDTHS.length + (psf.degreeX + 1) * (psf.degreeY + 1) + TAILS.length;
}

/** Columns and rows of a spot. */
export function spotSize(psf: Psf): { readonly columns: number; readonly rows: number } {
  return { columns: 2 * psf.halfX + 1, rows: 2 * psf.halfY + 1 };
}

/** Wavelengths, Å, at which both traces and shapes are defined. */
export function wavelengthRange(psf: Psf): Domain {
  return {
    min: Math.max(psf.traceDomain.min, psf.shapeDomain.min),
    max: Math.min(psf.traceDomain.max, psf.shapeDomain.max),
  };
}

/** Value of the Legendre series with coefficients c[from … from + terms) at λ. */
export function legendre(c: Float64Array, from: number, terms: number, domain: Domain, wave: number): number {
  const u = 2 * (wave - domain.min) / (domain.max - domain.min) - 1;
  let before = 0, p = 1, sum = 0;
  for (let k = 0; k < terms; k++) {
    sum += c[from + k]! * p;
    const after = ((2 * k + 1) * u * p - k * before) / (k + 1);
    before = p;
    p = after;
  }
  return sum;
}

/** Centroid, pixels, of a fibre (counted from 0 among the PSF's) at a wavelength. */
export function centroid(psf: Psf, fibre: number, wave: number): { readonly x: number; readonly y: number } {
  const { trace, traceTerms: terms, traceDomain: domain } = psf;
  const at = 2 * fibre * terms;
  return { x: legendre(trace, at, terms, domain, wave), y: legendre(trace, at + terms, terms, domain, wave) };
}

/** Coefficients of traces and shapes of some consecutive fibres, as the kernel psf_spots wants them. */
export function fibreCoefficients(
  psf: Psf,
  first: number,
  count: number,
): { readonly trace: Float64Array; readonly shape: Float64Array; readonly domains: Float64Array } {
  const t = 2 * psf.traceTerms, s = shapeParameters(psf) * psf.shapeTerms;
  const { traceDomain, shapeDomain } = psf;
  return {
    trace: psf.trace.slice(first * t, (first + count) * t),
    shape: psf.shape.slice(first * s, (first + count) * s),
    domains: Float64Array.of(traceDomain.min, traceDomain.max, shapeDomain.min, shapeDomain.max),
  };
}

/** Dimensions of the kernel psf_spots for some fibres and bins of a PSF. */
export function spotDims(psf: Psf, fibres: number, bins: number): Readonly<Record<string, number>> {
  const { columns, rows } = spotSize(psf);
  return {
    B: fibres,
    L: bins,
    KT: psf.traceTerms,
    KP: psf.shapeTerms,
    GX: psf.degreeX + 1,
    GY: psf.degreeY + 1,
    SX: columns,
    SY: rows,
  };
}
