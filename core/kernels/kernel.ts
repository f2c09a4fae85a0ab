/**
 * What the kernel table says of a kernel. Everything mechanical is derived from a row: the WASM call, the FFI symbol,
 * argument checks, parity cases, the benchmark's roofline and the reference page.
 *
 * Conventions: the first dimension of every batched argument is the batch; arrays are row-major, the last axis fast;
 * likelihood arithmetic is float64. The exported function of a twin takes the dimensions (i32) in the order declared,
 * then the arguments (pointers) in the order declared, and returns nothing.
 */
import { evaluate } from "./expression.ts";

export type Dtype = "f64" | "f32" | "i32" | "u8";

/** Sizes by name: `{ B: 24, N: 5303 }`. */
export type Dims = Readonly<Record<string, number>>;

export interface Argument {
  readonly name: string;
  /** `inout` is added to; `work` is scratch: the target allocates it, its content means nothing before or after. */
  readonly role: "in" | "out" | "inout" | "work";
  readonly dtype: Dtype;
  /** One expression in the dimensions per axis: `["B", "K*(K+1)/2"]`. */
  readonly shape: readonly string[];
  readonly unit: string;
  readonly doc: string;
}

export interface Tolerance {
  /** Largest |a−b| / max(|a|, |b|, scale of the output) between twins. */
  readonly relative: number;
  readonly absolute: number;
  /** Required where relative is looser than 1e-12: the condition number or whatever else makes it so. */
  readonly reason?: string;
}

export interface Kernel {
  readonly name: string;
  /** The file that holds it in `core/assembly` and `gpu/kernels`. */
  readonly family: string;
  readonly doc: string;
  /** Paper, equation or definition. */
  readonly source: string;
  /** Dimension name → meaning, in call order. */
  readonly dims: Readonly<Record<string, string>>;
  readonly args: readonly Argument[];
  readonly tolerance: Tolerance;
  /** What a NaN in an input does. */
  readonly nan: "propagates within its batch row" | "not allowed";
  /** Floating-point operations of one call. */
  flops(d: Dims): number;
}

/** Number of elements of an argument for the given dimensions. */
export function elements(argument: Argument, dims: Dims): number {
  return argument.shape.reduce((n, axis) => n * evaluate(axis, dims), 1);
}

export const DTYPE_BYTES: Readonly<Record<Dtype, number>> = { f64: 8, f32: 4, i32: 4, u8: 1 };

/** Fewest bytes one call moves: every input read once, every output written once. */
export function bytes(kernel: Kernel, dims: Dims): number {
  return kernel.args
    .filter((a) => a.role !== "work")
    .reduce((n, a) => n + elements(a, dims) * DTYPE_BYTES[a.dtype], 0);
}

/** Checks the dimensions of a call; the error names the kernel and the dimension. */
export function checkDims(kernel: Kernel, dims: Dims): void {
  for (const name of Object.keys(kernel.dims)) {
    const value = dims[name];
    if (!Number.isInteger(value) || value! < 0) {
      throw new RangeError(`${kernel.name}: dimension ${name} must be a non-negative integer, got ${value}`);
    }
  }
}
