/** The slow reference of every kernel of the table, with the limits that the targets are held to. */
import type { HostArray } from "../../core/target.ts";
import type { SlowReference } from "../../gpu/parity/reference.ts";
import { slowScan, slowSpread } from "../reference/ccf.ts";
import { centralDifference, slowChisq, slowCurvature, slowGood, slowModel } from "../reference/chisq.ts";
import { solveSystem } from "../reference/cholesky.ts";
import { slowDoppler, slowTemplates } from "../reference/fit.ts";
import { slowSeries, slowSpectrum } from "../reference/fourier.ts";
import { slowInterpolate } from "../reference/interpolate.ts";
import { pixelEdges, pixelWidths, slowReach, slowWeights } from "../reference/rebin.ts";
import { slowDeconvolve, slowGaussian, slowResolve } from "../reference/resolution.ts";
import { slowRotate, slowRotationWeights } from "../reference/rotation.ts";
import { slowFactor, slowSpline, slowSplineValue } from "../reference/spline.ts";
import { BANDED_REFERENCES } from "./banded_references.ts";
import { INVERSE_ROOT_REFERENCES } from "./inverse_root_references.ts";
import { KAPPA_AND_CURRENTS } from "./kappa_references.ts";
import { EVOLUTION_REFERENCES } from "./evolution_references.ts";
import { LOSSCONE_REFERENCES } from "./losscone_references.ts";
import { each, EXACT, type Inputs, part, reference, type Sizes, within } from "./slow.ts";
import { SPOT_REFERENCES } from "./spot_references.ts";

// FOURIER AND CCF //

/** e^{2πik/N}, the angle reduced to an eighth of the circle. */
function root(k: number, N: number): [number, number] {
  const quarter = Math.round(4 * k / N);
  const angle = 2 * Math.PI * (k - quarter * N / 4) / N;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return ([[c, s], [-s, c], [-c, -s], [s, -c]] as const)[quarter % 4] as [number, number];
}

const twiddles = reference(
  { twiddles: within(1e-15) },
  ({ N }) => ({ twiddles: each(3 * N! / 4, (k) => root(k, N!)) }),
);

const rfft = reference(
  { out: within(1e-13) },
  ({ B, N }, { x }) => ({ out: each(B!, (b) => slowSpectrum(part(x!, N!, b))) }),
  ({ N }) => N! <= 1024,
);

const irfft = reference(
  { out: within(1e-13) },
  ({ B, N }, { spectrum }) => ({ out: each(B!, (b) => slowSeries(part(spectrum!, N! + 2, b))) }),
  ({ N }) => N! <= 1024,
);

const ccfSpread = reference(
  { dw: within(1e-13), w: within(1e-13) },
  ({ B, P, G, FIRST, LAST }, inputs) => {
    const dw = Float64Array.from(inputs.dw!), w = Float64Array.from(inputs.w!);
    for (let b = 0; b < B!; b++) {
      const [y, s, continuum] = [inputs.y!, inputs.s!, inputs.continuum!].map((a) => part(a, P!, b));
      const pixels = [FIRST!, Math.min(LAST!, P!)] as const;
      const added = slowSpread(G!, pixels, y!, s!, continuum!, inputs.index!, inputs.fraction!);
      const star = inputs.star![b]!;
      for (let g = 0; g < G!; g++) {
        dw[star * G! + g]! += added.dw[g]!;
        w[star * G! + g]! += added.w[g]!;
      }
    }
    return { dw, w };
  },
);

const ccfScan = reference(
  {
    envelope: within(1e-12),
    envelope_template: EXACT,
    lowest: within(1e-12),
    lowest_lag: EXACT,
  },
  ({ B, T, N, L }, { tm, fd, fw }) => {
    const series = (a: HostArray, n: number) =>
      Array.from({ length: n }, (_, i) => slowSeries(part(a, N! + 2, i)));
    const templates = series(tm!, T!), dw = series(fd!, B!), w = series(fw!, B!);
    const out = {
      ...{ envelope: [] as number[], envelope_template: [] as number[] },
      ...{ lowest: [] as number[], lowest_lag: [] as number[] },
    };
    for (let b = 0; b < B!; b++) {
      const scans = templates.map((template) => slowScan(template, dw[b]!, w[b]!, L!));
      for (let lag = 0; lag <= 2 * L!; lag++) {
        const column = scans.map((scan) => scan[lag]!), best = Math.min(...column);
        out.envelope.push(best);
        out.envelope_template.push(column.indexOf(best));
      }
      for (const scan of scans) {
        const best = Math.min(...scan);
        out.lowest.push(best);
        out.lowest_lag.push(scan.indexOf(best) - L!);
      }
    }
    return out;
  },
  ({ N }) => N! <= 1024,
);

