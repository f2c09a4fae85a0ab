/** The choice where there is none: WASM workers. */
import { InputError } from "../io/input_error.ts";
import { compileCore } from "../wasm/load.ts";
import type { ChosenTargets } from "./run_types.ts";

/** Stars that step together unless the user says otherwise. */
export const WASM_BATCH = 64;

/** WASM workers, for `wasm` and `auto`. @throws InputError for any other target */
export function wasmTargets(target: string): ChosenTargets {
  if (target !== "wasm" && target !== "auto") throw new InputError(`no target ${target} here; there is wasm`);
  return {
    kind: "wasm",
    worker: new URL("./fit_worker.ts", import.meta.url),
    shared: compileCore(),
    targets: [],
    batch: WASM_BATCH,
    note: null,
  };
}
