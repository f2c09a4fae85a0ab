/** Parity cases of the families rebin, resolution, rotation, interpolate, spline. */
import { interpolate } from "../../core/kernels/interpolate.ts";
import type { Kernel } from "../../core/kernels/kernel.ts";
import { rebinApply, rebinLog, rebinWeights, rebinWidth } from "../../core/kernels/rebin.ts";
import {
  lsfInverse,
  resolutionApply,
  resolutionDeconvolve,
  resolutionGaussian,
  rowCentring,
} from "../../core/kernels/resolution.ts";
import { rotate, rotationWeights } from "../../core/kernels/rotation.ts";
import { splineBuild, splineEvaluate, splineFactor } from "../../core/kernels/spline.ts";
import type { Target } from "../../core/target.ts";
import {
  call,
  type CaseMaker,
  EDGES,
  increasing,
  type Next,
  type ParityCase,
  uniform,
  whole,
  wide,
} from "./case.ts";

// REBIN //

type Grids = {
  readonly lam0: Float64Array;
  readonly lam1: Float64Array;
  readonly sigma: Float64Array;
};

/** M pixels of about 1 Å on N knots of about `step` Å, overlapping in part; σ between the two. */
function grids(N: number, M: number, step: number, next: Next): Grids {
  return {
    lam0: increasing(N, next, 5000, 0.7 * step, 1.3 * step),
    lam1: increasing(M, next, 5000 + 0.1 * N * step, 0.8, 1.2),
    sigma: uniform(M, next, 0, 1.5).map((v, i) => i % 5 === 0 ? 0 : v),
  };
}

const GRIDS = [[2, 2, 1], [50, 31, 0.5], [300, 33, 0.1], [257, 256, 1], [40, 257, 3]] as const;

const weights: CaseMaker = function* (next, extra) {
  const one = (N: number, M: number, step: number): ParityCase => {
    const inputs = grids(N, M, step, next);
    const W = rebinWidth(inputs.lam0, inputs.lam1, inputs.sigma);
    return { label: `${N} knots, ${M} pixels, W = ${W}`, dims: { N, M, W }, inputs };
  };
  for (const [N, M, step] of GRIDS) yield one(N, M, step);
  for (let i = 0; i < extra; i++) yield one(whole(next, 2, 400), whole(next, 2, 200), 0.1 + next());
};

/** Spectra on grids with their weights. */
function rebinned(log: boolean): CaseMaker {
  return function* (next, extra, wasm) {
    const one = (T: number, N: number, M: number, step: number): ParityCase => {
      const g = grids(N, M, step, next);
      const W = rebinWidth(g.lam0, g.lam1, g.sigma);
      const { start, weights } = call(wasm, rebinWeights, { N, M, W }, { ...g });
      const flux = log ? Float32Array.from(uniform(T * N, next, -9, 9)) : uniform(T * N, next);
      const inputs = { lam0: g.lam0, lam1: g.lam1, start: start!, weights: weights!, flux };
      return { label: `${T} spectra, ${N} knots, ${M} pixels`, dims: { T, N, M, W }, inputs };
    };
    yield one(0, 20, 9, 0.5);
    for (const [N, M, step] of GRIDS) yield one(2, N, M, step);
    const poisoned = one(3, 60, 20, 0.5);
    (poisoned.inputs.flux as Float64Array)[60 + 30] = NaN;
    yield { ...poisoned, label: "NaN", poisoned: [1] };
    for (let i = 0; i < extra; i++) {
      yield one(whole(next, 1, 4), whole(next, 2, 300), whole(next, 2, 200), 0.6);
    }
  };
}

// RESOLUTION //

const deconvolve: CaseMaker = function* (next, extra) {
  // some matrices lie where they should, others are displaced by up to a fifth of a pixel
  const one = (B: number, W: number, P: number, WRAP: number, sigma: number): ParityCase => {
    const d = Float32Array.from(uniform(B * W * P, next, 0.01, 0.3));
    const spread = uniform(B, next, 0.7, 1);
    const centring = new Float64Array(2 * B * W * W);
    spread.forEach((s, b) => centring.set(rowCentring(W, s, sigma), 2 * b * W * W));
    return {
      label: `${B} matrices, W = ${W}, ${P} pixels, wrap ${WRAP}, σ₀ = ${sigma}`,
      dims: { B, W, P, WRAP },
      inputs: {
        d,
        inverse: lsfInverse(W, sigma),
        displacement: uniform(B, next, -5e-5, 5e-5).map((shift, b) => (b + P) % 3 === 0 ? 0 : shift),
        spread,
        centring,
        lam: Float64Array.from({ length: P }, (_, i) => 4000 + 0.8 * i),
      },
      made: { sigma },
    };
  };
  yield one(0, 5, 9, 0, 0.5);
  yield one(2, 1, 3, 0, 0);
  yield one(2, 5, 1, 1, 0.5);
  yield one(1, 11, 4, 0, 0.6); // narrower than a row
  for (const P of [10, 11, 12, 31, 32, 33, 255, 256, 257]) yield one(1, 5, P, P & 1, 0.6);
  yield one(3, 11, 100, 1, 0.8);
  const dead = one(2, 5, 60, 0, 0.6);
  (dead.inputs.d as Float32Array).fill(0, 0, 300);
  yield { ...dead, label: "a dead fibre" };
  const poisoned = one(2, 5, 60, 0, 0.6);
  (poisoned.inputs.d as Float32Array)[430] = NaN;
  yield { ...poisoned, label: "NaN", poisoned: [1] };
  for (let i = 0; i < extra; i++) {
    yield one(whole(next, 1, 3), 1 + 2 * whole(next, 0, 7), whole(next, 1, 200), i & 1, 0.6);
  }
};

