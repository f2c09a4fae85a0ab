/** How many stars a device takes at a time: from its free memory and the kernel table's sizes. */
import { ccfScan, ccfSpread } from "../core/kernels/ccf.ts";
import { chunkKnots, columns, fitEvaluate, fitModel, rotationHalfWidth } from "../core/kernels/fit.ts";
import { rfft } from "../core/kernels/fourier.ts";
import { type Argument, type Dims, DTYPE_BYTES, elements, type Kernel } from "../core/kernels/kernel.ts";
import { resolutionDeconvolve } from "../core/kernels/resolution.ts";
import type { FitJob } from "../core/stellar/batch.ts";
import { commonGrid } from "../core/stellar/common_grid.ts";
import { roomFor } from "./room.ts";

/** Templates of a velocity scan: 24 and three rotations of each, or a hundred without parameters. */
const SCAN_TEMPLATES = 100;
/** Beyond that a batch only waits longer for its slowest star. */
const MOST_STARS = 4096;

export interface FitBytes {
  /** Bytes that a job keeps on the device, whatever the batch. */
  readonly resident: number;
  /** Bytes for each star of a batch, a spectrum an arm. */
  readonly star: number;
}

function size(args: readonly Argument[], dims: Dims): number {
  return args.reduce((sum, a) => sum + elements(a, dims) * DTYPE_BYTES[a.dtype], 0);
}

/** Arguments of a kernel by their first axis. */
function batched(kernel: Kernel, axis: string): Argument[] {
  return kernel.args.filter((a) => a.role !== "work" && a.shape[0] === axis);
}

/** What a job takes of device memory. */
export function fitBytes(job: FitJob): FitBytes {
  const { N, L } = commonGrid(job.arms, job.options.maxVel);
  const D = job.options.rvOnly ? 0 : job.library.axes.length;
  const scan = { B: 1, S: 1, G: N, N, L, T: SCAN_TEMPLATES, P: 0, FIRST: 0, LAST: 0 };
  // grids, their spectra, what the scan answers
  let star = size(batched(ccfSpread, "S"), scan) +
    2 * size(batched(rfft, "B").filter((a) => a.role === "out"), scan) +
    size(batched(ccfScan, "B").filter((a) => a.role === "out"), scan);
  let resident = size(ccfScan.args.filter((a) => ["tm", "tm2", "twiddles"].includes(a.name)), scan);
  for (const { lam, prepared, ndiag } of job.arms) {
    const NL = prepared.npix, NP = lam.length, W = job.options.resolutionMatrix ? ndiag : 0;
    const dims: Record<string, number> = {
      ...{ E: 1, B: 1, T: prepared.lnflux.length / NL, NL, NP, W, P: NP, WRAP: 0 },
      ...{ K: job.options.npoly, D, C: 1 << D, Q: columns(D) },
      H: rotationHalfWidth(job.options.maxVsini, prepared.dlnlam),
      M: chunkKnots(lam.map(Math.log), prepared.dlnlam),
    };
    resident += size(
      fitEvaluate.args.filter((a) => a.role === "in" && !["B", "E"].includes(a.shape[0]!)),
      dims,
    );
    // spectra, and for a while the matrices as stored or the continuum with what it is made of
    const stored = size(batched(resolutionDeconvolve, "B").filter((a) => a.role === "in"), dims);
    star += size(batched(fitModel, "B"), dims) + Math.max(stored, 4 * 8 * NP) + 8 * NP;
  }
  return { resident, star };
}

/** Stars of a batch for a device with so many bytes free; RangeError where not even one fits. */
export function starsPerBatch(job: FitJob, free: number): number {
  const { resident, star } = fitBytes(job);
  return Math.min(roomFor(free, star, "star", resident), MOST_STARS);
}
