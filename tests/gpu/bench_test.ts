import assert from "node:assert/strict";
import { STARS } from "../../bench/kernel_cases.ts";
import { BATCH, chosenRows } from "../../bench/kernels.ts";
import { bytesAlone } from "../../bench/counting_worker.ts";
import { bound, GPU, predict } from "../../bench/predict.ts";
import { roofOf, shareOfRoof } from "../../bench/roofline.ts";
import { fitEvaluate } from "../../core/kernels/fit.ts";
import { bytes } from "../../core/kernels/kernel.ts";
import type { DeviceRow } from "../../gpu/devices.ts";

const COST = { evaluations: 30, flops: 1e9, memory: 1e8, bus: 1e6, driver: 2e-3, main: 1e-3 };

Deno.test("roofline: the slower of arithmetic and memory is the roof", () => {
  const roof = { flops: 10, memory: 2 };
  assert.equal(shareOfRoof(roof, 100, 1, 10), 1);
  assert.equal(shareOfRoof(roof, 1, 20, 20), 0.5);
});

Deno.test("roofline: devices are told apart, and an unknown one has no roof", () => {
  assert.equal(roofOf("NVIDIA H200")!.memory, 4.8e12);
  assert.equal(roofOf("NVIDIA GH200 480GB")!.memory, 4.0e12);
  assert.equal(roofOf("NVIDIA H100 80GB HBM3")!.memory, 3.35e12);
  assert.equal(roofOf("NVIDIA A100-SXM4-80GB")!.memory, 2.0e12);
  assert.equal(roofOf("emulated device (tests only)"), null);
});

Deno.test("prediction: the least bound binds, and only the main thread does not grow with GPUs", () => {
  const one = bound(COST, 1, 1), four = bound(COST, 4, 1);
  assert.equal(one.arithmetic, GPU.flops / 1e9);
  assert.equal(one.memory, GPU.memory / 1e8);
  assert.equal(one.bus, GPU.bus / 1e6);
  assert.deepEqual([one.drivers, one.main], [1000, 1000]);
  for (const name of ["arithmetic", "memory", "bus", "drivers"] as const) {
    assert.equal(four[name], 4 * one[name], name);
  }
  assert.deepEqual([four.binds, four.starsPerSecond], ["main", 1000]);
  assert.equal(bound({ ...COST, flops: 1e12 }, 1, 0.5).binds, "arithmetic");
  assert.equal(bound({ ...COST, flops: 1e12 }, 1, 0.5).starsPerSecond, 0.5 * GPU.flops / 1e12);
});

Deno.test("prediction: says that it is one", () => {
  const prediction = predict(COST);
  assert.equal(prediction.prediction, true);
  assert.deepEqual([...new Set(prediction.bounds.map((b) => b.gpus))], [1, 4]);
});

Deno.test("prediction: an evaluation reads the corners of its cell, not the library", () => {
  const dims = { ...{ E: 5, B: 3, T: 400, NL: 100, NP: 80, K: 10, D: 4, C: 16, Q: 8 }, W: 11, H: 4, M: 60 };
  const alone = bytesAlone(fitEvaluate, dims);
  assert.equal(alone, 5 * bytes(fitEvaluate, { ...dims, E: 1, B: 1, T: 16 }));
});

Deno.test("bench: all targets that are usable, the emulated one only when it is named", () => {
  const row = (target: string, kind: DeviceRow["kind"], usable = true): DeviceRow => ({
    ...{ target, kind, usable, name: target, memory: null, free: null, driver: null, capability: null },
    reason: usable ? null : `${target} is away`,
  });
  const rows = [
    row("wasm", "wasm"),
    row("cuda:0", "cuda"),
    row("cuda:1", "cuda", false),
    row("emulated", "emulated"),
  ];
  const names = (named: string | null) => chosenRows(named, rows).map(({ target }) => target);
  assert.deepEqual(names(null), ["wasm", "cuda:0"]);
  assert.deepEqual(names("cuda"), ["cuda:0"]);
  assert.deepEqual(names("emulated"), ["emulated"]);
  assert.throws(() => names("cuda:1"), /cuda:1 is away/);
  assert.throws(() => names("gpu"), /no target gpu; there are wasm, cuda:0/);
  assert.equal(BATCH.wasm, STARS);
});
