/** What a loss-cone fit says of a sweep. */

/** U from low to high, V, both ends belonging to it. */
export type Interval = readonly [low: number, high: number];

/** Why a sweep has the answer it has. */
export type LossconeReason =
  | "fitted"
  /** No cell is left after masks and normalisation. */
  | "no valid cells"
  /** Lillis: fewer than five cells. */
  | "too few cells"
  /** Lillis: χ² above 2; U, Bs/Bm and the amplitude are NaN, χ² is kept. */
  | "chi2 above the limit";

export interface SweepResult {
  /**
   * U_surface, V: the middle of the plateau interval that holds the best fit (after an evolution: its best member); NaN
   * where there is none.
   */
  readonly u: number;
  /** B_spacecraft / B_surface of a best fit at `u`'s interval. */
  readonly bsOverBm: number;
  readonly beamAmp: number;
  /** The objective of the method at (u, bsOverBm, beamAmp), within 2e-4 of its minimum, relative. */
  readonly chi2: number;
  /** Cells that χ² sums over. */
  readonly validCells: number;
  /**
   * All U whose χ² (at the best Bs/Bm and amplitude) is within 2e-4 of the minimum, relative: increasing disjoint
   * intervals.
   */
  readonly plateau: readonly Interval[];
  /** The confidence set of U: increasing disjoint intervals. */
  readonly confidence: readonly Interval[];
  /** Whether the confidence set is one interval that meets neither bound of U, no wider than 200 V. */
  readonly identifiable: boolean;
  /** The reference's width of U over the Latin hypercube (Lillis), V; NaN for Halekas. */
  readonly uWidth: number;
  readonly search: "exact" | "evolution" | "hypercube" | "none";
  readonly converged: boolean;
  /** Evaluations of χ² by the evolution; null without one: the exact search bounds boxes, most points it never sees. */
  readonly evaluations: number | null;
  readonly reason: LossconeReason;
}
