/** What a user may ask of a stellar fit; defaults in one place. Scripts depend on the meanings. */

export interface Prior {
  readonly mean: number;
  readonly sigma: number;
}

/** What changes an answer. Everything here goes into the output header and into the identity of a resumed run. */
export interface FitOptions {
  /** Arms to fit, lower case, or null for all present. */
  readonly arms: readonly string[] | null;
  readonly resolutionMatrix: boolean;
  /** With the resolution matrix: templates without what the data's pixels cannot carry. */
  readonly bandLimit: boolean;
  /** Continuum coefficients per spectrum. */
  readonly npoly: number;
  readonly continuum: "rbf" | "chebyshev";
  /** Velocity and template class only. */
  readonly rvOnly: boolean;
  /** Parameter (`teff`, `vsini`, `vrad`, …) → value held fixed. */
  readonly fix: Readonly<Record<string, number>>;
  /** Gaussian priors by parameter. */
  readonly priors: Readonly<Record<string, Prior>>;
  /** The search covers −maxVel … +maxVel, km/s. */
  readonly maxVel: number;
  readonly maxVsini: number;
  /** Join the rows of one TARGETID in one fit. */
  readonly jointByTargetid: boolean;
}

export const DEFAULT_OPTIONS: FitOptions = {
  arms: null,
  resolutionMatrix: false,
  bandLimit: false,
  npoly: 10,
  continuum: "rbf",
  rvOnly: false,
  fix: {},
  priors: {},
  maxVel: 1000,
  maxVsini: 500,
  jointByTargetid: false,
};
