import assert from "node:assert/strict";
import { chisqGradient } from "../../core/kernels/chisq.ts";
import {
  chunkKnots,
  columns,
  fitEvaluate,
  fitModel,
  fitScan,
  rotationHalfWidth,
} from "../../core/kernels/fit.ts";
import { interpolate } from "../../core/kernels/interpolate.ts";
import { resolutionApply } from "../../core/kernels/resolution.ts";
import { rotate, rotationWeights } from "../../core/kernels/rotation.ts";
import { splineBuild, splineEvaluate, splineFactor } from "../../core/kernels/spline.ts";
import { continuumBasis } from "../../core/stellar/continuum.ts";
import { momentsOnGrid, parabolaMinimum } from "../../core/stellar/posterior.ts";
import { importLibrary } from "../../core/templates/import_library.ts";
import {
  cellFractions,
  cellOf,
  cornerIds,
  mappedPoint,
  nearestTemplate,
  outsideMeasure,
} from "../../core/templates/grid.ts";
import type { TemplateLibrary } from "../../core/templates/library.ts";
import { random, uniform } from "../reference/random.ts";
import { dataTest } from "../shared_data.ts";
import { assertClose, call } from "./harness.ts";
import { oracle } from "./oracle.ts";

const LIGHT = 299792.458;

interface Scene {
  readonly dims: Record<string, number>;
  readonly inputs: Record<string, Float64Array | Float32Array | Int32Array | Uint8Array>;
  readonly vsini: Float64Array;
  readonly velocity: Float64Array;
}

/** E evaluations of B random spectra on a random library of D axes. */
function scene(D: number, NP: number, W: number, E: number, seed: number): Scene {
  const next = random(seed);
  const B = 2, T = 20, K = 6, C = 1 << D, NL = Math.ceil(1.9 * NP) + 120;
  const dlnlam = 8e-5, lam0 = 5000;
  const knots = Float64Array.from({ length: NL }, (_, i) => lam0 * Math.exp(i * dlnlam));
  const first = lam0 * Math.exp(60 * dlnlam);
  const lam = Float64Array.from({ length: NP }, (_, i) => first + (lam0 * dlnlam * 1.6) * i);
  const smooth = uniform(T * NL, next, -0.3, 0.3);
  for (let i = 1; i < smooth.length; i++) smooth[i] = 0.7 * smooth[i - 1]! + 0.3 * smooth[i]!;
  const { factor } = call(splineFactor, { N: NL }, { x: knots });
  const H = rotationHalfWidth(200, dlnlam);
  const lnlam = lam.map(Math.log);
  return {
    dims: { E, B, T, NL, NP, K, D, C, Q: columns(D), W, H, M: chunkKnots(lnlam, dlnlam) },
    velocity: uniform(E, next, -200, 200),
    vsini: Float64Array.from({ length: E }, (_, e) => e === 0 ? 0 : 200 * next()),
    inputs: {
      templates: Float32Array.from(smooth),
      knots,
      factor: factor!,
      grid: Float64Array.of(Math.log(lam0), dlnlam),
      lam,
      lnlam,
      basis: continuumBasis(lam, K, "rbf"),
      y: uniform(B * NP, next, 5, 15),
      s: uniform(B * NP, next, 0.5, 2),
      sumlog: uniform(B, next, 0, 9),
      rows: uniform(B * NP * W, next, -0.1, 0.5),
      good: Uint8Array.from({ length: B * NP }, () => next() < 0.8 ? 1 : 0),
      entry: Int32Array.from({ length: E }, () => Math.floor(next() * B)),
      corners: Int32Array.from({ length: E * C }, () => Math.floor(next() * T)),
      t: uniform(E * D, next, 0, 1),
    },
  };
}

