/** What the extraction kernels are timed on: a bundle of 25 fibres like one of DESI's, 256 bins of it; per bin. */
import type { Dims } from "../core/kernels/kernel.ts";
import { normalEquations, weakPrior } from "../core/kernels/normal_equations.ts";
import { modelImage, pixelSums } from "../core/kernels/pixel_sums.ts";
import { psfSpots } from "../core/kernels/spots.ts";
import type { Target } from "../core/target.ts";
import { type Inputs, outputOf } from "./kernel_call.ts";
import type { Case } from "./kernel_cases.ts";

const F = 25, L = 256, SX = 17, SY = 11, GX = 7, GY = 7, KT = 7, KP = 4;
const P = GX * GY + 7;
const n = F * L;
const STEP = 0.8;
/** Pixels between fibres, rows a bin. */
const PITCH = 7.3, ROWS = 1.5;
const SPOTS: Dims = { B: F, L, KT, KP, GX, GY, SX, SY };
const NX = Math.ceil(PITCH * F + SX), NY = Math.ceil(ROWS * L + SY + 4);

/** Numbers that only have to differ. */
function ripple(i: number): number {
  return Math.sin(12.9898 * i + 78.233);
}

/** A PSF about 1.1 pixels wide whose shape changes a little with fibre and wavelength. */
function psf(): Inputs {
  const trace = new Float64Array(F * 2 * KT), shape = new Float64Array(F * P * KP);
  for (let f = 0; f < F; f++) {
    trace.set([SX / 2 + PITCH * f, 0.4], 2 * f * KT);
    trace.set([SY / 2 + ROWS * L / 2, ROWS * L / 2, 1 + 0.05 * f], (2 * f + 1) * KT);
    for (let p = 0; p < P; p++) {
      const lead = p === 0 ? 1.15 : p === 1 ? 1.05 : p === 2 ? 1 : p < P - 5 ? 0.02 * ripple(f + 31 * p) : 0;
      shape.set([lead, 0.02 * lead, 0.01 * lead, 0.005 * lead], (f * P + p) * KP);
    }
  }
  const last = 6000 + STEP * (L - 1);
  return {
    wave: Float64Array.from({ length: n }, (_, i) => 6000 + STEP * (i % L)),
    domains: Float64Array.of(6000, last, 6000, last),
    trace,
    shape,
  };
}

/** Spots, their place, and an image with a twentieth of its pixels masked. */
export function bundlePatch(target: Target): Inputs {
  const inputs = psf();
  const spots = (name: string) => outputOf(target, psfSpots, SPOTS, inputs, name);
  return {
    spots: spots("spots"),
    xc: spots("xc"),
    yc: spots("yc"),
    place: Int32Array.of(0, 0, 0, 0, NX, NY),
    pixels: Float64Array.from({ length: NX * NY }, (_, i) => 100 + 30 * ripple(i)),
    weights: Float64Array.from({ length: NX * NY }, (_, i) => i % 20 === 7 ? 0 : 0.01),
    model: Float64Array.from({ length: NX * NY }, (_, i) => 100 + 20 * ripple(i)),
    psferr: Float64Array.of(0.01),
    keep: Int32Array.of(0, F, 0, L),
    x: Float64Array.from({ length: n }, (_, i) => 500 + 100 * ripple(i)),
    regularize: Float64Array.of(0),
  };
}

/** Half-bandwidth of the bundle: bins 7 apart still share rows, fibres 2 apart columns. */
export const HALF_BANDWIDTH = 7 * F + 2;

/** Sizes of the patch that is the whole bundle. */
export const BUNDLE: Dims = { B: 1, F, L, NF: F, NL: L, SX, SY, NX, NY };

/** A case for each kernel of the families spots, normal_equations and pixel_sums. */
export function spotCases(): Case[] {
  const one = (kernel: Case["kernel"], of: Dims, inputs: (target: Target) => Inputs): Case => ({
    kernel,
    name: kernel.name,
    rows: n,
    calls: [{ dims: of, inputs }],
  });
  const equations = { ...BUNDLE, H: HALF_BANDWIDTH };
  return [
    one(psfSpots, SPOTS, psf),
    one(normalEquations, equations, bundlePatch),
    one(weakPrior, { B: 1, F, L, H: HALF_BANDWIDTH }, (target) => {
      const inputs = bundlePatch(target);
      const out = (name: string) => outputOf(target, normalEquations, equations, inputs, name);
      return { ...inputs, fw: out("fw"), band: out("band") };
    }),
    one(modelImage, BUNDLE, bundlePatch),
    one(pixelSums, BUNDLE, bundlePatch),
  ];
}
