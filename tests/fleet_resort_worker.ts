/** A worker for tests whose "GPUs" fail as the job says, and whose WASM works: doubles numbers. */
import { serve } from "../core/fleet_worker.ts";
import type { Start } from "../core/fleet_protocol.ts";

export interface ResortJob {
  readonly fail: "start" | "every batch" | "odd items" | "nothing";
}

export const start: Start<ResortJob, number[], { where: string; doubled: number[] }> = (spec, shared) => {
  if (spec.kind === "cuda" && shared === "no start") throw new Error("no such device");
  return {
    name: spec.kind,
    open: ({ fail }) => (batch) => {
      if (spec.kind === "cuda" && fail === "every batch") throw new Error("launch failed");
      if (spec.kind === "cuda" && fail === "odd items" && batch.some((x) => x % 2 === 1)) {
        throw new Error("odd");
      }
      return { result: { where: spec.kind, doubled: batch.map((x) => 2 * x) }, transfer: [] };
    },
  };
};

serve(start);
