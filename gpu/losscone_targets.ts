/** The fit of sweeps on any target. */
import type { LossconeJob } from "../core/losscone/losscone_station.ts";
import { type ChooseLosscone, LOSSCONE_WASM } from "../core/losscone/wasm_targets.ts";
import { chooseTargets, type Pipeline } from "./choose_targets.ts";
import { sweepsPerBatch } from "./sweep_bytes.ts";

export const LOSSCONE: Pipeline<LossconeJob> = {
  ...LOSSCONE_WASM,
  gpuWorker: new URL("./losscone_worker.ts", import.meta.url),
  unit: "sweeps",
  gpuBatch: 2048,
  worthwhile: 2000,
  perBatch: sweepsPerBatch,
};

/** Any target, see {@link chooseTargets}. */
export const lossconeTargets: ChooseLosscone = (target, sweeps) => chooseTargets(target, sweeps, LOSSCONE);
