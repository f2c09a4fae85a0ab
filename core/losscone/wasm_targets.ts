/** The fit of sweeps on WASM: its workers, and the choice where there is no other. */
import { type ChosenTargets, type WasmPipeline, wasmTargets } from "../run_targets.ts";
import type { LossconeJob } from "./losscone_station.ts";

/** @param sweeps - to be fitted in all; @throws where the target asked for is absent */
export type ChooseLosscone = (target: string, sweeps: number) => ChosenTargets<LossconeJob>;

export const LOSSCONE_WASM: WasmPipeline = {
  wasmWorker: new URL("./losscone_worker.ts", import.meta.url),
  wasmBatch: 128,
};

/** WASM workers, for `wasm` and `auto`. @throws InputError for any other target */
export const lossconeOnWasm: ChooseLosscone = (target) => wasmTargets(target, LOSSCONE_WASM);
