/** The chain of kernels from pixels to spectra, for patches of one size, in lockstep. */
import { bandedCholesky, bandedSolve } from "../kernels/banded.ts";
import { normalEquations, weakPrior } from "../kernels/normal_equations.ts";
import { modelImage, pixelSums } from "../kernels/pixel_sums.ts";
import { type DeviceArray, place, type Target } from "../target.ts";
import type { BundleInput, ExtractionJob } from "./job.ts";
import { halfBandwidth } from "./overlap.ts";
import { couplingBins, type Patch, type SpotCorners } from "./patches.ts";
import {
  bandSpectra,
  blockSpectra,
  DENSE_BINS,
  inverseCovariances,
  LONG_PATCH,
  type Spectra,
  WHOLE_BUNDLE,
} from "./spectra.ts";

/** Spots of all bundles of a batch, on the target. */
export interface Spots {
  readonly spots: DeviceArray;
  readonly xc: DeviceArray;
  readonly yc: DeviceArray;
  readonly corners: SpotCorners;
  /** Fibres that have spots. */
  readonly fibres: number;
}

/** Results of patches of one size; what belongs to fibres that pad is there, but may mean nothing. */
export interface Solved extends Spectra {
  /** [patch][bin][fibre] of the patch, padding included: as the unknowns are ordered. */
  readonly chi2pix: Float64Array;
  readonly masked: Float64Array;
  readonly seen: Float64Array;
  readonly weak: Uint8Array;
  /** Model of the kept fibres and bins, [patch][NY][NX]. */
  readonly model: Float64Array | null;
  readonly NX: number;
  readonly NY: number;
}

/** Half-bandwidth of K, bins over which it couples, and the size of the widest box, of patches of one size. */
export function systemSizes(
  patches: readonly Patch[],
  corners: SpotCorners,
): { readonly H: number; readonly D: number; readonly NX: number; readonly NY: number } {
  const { fibres: F, bins: L } = patches[0]!;
  let H = 0, D = 0;
  const seen = new Set<number>();
  for (const patch of patches) {
    if (seen.has(patch.fibre)) continue;
    seen.add(patch.fibre);
    const at = patch.fibre * corners.bins, end = at + F * corners.bins;
    const own = { ...corners, xc: corners.xc.subarray(at, end), yc: corners.yc.subarray(at, end), fibres: F };
    H = Math.max(H, halfBandwidth(own));
    D = Math.max(D, couplingBins(own, 0, F));
  }
  const widest = (side: "columns" | "rows") => Math.max(1, ...patches.map(({ box }) => box[side]));
  return { H: Math.min(H, F * L - 1), D: Math.min(D, L - 1), NX: widest("columns"), NY: widest("rows") };
}

/** Solves patches that all have as many fibres, bins, and bins before and among those kept. */
export function solvePatches(
  target: Target,
  job: ExtractionJob,
  bundles: readonly BundleInput[],
  patches: readonly Patch[],
  spots: Spots,
): Solved {
  const mark = target.mark();
  const { psf, options } = job;
  const B = patches.length, { fibres: F, bins: L, keepBin: FIRST, keepBins: M } = patches[0]!;
  const n = F * L, ND = psf.halfY;
  const { corners } = spots;
  const { H, D, NX, NY } = systemSizes(patches, corners);

  const spotDims = { NF: spots.fibres, NL: corners.bins, SX: corners.columns, SY: corners.rows, NX, NY };
  const patchDims = { B, F, L };
  const common = {
    spots: spots.spots,
    xc: spots.xc,
    yc: spots.yc,
    place: place(
      target,
      Int32Array.from(patches.flatMap(({ fibre, bin, box }) => [
        fibre,
        bin,
        box.x0,
        box.y0,
        box.columns,
        box.rows,
      ])),
    ),
  };
  const pixels = place(target, boxes(bundles, patches, NX, NY, "image"));
  const weights = place(target, boxes(bundles, patches, NX, NY, "ivar"));
  const vector = (length = B * n) => target.allocate("f64", length);
  const whole = (value: number) => new Float64Array(B).fill(value);

  const x = vector(), weak = target.allocate("u8", B * n);
  const inner = target.mark();
  const band = vector(B * n * (H + 1)), y = vector(), fw = vector();
  target.run(normalEquations, { ...patchDims, H, ...spotDims }, { ...common, pixels, weights, band, y, fw });
  const regularize = place(target, whole(options.regularize));
  target.run(weakPrior, { ...patchDims, H }, { fw, regularize, band, weak });

  const sizes = { B, F, L, H, D, M, FIRST, ND };
  const dense = options.tiling === "reference" && L <= DENSE_BINS;
  const truncation = options.tiling === "bundle" ? WHOLE_BUNDLE : LONG_PATCH;
  // before the factor takes the place of K
  const s = dense ? null : inverseCovariances(target, sizes, truncation, band);
  target.run(bandedCholesky, { B, N: n, H }, { band, l: band });
  target.run(bandedSolve, { B, N: n, H }, { l: band, b: y, x });
  const spectra = s === null
    ? blockSpectra(target, sizes, patches, band, x)
    : bandSpectra(target, sizes, s, x);
  target.release(inner);

  const model = vector(B * NY * NX), chi2pix = vector(), masked = vector(), light = vector();
  const modelDims = { ...patchDims, ...spotDims };
  const keep = place(target, Int32Array.from(patches.flatMap(() => [0, F, 0, L])));
  target.run(modelImage, modelDims, { ...common, keep, x, model });
  const psferr = place(target, whole(options.psferr ?? psf.error));
  target.run(pixelSums, modelDims, {
    ...common,
    pixels,
    weights,
    model,
    psferr,
    chi2pix,
    masked,
    seen: light,
  });
  const get = (array: DeviceArray) => target.download(array) as Float64Array;
  const sums = { chi2pix: get(chi2pix), masked: get(masked), seen: get(light) };
  if (options.model) {
    target.upload(
      keep,
      Int32Array.from(
        patches.flatMap((
          p,
        ) => [p.keepFibre, p.keepFibre + p.keepFibres, p.keepBin, p.keepBin + p.keepBins]),
      ),
    );
    target.run(modelImage, modelDims, { ...common, keep, x, model });
  }
  const solved = {
    ...spectra,
    ...sums,
    weak: target.download(weak) as Uint8Array,
    model: options.model ? get(model) : null,
    NX,
    NY,
  };
  target.release(mark);
  return solved;
}

/** Pixels of every patch's box, [patch][NY][NX], 0 beyond it. */
function boxes(
  bundles: readonly BundleInput[],
  patches: readonly Patch[],
  NX: number,
  NY: number,
  what: "image" | "ivar",
): Float64Array {
  const out = new Float64Array(patches.length * NY * NX);
  patches.forEach(({ bundle, box }, p) => {
    const { cutout, [what]: data } = bundles[bundle]!;
    for (let r = 0; r < box.rows; r++) {
      const from = (box.y0 - cutout.y0 + r) * cutout.columns + box.x0 - cutout.x0;
      out.set(data.subarray(from, from + box.columns), (p * NY + r) * NX);
    }
  });
  return out;
}
