import assert from "node:assert/strict";
import { InputError } from "../../core/io/input_error.ts";
import { chooseTargets } from "../../gpu/choose_targets.ts";
import { STELLAR } from "../../gpu/stellar_targets.ts";
import type { DeviceRow } from "../../gpu/devices.ts";
import { DeviceError } from "../../gpu/errors.ts";

const NOTHING = { memory: null, free: null, driver: null, capability: null } as const;
const WASM: DeviceRow = {
  ...NOTHING,
  ...{ target: "wasm", kind: "wasm", usable: true, name: "WASM SIMD", reason: null },
};
const EMULATED: DeviceRow = {
  ...NOTHING,
  ...{
    target: "emulated",
    kind: "emulated",
    usable: true,
    name: "emulated device (tests only)",
    reason: null,
  },
};
const NO_CUDA: DeviceRow = {
  ...NOTHING,
  ...{ target: "cuda", kind: "cuda", usable: false, name: "CUDA device", reason: "no usable NVIDIA driver" },
};

function gpu(index: number, reason: string | null = null): DeviceRow {
  return {
    ...{ target: `cuda:${index}`, kind: "cuda", usable: reason === null, name: "NVIDIA H200", reason },
    ...{ memory: 141e9, free: 140e9, driver: "13.0", capability: "9.0" },
  };
}

const NONE = [WASM, NO_CUDA, EMULATED];
const FOUR = [WASM, ...[0, 1, 2, 3].map((index) => gpu(index)), EMULATED];

/** Devices of the workers, in their order. */
function devicesOf(target: string, rows: readonly DeviceRow[], stars = 1000): (number | undefined)[] {
  return chooseTargets(target, stars, STELLAR, () => rows).targets.map((spec) =>
    spec.kind === "cuda" ? spec.device : undefined
  );
}

Deno.test("auto without a GPU is WASM and says why", () => {
  const { kind, targets, note } = chooseTargets("auto", 1e6, STELLAR, () => NONE);
  assert.deepEqual([kind, targets], ["wasm", []]);
  assert.equal(note, "target auto: WASM; no usable NVIDIA driver");
});

Deno.test("auto with GPUs is all of them, and says so", () => {
  const chosen = chooseTargets("auto", 1000, STELLAR, () => FOUR);
  assert.equal(chosen.kind, "cuda");
  assert.match(chosen.note!, /^target auto: CUDA \(NVIDIA H200.*1000 stars/);
  assert.deepEqual(devicesOf("auto", FOUR), [0, 1, 2, 3, 0, 1, 2, 3]);
  assert.deepEqual(chosen.lastResort, { kind: "wasm" });
});

Deno.test("auto leaves out a GPU that is not usable", () => {
  const rows = [WASM, gpu(0, "cuda:0 has failed"), gpu(1)];
  assert.deepEqual([...new Set(devicesOf("auto", rows))], [1]);
});

Deno.test("auto fits few stars on WASM, GPU or not, and says why", () => {
  const { kind, note } = chooseTargets("auto", 3, STELLAR, () => FOUR);
  assert.equal(kind, "wasm");
  assert.match(note!, /3 stars are not worth/);
});

Deno.test("auto never takes the emulated device", () => {
  assert.equal(chooseTargets("auto", 1e6, STELLAR, () => [WASM, NO_CUDA, EMULATED]).kind, "wasm");
});

Deno.test("wasm asks no device", () => {
  const chosen = chooseTargets("wasm", 1000, STELLAR, () => assert.fail("devices were listed"));
  assert.deepEqual([chosen.kind, chosen.note], ["wasm", null]);
});

Deno.test("cuda is every usable device, cuda:0,2 those", () => {
  assert.deepEqual([...new Set(devicesOf("cuda", FOUR))], [0, 1, 2, 3]);
  assert.deepEqual([...new Set(devicesOf("cuda:0,2", FOUR))], [0, 2]);
  assert.equal(chooseTargets("cuda:0,2", 1, STELLAR, () => FOUR).note, null);
});

Deno.test("a device that is absent is an error that names it", () => {
  const faults: [string, readonly DeviceRow[], RegExp][] = [
    ["cuda", NONE, /no usable NVIDIA driver/],
    ["cuda:0", NONE, /no usable NVIDIA driver/],
    ["cuda:0,7", FOUR, /cuda:7 is not there; cuda:0, cuda:1, cuda:2, cuda:3/],
    ["cuda:1", [WASM, gpu(0), gpu(1, "cuda:1 is held by another program")], /cuda:1 is held/],
    [
      "emulated",
      [WASM, { ...EMULATED, usable: false, reason: "the emulated library is not built" }],
      /not built/,
    ],
  ];
  for (const [target, rows, sentence] of faults) {
    assert.throws(
      () => chooseTargets(target, 1000, STELLAR, () => rows),
      (error: Error) => error instanceof DeviceError && sentence.test(error.message),
      target,
    );
  }
});

Deno.test("emulated is one worker with batches of the size of WASM's", () => {
  const chosen = chooseTargets("emulated", 3, STELLAR, () => FOUR);
  assert.equal(chosen.kind, "emulated");
  assert.equal(chosen.targets.length, 1);
  assert.equal(chosen.batch, chooseTargets("wasm", 3, STELLAR).batch);
});

Deno.test("what is no target is a fault of usage that names those there are", () => {
  for (const target of ["gpu", "auto:0", "", "wasm:1", "CUDA"]) {
    assert.throws(
      () => chooseTargets(target, 1000, STELLAR, () => FOUR),
      (error: Error) => error instanceof InputError && /auto, wasm, cuda/.test(error.message),
      target,
    );
  }
});
