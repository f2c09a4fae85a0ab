/** The fit of stars on WASM: its workers, and the choice where there is no other. */
import { type WasmPipeline, wasmTargets } from "../run_targets.ts";
import type { ChooseTargets } from "./run_types.ts";

export const STELLAR_WASM: WasmPipeline = {
  wasmWorker: new URL("./fit_worker.ts", import.meta.url),
  wasmBatch: 64,
};

/** WASM workers, for `wasm` and `auto`. @throws InputError for any other target */
export const stellarOnWasm: ChooseTargets = (target) => wasmTargets(target, STELLAR_WASM);
