/** Every target of this machine: what it is, and why one is not usable. */
import { compileCore } from "../core/wasm/load.ts";
import { type DeviceKind, DeviceLibrary, type DeviceProperties } from "./library.ts";

export interface DeviceRow {
  /** As `--target` takes it: "wasm", "cuda:0", "emulated". */
  readonly target: string;
  readonly kind: "wasm" | DeviceKind;
  readonly usable: boolean;
  readonly name: string;
  /** Bytes; null where that is not known. */
  readonly memory: number | null;
  /** Bytes. */
  readonly free: number | null;
  /** CUDA version that the driver serves, "13.0"; null for targets without a driver. */
  readonly driver: string | null;
  /** "9.0"; null for targets that are no GPU. */
  readonly capability: string | null;
  /** Why it is not usable, one sentence; null where it is. */
  readonly reason: string | null;
}

/**
 * All targets: WASM, every CUDA device, the emulated device. An absent kind has one row that says why.
 *
 * @param open - how a library is opened, for tests
 */
export function listDevices(
  open: (kind: DeviceKind) => DeviceLibrary = (kind) => new DeviceLibrary(kind),
): DeviceRow[] {
  return [wasmRow(), ...devicesOf("cuda", open), ...devicesOf("emulated", open)];
}

function wasmRow(): DeviceRow {
  const row = { target: "wasm", kind: "wasm", name: "WASM SIMD", memory: 2 ** 32, ...NOT_A_GPU } as const;
  try {
    compileCore();
    return { ...row, usable: true, reason: null };
  } catch (error) {
    return { ...row, usable: false, reason: (error as Error).message };
  }
}

const NOT_A_GPU = { free: null, driver: null, capability: null } as const;

/** Devices of one kind; where it is absent, one row that says why. Opens no library of another kind. */
export function devicesOf(
  kind: DeviceKind,
  open: (kind: DeviceKind) => DeviceLibrary = (kind) => new DeviceLibrary(kind),
): DeviceRow[] {
  const name = kind === "cuda" ? "CUDA device" : "emulated device (tests only)";
  const absent = (target: string, error: unknown): DeviceRow => ({
    ...{ target, kind, usable: false, name, memory: null, ...NOT_A_GPU },
    reason: (error as Error).message,
  });
  let library: DeviceLibrary, count: number;
  try {
    library = open(kind);
    count = library.devices();
    if (count === 0) throw new Error("no device");
  } catch (error) {
    return [absent(kind, error)];
  }
  return Array.from({ length: count }, (_, index) => {
    const target = kind === "emulated" && count === 1 ? kind : `${kind}:${index}`;
    let properties: DeviceProperties;
    try {
      properties = library.properties(index);
    } catch (error) {
      return absent(target, error);
    }
    const { name, total, free, driver, capability } = properties;
    const gpu = kind === "cuda" ? { driver, capability } : { driver: null, capability: null };
    return { target, kind, usable: true, name, memory: total, free, ...gpu, reason: null };
  });
}
