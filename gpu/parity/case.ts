/** What the parity suite runs: inputs of one call, and helpers to make them. */
import { type Dims, elements, type Kernel } from "../../core/kernels/kernel.ts";
import { type DeviceArray, type HostArray, place, type Target } from "../../core/target.ts";

export interface ParityCase {
  readonly label: string;
  readonly dims: Dims;
  readonly inputs: Readonly<Record<string, HostArray>>;
  /**
   * Batch rows (first index of every output) with a NaN put in: where one target has NaN in such a row, the other must
   * have one, and nothing else is asked of the row. All other rows are compared as always.
   */
  readonly poisoned?: readonly number[];
  /** What inputs were made from, for a slow reference that starts further back than the kernel. */
  readonly made?: Readonly<Record<string, number>>;
  /** Outputs that mean nothing in this case, as the table says. */
  readonly unspecified?: readonly string[];
}

export type Next = () => number;

/** Cases of one kernel: the fixed ones, then `extra` of random sizes. `wasm` prepares inputs. */
export type CaseMaker = (next: Next, extra: number, wasm: Target) => Iterable<ParityCase>;

/** Sizes around block, warp and chunk boundaries. */
export const EDGES = [1, 2, 31, 32, 33, 255, 256, 257] as const;

/** Mulberry32, in [0, 1). */
export function generator(seed: number): Next {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function uniform(n: number, next: Next, low = -1, high = 1): Float64Array {
  return Float64Array.from({ length: n }, () => low + (high - low) * next());
}

/** Magnitudes over many decades, either sign. */
export function wide(n: number, next: Next, decades = 60): Float64Array {
  return Float64Array.from({ length: n }, () => (next() < 0.5 ? -1 : 1) * 10 ** (decades * (next() - 0.5)));
}

/** A whole number from low to high. */
export function whole(next: Next, low: number, high: number): number {
  return low + Math.floor(next() * (high - low + 1));
}

/** Increasing numbers from `first`, steps between low and high. */
export function increasing(n: number, next: Next, first: number, low: number, high: number): Float64Array {
  let at = first;
  return Float64Array.from({ length: n }, () => {
    const value = at;
    at += low + (high - low) * next();
    return value;
  });
}

/** Runs a kernel from plain arrays; its outputs by name. */
export function call(
  target: Target,
  kernel: Kernel,
  dims: Dims,
  inputs: Readonly<Record<string, HostArray>>,
): Record<string, HostArray> {
  const mark = target.mark();
  const args: Record<string, DeviceArray> = {};
  for (const argument of kernel.args) {
    if (argument.role === "in" || argument.role === "inout") {
      const data = inputs[argument.name];
      if (data === undefined) throw new TypeError(`${kernel.name}: no input ${argument.name}`);
      args[argument.name] = place(target, data);
    } else if (argument.role === "out") {
      args[argument.name] = target.allocate(argument.dtype, elements(argument, dims));
    }
  }
  target.run(kernel, dims, args);
  const outputs: Record<string, HostArray> = {};
  for (const { name, role } of kernel.args) {
    if (role === "out" || role === "inout") outputs[name] = target.download(args[name]!);
  }
  target.release(mark);
  return outputs;
}
