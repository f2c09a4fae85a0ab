/** Running one kernel on the WASM target from plain arrays, for tests. */
import assert from "node:assert/strict";
import { type Dims, elements, type Kernel } from "../../core/kernels/kernel.ts";
import { type HostArray, place, type Target } from "../../core/target.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";

/** Runs a kernel and returns its outputs by name. */
export function call(
  kernel: Kernel,
  dims: Dims,
  inputs: Readonly<Record<string, HostArray>>,
  target: Target = loadWasmTarget(),
): Record<string, Float64Array> {
  const mark = target.mark();
  const args: Record<string, ReturnType<typeof place>> = {};
  for (const argument of kernel.args) {
    if (argument.role === "in" || argument.role === "inout") {
      args[argument.name] = place(target, inputs[argument.name]!);
    }
    if (argument.role === "out") {
      args[argument.name] = target.allocate(argument.dtype, elements(argument, dims));
    }
  }
  target.run(kernel, dims, args);
  const outputs: Record<string, Float64Array> = {};
  for (const argument of kernel.args) {
    if (argument.role === "out" || argument.role === "inout") {
      outputs[argument.name] = target.download(args[argument.name]!) as Float64Array;
    }
  }
  target.release(mark);
  return outputs;
}

/**
 * Asserts |a − b| ≤ relative · scale, scale = largest |b| unless given; NaN equals NaN only. Returns the worst
 * relative difference.
 */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  relative: number,
  what = "values",
  scale?: number,
): number {
  assert.equal(actual.length, expected.length, `${what}: lengths differ`);
  let size = scale ?? 0;
  if (scale === undefined) {
    for (let i = 0; i < expected.length; i++) {
      if (Number.isFinite(expected[i])) size = Math.max(size, Math.abs(expected[i]!));
    }
  }
  let worst = 0, where = -1;
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i]!, b = expected[i]!;
    if (Number.isNaN(a) !== Number.isNaN(b)) assert.fail(`${what}[${i}]: ${a} against ${b}`);
    if (Number.isNaN(a) || a === b) continue;
    const difference = Math.abs(a - b) / (size || 1);
    if (!(difference <= worst)) [worst, where] = [difference, i];
  }
  assert.ok(
    worst <= relative,
    `${what}[${where}]: ${actual[where]} against ${expected[where]}, ${worst} > ${relative}`,
  );
  return worst;
}
