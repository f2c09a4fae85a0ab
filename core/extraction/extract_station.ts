/** What a worker that extracts does: an extractor for each job, batches through it. */
import type { Answer } from "../station.ts";
import type { Target } from "../target.ts";
import { makeExtractor } from "./extractor.ts";
import type { BundleResult, ExtractionBatch, ExtractionJob } from "./job.ts";

/** Prepares an extraction; its answers are the spectra of bundles. */
export function openExtraction(target: Target, job: ExtractionJob): Answer<ExtractionBatch, BundleResult[]> {
  const extractor = makeExtractor(target, job);
  return (batch) => {
    const result = extractor.extract(batch);
    const arrays = result.flatMap(({ flux, ivar, resolution, chi2pix, pixmaskFraction, flags, model }) => [
      ...[flux, ivar, resolution, chi2pix, pixmaskFraction, flags],
      ...(model === undefined ? [] : [model.data]),
    ]);
    return { result, transfer: [...new Set(arrays.map((array) => array.buffer as ArrayBuffer))] };
  };
}
