/** What the banded kernels are timed on: the normal equations of the bundle of {@link spotCases}; per bin. */
import { bandedCholesky, bandedSolve } from "../core/kernels/banded.ts";
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

/** A case for each kernel of the families banded, schur and root. */
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
  ];
}
