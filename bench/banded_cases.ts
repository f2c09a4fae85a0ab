/** What the banded kernels are timed on: the normal equations of the bundle of {@link spotCases}; per bin. */
import { bandedCholesky, bandedSolve } from "../core/kernels/banded.ts";
import { decorrelateBlock, fibreCovariance, inverseRoot } from "../core/kernels/inverse_root.ts";
import type { Dims, Kernel } from "../core/kernels/kernel.ts";
import { normalEquations, weakPrior } from "../core/kernels/normal_equations.ts";
import { bandExtent, bandRoot, decorrelate } from "../core/kernels/root.ts";
import { fibreSchur } from "../core/kernels/schur.ts";
import { zolotarev } from "../core/extraction/poles.ts";
import type { Target } from "../core/target.ts";
import { type Inputs, outputOf } from "./kernel_call.ts";
import type { Case } from "./kernel_cases.ts";
import { BUNDLE, bundlePatch, HALF_BANDWIDTH } from "./spot_cases.ts";

const F = BUNDLE.F!, L = BUNDLE.L!, n = F * L;
const D = Math.floor(HALF_BANDWIDTH / F);
/** Neighbours eliminated, half-bandwidth of S, diagonals kept. */
const W = 2, H = 2 * D + 6, ND = 5;
const SYSTEM: Dims = { B: 1, N: n, H: HALF_BANDWIDTH };
const SCHUR: Dims = { B: 1, F, L, D, W, H, HK: HALF_BANDWIDTH };
const FIBRES: Dims = { B: 1, F, L, H };

function bandOfK(target: Target): Inputs {
  const dims = { ...BUNDLE, H: HALF_BANDWIDTH };
  const inputs = bundlePatch(target);
  const out = (name: string) => outputOf(target, normalEquations, dims, inputs, name);
  const [fw, band, b] = [out("fw"), out("band"), out("y")];
  return { band: outputOf(target, weakPrior, dims, { ...inputs, fw, band }, "band"), b };
}

function factored(target: Target): Inputs {
  const { band, b } = bandOfK(target);
  return { l: outputOf(target, bandedCholesky, SYSTEM, { band: band! }, "l"), b: b! };
}

const bandOfS = (target: Target): Inputs => ({
  s: outputOf(target, fibreSchur, SCHUR, bandOfK(target), "s"),
});

/** Poles of every fibre: what 1e-10 takes at the condition of this bundle. */
const P = 14;
const ROOT: Dims = { ...FIBRES, P, ND };

function rootInputs(target: Target): Inputs {
  const s = bandOfS(target);
  const bound = (name: string) => outputOf(target, bandExtent, FIBRES, s, name);
  const low = bound("low"), high = bound("high");
  const poles = Array.from(low, (l, f) => zolotarev(l, high[f]!, P));
  return {
    ...s,
    x: outputOf(target, bandedSolve, SYSTEM, factored(target), "x"),
    count: new Int32Array(F).fill(P),
    shift: Float64Array.from(poles.flatMap((p) => [...p.shift])),
    weight: Float64Array.from(poles.flatMap((p) => [...p.weight])),
  };
}

/** The patches of spex: 7 fibres of 74 bins, of which 5 and 50 are kept. */
const BLOCKS: Dims = {
  B: 20,
  P: 4,
  F: 7,
  L: 74,
  H: Math.floor(HALF_BANDWIDTH * 7 / F),
  M: 50,
  FIRST: 12,
  ND,
};
const ITEMS = Int32Array.from({ length: BLOCKS.B! }, (_, b) => 7 * Math.floor(b / 5) + 1 + b % 5);

/** Factors of patches: what banded_cholesky makes of bands whose couplings fall off as those of K do. */
function patchFactors(target: Target): Inputs {
  const { P, F, L, H } = BLOCKS as { P: number; F: number; L: number; H: number };
  const band = new Float64Array(P * F * L * (H + 1));
  for (let i = 0; i < P * F * L; i++) {
    for (let k = 0; k <= H; k++) {
      const bins = (H - k) / F;
      band[i * (H + 1) + k] = k === H ? 1 : (H - k) % F === 0 ? 0.8 * Math.exp(-0.35 * bins * bins) : 0.01;
    }
  }
  return {
    l: outputOf(target, bandedCholesky, { B: P, N: F * L, H }, { band }, "l"),
    item: ITEMS,
  };
}

const blocksOf = (target: Target): Inputs => ({
  c: outputOf(target, fibreCovariance, BLOCKS, patchFactors(target), "c"),
});

/** A case for each kernel of the family inverse_root; per bin that is kept. */
function blockCases(): Case[] {
  const one = (kernel: Kernel, inputs: (target: Target) => Inputs): Case => ({
    kernel,
    name: kernel.name,
    rows: BLOCKS.B! * BLOCKS.M!,
    calls: [{ dims: { ...BLOCKS, N: BLOCKS.L! }, inputs }],
  });
  return [
    one(fibreCovariance, patchFactors),
    one(inverseRoot, blocksOf),
    one(decorrelateBlock, (target) => ({
      q: outputOf(target, inverseRoot, { ...BLOCKS, N: BLOCKS.L! }, blocksOf(target), "q"),
      x: Float64Array.from({ length: BLOCKS.P! * BLOCKS.L! * BLOCKS.F! }, (_, i) => 100 + i % 17),
      item: ITEMS,
    })),
  ];
}

/** A case for each kernel of the families banded, schur, root and inverse_root. */
export function bandedCases(): Case[] {
  const one = (kernel: Kernel, dims: Dims, inputs: (target: Target) => Inputs): Case => ({
    kernel,
    name: kernel.name,
    rows: n,
    calls: [{ dims, inputs }],
  });
  return [
    one(bandedCholesky, SYSTEM, bandOfK),
    one(bandedSolve, SYSTEM, factored),
    one(fibreSchur, SCHUR, bandOfK),
    one(bandExtent, FIBRES, bandOfS),
    one(bandRoot, ROOT, rootInputs),
    one(decorrelate, { B: F, L, M: L, FIRST: 0, ND }, (target) => {
      const inputs = rootInputs(target);
      const out = (name: string) => outputOf(target, bandRoot, ROOT, inputs, name);
      return { q: out("q"), rowsum: out("rowsum"), qx: out("qx") };
    }),
    ...blockCases(),
  ];
}
