/** The device library, opened: its calls with answers turned into exceptions. */
import type { Kernel } from "../core/kernels/kernel.ts";
import { type DeviceCalls, type KernelCall, symbols } from "./bindings.ts";
import { libraryPath } from "./compile.ts";
import { DeviceError, deviceException } from "./errors.ts";

export type DeviceKind = "cuda" | "emulated";

const ABI = 1;
const NAMES = ["cuda", "emulated"] as const;

/** Settings of the emulated device, see `ts_emulate`. */
export const EMULATE = {
  order: 0,
  devices: 1,
  memory: 2,
  failAllocation: 3,
  failLaunch: 4,
  hang: 5,
} as const;

export interface DeviceProperties {
  readonly index: number;
  readonly name: string;
  /** Bytes. */
  readonly total: number;
  /** Bytes. */
  readonly free: number;
  /** "9.0", as the vendor counts. */
  readonly capability: string;
  readonly multiprocessors: number;
  /** "13.0", the highest CUDA version that the driver serves; "0.0" for the emulated device. */
  readonly driver: string;
  readonly runtime: string;
}

export class DeviceLibrary {
  readonly kind: DeviceKind;
  readonly #calls: DeviceCalls;
  readonly #kernels: Readonly<Record<string, KernelCall | null>>;

  /**
   * Opens a library. DeviceError, in one sentence, where it is absent or of another version.
   *
   * @param path - file to open instead of the one in gpu/build
   */
  constructor(kind: DeviceKind, path = libraryPath(kind)) {
    let opened;
    try {
      opened = Deno.dlopen(path, symbols());
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      const missing = !exists(path);
      throw new DeviceError(
        missing
          ? `the ${kind} library is not built: ${path} is missing (task build:${kind})`
          : `the ${kind} library cannot be loaded: ${(error as Error).message}`,
        1,
      );
    }
    this.#calls = opened.symbols as unknown as DeviceCalls;
    this.#kernels = opened.symbols as unknown as Record<string, KernelCall | null>;
    const abi = this.#calls.ts_abi();
    if (abi !== ABI) {
      throw new DeviceError(`${path} has interface ${abi}, not ${ABI}: rebuild it (task build:${kind})`, 4);
    }
    this.kind = NAMES[this.#calls.ts_kind()] ?? kind;
  }

  /** Text of the last error of this thread. */
  #text(): string {
    const buffer = new Uint8Array(512);
    return new TextDecoder().decode(buffer.subarray(0, this.#calls.ts_error_text(buffer, buffer.length)));
  }

  /** Throws what an answer other than 0 stands for. */
  #check(code: number): void {
    if (code !== 0) throw deviceException(code, this.#text());
  }

  /** Number of devices; DeviceError in one sentence where there is no driver. */
  devices(): number {
    const count = new Int32Array(1);
    this.#check(this.#calls.ts_device_count(count));
    return count[0]!;
  }

  properties(index: number): DeviceProperties {
    const numbers = new BigInt64Array(8), name = new Uint8Array(256);
    this.#check(this.#calls.ts_device_properties(index, numbers, name, name.length));
    const [total, free, major, minor, multiprocessors, driver, runtime] = [...numbers].map(
      Number,
    ) as number[];
    const version = (v: number) => `${Math.floor(v / 1000)}.${Math.floor(v % 1000 / 10)}`;
    return {
      index,
      name: new TextDecoder().decode(name.subarray(0, name.indexOf(0))),
      total: total!,
      free: free!,
      capability: `${major}.${minor}`,
      multiprocessors: multiprocessors!,
      driver: version(driver!),
      runtime: version(runtime!),
    };
  }

  open(device: number): number {
    const context = new Int32Array(1);
    this.#check(this.#calls.ts_open(device, context));
    return context[0]!;
  }

  close(context: number): void {
    this.#check(this.#calls.ts_close(context));
  }

  /** Bytes. */
  memory(context: number): { free: number; total: number } {
    const numbers = new BigInt64Array(2);
    this.#check(this.#calls.ts_memory(context, numbers));
    return { free: Number(numbers[0]), total: Number(numbers[1]) };
  }

  allocate(context: number, bytes: number): bigint {
    const address = new BigInt64Array(1);
    this.#check(this.#calls.ts_allocate(context, BigInt(bytes), address));
    return address[0]!;
  }

  free(context: number, address: bigint): void {
    this.#check(this.#calls.ts_free(context, address));
  }

  upload(context: number, address: bigint, data: Uint8Array<ArrayBuffer>): void {
    this.#check(this.#calls.ts_upload(context, address, data, BigInt(data.byteLength)));
  }

  download(context: number, address: bigint, data: Uint8Array<ArrayBuffer>): void {
    this.#check(this.#calls.ts_download(context, address, data, BigInt(data.byteLength)));
  }

  synchronize(context: number): void {
    this.#check(this.#calls.ts_synchronize(context));
  }

  /** A setting of the emulated device, for the whole process. */
  emulate(setting: keyof typeof EMULATE, value: number | bigint): void {
    this.#check(this.#calls.ts_emulate(EMULATE[setting], BigInt(value)));
  }

  /** The call of a kernel. */
  kernel(kernel: Kernel): KernelCall {
    const call = this.#kernels[`ts_${kernel.name}`];
    if (call === null || call === undefined) {
      throw new DeviceError(
        `${kernel.name} is not in the ${this.kind} library: rebuild it (task build:${this.kind})`,
        4,
      );
    }
    return (context, dims, args, work) => {
      const code = call(context, dims, args, work);
      if (code !== 0) {
        const error = deviceException(code, this.#text());
        error.message = `${kernel.name}: ${error.message}`;
        throw error;
      }
      return code;
    };
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