/** The chain of small kernels for evaluation e: template and derivatives at the data pixels, in columns. */
function chain({ dims, inputs, velocity, vsini }: Scene, e: number): Float64Array[] {
  const { NL: N, NP, D, C, T, W } = dims as {
    NL: number;
    NP: number;
    D: number;
    C: number;
    T: number;
    W: number;
  };
  const f64 = (name: string) => inputs[name] as Float64Array;
  const step = f64("grid")[1]!;
  const { out: flux } = call(interpolate, { E: 1, T, N, D, C }, {
    templates: inputs.templates!,
    corners: (inputs.corners as Int32Array).slice(e * C, (e + 1) * C),
    t: f64("t").slice(e * D, (e + 1) * D),
  });
  const R = vsini[e]! / LIGHT / step;
  const H = R > 0 ? Math.ceil(R + 1) : 1;
  const { w, dw } = call(rotationWeights, { B: 1, H }, { R: Float64Array.of(R), eps: Float64Array.of(0.6) });
  const turned = (y: Float64Array, weights: Float64Array) =>
    call(rotate, { B: 1, N, H }, { y, w: weights }).out!;
  const m = flux!.slice(0, N);
  const planar = [turned(m, w!), turned(m, dw!.map((x) => x / (LIGHT * step)))];
  for (let d = 0; d < D; d++) planar.push(turned(flux!.slice((1 + d) * N, (2 + d) * N), w!));
  const at = (y: Float64Array, v: number) => {
    const { z } = call(splineBuild, { B: 1, N }, { factor: inputs.factor!, y });
    const inner = { x: inputs.knots!, y, z: z!, xe: inputs.lam!, velocity: Float64Array.of(v) };
    const { out } = call(splineEvaluate, { B: 1, N, P: NP, LOG: 1 }, inner);
    if (W === 0) return out!;
    const b = (inputs.entry as Int32Array)[e]!;
    return call(resolutionApply, { B: 1, W, P: NP }, {
      rows: f64("rows").slice(b * NP * W, (b + 1) * NP * W),
      vec: out!,
    }).out!;
  };
  const v = velocity[e]!, h = 1e-3;
  const slope = at(planar[0]!, v + h).map((x, i) => (x - at(planar[0]!, v - h)[i]!) / (2 * h));
  const shifted = planar.map((y) => at(y, v));
  return [shifted[0]!, slope, ...shifted.slice(1)];
}

for (const [D, NP, W] of [[0, 50, 0], [1, 383, 0], [2, 385, 5], [3, 100, 0], [4, 769, 11]] as const) {
  Deno.test(`fit_evaluate agrees with the chain of small kernels, ${D} axes, ${NP} pixels, ${W} diagonals`, () => {
    const s = scene(D, NP, W, 3, 100 * D + NP);
    const out = call(fitEvaluate, s.dims, { ...s.inputs, velocity: s.velocity, vsini: s.vsini });
    const P = D + 2, K = s.dims.K!;
    for (let e = 0; e < 3; e++) {
      const columnsOf = chain(s, e);
      const Q = 2 * Math.ceil((P + 1) / 2);
      const T = new Float64Array(NP * Q);
      columnsOf.forEach((column, q) => column.forEach((x, i) => T[i * Q + q] = x));
      const b = (s.inputs.entry as Int32Array)[e]!;
      const part = (name: string) => (s.inputs[name] as Float64Array).slice(b * NP, (b + 1) * NP);
      const expected = call(chisqGradient, { E: 1, NP, K, Q }, {
        basis: s.inputs.basis!,
        y: part("y"),
        s: part("s"),
        T,
      });
      const constant = (s.inputs.sumlog as Float64Array)[b]!;
      assertClose([out.value![e]!], [expected.value![0]! + constant], 1e-11, "value");
      // the chain takes the velocity derivative by differences
      for (let p = 0; p < P; p++) {
        const tolerance = p === 0 ? 1e-4 : 1e-9;
        const [g, G] = [out.gradient![e * P + p]!, expected.gradient![1 + p]!];
        const size = Math.sqrt(expected.curvature![(1 + p) * Q + 1 + p]!);
        assert.ok(Math.abs(g - G) <= tolerance * (Math.abs(G) + size), `gradient ${p}: ${g} against ${G}`);
        const c = out.curvature![(e * P + p) * P + p]!;
        assertClose(
          [c],
          [expected.curvature![(1 + p) * Q + 1 + p]!],
          p === 0 ? 1e-5 : 1e-9,
          `curvature ${p}`,
        );
      }
    }
  });
}

Deno.test("fit_scan and fit_model give the value of fit_evaluate", () => {
  for (const W of [0, 7]) {
    const s = scene(3, 500, W, 4, 77 + W);
    const inputs = { ...s.inputs, velocity: s.velocity, vsini: s.vsini };
    const { value } = call(fitEvaluate, s.dims, inputs);
    assertClose(call(fitScan, { ...s.dims, V: 1 }, inputs).value!, value!, 1e-11, "scan");
    assertClose(call(fitModel, s.dims, inputs).value!, value!, 1e-11, "model");
  }
});

Deno.test("fit_evaluate's gradient agrees with differences of its value, rotation below zero included", () => {
  const s = scene(2, 400, 5, 1, 5);
  const at = (velocity: number, vsini: number, t: Float64Array) =>
    call(fitEvaluate, s.dims, {
      ...s.inputs,
      t,
      velocity: Float64Array.of(velocity),
      vsini: Float64Array.of(vsini),
    });
  const t0 = s.inputs.t as Float64Array;
  for (const vsini of [0, 3, 90]) {
    const { gradient } = at(40, vsini, t0);
    const steps = [1e-2, 1e-2, 1e-5, 1e-5];
    steps.forEach((h, p) => {
      const moved = (sign: number) =>
        at(
          40 + (p === 0 ? sign * h : 0),
          vsini + (p === 1 ? sign * h : 0),
          t0.map((x, d) => x + (p === 2 + d ? sign * h : 0)),
        ).value![0]!;
      const slope = (moved(1) - moved(-1)) / (2 * h);
      assert.ok(
        Math.abs(slope - gradient![p]!) < 2e-5 * (Math.abs(slope) + 1),
        `vsini ${vsini}, ${p}: ${gradient![p]} ${slope}`,
      );
    });
  }
});

