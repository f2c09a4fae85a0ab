/** Which spots share pixels: the width of the band of AᵀWA. */

/** Corners of spots, [fibre][bin] each, from the kernel psf_spots. */
export interface Corners {
  readonly xc: Int32Array;
  readonly yc: Int32Array;
  readonly fibres: number;
  readonly bins: number;
  /** Size of a spot, pixels. */
  readonly columns: number;
  readonly rows: number;
}

/** Smallest and largest of a row of n values. */
function extremes(values: Int32Array, from: number, n: number): [number, number] {
  let low = Infinity, high = -Infinity;
  for (let i = from; i < from + n; i++) {
    const value = values[i]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/**
 * Half-bandwidth of AᵀWA of all fibres and bins, unknowns m = bin·fibres + fibre: the largest m − m' of spots that share a
 * pixel, so that K[m, m'] is 0 beyond it. 0 where there are no spots.
 */
export function halfBandwidth(corners: Corners): number {
  const { xc, yc, fibres, bins, columns, rows } = corners;
  const range = Array.from({ length: fibres }, (_, f) => extremes(xc, f * bins, bins));
  let most = 0;
  for (let f = 0; f < fibres; f++) {
    for (let g = 0; g < fibres; g++) {
      const [low, high] = range[f]!, [from, to] = range[g]!;
      if (low - to >= columns || from - high >= columns) continue;
      // bins farther apart than the band already covers; rows need not go up with wavelength
      const apart = Math.max(0, Math.floor((most + g - f) / fibres) + 1);
      for (let w = apart; w < bins; w++) {
        const x = xc[f * bins + w]!, y = yc[f * bins + w]!;
        for (let v = w - Math.max(apart, Math.floor((most + g - f) / fibres) + 1); v >= 0; v--) {
          const other = g * bins + v;
          const high = Math.abs(yc[other]! - y);
          if (high < rows && Math.abs(xc[other]! - x) < columns) {
            most = Math.max(most, (w - v) * fibres + f - g);
          } else if (high >= 3 * rows) break;
        }
      }
    }
  }
  return most;
}
