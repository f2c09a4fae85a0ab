/** Kappa fits and potentials on the emulated device: as on WASM. */
import assert from "node:assert/strict";
import { makeKappaFitter } from "../../core/losscone/kappa_fitter.ts";
import { DEFAULT_KAPPA_OPTIONS } from "../../core/losscone/kappa_options.ts";
import { MIXED, simulateSweeps } from "../../core/losscone/simulate.ts";
import { makeSpacecraftPotentialFitter } from "../../core/losscone/spacecraft_potential.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { GpuTarget } from "../../gpu/target.ts";
import { emulatedTest } from "../gpu/emulated.ts";

/** Largest relative difference of the numbers of two answers; Infinity where one is NaN or another text. */
function difference(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") {
    if (Object.is(a, b) || a === b) return 0;
    const relative = Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b));
    return Number.isNaN(relative) ? Infinity : relative;
  }
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    return a === b ? 0 : Infinity;
  }
  const values = [Object.entries(a), Object.entries(b)] as const;
  if (values[0].length !== values[1].length) return Infinity;
  return values[0].reduce(
    (worst, [name, value]) => Math.max(worst, difference(value, (b as Record<string, unknown>)[name])),
    0,
  );
}

const { batch } = simulateSweeps({ sweeps: 40, seed: 6, groups: MIXED });
const sunlit = Uint8Array.from({ length: 40 }, (_, s) => s % 2);

emulatedTest("kappa fits and potentials are the same on the emulated device", (library) => {
  const device = new GpuTarget("emulated", { library });
  const [found, expected] = [device, loadWasmTarget()].map((target) => ({
    kappa: makeKappaFitter(target, DEFAULT_KAPPA_OPTIONS).fit(batch),
    potential: makeSpacecraftPotentialFitter(target, DEFAULT_KAPPA_OPTIONS).fit(batch, sunlit),
  }));
  device.close();
  assert.ok(expected!.potential.filter((one) => one.found).length > 10);
  // a covariance keeps the rounding of its sums times its condition, a root 1e-10 V of a few
  assert.ok(difference(found, expected) < 1e-8, `${difference(found, expected)}`);
});
