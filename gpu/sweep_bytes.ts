/** How many sweeps a device takes at a time: from its free memory and the kernel table's sizes. */
import { SWEEP_CELLS, SWEEP_ROWS } from "../core/losscone/sweep.ts";
import { INTERVALS } from "../core/losscone/fitter.ts";
import type { LossconeJob } from "../core/losscone/losscone_station.ts";
import { evolutionStart } from "../core/kernels/evolution.ts";
import { kappaFit, kappaPrepare } from "../core/kernels/kappa.ts";
import { type Dims, DTYPE_BYTES, elements, type Kernel } from "../core/kernels/kernel.ts";
import { lossconeNormalise, lossconePitch, lossconeTables } from "../core/kernels/losscone_prepare.ts";
import { lossconeEvaluate, lossconeSearch } from "../core/kernels/losscone_search.ts";
import { roomFor } from "./room.ts";

/** Bytes of what kernels want of each sweep; they share arguments by name. */
function bytes(kernels: readonly Kernel[], dims: Dims): number {
  const args = new Map(kernels.flatMap(({ args }) => args).map((a) => [a.name, a]));
  return [...args.values()]
    .filter(({ role, shape }) => role !== "work" && shape[0] === "B")
    .reduce((sum, a) => sum + elements(a, dims) * DTYPE_BYTES[a.dtype], 0);
}

/** Bytes of device memory that the arrays of a sweep take, at most at a time. */
export function sweepBytes({ wanted, options, potential }: LossconeJob): number {
  const { seeds: S, population: M } = options.evolution;
  const dims = { B: 1, R: SWEEP_ROWS, P: SWEEP_CELLS, C: SWEEP_CELLS, S, M, I: INTERVALS };
  const prepare = [lossconePitch, lossconeNormalise, lossconeTables];
  // flux and directions are given up by then
  const search = [lossconeTables, lossconeSearch];
  if (options.method === "lillis") search.push(lossconeEvaluate);
  if (options.search === "evolution") search.push(evolutionStart);
  return Math.max(
    wanted === "losscone" ? Math.max(bytes(prepare, dims), bytes(search, dims)) : 0,
    wanted === "kappa" || potential.kind === "fit" ? bytes([kappaPrepare, kappaFit], dims) : 0,
  );
}

/**
 * Sweeps of a batch for a device with so many bytes free.
 *
 * @throws RangeError where not even one fits
 */
export function sweepsPerBatch(job: LossconeJob, free: number): number {
  return roomFor(free, sweepBytes(job), "sweep");
}