// REBIN //

const rebinWeights = reference(
  {
    start: EXACT,
    weights: within(1e-11),
  },
  ({ N, M, W }, { lam0, lam1, sigma }) => {
    const edges = pixelEdges(lam1!), widths = pixelWidths(lam1!);
    const start: number[] = [], weights = new Float64Array(M! * W!);
    for (let j = 0; j < M!; j++) {
      const pixel = [lam1![j]!, edges[j]!, edges[j + 1]!, sigma![j]!] as const;
      const begin = Math.min(slowReach(lam0!, ...pixel)[0], N! - 1);
      start.push(begin);
      const row = slowWeights(lam0!, ...pixel, widths[j]!);
      for (let i = 0; i < W! && begin + i < N!; i++) weights[j * W! + i] = row[begin + i]!;
    }
    return { start, weights };
  },
);

/** Σ_i weights[j, i] values[start_j + i] for all pixels j. */
function weighted({ M, W }: Sizes, { start, weights }: Inputs, values: readonly number[]): number[] {
  return Array.from({ length: M! }, (_, j) => {
    let sum = 0;
    for (let i = 0; i < W! && start![j]! + i < values.length; i++) {
      sum += weights![j * W! + i]! * values[start![j]! + i]!;
    }
    return sum;
  });
}

const rebinApply = reference(
  { out: within(1e-13) },
  (dims, inputs) => ({ out: each(dims.T!, (t) => weighted(dims, inputs, part(inputs.flux!, dims.N!, t))) }),
);

const rebinLog = reference(
  { out: within(1.2e-7, "stored as float32: half a unit in the last place may round either way") },
  (dims, inputs) => ({
    out: Float32Array.from(each(dims.T!, (t) => {
      const photons = part(inputs.flux!, dims.N!, t).map((v, i) => Math.exp(v) * inputs.lam0![i]!);
      return weighted(dims, inputs, photons).map((v, j) => Math.log(v / inputs.lam1![j]!));
    })),
  }),
);

// RESOLUTION AND ROTATION //

const deconvolve = reference(
  { rows: within(1e-12) },
  ({ B, W, P, WRAP }, { d, displacement, spread, lam }, { made }) => ({
    rows: each(B!, (b) => {
      const delta = Float64Array.from(lam!, (x) => displacement![b]! * x);
      const displaced = { delta, spread: spread![b]! };
      return slowDeconvolve(W!, P!, part(d!, W! * P!, b), made!.sigma!, WRAP === 1, displaced);
    }),
  }),
);

const resolve = reference(
  { out: within(1e-13) },
  ({ B, W, P }, { rows, vec }) => ({
    out: each(B!, (b) => slowResolve(W!, part(rows!, P! * W!, b), part(vec!, P!, b))),
  }),
);

const gaussian = reference(
  { rows: within(1e-13) },
  ({ B, W, P }, { lam, sigma }) => ({ rows: each(B!, (b) => slowGaussian(W!, lam!, part(sigma!, P!, b))) }),
);

const rotationWeights = reference(
  {
    w: within(1e-11),
    dw: within(1e-11),
  },
  ({ B, H }, { R, eps }) => {
    const rows = Array.from({ length: B! }, (_, b) => slowRotationWeights(R![b]!, eps![b]!, H!));
    return { w: each(B!, (b) => rows[b]!.w), dw: each(B!, (b) => rows[b]!.dw) };
  },
);

const rotate = reference(
  { out: within(1e-13) },
  ({ B, N, H }, { y, w }) => ({ out: each(B!, (b) => slowRotate(part(y!, N!, b), part(w!, H! + 1, b))) }),
);

// TEMPLATES //

const interpolate = reference(
  { out: within(1e-13) },
  ({ E, N, D, C }, { templates, corners, t }) => ({
    out: each(
      E!,
      (e) =>
        slowInterpolate(templates!, N!, part(corners!, C!, e), part(t!, D!, e)).flatMap((
          column,
        ) => [...column]),
    ),
  }),
  (_, label) => !label.startsWith("beyond"),
);

const splineFactor = reference(
  { factor: within(1e-13) },
  (_, { x }) => ({ factor: slowFactor(x!) }),
  ({ N }) => N! <= 600,
);

const splineBuild = reference(
  { z: within(1e-12) },
  ({ B, N }, { factor, y }) => {
    // knots from their spacings, the origin at the first one
    const x = new Float64Array(N!);
    for (let i = 1; i < N!; i++) x[i] = x[i - 1]! + factor![4 * (i - 1)]!;
    return { z: each(B!, (b) => slowSpline(x, part(y!, N!, b))) };
  },
  ({ N }) => N! <= 600,
);

