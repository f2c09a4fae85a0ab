import assert from "node:assert/strict";
import { makeFitter } from "../../core/stellar/fitter.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { fitBytes, starsPerBatch } from "../../gpu/batch_size.ts";
import { inventedBatch, inventedJob } from "../../gpu/parity/stars.ts";
import { GpuTarget } from "../../gpu/target.ts";
import { emulatedTest } from "./emulated.ts";

for (const matrix of [false, true]) {
  emulatedTest(`bytes a star as predicted, ${matrix ? "with" : "without"} resolution matrix`, (library) => {
    const job = inventedJob(matrix);
    const wasm = loadWasmTarget();
    // stars enough that the batch, not the set-up of the job, makes the peak; guarded: without the rest of slabs
    const peaks = [16, 32].map((stars) => {
      const target = new GpuTarget("emulated", { library, mostWork: 1, guarded: true });
      makeFitter(target, job).fit(inventedBatch(job, stars, 1, wasm));
      const { peak } = target.memory();
      target.close();
      return peak;
    });
    const { star } = fitBytes(job);
    const measured = (peaks[1]! - peaks[0]!) / 16;
    assert.ok(measured < 1.1 * star && measured > 0.4 * star, `${measured} bytes a star, predicted ${star}`);
  });
}

Deno.test("starsPerBatch grows with memory and refuses what cannot work", () => {
  const job = inventedJob(true);
  const { resident, star } = fitBytes(job);
  assert.equal(starsPerBatch(job, resident + star), 1);
  assert.ok(starsPerBatch(job, 2 ** 31) > starsPerBatch(job, 2 ** 29));
  assert.equal(starsPerBatch(job, 2 ** 40), 4096);
  assert.throws(() => starsPerBatch(job, resident), RangeError);
});
