/**
 * What a target is: memory that holds arrays, and kernels that run on them. A pipeline is written once against this
 * interface; the WASM target and the CUDA target both implement it. Calls are synchronous: each target lives in a
 * worker of its own.
 */
import type { Dims, Dtype, Kernel } from "./kernels/kernel.ts";

export type HostArray = Float64Array | Float32Array | Int32Array | Uint8Array;

/** An array in a target's memory. Only its own target can read it. */
export interface DeviceArray {
  readonly dtype: Dtype;
  readonly length: number;
  /** Address in the target's memory, bytes. */
  readonly address: number | bigint;
}

/** A point in the history of allocations, to which `release` goes back. */
export type Mark = number;

export interface Target {
  readonly kind: "wasm" | "cuda" | "emulated";
  /** For people: "WASM SIMD", "NVIDIA H200 #0". */
  readonly name: string;

  /** Allocates; the content is undefined. Throws RangeError naming the size when memory does not suffice. */
  allocate(dtype: Dtype, length: number): DeviceArray;
  /** Copies host → target, `data.length` elements from element `offset` on. */
  upload(array: DeviceArray, data: HostArray, offset?: number): void;
  /** Copies target → host. */
  download(array: DeviceArray, offset?: number, length?: number): HostArray;
  /** A part of an array, sharing its memory. */
  slice(array: DeviceArray, offset: number, length: number): DeviceArray;
  /** Runs one kernel of the table. Work arrays are found by the target; arguments are checked against the table. */
  run(kernel: Kernel, dims: Dims, args: Readonly<Record<string, DeviceArray>>): void;

  /** Arena discipline: everything allocated after `mark()` is given back by `release(mark)`. */
  mark(): Mark;
  release(mark: Mark): void;
  memory(): { readonly used: number; readonly peak: number; readonly limit: number };
}

/** Allocates and uploads in one go. */
export function place(target: Target, data: HostArray): DeviceArray {
  const dtype: Dtype = data instanceof Float64Array
    ? "f64"
    : data instanceof Float32Array
    ? "f32"
    : data instanceof Int32Array
    ? "i32"
    : "u8";
  const array = target.allocate(dtype, data.length);
  target.upload(array, data);
  return array;
}
