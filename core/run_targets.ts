/** Where a run is done, for every pipeline alike. */
import type { FleetOptions } from "./fleet.ts";
import type { TargetSpec } from "./fleet_protocol.ts";
import { InputError } from "./io/input_error.ts";
import { compileCore } from "./wasm/load.ts";

/** Where a run is done. */
export interface ChosenTargets<Job> {
  /** For the identity of a run that is resumed: answers are the same to the bit on one kind of target only. */
  readonly kind: "wasm" | "cuda" | "emulated";
  /** Worker module, and what each worker gets at its start. */
  readonly worker: URL;
  readonly shared: unknown;
  /** One worker each; empty = as many WASM workers as the work employs. */
  readonly targets: readonly TargetSpec[];
  readonly lastResort?: TargetSpec;
  /** Items of a batch, at most. */
  readonly batch: number;
  /** Items of a job that the target has memory for. */
  perBatch?(job: Job): number;
  /** One line for people: what was chosen and why; null where nothing was to choose. */
  readonly note: string | null;
}

/** The fleet for it: on WASM `workers` of them, or this thread's own station for 0. */
export function fleetOptions<Job>(chosen: ChosenTargets<Job>, workers: number): FleetOptions {
  const { worker, targets, lastResort, shared } = chosen;
  return {
    worker,
    targets: targets.length > 0
      ? targets
      : Array.from({ length: Math.max(1, workers) }, () => ({ kind: "wasm" as const })),
    ...(lastResort === undefined ? {} : { lastResort }),
    local: workers === 0,
    shared,
  };
}

/** What a pipeline needs to run on WASM. */
export interface WasmPipeline {
  /** Worker module, see fleet_worker.ts; it is handed the compiled core. */
  readonly wasmWorker: URL;
  /** Items that step together unless the user says otherwise. */
  readonly wasmBatch: number;
}

/** WASM workers, for `wasm` and `auto`. @throws InputError for any other target */
export function wasmTargets<Job>(target: string, pipeline: WasmPipeline): ChosenTargets<Job> {
  if (target !== "wasm" && target !== "auto") throw new InputError(`no target ${target} here; there is wasm`);
  return {
    kind: "wasm",
    worker: pipeline.wasmWorker,
    shared: compileCore(),
    targets: [],
    batch: pipeline.wasmBatch,
    note: null,
  };
}
