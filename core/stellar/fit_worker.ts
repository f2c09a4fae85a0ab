/** A worker of the fleet that fits stars on WASM. */
import type { Start } from "../fleet_protocol.ts";
import { serve } from "../fleet_worker.ts";
import { WasmTarget } from "../wasm/target.ts";
import type { FitBatch, FitJob } from "./batch.ts";
import { fitStation } from "./fit_station.ts";
import type { BatchResult } from "./result.ts";

/** @param shared - the compiled core */
export const start: Start<FitJob, FitBatch, BatchResult> = (spec, shared) => {
  if (spec.kind !== "wasm") throw new Error(`this worker makes no target of kind ${spec.kind}`);
  return fitStation(new WasmTarget(shared as WebAssembly.Module));
};

serve(start);
