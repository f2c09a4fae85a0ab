/** What a call into the device library can answer: one table for both targets and for every binding of the library. */
export interface DeviceErrorRow {
  readonly code: number;
  readonly name: string;
  readonly meaning: string;
}

/** Codes are never reused. The C side gets them as `TS_<name>`. */
export const DEVICE_ERRORS: readonly DeviceErrorRow[] = [
  { code: 0, name: "OK", meaning: "done" },
  { code: 1, name: "NO_DRIVER", meaning: "no usable driver" },
  { code: 2, name: "NO_DEVICE", meaning: "no such device" },
  { code: 3, name: "OUT_OF_MEMORY", meaning: "device memory does not suffice; a smaller batch may do" },
  { code: 4, name: "INVALID", meaning: "an argument that the call does not take" },
  { code: 5, name: "UNSUPPORTED", meaning: "dimensions beyond what the kernel is built for" },
  { code: 6, name: "LAUNCH_FAILED", meaning: "a kernel could not be started" },
  { code: 7, name: "DEVICE", meaning: "the device failed; its context is lost" },
  { code: 8, name: "BARRIER", meaning: "emulated device: threads of a block met at different barriers" },
];

/** An error of a device that no smaller batch cures. */
export class DeviceError extends Error {
  override readonly name = "DeviceError";
  /** @param code - of {@link DEVICE_ERRORS} */
  constructor(message: string, readonly code: number) {
    super(message);
  }
}

/** Exception for an answer that is not 0: RangeError where a smaller batch may do, else DeviceError. */
export function deviceException(code: number, text: string): Error {
  const row = DEVICE_ERRORS.find((r) => r.code === code);
  const message = text === "" ? row?.meaning ?? `unknown error ${code}` : text;
  return row?.name === "OUT_OF_MEMORY"
    ? new RangeError(`${message}; use a smaller batch`)
    : new DeviceError(message, code);
}
