/** Evolution on two targets, generation by generation; the reference's defects that the search does not have. */
import assert from "node:assert/strict";
import { Evolution } from "../../core/losscone/evolution.ts";
import { makeLossconeFitter } from "../../core/losscone/fitter.ts";
import { DEFAULT_LOSSCONE_OPTIONS } from "../../core/losscone/options.ts";
import { prepareSweeps } from "../../core/losscone/prepared.ts";
import { simulateSweeps } from "../../core/losscone/simulate.ts";
import type { SweepBatch } from "../../core/losscone/sweep.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { GpuTarget } from "../../gpu/target.ts";
import { emulatedTest } from "../gpu/emulated.ts";

const OPTIONS = DEFAULT_LOSSCONE_OPTIONS;
const fitter = (more: Partial<typeof OPTIONS> = {}) =>
  makeLossconeFitter(loadWasmTarget(), { ...OPTIONS, ...more });

/** Sweep e of a batch alone. */
function alone(batch: SweepBatch, e: number): SweepBatch {
  const part = (a: Float64Array) => a.slice(e * a.length / batch.count, (e + 1) * a.length / batch.count);
  const { energy, phi, flux, field, polarity, uSpacecraft } = batch;
  return {
    ...batch,
    count: 1,
    energy: part(energy),
    phi: part(phi),
    flux: part(flux),
    field: part(field),
    polarity: part(polarity),
    uSpacecraft: part(uSpacecraft),
  };
}

emulatedTest(
  "evolution is the same on WASM and on the emulated device, generation by generation",
  (library) => {
    const { batch } = simulateSweeps({ sweeps: 6, seed: 3 });
    const gpu = new GpuTarget("emulated", { library });
    for (const method of ["halekas", "lillis"] as const) {
      const options = { ...OPTIONS, method };
      const [a, b] = [loadWasmTarget(), gpu].map((target) =>
        new Evolution(target, options, prepareSweeps(target, batch, options, 1))
      );
      for (let generation = 0, on = true; on; generation++) {
        const [x, y] = [a!.members(), b!.members()];
        x.population.forEach((v, i) => {
          assert.ok(
            Math.abs(v - y.population[i]!) <= 1e-9 * Math.abs(v),
            `${method}, generation ${generation}`,
          );
        });
        on = a!.step(1);
        assert.equal(b!.step(1), on);
      }
    }
    gpu.close();
  },
);

emulatedTest("whole fits are the same on WASM and on the emulated device", (library) => {
  const { batch } = simulateSweeps({ sweeps: 5, seed: 8 });
  const gpu = new GpuTarget("emulated", { library });
  const [a, b] = [loadWasmTarget(), gpu].map((target) => makeLossconeFitter(target, OPTIONS).fit(batch));
  a!.forEach((result, e) => {
    for (const name of ["u", "bsOverBm", "beamAmp", "chi2"] as const) {
      assert.ok(
        Math.abs(result[name] - b![e]![name]) <= 1e-6 * (1 + Math.abs(result[name])),
        `${name} of ${e}`,
      );
    }
  });
  gpu.close();
});

for (const search of ["exact", "evolution"] as const) {
  Deno.test(`reference defect: the answer depended on the batch; ${search}: a sweep alone is as in a batch`, () => {
    const { batch } = simulateSweeps({ sweeps: 4, seed: 11 });
    const together = fitter({ search }).fit(batch);
    for (let e = 0; e < 4; e++) assert.deepEqual(fitter({ search }).fit(alone(batch, e))[0], together[e]);
  });

  Deno.test(`reference defect: one row with NaN pitch spoilt the sweep; ${search}: it costs its own cells only`, () => {
    const { batch, truths } = simulateSweeps({ sweeps: 1, seed: 2 });
    const polarity = batch.polarity.slice();
    polarity[12] = 0;
    const [whole] = fitter({ search }).fit(batch), [holed] = fitter({ search }).fit({ ...batch, polarity });
    assert.ok(holed!.validCells < whole!.validCells && holed!.validCells > 500);
    assert.ok(Math.abs(holed!.u - whole!.u) < 0.1 * (10 + Math.abs(truths[0]!.uSurface)));
    assert.equal(holed!.reason, "fitted");
  });
}

Deno.test("reference defect: fill values were data; they are missing unless asked for", () => {
  const { batch } = simulateSweeps({ sweeps: 3, seed: 4, groups: { missing: 1 } });
  const [missing, numbers] = [fitter().fit(batch), fitter({ fill: "reference" }).fit(batch)];
  missing.forEach((result, e) => {
    assert.ok(result.chi2 * 10 < numbers[e]!.chi2);
    assert.ok(result.validCells < numbers[e]!.validCells);
  });
});

Deno.test("nothing to fit: unconnected and empty sweeps, an empty batch, arrays of a wrong length", () => {
  const { batch } = simulateSweeps({ sweeps: 4, seed: 4, groups: { unconnected: 1, empty: 1 } });
  for (const search of ["exact", "evolution"] as const) {
    for (const result of fitter({ search }).fit(batch)) {
      assert.equal(result.reason, "no valid cells");
      assert.ok(Number.isNaN(result.u) && Number.isNaN(result.chi2) && result.plateau.length === 0);
    }
  }
  assert.deepEqual(fitter().fit(simulateSweeps({ sweeps: 0, seed: 1 }).batch), []);
  assert.throws(
    () => fitter().fit({ ...batch, polarity: new Float64Array(3) }),
    /polarity must have 60 elements, got 3/,
  );
});
