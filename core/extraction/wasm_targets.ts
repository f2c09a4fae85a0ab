/** Extraction on WASM: its workers, and the choice where there is no other. */
import { type ChosenTargets, type WasmPipeline, wasmTargets } from "../run_targets.ts";
import type { ExtractionJob } from "./job.ts";

/** One bundle at a time: it is work enough, and its system is what memory is needed for. */
export const EXTRACTION_WASM: WasmPipeline = {
  wasmWorker: new URL("./extract_worker.ts", import.meta.url),
  wasmBatch: 1,
};

/** WASM workers, for `wasm` and `auto`. @throws InputError for any other target */
export function extractionOnWasm(target: string): ChosenTargets<ExtractionJob> {
  return wasmTargets(target, EXTRACTION_WASM);
}
