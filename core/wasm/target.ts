/**
 * The WASM target: one instance of the numeric core with a bump arena in its linear memory.
 *
 * The core is compiled with AssemblyScript's stub runtime and imports nothing; this file owns the memory above
 * the core's static data. Allocation is by mark and release, so a batch leaves nothing behind.
 */
import { checkDims, type Dims, type Dtype, DTYPE_BYTES, elements, type Kernel } from "../kernels/kernel.ts";
import type { DeviceArray, HostArray, Mark, Target } from "../target.ts";

const PAGE = 65536;
/** Cache-line alignment, which also suits v128. */
const ALIGN = 64;
/** wasm32: 65536 pages. */
const LIMIT = 65536 * PAGE;

type Exports = Record<string, (...args: number[]) => void> & {
  memory: WebAssembly.Memory;
  heapBase: () => number;
};

class WasmArray implements DeviceArray {
  constructor(readonly dtype: Dtype, readonly length: number, readonly address: number) {}
}

export class WasmTarget implements Target {
  readonly kind = "wasm";
  readonly name = "WASM SIMD";
  readonly #exports: Exports;
  #top: number;
  #peak: number;

  constructor(module: WebAssembly.Module) {
    this.#exports = new WebAssembly.Instance(module, {}).exports as unknown as Exports;
    this.#top = align(this.#exports.heapBase());
    this.#peak = this.#top;
  }

  allocate(dtype: Dtype, length: number): DeviceArray {
    const address = this.#top;
    const size = align(length * DTYPE_BYTES[dtype]);
    const end = address + size;
    if (end > LIMIT) {
      throw new RangeError(
        `WASM memory: ${size} bytes more than the ${LIMIT - address} left; use a smaller batch`,
      );
    }
    const missing = end - this.#exports.memory.buffer.byteLength;
    if (missing > 0) {
      try {
        this.#exports.memory.grow(Math.ceil(missing / PAGE));
      } catch {
        throw new RangeError(`WASM memory: the system refused ${missing} more bytes; use a smaller batch`);
      }
    }
    this.#top = end;
    this.#peak = Math.max(this.#peak, end);
    return new WasmArray(dtype, length, address);
  }

  upload(array: DeviceArray, data: HostArray, offset = 0): void {
    checkRange("upload", array, offset, data.length);
    (this.#view(array) as Float64Array).set(data as Float64Array, offset);
  }

  download(array: DeviceArray, offset = 0, length = array.length - offset): HostArray {
    checkRange("download", array, offset, length);
    return this.#view(array).slice(offset, offset + length);
  }

  slice(array: DeviceArray, offset: number, length: number): DeviceArray {
    checkRange("slice", array, offset, length);
    return new WasmArray(
      array.dtype,
      length,
      (array as WasmArray).address + offset * DTYPE_BYTES[array.dtype],
    );
  }

  run(kernel: Kernel, dims: Dims, args: Readonly<Record<string, DeviceArray>>): void {
    checkDims(kernel, dims);
    const entry = this.#exports[kernel.name];
    if (entry === undefined) {
      throw new Error(`${kernel.name} is not in the WASM core: rebuild it (task build:wasm)`);
    }
    const mark = this.mark();
    const call = Object.keys(kernel.dims).map((name) => dims[name]!);
    for (const argument of kernel.args) {
      const length = elements(argument, dims);
      const array = argument.role === "work" ? this.allocate(argument.dtype, length) : args[argument.name];
      if (array === undefined) throw new TypeError(`${kernel.name}: argument ${argument.name} is missing`);
      if (array.dtype !== argument.dtype || array.length < length) {
        throw new TypeError(
          `${kernel.name}: argument ${argument.name} must be ${argument.dtype}[${
            argument.shape.join(", ")
          }] = ` +
            `${length} elements, got ${array.dtype} of ${array.length}`,
        );
      }
      call.push((array as WasmArray).address);
    }
    entry(...call);
    this.release(mark);
  }

  mark(): Mark {
    return this.#top;
  }

  release(mark: Mark): void {
    this.#top = mark;
  }

  memory(): { used: number; peak: number; limit: number } {
    return { used: this.#top, peak: this.#peak, limit: LIMIT };
  }

  #view(array: DeviceArray): HostArray {
    const { buffer } = this.#exports.memory;
    const { address, length, dtype } = array as WasmArray;
    switch (dtype) {
      case "f64":
        return new Float64Array(buffer, address, length);
      case "f32":
        return new Float32Array(buffer, address, length);
      case "i32":
        return new Int32Array(buffer, address, length);
      case "u8":
        return new Uint8Array(buffer, address, length);
    }
  }
}

function align(n: number): number {
  return Math.ceil(n / ALIGN) * ALIGN;
}

function checkRange(what: string, array: DeviceArray, offset: number, length: number): void {
  if (offset < 0 || length < 0 || offset + length > array.length) {
    throw new RangeError(`${what}: elements ${offset}..${offset + length} of an array of ${array.length}`);
  }
}
