/** What a worker that fits stars does: a fitter for each job, batches through it. */
import type { Answer } from "../station.ts";
import type { Target } from "../target.ts";
import type { FitBatch, FitJob } from "./batch.ts";
import { makeFitter } from "./fitter.ts";
import type { BatchResult } from "./result.ts";

/** Prepares a fit of stars; its answers are those of the batches. */
export function openFit(target: Target, job: FitJob): Answer<FitBatch, BatchResult> {
  const fitter = makeFitter(target, job);
  return (batch) => {
    const result = fitter.fit(batch);
    return { result, transfer: [...new Set(result.models.map((model) => model.buffer as ArrayBuffer))] };
  };
}
