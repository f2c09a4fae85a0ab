/** What a worker of the fleet does once it has its target: a fitter for each job, batches through it. */
import type { Station } from "../fleet_protocol.ts";
import type { Target } from "../target.ts";
import type { FitBatch, FitJob } from "./batch.ts";
import { makeFitter } from "./fitter.ts";
import type { BatchResult } from "./result.ts";

/**
 * @param lost - told of every error of a batch; true: the target is gone, so that nothing is to be released on it
 */
export function fitStation(
  target: Target,
  lost: (error: unknown) => boolean = () => false,
): Station<FitJob, FitBatch, BatchResult> {
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
          const transfer = [...new Set(result.models.map((model) => model.buffer as ArrayBuffer))];
          return { result, transfer };
        } catch (error) {
          if (!lost(error)) target.release(mark);
          throw error;
        }
      };
    },
  };
}