Deno.test("fit kernels say NaN where the template does not reach", () => {
  const s = scene(1, 60, 0, 2, 8);
  const far = { ...s.inputs, velocity: Float64Array.of(0, 9000), vsini: new Float64Array(2) };
  for (const kernel of [fitEvaluate, fitModel]) {
    const { value } = call(kernel, s.dims, far);
    assert.ok(Number.isFinite(value![0]) && Number.isNaN(value![1]), kernel.name);
  }
});

/** Evaluations of the reference library at (params, velocity, vsini) on data arrays of the oracle. */
function referenceEvaluations(
  library: TemplateLibrary,
  setup: string,
  data: { lam: Float64Array; flux: Float64Array; sigma: Float64Array },
  points: readonly { params: readonly number[]; velocity: Float64Array; vsini: number }[],
): Float64Array {
  const arm = library.builds[0]!.arms.find((a) => a.setup === setup)!;
  const NL = arm.npix, NP = data.lam.length, E = points.length, V = points[0]!.velocity.length;
  const knots = Float64Array.from({ length: NL }, (_, i) => arm.lam0 * Math.exp(i * arm.dlnlam));
  const { factor } = call(splineFactor, { N: NL }, { x: knots });
  const corners = new Int32Array(E * 16), t = new Float64Array(E * 4);
  const velocity = new Float64Array(E * V);
  points.forEach((point, e) => {
    const u = mappedPoint(library.axes, point.params), cell = cellOf(library, u);
    corners.set(cornerIds(library, cell), e * 16);
    t.set(cellFractions(library, cell, u), e * 4);
    velocity.set(point.velocity, e * V);
  });
  const dims = {
    E,
    V,
    B: 1,
    T: library.templates,
    NL,
    NP,
    K: 10,
    D: 4,
    C: 16,
    W: 0,
    H: rotationHalfWidth(500, arm.dlnlam),
  };
  return call(fitScan, dims, {
    templates: arm.lnflux,
    knots,
    factor: factor!,
    grid: Float64Array.of(Math.log(arm.lam0), arm.dlnlam),
    lam: data.lam,
    lnlam: data.lam.map(Math.log),
    basis: continuumBasis(data.lam, 10, "rbf"),
    y: data.flux.map((f, i) => f / data.sigma[i]!),
    s: data.sigma.map((x) => 1 / x),
    sumlog: Float64Array.of(data.sigma.reduce((sum, x) => sum + 2 * Math.log(x), 0)),
    rows: new Float64Array(0),
    entry: new Int32Array(E),
    corners,
    t,
    velocity,
    vsini: Float64Array.from(points, ({ vsini }) => vsini),
  }).value!;
}

const SETUPS = ["desi_b", "desi_r", "desi_z"];

dataTest(
  "the likelihood of whole stars reproduces the reference at points inside its grid",
  ["stellar/kernels/getchisq.npz", "stellar/reference/library"],
  (path, source) => {
    const get = oracle(path!), library = importLibrary(source!);
    const params = get("params"), vel = get("vel"), vsini = get("vsini"), expected = get("chisq");
    const points = Array.from(vel, (v, i) => ({
      params: Array.from(params.subarray(4 * i, 4 * i + 4)),
      velocity: Float64Array.of(v),
      vsini: Number.isNaN(vsini[i]) ? 0 : vsini[i]!,
    }));
    const inside = points.flatMap(({ params }, i) =>
      outsideMeasure(library, mappedPoint(library.axes, params), "outside") === 0 ? [i] : []
    );
    assert.ok(inside.length >= 4);
    const total = new Float64Array(inside.length);
    for (const setup of SETUPS) {
      const data = {
        lam: get(`sd_${setup}_lam`),
        flux: get(`sd_${setup}_spec`),
        sigma: get(`sd_${setup}_espec`),
      };
      referenceEvaluations(library, setup, data, inside.map((i) => points[i]!)).forEach((x, k) =>
        total[k]! += x
      );
    }
    inside.forEach((i, k) => assertClose([total[k]!], [expected[i]!], 1e-12, `point ${i}`));
  },
);

