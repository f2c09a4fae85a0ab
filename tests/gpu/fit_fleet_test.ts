import assert from "node:assert/strict";
import { Fleet } from "../../core/fleet.ts";
import type { FitBatch, FitJob } from "../../core/stellar/batch.ts";
import type { BatchResult } from "../../core/stellar/result.ts";
import { compileCore, loadWasmTarget } from "../../core/wasm/load.ts";
import { DeviceError } from "../../gpu/errors.ts";
import { lost } from "../../gpu/serve_gpu.ts";
import { inventedBatch, inventedJob } from "../../gpu/parity/stars.ts";
import { emulatedTest } from "./emulated.ts";

emulatedTest(
  "stars fitted by two emulated devices and a WASM worker come back in order and alike",
  async (library) => {
    library.emulate("devices", 2);
    const fleet = new Fleet<FitJob, FitBatch, BatchResult>({
      worker: new URL("../../gpu/fit_worker.ts", import.meta.url),
      targets: [{ kind: "cuda", device: 0 }, { kind: "cuda", device: 1 }, { kind: "wasm" }],
      shared: { core: compileCore(), kind: "emulated" },
    });
    const job = inventedJob(false);
    const batches = [0, 1, 2, 3].map((seed) => inventedBatch(job, 2, seed + 20, loadWasmTarget()));
    const found: number[] = [];
    const load = (items: readonly FitBatch[]) => ({ batch: items[0]!, transfer: [] });
    for await (const { result, failure } of fleet.run(job, batches.map((b) => [b]), load)) {
      assert.equal(failure, undefined);
      found.push(...result!.stars.map((star) => star.vrad));
    }
    fleet.close();
    const { makeFitter } = await import("../../core/stellar/fitter.ts");
    const fitter = makeFitter(loadWasmTarget(), job);
    const expected = batches.flatMap((batch) => fitter.fit(batch).stars.map((star) => star.vrad));
    assert.equal(found.length, 8);
    found.forEach((v, i) => assert.ok(Math.abs(v - expected[i]!) < 1e-6, `${v} against ${expected[i]}`));
  },
);

Deno.test("a context is lost by a failed device, not by short memory or a launch", () => {
  assert.ok(lost(new DeviceError("gone", 7)));
  assert.ok(!lost(new DeviceError("launch", 6)));
  assert.ok(!lost(new RangeError("memory")));
});
