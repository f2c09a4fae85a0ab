/** A worker of the fleet that fits stars: makes the target it is told to, and a fitter for each job. */
import { serve } from "../fleet_worker.ts";
import type { Start } from "../fleet_protocol.ts";
import { WasmTarget } from "../wasm/target.ts";
import type { BatchResult } from "./result.ts";
import type { FitBatch, FitJob } from "./batch.ts";
import { makeFitter } from "./fitter.ts";

/** @param shared - the compiled core */
export const start: Start<FitJob, FitBatch, BatchResult> = (spec, shared) => {
  if (spec.kind !== "wasm") throw new Error(`no target of kind ${spec.kind} in this version`);
  const target = new WasmTarget(shared as WebAssembly.Module);
  const empty = target.mark();
  return {
    name: target.name,
    open(job) {
      target.release(empty);
      const fitter = makeFitter(target, job);
      return (batch) => {
        const mark = target.mark();
        try {
          const result = fitter.fit(batch);
          return {
            result,
            transfer: [...new Set(result.models.map((model) => model.buffer as ArrayBuffer))],
          };
        } catch (error) {
          target.release(mark);
          throw error;
        }
      };
    },
  };
};

serve(start);
