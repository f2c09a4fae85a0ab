/** How often the confidence sets hold the truth. */
import assert from "node:assert/strict";
import { INTERVALS, intervals, makeLossconeFitter } from "../../core/losscone/fitter.ts";
import { DEFAULT_LOSSCONE_OPTIONS } from "../../core/losscone/options.ts";
import { chi2Quantile } from "../../core/losscone/quantile.ts";
import { simulateSweeps } from "../../core/losscone/simulate.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";

Deno.test("quantiles of χ² with one degree of freedom", () => {
  for (
    const [p, q] of [[0.6826894921370859, 1], [0.9544997361036416, 4], [0.9973002039367398, 9], [
      0,
      0,
    ]] as const
  ) {
    assert.ok(Math.abs(chi2Quantile(p) - q) < 1e-9, `${p}: ${chi2Quantile(p)}`);
  }
  assert.throws(() => chi2Quantile(1), RangeError);
});

/** How many of simulated sweeps were fitted, and how often their sets hold the truth. */
function coverage(method: "halekas" | "lillis", sweeps: number) {
  const fitter = makeLossconeFitter(loadWasmTarget(), { ...DEFAULT_LOSSCONE_OPTIONS, method });
  let held = 0, onPlateau = 0, fitted = 0;
  for (let first = 0; first < sweeps; first += 250) {
    const { batch, truths } = simulateSweeps({ sweeps: 250, first, seed: 77 });
    fitter.fit(batch).forEach((result, e) => {
      if (result.reason !== "fitted") return;
      fitted++;
      const U = truths[e]!.uSurface;
      const holds = (set: typeof result.plateau) => set.some(([low, high]) => low <= U && U <= high);
      held += Number(holds(result.confidence));
      onPlateau += Number(holds(result.plateau));
    });
  }
  return { fitted, held: held / fitted, onPlateau: onPlateau / fitted };
}

// χ² is a step function: no set is smaller than its lowest step, and that alone holds the truth more often than 76 %
for (const [method, sweeps] of [["halekas", 2000], ["lillis", 2000]] as const) {
  Deno.test(`${method}: 68 % sets hold the truth of at least 60 % of ${sweeps} simulated sweeps; more than 76 % come of plateaus`, () => {
    const { fitted, held, onPlateau } = coverage(method, sweeps), found = JSON.stringify({ held, onPlateau });
    assert.ok(fitted > 0.9 * sweeps && held >= 0.6, found);
    assert.ok(held <= 0.76 || onPlateau > 0.76, found);
    // the set is more than the plateau
    assert.ok(held >= onPlateau, found);
  });
}

Deno.test("intervals closer than the search can tell are one, others are not", () => {
  const ends = new Float64Array(2 * INTERVALS * 2).fill(NaN);
  ends.set([-30, -20, -19.8, -15, -14.7, -10], 2 * INTERVALS);
  // a sixtieth of 15 eV
  assert.deepEqual(intervals(ends, 1, 15), [[-30, -15], [-14.7, -10]]);
  assert.deepEqual(intervals(ends, 1, 20), [[-30, -10]]);
  assert.deepEqual(intervals(ends, 1, 0), [[-30, -20], [-19.8, -15], [-14.7, -10]]);
  assert.deepEqual(intervals(ends, 0, 15), []);
});
