/** Parity cases of the family fit. */
import {
  chunkKnots,
  columns,
  fitEvaluate,
  fitModel,
  fitScan,
  rotationHalfWidth,
} from "../../core/kernels/fit.ts";
import type { Kernel } from "../../core/kernels/kernel.ts";
import { splineFactor } from "../../core/kernels/spline.ts";
import { continuumBasis } from "../../core/stellar/continuum.ts";
import type { HostArray, Target } from "../../core/target.ts";
import { call, type CaseMaker, type Next, type ParityCase, uniform, whole } from "./case.ts";

interface Scene {
  readonly E: number;
  readonly NP: number;
  readonly K: number;
  readonly D: number;
  /** Diagonals of the resolution matrix, 0 or odd. */
  readonly W: number;
  /** Velocities, for scans. */
  readonly V?: number;
}

const T = 12, B = 3;
const STEP = 8e-5, ORIGIN = 5000, MOST_VSINI = 150;

/** E evaluations of B spectra on a library of T templates that reaches 250 km/s beyond the data. */
function scene(kernel: Kernel, { E, NP, K, D, W, V = 1 }: Scene, next: Next, wasm: Target): ParityCase {
  const C = 1 << D;
  const NL = Math.ceil(1.6 * NP) + 70;
  const knots = Float64Array.from({ length: NL }, (_, i) => ORIGIN * Math.exp(i * STEP));
  const first = ORIGIN * Math.exp(35 * STEP);
  const lam = Float64Array.from({ length: NP }, (_, i) => first * (1 + 1.5 * STEP * i));
  const lnlam = lam.map(Math.log);
  const smooth = uniform(T * NL, next, -0.4, 0.4);
  for (let i = 1; i < smooth.length; i++) smooth[i] = 0.7 * smooth[i - 1]! + 0.3 * smooth[i]!;
  const rows = uniform(B * NP * W, next, 0, 0.1);
  for (let i = W >> 1; i < rows.length; i += W) rows[i]! += 1;
  const inputs: Record<string, HostArray> = {
    templates: Float32Array.from(smooth),
    knots,
    factor: call(wasm, splineFactor, { N: NL }, { x: knots }).factor!,
    grid: Float64Array.of(Math.log(ORIGIN), STEP),
    lam,
    lnlam,
    basis: continuumBasis(lam, K, "rbf"),
    y: uniform(B * NP, next, 5, 15),
    s: uniform(B * NP, next, 0.5, 2),
    sumlog: uniform(B, next, 0, 9),
    rows,
    good: Uint8Array.from({ length: B * NP }, () => next() < 0.8 ? 1 : 0),
    entry: Int32Array.from({ length: E }, () => whole(next, 0, B - 1)),
    corners: Int32Array.from({ length: E * C }, () => whole(next, 0, T - 1)),
    t: uniform(E * D, next, 0, 1),
    velocity: uniform(E * V, next, -200, 200),
    vsini: uniform(E, next, 0, MOST_VSINI).map((v, e) => e === 0 ? 0 : v),
  };
  const H = rotationHalfWidth(MOST_VSINI, STEP);
  const all: Record<string, number> = {
    ...{ E, B, T, NL, NP, K, D, C, W, H, V },
    Q: columns(D),
    M: chunkKnots(lnlam, STEP),
  };
  const dims = Object.fromEntries(Object.keys(kernel.dims).map((name) => [name, all[name]!]));
  const label = `${E} evaluations, ${NP} pixels, K = ${K}, ${D} axes, W = ${W}${
    V > 1 ? `, ${V} velocities` : ""
  }`;
  return { label, dims, inputs };
}

/** Coefficients, χ² and models of spectra without a finite likelihood mean nothing. */
const UNSPECIFIED = ["gradient", "curvature", "coeff", "chi2", "model", "template"];

function fits(kernel: Kernel): CaseMaker {
  const V = kernel === fitScan ? 5 : 1;
  return function* (next, extra, wasm) {
    const one = (s: Scene) => scene(kernel, { V, ...s }, next, wasm);
    yield one({ E: 0, NP: 40, K: 3, D: 1, W: 0 });
    // one pixel and one coefficient: what is left of residual and projection is rounding
    yield { ...one({ E: 1, NP: 1, K: 1, D: 0, W: 0 }), unspecified: ["chi2", "gradient", "curvature"] };
    yield one({ E: 2, NP: 50, K: 3, D: 0, W: 3 });
    yield one({ E: 1, NP: 383, K: 4, D: 1, W: 0 });
    yield one({ E: 1, NP: 384, K: 5, D: 2, W: 5 });
    yield one({ E: 1, NP: 385, K: 10, D: 3, W: 0 });
    yield one({ E: 3, NP: 257, K: 10, D: 4, W: 11 });
    yield one({ E: 1, NP: 128, K: 6, D: 5, W: 0 });
    if (kernel === fitScan) yield one({ E: 2, NP: 60, K: 4, D: 1, W: 0, V: 1 });
    // a run without weight
    const masked = one({ E: 2, NP: 300, K: 4, D: 2, W: 5 });
    for (let b = 0; b < B; b++) {
      (masked.inputs.s as Float64Array).fill(0, b * 300 + 40, b * 300 + 190);
      (masked.inputs.y as Float64Array).fill(0, b * 300 + 40, b * 300 + 190);
    }
    yield { ...masked, label: "masked runs" };
    // the first evaluation reaches beyond the template on the left, the second on the right
    const off = one({ E: 4, NP: 420, K: 4, D: 1, W: 0 });
    (off.inputs.velocity as Float64Array).fill(2500, 0, V);
    (off.inputs.velocity as Float64Array).fill(-2500, V, 2 * V);
    yield { ...off, label: "beyond the template", poisoned: [0, 1], unspecified: UNSPECIFIED };
    const poisoned = one({ E: 4, NP: 200, K: 4, D: 2, W: 0 });
    poisoned.inputs.vsini![1] = NaN;
    poisoned.inputs.t![5] = NaN;
    yield { ...poisoned, label: "NaN parameters", poisoned: [1, 2], unspecified: UNSPECIFIED };
    for (let i = 0; i < extra; i++) {
      const K = whole(next, 1, 10);
      const W = next() < 0.5 ? 0 : 1 + 2 * whole(next, 0, 6);
      yield one({ E: whole(next, 1, 3), NP: whole(next, 60, 500), K, D: whole(next, 0, 4), W });
    }
  };
}

export const FITS: readonly (readonly [Kernel, CaseMaker])[] = [
  [fitEvaluate, fits(fitEvaluate)],
  [fitScan, fits(fitScan)],
  [fitModel, fits(fitModel)],
];
