/** From covariances to flux with uncorrelated errors, ivar and resolution. */
import { decorrelateBlock, fibreCovariance, inverseRoot } from "../kernels/inverse_root.ts";
import { bandExtent, bandRoot, decorrelate } from "../kernels/root.ts";
import { fibreSchur } from "../kernels/schur.ts";
import { type DeviceArray, place, type Target } from "../target.ts";
import type { Patch } from "./patches.ts";
import { polesFor, zolotarev } from "./poles.ts";

/** Of patches of one size, [patch][fibre][kept bin]. */
export interface Spectra {
  readonly flux: Float64Array;
  readonly ivar: Float64Array;
  /** [patch][fibre][band][kept bin]. */
  readonly resolution: Float64Array;
}

/** Of patches that are solved together. */
export interface Sizes {
  /** Patches, fibres and bins of each. */
  readonly B: number;
  readonly F: number;
  readonly L: number;
  /** Half-bandwidth of K, and bins over which it couples. */
  readonly H: number;
  readonly D: number;
  /** Bins kept, the first of them, diagonals of R on either side. */
  readonly M: number;
  readonly FIRST: number;
  readonly ND: number;
}

/** Inverse covariances of single fibres as bands, the half-width of these. */
export interface Bands {
  readonly s: DeviceArray;
  readonly bins: number;
  /** Relative error of their root. */
  readonly root: number;
}

/** How far what is left out of bands may reach. */
export interface Truncation {
  /** Neighbours on either side that a fibre's inverse covariance is freed from. */
  readonly neighbours: number;
  /** Half-bandwidth of the inverse covariance beyond twice the coupling, bins. */
  readonly bins: number;
  /** Relative error of the square root. */
  readonly root: number;
}

/** Against the exact solution 2e-8 σ where nothing is masked, 5e-6 σ around a block without data. */
export const WHOLE_BUNDLE: Truncation = { neighbours: 2, bins: 6, root: 1e-10 };
/** For patches that are compared with dense solutions: a digit more. */
export const LONG_PATCH: Truncation = { neighbours: 3, bins: 26, root: 1e-12 };

/**
 * Bins of a patch up to which its blocks are solved as dense matrices: those of spex have 74. The work goes with the cube
 * of the bins, that of bands does not.
 */
export const DENSE_BINS = 128;

/**
 * Inverse covariances of all fibres.
 *
 * @param band - K, [patch][unknown][H + 1]
 */
export function inverseCovariances(
  target: Target,
  { B, F, L, H, D }: Sizes,
  allowed: Truncation,
  band: DeviceArray,
): Bands {
  const W = Math.min(allowed.neighbours, F - 1), bins = Math.min(L - 1, 2 * D + allowed.bins);
  const s = target.allocate("f64", B * F * L * (bins + 1));
  target.run(fibreSchur, { B, F, L, D, W, H: bins, HK: H }, { band, s });
  return { s, bins, root: allowed.root };
}

/** Spectra of all fibres, from the square roots of bands. */
export function bandSpectra(
  target: Target,
  sizes: Sizes,
  { s, bins: H, root }: Bands,
  x: DeviceArray,
): Spectra {
  const { B, F, L, M, FIRST, ND } = sizes;
  const vector = (length = B * F * L) => target.allocate("f64", length);
  const low = vector(B * F), high = vector(B * F);
  target.run(bandExtent, { B, F, L, H }, { s, low, high });
  const poles = polesOf(target.download(low) as Float64Array, target.download(high) as Float64Array, root);
  const q = vector(B * F * L * (ND + 1)), rowsum = vector(), qx = vector();
  target.run(bandRoot, { B, F, L, H, P: poles.P, ND }, {
    s,
    x,
    count: place(target, poles.count),
    shift: place(target, poles.shift),
    weight: place(target, poles.weight),
    q,
    rowsum,
    qx,
  });
  const flux = vector(B * F * M), ivar = vector(B * F * M), resolution = vector(B * F * (2 * ND + 1) * M);
  target.run(decorrelate, { B: B * F, L, M, FIRST, ND }, { q, rowsum, qx, flux, ivar, resolution });
  const get = (array: DeviceArray) => target.download(array) as Float64Array;
  return { flux: get(flux), ivar: get(ivar), resolution: get(resolution) };
}

/** Poles of the square root for every matrix; none for one that is not positive definite. */
function polesOf(low: Float64Array, high: Float64Array, error: number) {
  const sound = (i: number) => low[i]! > 0 && high[i]! < Infinity && low[i]! < Infinity;
  const count = Int32Array.from(low, (_, i) => sound(i) ? polesFor(low[i]!, high[i]!, error) : 1);
  const P = count.reduce((most, c) => Math.max(most, c), 1);
  const shift = new Float64Array(count.length * P).fill(NaN),
    weight = new Float64Array(shift.length).fill(NaN);
  count.forEach((c, i) => {
    if (!sound(i)) return;
    const poles = zolotarev(low[i]!, high[i]!, c);
    shift.set(poles.shift, i * P);
    weight.set(poles.weight, i * P);
  });
  return { P, count, shift, weight };
}

/**
 * Spectra of the fibres that patches keep, from the inverse square roots of whole covariance blocks, nothing left out. Fibres that pad get NaN.
 *
 * @param l - factors of K, [patch][unknown][H + 1]
 */
export function blockSpectra(
  target: Target,
  sizes: Sizes,
  patches: readonly Patch[],
  l: DeviceArray,
  x: DeviceArray,
): Spectra {
  const { B: P, F, L, H, M, FIRST, ND } = sizes;
  const wanted = Int32Array.from(
    patches.flatMap(({ keepFibre, keepFibres }, p) =>
      Array.from({ length: keepFibres }, (_, f) => p * F + keepFibre + f)
    ),
  );
  const B = wanted.length, vector = (length: number) => target.allocate("f64", length);
  const item = place(target, wanted), c = vector(B * L * L), method = target.allocate("u8", B);
  target.run(fibreCovariance, { B, P, F, L, H }, { l, item, c });
  target.run(inverseRoot, { B, N: L }, { c, q: c, method });
  const bands = 2 * ND + 1;
  const flux = vector(B * M), ivar = vector(B * M), resolution = vector(B * bands * M);
  target.run(decorrelateBlock, { B, P, F, L, M, FIRST, ND }, { q: c, x, item, flux, ivar, resolution });
  const all = (array: DeviceArray, length: number) => {
    const out = new Float64Array(P * F * length).fill(NaN), found = target.download(array) as Float64Array;
    wanted.forEach((row, b) => out.set(found.subarray(b * length, (b + 1) * length), row * length));
    return out;
  };
  return { flux: all(flux, M), ivar: all(ivar, M), resolution: all(resolution, bands * M) };
}
