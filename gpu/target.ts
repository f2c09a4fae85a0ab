/**
 * The GPU target: kernels of the device library on one device, called through Deno's FFI with buffers and integers
 * only, so that `--allow-ffi=<folder of the library>` suffices. The emulated device is the same code on another library.
 *
 * Calls are asynchronous on the device and in order; `download` waits. Two targets on one device, in two workers, overlap
 * the copies of one with the kernels of the other.
 */
import {
  checkDims,
  type Dims,
  type Dtype,
  DTYPE_BYTES,
  elements,
  type Kernel,
} from "../core/kernels/kernel.ts";
import type { DeviceArray, HostArray, Mark, Target } from "../core/target.ts";
import { passed } from "./bindings.ts";
import { type DeviceKind, DeviceLibrary } from "./library.ts";
import { Pool } from "./pool.ts";

const SLAB: Readonly<Record<DeviceKind, number>> = { cuda: 256 * 2 ** 20, emulated: 2 ** 20 };
/** Most scratch of one call, bytes: beyond that, more work in flight brings nothing. */
const MOST_WORK: Readonly<Record<DeviceKind, number>> = { cuda: 6 * 2 ** 30, emulated: 64 * 2 ** 20 };

class GpuArray implements DeviceArray {
  constructor(readonly dtype: Dtype, readonly length: number, readonly address: bigint) {}
}

export interface GpuOptions {
  /** Index of the device. */
  readonly device?: number;
  /** Library already open, or the path of its file; default the one in gpu/build. */
  readonly library?: DeviceLibrary | string;
  /** Every array an allocation of its own: slow, for sanitizers. */
  readonly guarded?: boolean;
  /** Most scratch of one kernel call, bytes. */
  readonly mostWork?: number;
}

export class GpuTarget implements Target {
  readonly kind: DeviceKind;
  readonly name: string;
  readonly device: number;
  readonly #library: DeviceLibrary;
  readonly #context: number;
  readonly #pool: Pool;
  readonly #mostWork: number;
  readonly #total: number;

