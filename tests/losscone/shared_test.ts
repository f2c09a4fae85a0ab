/** Whole fits of the development sweeps against the best that anything has found. */
import assert from "node:assert/strict";
import { makeLossconeFitter } from "../../core/losscone/fitter.ts";
import { DEFAULT_LOSSCONE_OPTIONS } from "../../core/losscone/options.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { oracle } from "../kernels/oracle.ts";
import { dataTest } from "../shared_data.ts";
import { sharedSweeps } from "./data.ts";

const FILES = ["losscone/spectra_inputs.npz", "losscone/spectra_outputs.npz"];

for (const method of ["halekas", "lillis"] as const) {
  dataTest(
    `exact search, ${method}: no worse than the best known on every sweep`,
    FILES,
    (inputs, outputs) => {
      const { batch, group, member } = sharedSweeps(inputs);
      const best = oracle(outputs)(`${method}_best_known_chi2`);
      const truth = member("true_u_surface");
      for (const fill of ["missing", "reference"] as const) {
        const fitter = makeLossconeFitter(loadWasmTarget(), { ...DEFAULT_LOSSCONE_OPTIONS, method, fill });
        const results = fitter.fit(batch);
        const away: number[] = [];
        results.forEach((result, e) => {
          const g = group[e]!, name = `sweep ${e} of group ${g}, fills ${fill}`;
          if (g === 5 || g === 6) {
            assert.ok(Number.isNaN(result.u) && Number.isNaN(result.chi2), name);
            assert.equal(result.reason, "no valid cells", name);
            return;
          }
          if (g <= 3 || fill === "reference") {
            if (Number.isNaN(best[e]!)) assert.ok(Number.isNaN(result.chi2), name);
            else assert.ok(result.chi2 <= best[e]! * (1 + 1e-3), `${name}: ${result.chi2} > ${best[e]}`);
          }
          if (g <= 3) away.push(Math.abs(result.u - truth[e]!));
          if (result.reason === "fitted") {
            assert.ok(result.converged, name);
            assert.ok(result.plateau.some(([a, b]) => a <= result.u && result.u <= b), name);
            assert.ok(result.confidence.some(([a, b]) => a <= result.u && result.u <= b), name);
          }
          // a fill costs thousands where it is taken for data
          if (g === 4 && method === "halekas") assert.equal(result.chi2 > 1000, fill === "reference", name);
        });
        away.sort((a, b) => a - b);
        if (method === "halekas") {
          assert.ok(away[away.length >> 1]! <= 1.4, `median |dU| ${away[away.length >> 1]}`);
        }
      }
    },
  );
}

dataTest(
  "evolution comes within 1e-3 of the best known on most sweeps of both methods",
  FILES,
  (inputs, outputs) => {
    const { batch, group } = sharedSweeps(inputs);
    let fitted = 0, good = 0;
    for (const method of ["halekas", "lillis"] as const) {
      const best = oracle(outputs)(`${method}_best_known_chi2`);
      const options = { ...DEFAULT_LOSSCONE_OPTIONS, method, search: "evolution" as const };
      makeLossconeFitter(loadWasmTarget(), options).fit(batch).forEach((result, e) => {
        if (group[e]! > 3 || Number.isNaN(best[e]!)) return;
        fitted++;
        if (result.chi2 <= best[e]! * (1 + 1e-3)) good++;
      });
    }
    assert.ok(good / fitted >= 0.92, `${good} of ${fitted}`);
  },
);
