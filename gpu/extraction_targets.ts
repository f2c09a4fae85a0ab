/** Extraction on any target. */
import type { ExtractionJob } from "../core/extraction/job.ts";
import { EXTRACTION_WASM } from "../core/extraction/wasm_targets.ts";
import type { ChosenTargets } from "../core/run_targets.ts";
import { bundlesPerBatch } from "./bundle_bytes.ts";
import { chooseTargets, type Pipeline } from "./choose_targets.ts";

export const EXTRACTION: Pipeline<ExtractionJob> = {
  ...EXTRACTION_WASM,
  gpuWorker: new URL("./extract_worker.ts", import.meta.url),
  unit: "bundles",
  // a frame of 20 bundles in two batches: each worker of a device has one
  gpuBatch: 10,
  worthwhile: 2,
  perBatch: bundlesPerBatch,
};

/** Any target, see {@link chooseTargets}. */
export function extractionTargets(target: string, bundles: number): ChosenTargets<ExtractionJob> {
  return chooseTargets(target, bundles, EXTRACTION);
}
