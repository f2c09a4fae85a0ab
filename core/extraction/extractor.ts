/** Extraction of bundles on a target. */
import type { Target } from "../target.ts";
import type { BundleResult, ExtractionBatch, ExtractionJob } from "./job.ts";

export interface Extractor {
  /**
   * Extracts all bundles of a batch together; one result a bundle, in their order.
   *
   * @throws RangeError where the target's memory does not suffice for the batch
   */
  extract(batch: ExtractionBatch): BundleResult[];
}

/** What a worker of the fleet calls for each job. */
export function makeExtractor(_target: Target, _job: ExtractionJob): Extractor {
  return {
    extract(_batch) {
      throw new Error("extraction is not built yet");
    },
  };
}
