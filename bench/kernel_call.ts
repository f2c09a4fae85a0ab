/** One kernel on one target from plain arrays: what comes out, and how long it takes. */
import { type Dims, elements, type Kernel } from "../core/kernels/kernel.ts";
import { type DeviceArray, type HostArray, place, type Target } from "../core/target.ts";

export type Inputs = Readonly<Record<string, HostArray>>;

function placed(target: Target, kernel: Kernel, dims: Dims, inputs: Inputs): Record<string, DeviceArray> {
  const args: Record<string, DeviceArray> = {};
  for (const argument of kernel.args) {
    if (argument.role === "work") continue;
    const input = inputs[argument.name];
    if (argument.role !== "out" && input === undefined) {
      throw new TypeError(`${kernel.name}: no input ${argument.name}`);
    }
    args[argument.name] = argument.role === "out"
      ? target.allocate(argument.dtype, elements(argument, dims))
      : place(target, input!);
  }
  return args;
}

/** One output of one call. */
export function outputOf(
  target: Target,
  kernel: Kernel,
  dims: Dims,
  inputs: Inputs,
  name: string,
): HostArray {
  const mark = target.mark();
  const args = placed(target, kernel, dims, inputs);
  target.run(kernel, dims, args);
  const out = target.download(args[name]!);
  target.release(mark);
  return out;
}

/**
 * Seconds of each of several calls on data that lie on the target already, after one call that is not counted. What is
 * added to (`inout`) goes on growing, which costs the same.
 */
export function secondsOf(
  target: Target,
  kernel: Kernel,
  dims: Dims,
  inputs: Inputs,
  repeats: number,
): number[] {
  const mark = target.mark();
  const args = placed(target, kernel, dims, inputs);
  target.run(kernel, dims, args);
  const seconds = Array.from({ length: repeats }, () => {
    const start = performance.now();
    target.run(kernel, dims, args);
    return (performance.now() - start) / 1000;
  });
  target.release(mark);
  return seconds;
}
