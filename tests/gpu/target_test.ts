import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { chisqGradient } from "../../core/kernels/chisq.ts";
import { fourierTwiddles, rfft } from "../../core/kernels/fourier.ts";
import { rotate } from "../../core/kernels/rotation.ts";
import { splineFactor } from "../../core/kernels/spline.ts";
import { place } from "../../core/target.ts";
import { call } from "../../gpu/parity/case.ts";
import { firstDifference } from "../../gpu/parity/compare.ts";
import { DeviceError } from "../../gpu/errors.ts";
import { DeviceLibrary } from "../../gpu/library.ts";
import { GpuTarget } from "../../gpu/target.ts";
import { emulatedTest } from "./emulated.ts";

/** Leaves so many bytes free on the device, whatever other tests hold. */
function leaveFree(library: DeviceLibrary, bytes: number): void {
  const { total, free } = library.properties(0);
  library.emulate("memory", total - free + bytes);
}

const ROTATE = { y: Float64Array.of(1, 2, 3, 4), w: Float64Array.of(1, 0.5) };

emulatedTest(
  "arrays of every type come back as they went, whole, in part and larger than the staging",
  (library) => {
    const target = new GpuTarget("emulated", { library });
    for (
      const data of [
        Float64Array.of(1, NaN, -0),
        Float32Array.of(1.5, 2),
        Int32Array.of(-7, 8),
        Uint8Array.of(1, 255),
      ]
    ) {
      const array = place(target, data);
      assert.deepEqual(target.download(array), data);
      assert.deepEqual(target.download(array, 1, 1), data.slice(1, 2));
      assert.deepEqual(target.download(target.slice(array, 1, data.length - 1)), data.slice(1));
    }
    const large = Float64Array.from({ length: 2_600_001 }, (_, i) => i);
    const array = place(target, large);
    assert.deepEqual(target.download(array), large);
    target.upload(array, Float64Array.of(-1, -2), 2_599_999);
    assert.deepEqual([...target.download(array, 2_599_998)], [2_599_998, -1, -2]);
    assert.equal(target.download(target.allocate("f64", 0)).length, 0);
    target.close();
  },
);

emulatedTest("wrong arguments are named before anything starts", (library) => {
  const target = new GpuTarget("emulated", { library });
  const x = place(target, Float64Array.of(1, 2, 3));
  assert.throws(() => target.run(splineFactor, { N: 3 }, { x }), /spline_factor: argument factor is missing/);
  const short = target.allocate("f64", 4);
  assert.throws(() => target.run(splineFactor, { N: 3 }, { x, factor: short }), /f64\[N, 4\] = 12 elements/);
  assert.throws(() => target.run(splineFactor, { N: -1 }, { x, factor: short }), RangeError);
  assert.throws(() => target.upload(x, Float64Array.of(1, 2), 2), RangeError);
  assert.throws(() => target.upload(x, Int32Array.of(1)), /Int32Array into an array of f64/);
  target.close();
});

emulatedTest("memory that does not suffice is a RangeError, and the target goes on", (library) => {
  leaveFree(library, 64 * 2 ** 20);
  const target = new GpuTarget("emulated", { library });
  const mark = target.mark();
  assert.throws(() => target.allocate("f64", 2 ** 24), /RangeError.*emulated device.*smaller batch/s);
  target.release(mark);
  assert.deepEqual([...call(target, rotate, { B: 1, N: 4, H: 1 }, ROTATE).out!], [2, 4, 6, 5.5]);
  target.close();
});

emulatedTest(
  "where scratch for everything at once does not fit, less is used and the answer is the same",
  (library) => {
    const B = 64, N = 8192;
    const x = Float64Array.from({ length: B * N }, (_, i) => Math.sin(i * i));
    const target = new GpuTarget("emulated", { library });
    const { twiddles } = call(target, fourierTwiddles, { N }, {});
    const expected = call(target, rfft, { B, N }, { twiddles: twiddles!, x });
    target.close();
    leaveFree(library, 11 * 2 ** 20);
    const small = new GpuTarget("emulated", { library });
    assert.equal(firstDifference(expected, call(small, rfft, { B, N }, { twiddles: twiddles!, x })), null);
    small.close();
  },
);

emulatedTest("injected faults: allocation and launch fail once, then all is well", (library) => {
  const target = new GpuTarget("emulated", { library });
  library.emulate("failAllocation", 1);
  assert.throws(() => target.allocate("f64", 2 ** 20), RangeError);
  library.emulate("failLaunch", 1);
  assert.throws(
    () => call(target, rotate, { B: 1, N: 4, H: 1 }, ROTATE),
    (error: Error) =>
      error instanceof DeviceError && /^rotate: rotateKernel: cudaErrorLaunchFailure/.test(error.message),
  );
  assert.deepEqual([...call(target, rotate, { B: 1, N: 4, H: 1 }, ROTATE).out!], [2, 4, 6, 5.5]);
  target.close();
});

emulatedTest("two targets on two devices do not disturb each other", (library) => {
  library.emulate("devices", 2);
  const targets = [0, 1].map((device) => new GpuTarget("emulated", { library, device }));
  assert.deepEqual(targets.map((t) => t.name.at(-1)), ["0", "1"]);
  const arrays = targets.map((target, i) => place(target, Float64Array.of(i, i)));
  targets.forEach((target, i) => assert.deepEqual([...target.download(arrays[i]!)], [i, i]));
  assert.throws(() => new GpuTarget("emulated", { library, device: 2 }), /no device 2: there are 2/);
  for (const target of targets) target.close();
});

emulatedTest("what a mark gives back is used again", (library) => {
  const target = new GpuTarget("emulated", { library });
  const mark = target.mark();
  const first = target.allocate("f64", 1000).address;
  target.allocate("f64", 10_000_000);
  const used = target.memory().used;
  target.release(mark);
  assert.equal(target.memory().used, 0);
  assert.equal(target.allocate("f64", 1000).address, first);
  assert.ok(target.memory().peak >= used);
  target.close();
});

emulatedTest("dimensions beyond a kernel's limits are refused with the numbers", (library) => {
  const target = new GpuTarget("emulated", { library });
  const [K, Q, NP] = [100, 2, 4];
  const zeros = (n: number) => new Float64Array(n);
  const inputs = { basis: zeros(K * NP), y: zeros(NP), s: zeros(NP), T: zeros(NP * Q) };
  assert.throws(
    () => call(target, chisqGradient, { E: 1, NP, K, Q }, inputs),
    /chisq_gradient: K = 100 coefficients and 2 columns/,
  );
  target.close();
});

emulatedTest("a target that is closed says so", (library) => {
  const target = new GpuTarget("emulated", { library });
  target.close();
  assert.throws(() => target.allocate("f64", 1e6), /no context/);
  assert.throws(() => library.properties(7), DeviceError);
});

Deno.test("an absent library is one sentence that says what to do", () => {
  assert.throws(
    () => new DeviceLibrary("cuda", "/nowhere/libtwinspec_cuda.so"),
    (error: Error) => error instanceof DeviceError && /not built.*task build:cuda/.test(error.message),
  );
});

emulatedTest("the folder of the library is all that --allow-ffi needs", async () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const program = `${root}tests/gpu/scoped_run.ts`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--no-prompt",
      `--allow-ffi=${root}gpu/build`,
      `--allow-read=${root}`,
      program,
    ],
    cwd: root,
  }).output();
  const decoder = new TextDecoder();
  assert.equal(decoder.decode(stdout).trim(), "1,2,3", decoder.decode(stderr));
});
