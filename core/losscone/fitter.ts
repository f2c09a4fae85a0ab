/** Fits batches of sweeps on one target: what a worker of the fleet calls. */
import type { Target } from "../target.ts";
import type { LossconeOptions } from "./options.ts";
import type { SweepResult } from "./result.ts";
import type { SweepBatch } from "./sweep.ts";

export interface LossconeFitter {
  /** One result per sweep, in the order of the batch. */
  fit(batch: SweepBatch): SweepResult[];
}

/** A fitter for batches with the same options; it leaves nothing on the target between batches. */
export function makeLossconeFitter(_target: Target, _options: LossconeOptions): LossconeFitter {
  throw new Error("the loss-cone fit is being written");
}
