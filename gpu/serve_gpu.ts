/** Makes a worker of the fleet with a target on a GPU, or on WASM where it is told to: the twin of core/wasm/serve_wasm.ts. */
import type { Start } from "../core/fleet_protocol.ts";
import { type Answer, stationOf } from "../core/station.ts";
import type { Target } from "../core/target.ts";
import { WasmTarget } from "../core/wasm/target.ts";
import { DEVICE_ERRORS, DeviceError } from "./errors.ts";
import type { DeviceKind } from "./library.ts";
import { GpuTarget } from "./target.ts";

/** What the fleet shares with these workers. */
export interface GpuShared {
  readonly core: WebAssembly.Module;
  /** Library behind targets of kind "cuda"; "emulated" for tests. */
  readonly kind: DeviceKind;
}

/** Whether the context on the device is lost, so that only a new worker can go on. */
export function lost(error: unknown): boolean {
  const row = error instanceof DeviceError ? DEVICE_ERRORS.find((r) => r.code === error.code) : undefined;
  return row?.name === "DEVICE";
}

/** Ends this worker, once its answer is out; the fleet puts a new one in its place, or does without. */
export function endWorker(reason: unknown): void {
  const text = reason instanceof Error ? reason.message : String(reason);
  if ("WorkerGlobalScope" in globalThis) setTimeout(() => Promise.reject(text));
}

/** @param open - prepares for a job */
export function gpuStart<Job, Batch, Result>(
  open: (target: Target, job: Job) => Answer<Batch, Result>,
): Start<Job, Batch, Result> {
  return (spec, shared) => {
    const { core, kind } = shared as GpuShared;
    const target = spec.kind === "wasm" ? new WasmTarget(core) : new GpuTarget(kind, { device: spec.device });
    return stationOf(target, open, (error) => {
      const gone = lost(error);
      if (gone) endWorker(error);
      return gone;
    });
  };
}
