/** What the fleet and its workers say to each other. */

/** The target a worker is to make. */
export type TargetSpec = { readonly kind: "wasm" } | { readonly kind: "cuda"; readonly device: number };

export type ToWorker =
  /** First message: make the target. `shared` is the same for all workers of a fleet, e.g. the compiled core. */
  | { readonly type: "start"; readonly target: TargetSpec; readonly shared: unknown }
  /** What the batches of a job share; sent to a worker before its first batch of the job. */
  | { readonly type: "job"; readonly job: number; readonly data: unknown }
  | { readonly type: "batch"; readonly job: number; readonly ticket: number; readonly data: unknown }
  /** No more batches of this job will come. */
  | { readonly type: "drop"; readonly job: number };

export type FromWorker =
  /** `name` of the target for people, as in `Target.name`. */
  | { readonly type: "ready"; readonly name: string }
  /** It has no target and cannot work. */
  | { readonly type: "unable"; readonly reason: string }
  | { readonly type: "done"; readonly ticket: number; readonly result: unknown }
  | { readonly type: "failed"; readonly ticket: number; readonly fault: Fault };

export interface Fault {
  /**
   * - `batch`: these rows failed; others may do
   * - `memory`: too many rows at once
   * - `job`: no batch of the job can be done
   */
  readonly stage: "batch" | "memory" | "job";
  /** Name and message of the error. */
  readonly name: string;
  readonly message: string;
}

/** What a worker can do, once it has its target. */
export interface Station<Job, Batch, Result> {
  /** Name of the target for people. */
  readonly name: string;
  /** Prepares for a job. Only the latest job need be kept: a worker is sent an earlier one again where it returns. */
  open(job: Job): (batch: Batch) => { readonly result: Result; readonly transfer: Transferable[] };
}

/** What a worker module exports under the name `start`. */
export type Start<Job, Batch, Result> = (target: TargetSpec, shared: unknown) => Station<Job, Batch, Result>;
