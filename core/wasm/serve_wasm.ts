/** Makes a worker of the fleet with a WASM target: what each pipeline's worker module calls. */
import type { Start } from "../fleet_protocol.ts";
import { type Answer, stationOf } from "../station.ts";
import type { Target } from "../target.ts";
import { WasmTarget } from "./target.ts";

/** @param open - prepares for a job; the worker is handed the compiled core */
export function wasmStart<Job, Batch, Result>(
  open: (target: Target, job: Job) => Answer<Batch, Result>,
): Start<Job, Batch, Result> {
  return (spec, shared) => {
    if (spec.kind !== "wasm") throw new Error(`this worker makes no target of kind ${spec.kind}`);
    return stationOf(new WasmTarget(shared as WebAssembly.Module), open);
  };
}
