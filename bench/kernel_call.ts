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

/** A sample lasts this long at least, s: what waiting for a device costs is little of it. */
const SAMPLE = 2e-3;

/**
 * Seconds of a call, in each of several samples, on data that lie on the target already. A sample is as many calls in a
 * row as take {@link SAMPLE}, and one number brought back, for which a device finishes all that was asked of it; calls
 * that are not counted go before. What is added to (`inout`) goes on growing, which costs the same.
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
  const output = args[kernel.args.find((a) => a.role === "out" || a.role === "inout")!.name]!;
  const sample = (calls: number) => {
    const start = performance.now();
    for (let call = 0; call < calls; call++) target.run(kernel, dims, args);
    target.download(output, 0, 1);
    return (performance.now() - start) / 1000;
  };
  sample(1);
  const calls = Math.max(1, Math.min(1000, Math.ceil(SAMPLE / sample(1))));
  const seconds = Array.from({ length: repeats }, () => sample(calls) / calls);
  target.release(mark);
  return seconds;
}
