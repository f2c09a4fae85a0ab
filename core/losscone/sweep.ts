/** Sweeps as the loss-cone fit takes them: plain arrays, so that a batch can be posted to a worker. */

/** Energy steps of a sweep of the Lunar Prospector reflectometer. */
export const SWEEP_ROWS = 15;
/** Directions (cells) of one energy step. */
export const SWEEP_CELLS = 88;

/** Some sweeps; all arrays row-major, the sweep first. */
export interface SweepBatch {
  /** n, sweeps. */
  readonly count: number;
  /** R, energy steps per sweep; a short sweep is padded with rows whose energy is NaN. */
  readonly rows: number;
  /** P, directions of one energy step. */
  readonly cells: number;
  /** Energy, eV, shape (n, R), in any order; NaN: no such row. */
  readonly energy: Float64Array;
  /** Elevation of the cells, deg, shape (P). */
  readonly theta: Float64Array;
  /** Azimuth of the cells, deg, shape (n, R, P). */
  readonly phi: Float64Array;
  /** Differential flux, cm⁻² s⁻¹ sr⁻¹ eV⁻¹, shape (n, R, P); fill values as they are in the archive, or NaN. */
  readonly flux: Float64Array;
  /** Magnetic field in the frame of the cells, nT, shape (n, R, 3). */
  readonly field: Float64Array;
  /** Which of ±B points to the Moon, shape (n, R): +1, −1; 0 or NaN: neither, the row has no pitch angles. */
  readonly polarity: Float64Array;
  /** Potential of the spacecraft, V, shape (n, R); NaN: the row is not used. */
  readonly uSpacecraft: Float64Array;
}