const apply: CaseMaker = function* (next, extra) {
  const one = (B: number, W: number, P: number): ParityCase => ({
    label: `${B} matrices, W = ${W}, ${P} pixels`,
    dims: { B, W, P },
    inputs: { rows: uniform(B * P * W, next), vec: uniform(B * P, next) },
  });
  yield one(0, 5, 9);
  for (const P of EDGES) yield one(2, 11, P);
  yield one(1, 1, 40);
  const poisoned = one(3, 5, 40);
  (poisoned.inputs.vec as Float64Array)[60] = NaN;
  yield { ...poisoned, label: "NaN", poisoned: [1] };
  for (let i = 0; i < extra; i++) {
    yield one(whole(next, 1, 3), 1 + 2 * whole(next, 0, 7), whole(next, 1, 300));
  }
};

const gaussian: CaseMaker = function* (next, extra) {
  const one = (B: number, W: number, P: number): ParityCase => ({
    label: `${B} matrices, W = ${W}, ${P} pixels`,
    dims: { B, W, P },
    inputs: {
      lam: increasing(P, next, 4000, 0.7, 1.3),
      sigma: uniform(B * P, next, 0.3, 2).map((v, i) => i % 9 === 4 ? 0 : v),
    },
  });
  yield one(0, 5, 9);
  for (const P of EDGES) yield one(2, 11, P);
  const poisoned = one(3, 5, 40);
  (poisoned.inputs.sigma as Float64Array)[60] = NaN;
  yield { ...poisoned, label: "NaN", poisoned: [1] };
  for (let i = 0; i < extra; i++) {
    yield one(whole(next, 1, 3), 1 + 2 * whole(next, 0, 7), whole(next, 1, 300));
  }
};

// ROTATION //

const profile: CaseMaker = function* (next, extra) {
  const one = (R: Float64Array): ParityCase => {
    const H = Math.max(1, ...[...R].filter(Number.isFinite).map((r) => Math.ceil(r + 1)));
    const dims = { B: R.length, H };
    return {
      label: `${R.length} profiles, H = ${H}`,
      dims,
      inputs: { R, eps: uniform(R.length, next, 0, 0.9) },
    };
  };
  yield one(new Float64Array(0));
  yield one(Float64Array.of(0, -0.5, 1e-12, 1e-9, 0.3, 0.999999, 1, 1.000001, 2));
  yield one(Float64Array.of(7.3, 29.999, 30, 31));
  // beyond that the table's tolerance ends: differences of primitives lose R² ε
  yield one(Float64Array.of(38.5));
  yield { ...one(Float64Array.of(3, NaN, 4)), poisoned: [1], label: "NaN" };
  for (let i = 0; i < extra; i++) yield one(uniform(4, next, 0, 40));
};

const convolve: CaseMaker = function* (next, extra) {
  const one = (B: number, N: number, H: number, y = uniform(B * N, next)): ParityCase => ({
    label: `${B} spectra of ${N}, H = ${H}`,
    dims: { B, N, H },
    inputs: { y, w: uniform(B * (H + 1), next) },
  });
  yield one(0, 9, 2);
  for (const N of EDGES) yield one(2, N, 5);
  yield one(2, 7, 20); // wider than the spectrum
  yield one(1, 300, 0);
  yield { ...one(2, 100, 9, wide(200, next)), label: "60 decades" };
  const poisoned = uniform(3 * 50, next);
  poisoned[70] = NaN;
  yield { ...one(3, 50, 4, poisoned), label: "NaN", poisoned: [1] };
  for (let i = 0; i < extra; i++) yield one(whole(next, 1, 4), whole(next, 1, 400), whole(next, 0, 40));
};

// INTERPOLATE //

