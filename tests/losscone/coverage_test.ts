/** How often the confidence sets hold the truth. */
import assert from "node:assert/strict";
import { makeLossconeFitter } from "../../core/losscone/fitter.ts";
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

Deno.test("68 % sets hold the truth of at least 60 % of 2000 simulated sweeps; more than 76 % come of plateaus", () => {
  const fitter = makeLossconeFitter(loadWasmTarget(), DEFAULT_LOSSCONE_OPTIONS);
  let held = 0, onPlateau = 0, fitted = 0;
  for (let first = 0; first < 2000; first += 250) {
    const { batch, truths } = simulateSweeps({ sweeps: 250, first, seed: 77 });
    fitter.fit(batch).forEach((result, e) => {
      if (result.reason !== "fitted") return;
      fitted++;
      const holds = (set: typeof result.plateau) =>
        set.some(([low, high]) => low <= truths[e]!.uSurface && truths[e]!.uSurface <= high);
      if (holds(result.confidence)) held++;
      if (holds(result.plateau)) onPlateau++;
    });
  }
  assert.ok(fitted > 1900 && held / fitted >= 0.6, `${held} of ${fitted}`);
  // χ² is a step function: no set is smaller than its lowest step, and that alone holds the truth more often than 76 %
  assert.ok(
    held / fitted <= 0.76 || onPlateau / fitted > 0.76,
    `${held}, on plateaus ${onPlateau} of ${fitted}`,
  );
});