const splineEvaluate = reference(
  { out: within(1e-11) },
  ({ B, N }, { x, y, z, xe, velocity }) => ({
    out: each(B!, (b) => {
      const q = slowDoppler(velocity![b]!);
      const [values, bends] = [part(y!, N!, b), part(z!, N!, b)];
      return Array.from(xe!, (at) => slowSplineValue(x!, values, bends, at * q));
    }),
  }),
);

// LIKELIHOOD //

const CONDITION = "solutions of normal equations of condition up to 2e4, elimination in another order";
const DIFFERENCES = "the reference's derivatives are five-point differences of the slow value";

const cholesky = reference(
  { l: within(1e-11), a: within(1e-10, CONDITION), logdet: within(1e-11) },
  ({ B, K }, { n, b }) => {
    const systems = Array.from(
      { length: B! },
      (_, i) => solveSystem(K!, part(n!, K! * K!, i), part(b!, K!, i)),
    );
    return {
      l: each(B!, (i) => systems[i]!.l),
      a: each(B!, (i) => systems[i]!.a),
      logdet: systems.map(({ logdet }) => logdet),
    };
  },
  (_, label) => !label.startsWith("pivots"),
);

const chisq = reference(
  {
    value: within(1e-11),
    coeff: within(1e-10, CONDITION),
    logdet: within(1e-11),
    chi2: within(1e-11),
    chi2good: within(1e-11),
    model: within(1e-10, CONDITION),
  },
  ({ E, NP, K }, { basis, y, s, m, good }) => {
    const rows = Array.from({ length: E! }, (_, e) => {
      const [data, weight, template] = [y!, s!, m!].map((a) => part(a, NP!, e));
      const found = slowChisq(basis!, K!, data!, weight!, template!);
      const model = slowModel(basis!, found.coeff, template!);
      return { ...found, model, chi2good: slowGood(data!, weight!, model, part(good!, NP!, e)) };
    });
    return {
      value: rows.map((row) => row.value),
      coeff: rows.flatMap((row) => [...row.coeff]),
      logdet: rows.map((row) => row.logdet),
      chi2: rows.map((row) => row.chi2),
      chi2good: rows.map((row) => row.chi2good),
      model: rows.flatMap((row) => [...row.model]),
    };
  },
);

const chisqGradient = reference(
  {
    value: within(1e-11),
    coeff: within(1e-10, CONDITION),
    gradient: within(1e-8, DIFFERENCES),
    curvature: within(1e-9, `${CONDITION}; projections cancel`),
  },
  ({ E, NP, K, Q }, { basis, y, s, T }) => {
    const out = { value: [], coeff: [], gradient: [], curvature: [] } as Record<string, number[]>;
    for (let e = 0; e < E!; e++) {
      const [data, weight] = [y!, s!].map((a) => part(a, NP!, e)) as [number[], number[]];
      const table = part(T!, NP! * Q!, e);
      const columns = Array.from(
        { length: Q! },
        (_, q) => Array.from({ length: NP! }, (_, i) => table[i * Q! + q]!),
      );
      const template = columns[0]!;
      const likelihood = (m: number[]) => slowChisq(basis!, K!, data, weight, m);
      const { value, coeff } = likelihood(template);
      out.value!.push(value);
      out.coeff!.push(...coeff);
      out.gradient!.push(
        ...columns.map((column) =>
          centralDifference((h) => likelihood(template.map((m, i) => m + h * column[i]!)).value, 1e-3)
        ),
      );
      out.curvature!.push(...slowCurvature(basis!, K!, data, weight, template, columns));
    }
    return out;
  },
);

// FIT //

/** The slow chain of one evaluation of the fit: template at any parameters, and the likelihood of a template. */
function chain({ NL, NP, K, D, C, W, H }: Sizes, inputs: Inputs) {
  const { templates, knots, grid, lam, basis, y, s, sumlog, rows, entry, corners, t, vsini } = inputs;
  const library = slowTemplates({ templates: templates!, knots: knots!, step: grid![1]!, lam: lam!, H: H! });
  if (knots!.length !== NL) throw new RangeError("as many knots as template pixels");
  return (e: number) => {
    const b = entry![e]!;
    const [data, weight] = [y!, s!].map((a) => part(a, NP!, b)) as [number[], number[]];
    const resolution = part(rows!, NP! * W!, b), cell = part(corners!, C!, e);
    return {
      ...{ b, data, weight },
      /** vsini and the fractions of the evaluation. */
      held: [vsini![e]!, ...part(t!, D!, e)],
      /** By (velocity, vsini, t…). */
      template: ([velocity, rotation, ...fractions]: number[]) => {
        const point = { corners: cell, t: fractions, velocity: velocity!, vsini: rotation! };
        return library(point, W!, resolution);
      },
      likelihood: (m: ArrayLike<number>) => {
        const found = slowChisq(basis!, K!, data, weight, m);
        return { ...found, value: found.value + sumlog![b]! };
      },
    };
  };
}

