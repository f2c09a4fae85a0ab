/** What is masked always, by instrument. */
import type { PreparationRules } from "./prepare_spectrum.ts";

/** Å. */
const EXCLUDED: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  // the dip of the collimator coating, as the reference has it
  desi: [[4300, 4450]],
  // little light below, the dichroic above: the range that LAMOST's own stellar parameters use
  lamost_b: [[0, 4200], [5700, Infinity]],
  // telluric O2 and H2O, which LAMOST does not remove
  lamost_r: [[0, 5900], [6860, 6970], [7150, 7350], [7580, 7720], [8120, 8350], [8930, Infinity]],
};

/** Pixels masked at either end where a resolution matrix is used. */
const MATRIX_EDGE = 5;

/** Rules for a set-up, by its full name or its instrument (`desi_b` → `desi`). */
export function preparationRules(setup: string, resolutionMatrix: boolean): PreparationRules {
  return {
    excluded: EXCLUDED[setup] ?? EXCLUDED[setup.replace(/_.*/, "")] ?? [],
    edge: resolutionMatrix ? MATRIX_EDGE : 0,
  };
}