  /** Throws DeviceError, one sentence, where the library, the driver or the device is missing. */
  constructor(kind: DeviceKind, options: GpuOptions = {}) {
    const { library } = options;
    this.#library = library instanceof DeviceLibrary ? library : new DeviceLibrary(kind, library);
    this.kind = this.#library.kind;
    this.device = options.device ?? 0;
    this.#library.devices();
    this.#context = this.#library.open(this.device);
    const { name, total } = this.#library.properties(this.device);
    this.name = `${name} #${this.device}`;
    this.#total = total;
    this.#mostWork = options.mostWork ?? MOST_WORK[this.kind];
    this.#pool = new Pool({
      allocate: (bytes) => this.#library.allocate(this.#context, bytes),
      free: (address) => {
        // what was asked for may still use it
        this.#library.synchronize(this.#context);
        this.#library.free(this.#context, address);
      },
    }, options.guarded ? 0 : SLAB[this.kind]);
  }

  allocate(dtype: Dtype, length: number): DeviceArray {
    return new GpuArray(dtype, length, this.#reserve(length * DTYPE_BYTES[dtype]));
  }

  #reserve(bytes: number): bigint {
    try {
      return this.#pool.allocate(bytes);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const { free } = this.#library.memory(this.#context);
      throw new RangeError(`${this.name}: ${bytes} bytes more than the ${free} free; ${error.message}`);
    }
  }

  upload(array: DeviceArray, data: HostArray, offset = 0): void {
    checkRange("upload", array, offset, data.length);
    if (data.length === 0) return;
    checkType("upload", array, data);
    const at = (array as GpuArray).address + BigInt(offset * DTYPE_BYTES[array.dtype]);
    this.#library.upload(this.#context, at, bytesOf(data));
  }

  download(array: DeviceArray, offset = 0, length = array.length - offset): HostArray {
    checkRange("download", array, offset, length);
    const out = hostArray(array.dtype, length);
    const at = (array as GpuArray).address + BigInt(offset * DTYPE_BYTES[array.dtype]);
    if (length > 0) this.#library.download(this.#context, at, bytesOf(out));
    return out;
  }

  slice(array: DeviceArray, offset: number, length: number): DeviceArray {
    checkRange("slice", array, offset, length);
    const at = (array as GpuArray).address + BigInt(offset * DTYPE_BYTES[array.dtype]);
    return new GpuArray(array.dtype, length, at);
  }

  run(kernel: Kernel, dims: Dims, args: Readonly<Record<string, DeviceArray>>): void {
    checkDims(kernel, dims);
    const call = this.#library.kernel(kernel);
    const sizes = Int32Array.from(Object.keys(kernel.dims), (name) => dims[name]!);
    const addresses = BigInt64Array.from(passed(kernel), (argument) => {
      const array = args[argument.name];
      const length = elements(argument, dims);
      if (array === undefined) throw new TypeError(`${kernel.name}: argument ${argument.name} is missing`);
      if (array.dtype !== argument.dtype || array.length < length) {
        throw new TypeError(
          `${kernel.name}: argument ${argument.name} must be ${argument.dtype}[${
            argument.shape.join(", ")
          }] = ` +
            `${length} elements, got ${array.dtype} of ${array.length}`,
        );
      }
      return (array as GpuArray).address;
    });
    const work = BigInt64Array.of(0n, -1n);
    call(this.#context, sizes, addresses, work);
    const mark = this.mark();
    const [least, most] = [Number(work[0]), Number(work[1])];
    try {
      const bytes = this.#workBytes(least, most);
      [work[0], work[1]] = bytes > 0 ? this.#scratch(least, bytes) : [0n, 0n];
      call(this.#context, sizes, addresses, work);
    } finally {
      this.release(mark);
    }
  }

  /** Address and size of scratch: as asked for, or half of it and so on while memory does not suffice. */
  #scratch(least: number, bytes: number): [address: bigint, bytes: bigint] {
    for (let some = bytes;; some = Math.max(least, Math.floor(some / 2))) {
      try {
        return [this.#reserve(some), BigInt(some)];
      } catch (error) {
        if (!(error instanceof RangeError) || some <= least) throw error;
      }
    }
  }

  /** As much scratch as is useful and half of the free memory gives, at least what one piece of work needs. */
  #workBytes(least: number, most: number): number {
    if (most <= SLAB.emulated) return most;
    const room = Math.max(this.#pool.left, Math.floor(this.#library.memory(this.#context).free / 2));
    return Math.max(least, Math.min(most, this.#mostWork, room));
  }

  mark(): Mark {
    return this.#pool.position;
  }

  release(mark: Mark): void {
    this.#pool.release(mark);
  }

  memory(): { used: number; peak: number; limit: number } {
    return { used: this.#pool.position, peak: this.#pool.peak, limit: this.#total };
  }

  /** Gives the memory and the context back; the target is of no use afterwards. */
  close(): void {
    this.#pool.clear();
    this.#library.close(this.#context);
  }
}

function hostArray(dtype: Dtype, length: number): HostArray {
  switch (dtype) {
    case "f64":
      return new Float64Array(length);
    case "f32":
      return new Float32Array(length);
    case "i32":
      return new Int32Array(length);
    case "u8":
      return new Uint8Array(length);
  }
}

function bytesOf(data: HostArray): Uint8Array<ArrayBuffer> {
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}

function checkType(what: string, array: DeviceArray, data: HostArray): void {
  if (hostArray(array.dtype, 0).constructor !== data.constructor) {
    throw new TypeError(`${what}: ${data.constructor.name} into an array of ${array.dtype}`);
  }
}

function checkRange(what: string, array: DeviceArray, offset: number, length: number): void {
  if (offset < 0 || length < 0 || offset + length > array.length) {
    throw new RangeError(`${what}: elements ${offset}..${offset + length} of an array of ${array.length}`);
  }
}
