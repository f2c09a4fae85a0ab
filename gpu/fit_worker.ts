/** A worker of the fleet that fits stars on a GPU, or on WASM where it is told to: the twin of core/stellar/fit_worker.ts. */
import type { Start } from "../core/fleet_protocol.ts";
import { serve } from "../core/fleet_worker.ts";
import type { FitBatch, FitJob } from "../core/stellar/batch.ts";
import { fitStation } from "../core/stellar/fit_station.ts";
import type { BatchResult } from "../core/stellar/result.ts";
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

export const start: Start<FitJob, FitBatch, BatchResult> = (spec, shared) => {
  const { core, kind } = shared as GpuShared;
  const target = spec.kind === "wasm" ? new WasmTarget(core) : new GpuTarget(kind, { device: spec.device });
  return fitStation(target, (error) => {
    const gone = lost(error);
    if (gone) endWorker(error);
    return gone;
  });
};

serve(start);
