/** How many bundles a device takes at a time: from its free memory and the kernel table's sizes. */
import type { Bundle, BundleInput, ExtractionJob } from "../core/extraction/job.ts";
import { bySize, type Patch, patchesOf, type SpotCorners } from "../core/extraction/patches.ts";
import { spotDims } from "../core/extraction/psf.ts";
import { DENSE_BINS, LONG_PATCH, WHOLE_BUNDLE } from "../core/extraction/spectra.ts";
import { systemSizes } from "../core/extraction/solve_patches.ts";
import { bundleCorners, bundleCutout } from "../core/extraction/tiling.ts";
import { decorrelateBlock, fibreCovariance } from "../core/kernels/inverse_root.ts";
import { type Dims, DTYPE_BYTES, elements, type Kernel } from "../core/kernels/kernel.ts";
import { normalEquations, weakPrior } from "../core/kernels/normal_equations.ts";
import { modelImage, pixelSums } from "../core/kernels/pixel_sums.ts";
import { bandExtent, bandRoot, decorrelate } from "../core/kernels/root.ts";
import { psfSpots } from "../core/kernels/spots.ts";
import { roomFor } from "./room.ts";

/** Most poles that a square root takes: what 1e-12 wants at cond 1e9. */
const POLES = 40;

/** Bytes of the arguments of a kernel, scratch left out, but for those named. */
function bytes(kernel: Kernel, dims: Dims, without: readonly string[] = []): number {
  return kernel.args
    .filter(({ name, role }) => role !== "work" && !without.includes(name))
    .reduce((sum, a) => sum + elements(a, dims) * DTYPE_BYTES[a.dtype], 0);
}

/** Bytes of device memory that the arrays of a bundle take, at most at a time. */
export function bundleBytes(job: ExtractionJob, bundle: Bundle): number {
  const corners = bundleCorners(job, bundle);
  const spots = bytes(psfSpots, spotDims(job.psf, bundle.fibres, corners.bins));
  const empty = { ...bundle, cutout: bundleCutout(job, bundle) } as BundleInput;
  const groups = bySize(patchesOf(job, [empty], [0], corners));
  return spots + Math.max(0, ...groups.map((patches) => patchBytes(job, bundle, patches, corners)));
}

/** The same of patches that step together, their spots left out. */
function patchBytes(
  { psf, options }: ExtractionJob,
  { fibres: NF }: Bundle,
  patches: readonly Patch[],
  corners: SpotCorners,
): number {
  const { fibres: F, bins: L, keepBin: FIRST, keepBins: M } = patches[0]!;
  const { H, D, NX, NY } = systemSizes(patches, corners);
  const { bins: NL, columns: SX, rows: SY } = corners;
  const ND = psf.halfY, B = patches.length;
  const dims = { B, F, L, H, NF, NL, SX, SY, NX, NY };
  const shared = ["spots", "xc", "yc"];
  const system = bytes(normalEquations, dims, shared) + bytes(weakPrior, dims, ["fw", "band"]) +
    8 * B * F * L;
  const items = {
    B: patches.reduce((sum, { keepFibres }) => sum + keepFibres, 0),
    P: B,
    F,
    L,
    H,
    M,
    FIRST,
    ND,
  };
  const { bins } = options.tiling === "bundle" ? WHOLE_BUNDLE : LONG_PATCH;
  const fibre = { B: B * F, F: 1, L, H: Math.min(L - 1, 2 * D + bins), P: POLES, ND, M, FIRST };
  const spectra = options.tiling === "reference" && L <= DENSE_BINS
    ? bytes(fibreCovariance, items, ["l"]) + bytes(decorrelateBlock, items, ["q", "x", "item"])
    : bytes(bandExtent, fibre) + bytes(bandRoot, fibre, ["s", "x"]) +
      bytes(decorrelate, fibre, ["q", "rowsum", "qx"]);
  // the system and its roots are given up before the pixels are summed
  const sums = bytes(modelImage, dims, [...shared, "place", "x"]) +
    bytes(pixelSums, dims, [...shared, "place", "pixels", "weights", "model"]);
  const kept = bytes(normalEquations, dims, [...shared, "band", "y", "fw"]) + 9 * B * F * L;
  return Math.max(system + spectra, kept + sums);
}

/**
 * Bundles of a batch for a device with so many bytes free.
 *
 * @throws RangeError where not even one fits
 */
export function bundlesPerBatch(job: ExtractionJob, free: number): number {
  const fibres = Math.min(job.bundleSize ?? 25, job.psf.fibres);
  // one from the middle of the CCD, where the traces are as long as anywhere
  const middle = Math.floor(job.psf.fibres / (2 * fibres)) * fibres;
  const firstFibre = Math.max(0, Math.min(middle, job.psf.fibres - fibres));
  return roomFor(free, bundleBytes(job, { firstFibre, fibres }), "bundle");
}
