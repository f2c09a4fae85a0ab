/** The fit of stars on any target. */
import type { FitJob } from "../core/stellar/batch.ts";
import type { ChooseTargets } from "../core/stellar/run_types.ts";
import { STELLAR_WASM } from "../core/stellar/wasm_targets.ts";
import { starsPerBatch } from "./batch_size.ts";
import { chooseTargets, type Pipeline } from "./choose_targets.ts";

export const STELLAR: Pipeline<FitJob> = {
  ...STELLAR_WASM,
  gpuWorker: new URL("./fit_worker.ts", import.meta.url),
  unit: "stars",
  gpuBatch: 1024,
  worthwhile: 64,
  perBatch: starsPerBatch,
};

/** Any target, see {@link chooseTargets}. */
export const stellarTargets: ChooseTargets = (target, stars) => chooseTargets(target, stars, STELLAR);