/** Steps of the differences: a pixel of the library is 24 km/s. */
const KMS = 0.01, FRACTION = 0.005;

const fitEvaluate = reference(
  {
    value: within(1e-11),
    gradient: within(1e-7, DIFFERENCES),
    curvature: within(1e-7, DIFFERENCES),
  },
  (dims, inputs) => {
    const out = { value: [], gradient: [], curvature: [] } as Record<string, number[]>;
    const evaluation = chain(dims, inputs);
    for (let e = 0; e < dims.E!; e++) {
      const { held, template, likelihood, data, weight } = evaluation(e);
      const point = [inputs.velocity![e]!, ...held];
      const moved = (p: number, h: number) => template(point.map((v, i) => i === p ? v + h : v));
      const value = (m: ArrayLike<number>) => likelihood(m).value;
      const m = template(point);
      out.value!.push(value(m));
      const columns = point.map((_, p) => {
        const h = p < 2 ? KMS : FRACTION;
        const [a, b, c, d] = [-2, -1, 1, 2].map((k) => moved(p, k * h)) as Float64Array[];
        const difference = (f: (k: number) => number) => centralDifference((k) => f(Math.round(k / h)), h);
        const at = new Map([[-2, a!], [-1, b!], [1, c!], [2, d!]]);
        out.gradient!.push(difference((k) => value(at.get(k)!)));
        return m.map((_, i) => difference((k) => at.get(k)![i]!));
      });
      out.curvature!.push(...slowCurvature(inputs.basis!, dims.K!, data, weight, m, columns));
    }
    return out;
  },
);

const fitScan = reference(
  { value: within(1e-11) },
  (dims, inputs) => {
    const evaluation = chain(dims, inputs);
    return {
      value: each(dims.E!, (e) => {
        const { held, template, likelihood } = evaluation(e);
        return part(inputs.velocity!, dims.V!, e).map((v) => likelihood(template([v, ...held])).value);
      }),
    };
  },
);

const fitModel = reference(
  {
    value: within(1e-11),
    chi2: within(1e-11),
    coeff: within(1e-10, CONDITION),
    template: within(1e-11),
    model: within(1e-10, CONDITION),
  },
  (dims, inputs) => {
    const evaluation = chain(dims, inputs);
    const rows = Array.from({ length: dims.E! }, (_, e) => {
      const { b, held, template, likelihood, data, weight } = evaluation(e);
      const m = template([inputs.velocity![e]!, ...held]);
      const { value, coeff } = likelihood(m);
      const model = slowModel(inputs.basis!, coeff, m);
      const chi2 = slowGood(data, weight, model, part(inputs.good!, dims.NP!, b));
      return { value, chi2, coeff, template: m, model };
    });
    return {
      value: rows.map((row) => row.value),
      chi2: rows.map((row) => row.chi2),
      coeff: rows.flatMap((row) => [...row.coeff]),
      template: rows.flatMap((row) => [...row.template]),
      model: rows.flatMap((row) => [...row.model]),
    };
  },
);

/** By name of the kernel. */
export const REFERENCES: Readonly<Record<string, SlowReference>> = {
  cholesky_solve: cholesky,
  fourier_twiddles: twiddles,
  rfft,
  irfft,
  ccf_spread: ccfSpread,
  ccf_scan: ccfScan,
  rebin_weights: rebinWeights,
  rebin_apply: rebinApply,
  rebin_log: rebinLog,
  resolution_deconvolve: deconvolve,
  resolution_apply: resolve,
  resolution_gaussian: gaussian,
  rotation_weights: rotationWeights,
  rotate,
  interpolate,
  chisq,
  chisq_gradient: chisqGradient,
  fit_evaluate: fitEvaluate,
  fit_scan: fitScan,
  fit_model: fitModel,
  spline_factor: splineFactor,
  spline_build: splineBuild,
  spline_evaluate: splineEvaluate,
  ...BANDED_REFERENCES,
  ...INVERSE_ROOT_REFERENCES,
  ...SPOT_REFERENCES,
  ...KAPPA_AND_CURRENTS,
  ...LOSSCONE_REFERENCES,
  ...EVOLUTION_REFERENCES,
};
