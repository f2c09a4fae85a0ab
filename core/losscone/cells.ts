/**
 * The 88 directions of the electron reflectometer: latitude rings of the 3-D table, their cells and solid angles.
 * Source: theta.tab and solid_angles.tab of the PDS collection LP-L-ER-3-RDR-3DELEFLUX-80SEC-V1.1.
 */

/** Cells of one sweep at one energy. */
export const CELLS = 88;
/** Energies of one sweep. */
export const ENERGIES = 15;

export interface Latitude {
  /** |θ|, degrees. */
  readonly theta: number;
  /** Cells around at +θ, as many at −θ. */
  readonly cells: number;
  /** Of one cell, sr. */
  readonly solidAngle: number;
}

/** By |θ|, from the spin plane to the axis. */
export const LATITUDES: readonly Latitude[] = [
  { theta: 11.25, cells: 16, solidAngle: 0.150279 },
  { theta: 33.75, cells: 16, solidAngle: 0.127401 },
  { theta: 56.25, cells: 8, solidAngle: 0.170253 },
  { theta: 78.75, cells: 4, solidAngle: 0.119570 },
];

/** Geometric factor of a cell, cm² sr, and time that the ring of a latitude shares, s. */
export const GEOMETRIC_FACTOR = 0.02;
export const ACCUMULATION = 2.5;

/** The ring that a θ (degrees) belongs to; null where the instrument has none. */
export function latitudeOf(theta: number): Latitude | null {
  return LATITUDES.find((ring) => ring.theta === Math.abs(theta)) ?? null;
}

/** θ of the 88 cells in the order of the simulated tables: by |θ|, northern ring before southern, degrees. */
export function simulatedThetas(): Float64Array {
  return Float64Array.from(
    LATITUDES.flatMap(({ theta, cells }) => [theta, -theta].flatMap((t) => new Array(cells).fill(t))),
  );
}

/**
 * Counts that a flux of 1 cm⁻² s⁻¹ sr⁻¹ eV⁻¹ at 1 eV makes in each cell: 0.02 cm² sr · 2.5 s / cells of its ring.
 * Multiply by flux and energy for reconstructed counts.
 *
 * @throws RangeError where a θ is none of the instrument's
 */
export function countFactors(theta: Float64Array): Float64Array {
  return theta.map((t) => GEOMETRIC_FACTOR * (ACCUMULATION / ringOf(t).cells));
}

/** Solid angles of the cells, sr. @throws RangeError where a θ is none of the instrument's */
export function solidAngles(theta: Float64Array): Float64Array {
  return theta.map((t) => ringOf(t).solidAngle);
}

function ringOf(theta: number): Latitude {
  const ring = latitudeOf(theta);
  if (ring === null) {
    const known = LATITUDES.map(({ theta }) => `±${theta}`).join(", ");
    throw new RangeError(`theta ${theta} is none of the instrument's latitudes ${known}`);
  }
  return ring;
}
