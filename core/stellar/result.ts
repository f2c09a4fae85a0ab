/** What a fit says of a star. */

/** Bits of RVS_WARN: the reference's seven (spec of rvspecfit 26.07) and our eighth. */
export const WARN = {
  /** Barely better than the continuum alone: χ²_continuum − χ² < 50. */
  CHISQ: 1,
  /** Velocity within 5 km/s of the search limits. */
  RV: 2,
  /** Velocity error > 100 km/s. */
  RVERR: 4,
  /** A parameter at the reference's fixed limits. */
  PARAM: 8,
  /** vsini > 100 km/s. */
  VSINI: 16,
  /** Nothing to fit. */
  BAD_SPECTRUM: 32,
  /** Curvature not positive definite. */
  BAD_HESSIAN: 64,
  /** A parameter on the library's own border. */
  LIBRARY_EDGE: 128,
} as const;

/** Why the optimiser stopped. */
export type Reason =
  /** Predicted fall of −2 ln L below the threshold, gradient zero inside a cell or balanced on a border. */
  | "converged"
  /** A true kink of the interpolation: downhill from both sides. */
  | "kink"
  | "iterations exhausted"
  | "no valid evaluation"
  | "not fitted";

/** One star (or one exposure). All angles of NaN mean "not available". */
export interface StarResult {
  /** 0-based rows of the input that went into the fit; one unless joined. */
  readonly rows: readonly number[];
  /** Radial velocity at the maximum of the likelihood, km/s. */
  readonly vrad: number;
  /** Conditional error: the velocity posterior with everything else held, km/s. */
  readonly vradErr: number;
  /** Marginal error, from the full covariance, km/s. */
  readonly vradErrMarginal: number;
  readonly vradSkew: number;
  readonly vradKurt: number;
  /** Velocity at the start, from the cross-correlation, km/s. */
  readonly vradCcf: number;
  /** km/s. */
  readonly vsini: number;
  readonly vsiniErr: number;
  /** Library parameters, physical units, in the library's axis order. */
  readonly params: readonly number[];
  readonly paramErrs: readonly number[];
  /**
   * Covariance of (vrad, vsini, params…), physical units, row-major, shape (2+axes)²; NaN in rows of fixed ones.
   */
  readonly covariance: readonly number[];
  /** −2 ln L at the answer, by the reference's definition: Σ_spectra ln det N + 2 Σ ln σ + χ². */
  readonly m2lnl: number;
  /** Per arm, in the order of the run's arms; NaN where the arm is missing. Over unmasked pixels, original σ. */
  readonly chisq: readonly number[];
  /** The same for the continuum alone. */
  readonly chisqContinuum: readonly number[];
  readonly npix: number;
  /** Median S/N per arm as selected on (SCORES or own). */
  readonly sn: readonly number[];
  readonly warn: number;
  /** Value-and-gradient evaluations. */
  readonly evaluations: number;
  readonly reason: Reason;
  /** Index of the best template where the library has no labels, else −1. */
  readonly template: number;
}

/** The answers of one batch. */
export interface BatchResult {
  readonly stars: readonly StarResult[];
  /**
   * Model per arm for every input row of the batch in order of (star, row within star): float32, shape (rows, npix);
   * zeros where the arm is missing.
   */
  readonly models: readonly Float32Array[];
  /** Seconds spent, by stage, for the bench. */
  readonly seconds: Readonly<Record<string, number>>;
}
