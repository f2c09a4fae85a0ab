/** What is sent to a worker: some rows of one file, and once per file what they share. */
import type { ArmRows } from "../io/spectra.ts";
import type { Frame, LineSpread, Medium } from "../io/spectra.ts";
import type { PreparedArm } from "../templates/prepared.ts";
import type { Axis } from "../templates/library.ts";
import type { FitOptions } from "./options.ts";
import type { BatchResult } from "./result.ts";

/** Shared by all batches of a job: plain data, so that it can be posted to a worker. */
export interface FitJob {
  readonly options: FitOptions;
  readonly library: {
    readonly axes: readonly Axis[];
    readonly templates: number;
    readonly params: Float64Array;
    readonly idgrid: Int32Array;
    readonly classes: readonly string[] | null;
  };
  /** One per fitted arm. */
  readonly arms: readonly {
    readonly arm: string;
    readonly setup: string;
    readonly lam: Float64Array;
    readonly medium: Medium;
    readonly frame: Frame;
    readonly lsf: LineSpread;
    readonly ndiag: number;
    readonly prepared: PreparedArm;
  }[];
}

/** The pixels of some stars. */
export interface FitBatch {
  /** Per star: 0-based rows of the input; the pixels follow in this order. */
  readonly rows: readonly (readonly number[])[];
  /** Per star and arm: S/N, as selected on. */
  readonly sn: readonly (readonly number[])[];
  /** Per arm of the job. */
  readonly pixels: readonly ArmRows[];
}

/** Fits batches of one job on one target; made in a worker by `makeFitter(target, job)` of fitter.ts. */
export interface Fitter {
  fit(batch: FitBatch): BatchResult;
}
