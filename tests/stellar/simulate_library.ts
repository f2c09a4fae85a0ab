/** A small made-up library for tests: 3 × 2 nodes, Gaussian lines whose depth depends on the parameters. */
import type { Grid } from "../../core/templates/grid.ts";
import type { PreparedArm } from "../../core/templates/prepared.ts";
import type { SIMULATED_ARMS } from "../../core/stellar/simulate_arms.ts";

export const GRID: Grid = {
  axes: [
    { name: "teff", unit: "K", log10: true, values: Float64Array.of(4000, 5000, 6500) },
    { name: "feh", unit: "dex", log10: false, values: Float64Array.of(-1, 0) },
  ],
  params: Float64Array.of(4000, -1, 4000, 0, 5000, -1, 5000, 0, 6500, -1, 6500, 0),
  idgrid: Int32Array.of(0, 1, 2, 3, 4, 5),
};

/** @param sigma0 - line spread left, Å; NaN = the data's own */
export function preparedArm(arm: typeof SIMULATED_ARMS[number], sigma0 = NaN): PreparedArm {
  const lam0 = arm.lam[0] * 0.99, last = arm.lam[arm.lam.length - 1] * 1.01;
  const dlnlam = 0.4 / arm.lam[0], npix = Math.ceil(Math.log(last / lam0) / dlnlam);
  const lnflux = new Float32Array(6 * npix);
  for (let t = 0; t < 6; t++) {
    const teff = GRID.params[2 * t], feh = GRID.params[2 * t + 1];
    for (let i = 0; i < npix; i++) {
      const lam = lam0 * Math.exp(i * dlnlam);
      const phase = ((lam % 50) - 25) / 1.5;
      lnflux[t * npix + i] = -teff / 5000 * (lam / 6000) - (0.6 + 0.4 * feh) * Math.exp(-0.5 * phase * phase);
    }
  }
  return { setup: arm.setup, lam0, dlnlam, npix, medium: "vacuum", sigma0, lnflux };
}