dataTest(
  "velocity grids and their moments reproduce find_best",
  ["stellar/kernels/find_best.npz", "stellar/kernels/getchisq.npz", "stellar/reference/library"],
  (path, dataPath, source) => {
    const get = oracle(path!), data = oracle(dataPath!), library = importLibrary(source!);
    const grid = get("vel_grid"), fine = get("fine_grid"), params = get("params");
    const scan = (velocity: Float64Array, which: readonly number[], vsini: number) => {
      const points = which.map((j) => ({
        params: Array.from(params.subarray(4 * j, 4 * j + 4)),
        velocity,
        vsini,
      }));
      const total = new Float64Array(which.length * velocity.length);
      for (const setup of SETUPS) {
        const spectrum = {
          lam: data(`sd_${setup}_lam`),
          flux: data(`sd_${setup}_spec`),
          sigma: data(`sd_${setup}_espec`),
        };
        referenceEvaluations(library, setup, spectrum, points).forEach((x, k) => total[k]! += x);
      }
      return total;
    };
    const expected = get("chisq_grid");
    const coarse = scan(grid, [0, 1, 2], 0);
    const transposed = Float64Array.from(
      expected,
      (_, k) => coarse[(k % 3) * grid.length + Math.floor(k / 3)]!,
    );
    assertClose(transposed, expected, 1e-12, "coarse grid");
    let best = 0;
    coarse.forEach((x, k) => best = x < coarse[best]! ? k : best);
    const template = Math.floor(best / grid.length);
    const tolerance = 1e-12;
    const check = (prefix: string, velocities: Float64Array, curve: Float64Array) => {
      const [velocity] = get(`${prefix}_best_vel`);
      assertClose([parabolaMinimum(velocities, curve)], [velocity!], tolerance, `${prefix} velocity`);
      const moments = momentsOnGrid(velocities, curve, velocity!);
      assertClose([moments.error], get(`${prefix}_vel_err`), tolerance, `${prefix} error`);
      // third moments cancel: 1e-15 of −2 ln L is 1e-11 of a weight
      assertClose([moments.skewness], get(`${prefix}_skewness`), 5e-11, `${prefix} skewness`, 1);
      assertClose([moments.kurtosis], get(`${prefix}_kurtosis`), tolerance, `${prefix} kurtosis`);
      // exp(−½Δχ²) turns the 1e-15 of −2 ln L ≈ 1e4 into 1e-11
      assertClose(moments.probabilities, get(`${prefix}_probs`), 5e-11, `${prefix} probabilities`);
    };
    check("coarse", grid, coarse.slice(template * grid.length, (template + 1) * grid.length));
    const closer = scan(fine, [template], 0);
    assertClose(closer, get("chisq_fine"), 1e-12, "fine grid");
    check("fine", fine, closer);
    check("fine_vsini20", fine, scan(fine, [template], 20));
  },
);

dataTest(
  "interpolated templates reproduce the reference, its rule outside the grid included",
  ["stellar/kernels/regulargrid.npz", "stellar/reference/library"],
  (path, source) => {
    const get = oracle(path!), library = importLibrary(source!);
    const params = get("params"), expected = get("spec_every20"), outside = get("outside");
    const arm = library.builds[0]!.arms.find((a) => a.setup === "desi_r")!;
    outside.forEach((measure, i) => {
      const point = Array.from(params.subarray(4 * i, 4 * i + 4));
      // a NaN parameter gives the reference's spectrum 0, and here NaN
      if (point.some(Number.isNaN)) return;
      const u = mappedPoint(library.axes, point), cell = cellOf(library, u);
      const outsideHere = outsideMeasure(library, u, "outside");
      assertClose([outsideHere], [measure], 1e-12, `outside, point ${i}`);
      const onTop = library.axes.some((axis, d) => point[d] === axis.values[axis.values.length - 1]);
      if (outsideHere !== 0 || onTop) {
        // outside, and on the exact upper edge, the reference takes the nearest node, in float32
        const t = nearestTemplate(library, u).id;
        const node = Float64Array.from(
          { length: 266 },
          (_, k) => Math.exp(arm.lnflux[t * arm.npix + 20 * k]!),
        );
        assertClose(node, expected.subarray(266 * i, 266 * (i + 1)), 5e-7, `nearest node, point ${i}`);
        return;
      }
      const { out } = call(interpolate, { E: 1, T: library.templates, N: arm.npix, D: 4, C: 16 }, {
        templates: arm.lnflux,
        corners: cornerIds(library, cell),
        t: Float64Array.from(cellFractions(library, cell, u)),
      });
      const sampled = Float64Array.from({ length: 266 }, (_, k) => out![20 * k]!);
      assertClose(sampled, expected.subarray(266 * i, 266 * (i + 1)), 1e-12, `point ${i}: ${point}`);
    });
  },
);
