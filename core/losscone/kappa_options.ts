/** What a user may ask of a kappa fit and of the spacecraft potential that follows from it. */
import type { Bounds } from "./options.ts";

export interface KappaOptions {
  readonly kappa: Bounds;
  /** lg of the thermal speed, m/s. */
  readonly lgTheta: Bounds;
  /** Relative systematic error of a row's counts. */
  readonly systematic: number;
  /** Whether the model is seen through the energy response of the analyser. */
  readonly response: boolean;
  /** Energies that the electron current is integrated on: for the first potential of a sunlit sweep, and the last. */
  readonly currentPoints: readonly [first: number, last: number];
}

/** Bounds and errors as the reference has them: 5 % and 10 % in quadrature. */
export const DEFAULT_KAPPA_OPTIONS: KappaOptions = {
  kappa: [2.5, 6],
  lgTheta: [6, 8],
  systematic: Math.hypot(0.05, 0.1),
  response: true,
  currentPoints: [10, 100],
};
