/** Which bundles a range of fibres needs. */
import { InputError } from "../io/input_error.ts";
import type { Bundle } from "./job.ts";

/** A bundle that is extracted, and which of its fibres are kept. */
export interface PlannedBundle extends Bundle {
  /** First fibre that is kept, counted from the bundle's first; how many; and row of the first in the frame. */
  readonly keep: number;
  readonly kept: number;
  readonly row: number;
}

/**
 * Bundles are groups of `size` fibres from fibre 0 on, the last one perhaps smaller. A bundle of which only some fibres
 * are asked for is extracted whole, since the others' light lies among theirs.
 *
 * @param fibres - fibres of the PSF
 * @throws InputError where fibres are asked for that the PSF does not have
 */
export function planBundles(first: number, count: number, size: number, fibres: number): PlannedBundle[] {
  if (first >= fibres || count < 1 || first + count > fibres) {
    throw new InputError(
      `--specmin ${first} --nspec ${count}: the PSF has the fibres 0 to ${fibres - 1}; ask for some of them`,
    );
  }
  const bundles: PlannedBundle[] = [];
  for (let b = Math.floor(first / size); b * size < first + count; b++) {
    const from = b * size, to = Math.min(from + size, fibres);
    const low = Math.max(first, from), high = Math.min(first + count, to);
    bundles.push({
      firstFibre: from,
      fibres: to - from,
      keep: low - from,
      kept: high - low,
      row: low - first,
    });
  }
  return bundles;
}
