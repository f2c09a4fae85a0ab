/** Cells on the very edge of the cone: rounding alone says on which side they are. */

/** A cell within this of the edge, in sin²α, may lie on either side of it. */
export const TIE = 1e-12;
/** Most ties whose combinations are gone through. */
const MOST = 12;

/** A sweep at one (U, b): energies eV and potentials V by row, pitch in degrees by cell, row-major. */
export interface TiedSweep {
  readonly energy: ArrayLike<number>;
  readonly potential: (row: number) => number;
  readonly pitch: ArrayLike<number>;
}

/** Cells with |sin²α − x| < 1e-12 on the Moon's side; those below 90° are in no cone, whatever x is. */
export function ties({ energy, potential, pitch }: TiedSweep, U: number, b: number): number[] {
  const P = pitch.length / energy.length;
  return Array.from({ length: pitch.length }, (_, i) => i).filter((i) => {
    const row = Math.floor(i / P);
    const x = Math.min(Math.max(b * (1 + U / Math.max(energy[row]! - potential(row), 1e-12)), 0), 1);
    return pitch[i]! > 90 && Math.abs(Math.sin(pitch[i]! * Math.PI / 180) ** 2 - x) < TIE;
  });
}

/**
 * Sums over all ways to put tied cells on either side, the first with none moved.
 *
 * @param sum - with every cell where the model has it
 * @param changes - what moving each tied cell adds
 * @throws RangeError where the ways are too many to go through
 */
export function eitherSide(sum: number, changes: readonly number[]): number[] {
  if (changes.length > MOST) throw new RangeError(`${changes.length} ties in one sum, at most ${MOST}`);
  return changes.reduce((sums, change) => [...sums, ...sums.map((s) => s + change)], [sum]);
}