const grid: CaseMaker = function* (next, extra) {
  const one = (E: number, N: number, D: number, low = 0, high = 1): ParityCase => {
    const T = 9, C = 1 << D;
    return {
      label: `${E} points, ${N} pixels, ${D} axes`,
      dims: { E, T, N, D, C },
      inputs: {
        templates: Float32Array.from(uniform(T * N, next, -4, 4)),
        corners: Int32Array.from({ length: E * C }, () => whole(next, 0, T - 1)),
        t: uniform(E * D, next, low, high),
      },
    };
  };
  yield one(0, 30, 2);
  for (const D of [0, 1, 2, 3, 4, 5, 6]) yield one(2, 65, D);
  for (const N of EDGES) yield one(1, N, 3);
  yield { ...one(2, 70, 2, -0.3, 1.3), label: "outside the cell" };
  const far = one(2, 70, 2);
  (far.inputs.templates as Float32Array).forEach((v, i, all) => all[i] = 300 * v);
  yield { ...far, label: "beyond the exponential's range" };
  const poisoned = one(2, 40, 1);
  poisoned.inputs.corners!.set([0, 1, 2, 3]);
  (poisoned.inputs.templates as Float32Array)[3 * 40 + 7] = NaN;
  yield { ...poisoned, label: "NaN", poisoned: [1] };
  for (let i = 0; i < extra; i++) yield one(whole(next, 1, 3), whole(next, 1, 300), whole(next, 0, 5));
};

// SPLINE //

/** Knots uniform in ln x, uniform in x, or of uneven spacing. */
function knots(N: number, kind: "log" | "linear" | "uneven", next: Next): Float64Array {
  if (kind === "uneven") return increasing(N, next, 4000, 0.01, 5);
  return Float64Array.from(
    { length: N },
    (_, i) => kind === "log" ? 4000 * Math.exp(i * 1e-4) : 4000 + 0.4 * i,
  );
}

const SPLINE_SIZES = [1, 2, 3, 4, 31, 32, 33, 64, 65, 96, 97, 128, 129, 257, 600];

const factor: CaseMaker = function* (next, extra) {
  for (const kind of ["log", "linear", "uneven"] as const) {
    for (const N of SPLINE_SIZES) {
      yield { label: `${N} knots, ${kind}`, dims: { N }, inputs: { x: knots(N, kind, next) } };
    }
  }
  for (let i = 0; i < extra; i++) {
    const N = whole(next, 1, 900);
    yield { label: `${N} knots, uneven`, dims: { N }, inputs: { x: knots(N, "uneven", next) } };
  }
};

function splineOn(N: number, kind: "log" | "linear" | "uneven", next: Next, wasm: Target) {
  const x = knots(N, kind, next);
  return { x, factor: call(wasm, splineFactor, { N }, { x }).factor as Float64Array };
}

const build: CaseMaker = function* (next, extra, wasm) {
  const one = (
    B: number,
    N: number,
    kind: "log" | "linear" | "uneven",
    y = uniform(B * N, next),
  ): ParityCase => ({
    label: `${B} splines of ${N} knots, ${kind}`,
    dims: { B, N },
    inputs: { factor: splineOn(N, kind, next, wasm).factor, y },
  });
  yield one(0, 40, "log");
  for (const N of SPLINE_SIZES) yield one(2, N, "log");
  for (const N of [33, 65, 300]) yield one(2, N, "uneven");
  const poisoned = uniform(3 * 100, next);
  poisoned[150] = NaN;
  yield { ...one(3, 100, "linear", poisoned), label: "NaN", poisoned: [1] };
  for (let i = 0; i < extra; i++) yield one(whole(next, 1, 4), whole(next, 1, 700), "log");
};

const evaluate: CaseMaker = function* (next, extra, wasm) {
  const one = (B: number, N: number, P: number, LOG: number): ParityCase => {
    const { x, factor } = splineOn(N, LOG ? "log" : "linear", next, wasm);
    const y = uniform(B * N, next);
    const { z } = call(wasm, splineBuild, { B, N }, { factor, y });
    const low = x[0]!, high = x[N - 1]!;
    // a few points at knots and beyond both ends
    const xe = uniform(P, next, low - 0.02 * (high - low), high + 0.02 * (high - low)).sort();
    if (P > 9) xe.set([x[1]!], 4);
    const velocity = uniform(B, next, -30, 30).map((v, b) => b === 0 ? 0 : v);
    const label = `${B} splines of ${N} knots at ${P} points, log ${LOG}`;
    return { label, dims: { B, N, P, LOG }, inputs: { x, y, z: z!, xe, velocity } };
  };
  yield one(0, 20, 5, 1);
  yield one(1, 20, 0, 1);
  for (const P of EDGES) yield one(2, 300, P, P & 1);
  yield one(3, 2, 40, 1);
  const poisoned = one(3, 50, 60, 1);
  (poisoned.inputs.velocity as Float64Array)[1] = NaN;
  yield { ...poisoned, label: "NaN velocity", poisoned: [1] };
  for (let i = 0; i < extra; i++) {
    yield one(whole(next, 1, 3), whole(next, 2, 500), whole(next, 1, 400), i & 1);
  }
};

export const SPECTRUM: readonly (readonly [Kernel, CaseMaker])[] = [
  [rebinWeights, weights],
  [rebinApply, rebinned(false)],
  [rebinLog, rebinned(true)],
  [resolutionDeconvolve, deconvolve],
  [resolutionApply, apply],
  [resolutionGaussian, gaussian],
  [rotationWeights, profile],
  [rotate, convolve],
  [interpolate, grid],
  [splineFactor, factor],
  [splineBuild, build],
  [splineEvaluate, evaluate],
];
