/**
 * What every kernel is timed on: a batch of stars in the three arms of DESI, with a library of 0.4 Å steps and 10
 * continuum coefficients. The spectra are invented, their noise and their parameters drawn; only sizes and spread matter.
 */
import { ccfScan, ccfSpread } from "../core/kernels/ccf.ts";
import { chisq, chisqGradient } from "../core/kernels/chisq.ts";
import { choleskySolve } from "../core/kernels/cholesky.ts";
import {
  chunkKnots,
  columns,
  fitEvaluate,
  fitModel,
  fitScan,
  rotationHalfWidth,
} from "../core/kernels/fit.ts";
import { fourierTwiddles, irfft, rfft } from "../core/kernels/fourier.ts";
import { interpolate } from "../core/kernels/interpolate.ts";
import type { Dims, Kernel } from "../core/kernels/kernel.ts";
import { rebinApply, rebinLog, rebinWeights, rebinWidth } from "../core/kernels/rebin.ts";
import {
  lsfInverse,
  resolutionApply,
  resolutionDeconvolve,
  resolutionGaussian,
} from "../core/kernels/resolution.ts";
import { rotate, rotationWeights } from "../core/kernels/rotation.ts";
import { splineBuild, splineEvaluate, splineFactor } from "../core/kernels/spline.ts";
import type { FitJob } from "../core/stellar/batch.ts";
import { commonGrid } from "../core/stellar/common_grid.ts";
import { continuumBasis } from "../core/stellar/continuum.ts";
import { LIGHT } from "../core/doppler.ts";
import { DEFAULT_OPTIONS } from "../core/stellar/options.ts";
import { RandomStream } from "../core/random.ts";
import { drawResolution, SIMULATED_ARMS } from "../core/stellar/simulate_arms.ts";
import type { Target } from "../core/target.ts";
import { kappaCases } from "./kappa_cases.ts";
import { lossconeCases } from "./losscone_cases.ts";
import { type Inputs, outputOf } from "./kernel_call.ts";
import { bandedCases } from "./banded_cases.ts";
import { spotCases } from "./spot_cases.ts";

/** Calls of one kernel that belong together: one an arm, or a single one. */
export interface Case {
  readonly kernel: Kernel;
  /** Kernel and, where it is timed in several ways, which. */
  readonly name: string;
  /** Rows of the batch: time is given per row, all arms together. */
  readonly rows: number;
  readonly calls: readonly { readonly dims: Dims; inputs(target: Target): Inputs }[];
}

/** Stars (spectra, evaluations, templates) of a batch, unless more are asked for. */
export const STARS = 32;
const K = DEFAULT_OPTIONS.npoly;
const D = 4;
const C = 1 << D;
const Q = columns(D);
const W = 11;
/** Velocities of a posterior, templates × rotations of a velocity scan. */
const VELOCITIES = 17;
const SCANNED = 72;
/** Step of the library and of the model spectra that libraries are made of, Å. */
const LIBRARY_STEP = 0.4;
const MODEL_STEP = 0.2;
/** σ, Å, of the Gaussian that brings a library to the line spread of the data. */
const BROADENING = 0.65;

const random = new RandomStream(1, 0, 0);

/** ln flux of an invented star. */
function lnFlux(lam: number, t: number): number {
  const line = Math.sin(lam / 3) * Math.sin(lam / 40);
  return 0.3 * Math.sin(lam / 900) - (0.3 + 0.01 * (t % 16)) * line * line;
}

/** Uniform deviates by xorshift: many are wanted, and only their spread matters. */
let state = 0x9e3779b9;
function uniform(low: number, high: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return low + (high - low) * (state >>> 0) / 2 ** 32;
}

/** rows × n values of a function, row by row. */
function matrix(rows: number, n: number, value: (row: number, i: number) => number): Float64Array {
  const out = new Float64Array(rows * n);
  for (let row = 0; row < rows; row++) for (let i = 0; i < n; i++) out[row * n + i] = value(row, i);
  return out;
}

/** n values drawn between two. */
function drawn(n: number, low: number, high: number): Float64Array {
  return new Float64Array(n).map(() => uniform(low, high));
}

/** Everything that the kernels of one arm need, made when it is first asked for. */
class ArmData {
  readonly lam: Float64Array;
  readonly P: number;
  readonly NL: number;
  readonly lam0: number;
  readonly dlnlam: number;
  readonly H: number;

  constructor(readonly model: typeof SIMULATED_ARMS[number], readonly stars: number) {
    this.lam = model.lam;
    this.P = model.lam.length;
    const reach = 1 + DEFAULT_OPTIONS.maxVel / LIGHT + 1e-4;
    const first = this.lam[0]! / reach, last = this.lam[this.P - 1]! * reach;
    this.lam0 = first;
    this.dlnlam = LIBRARY_STEP / (0.5 * (first + last));
    this.NL = Math.ceil(Math.log(last / first) / this.dlnlam) + 2;
    this.H = rotationHalfWidth(DEFAULT_OPTIONS.maxVsini, this.dlnlam);
  }

  get knots(): Float64Array {
    return Float64Array.from({ length: this.NL }, (_, i) => this.lam0 * Math.exp(i * this.dlnlam));
  }

  get flux(): Float64Array {
    const { knots } = this;
    return matrix(this.stars, this.NL, (t, i) => Math.exp(lnFlux(knots[i]!, t)) * uniform(0.99, 1.01));
  }

  get pixels(): Float64Array {
    return matrix(this.stars, this.P, (t, i) => Math.exp(lnFlux(this.lam[i]!, t)) * uniform(0.99, 1.01));
  }

  /** flux/σ and 1/σ at S/N about 50. */
  get data(): { basis: Float64Array; y: Float64Array; s: Float64Array } {
    const { pixels, P } = this;
    const s = drawn(this.stars * P, 40, 60);
    const y = pixels.map((flux, i) => s[i]! * flux * (1 + 0.1 * Math.sin(i % P / P)) + uniform(-1, 1));
    return { basis: continuumBasis(this.lam, K, "rbf"), y, s };
  }

  get good(): Uint8Array {
    return new Uint8Array(this.stars * this.P).fill(1);
  }

  factor(target: Target): Float64Array {
    return outputOf(target, splineFactor, { N: this.NL }, { x: this.knots }, "factor") as Float64Array;
  }

  get resolution(): Float32Array {
    const all = new Float32Array(this.stars * W * this.P);
    const one = drawResolution(this.model, random);
    for (let star = 0; star < this.stars; star++) all.set(one, star * W * this.P);
    return all;
  }

  /** What resolution_deconvolve takes; undisplaced. */
  get deconvolution(): Record<string, Inputs[string]> {
    return {
      d: this.resolution,
      inverse: lsfInverse(W, 0.5 / 0.8),
      displacement: new Float64Array(this.stars),
      spread: new Float64Array(this.stars),
      centring: new Float64Array(2 * this.stars * W * W),
      lam: this.lam,
    };
  }

  rows(target: Target): Float64Array {
    const inputs = this.deconvolution;
    const dims = { B: this.stars, W, P: this.P, WRAP: 0 };
    return outputOf(target, resolutionDeconvolve, dims, inputs, "rows") as Float64Array;
  }

  /** What the fused kernels share. */
  fused(target: Target, width: number): Record<string, Inputs[string]> {
    const { knots } = this;
    const templates = new Float32Array(C * this.NL);
    for (let t = 0; t < C; t++) {
      for (let i = 0; i < this.NL; i++) templates[t * this.NL + i] = lnFlux(knots[i]!, t);
    }
    return {
      templates,
      knots,
      factor: this.factor(target),
      grid: Float64Array.of(Math.log(this.lam0), this.dlnlam),
      lam: this.lam,
      lnlam: this.lam.map(Math.log),
      ...this.data,
      sumlog: drawn(this.stars, -9, -7),
      rows: width === 0 ? new Float64Array(0) : this.rows(target),
      entry: Int32Array.from({ length: this.stars }, (_, star) => star),
      corners: Int32Array.from({ length: this.stars * C }, () => Math.floor(uniform(0, C))),
      t: drawn(this.stars * D, 0.05, 0.95),
      velocity: drawn(this.stars, -400, 400),
      vsini: drawn(this.stars, 0, 40),
      good: this.good,
    };
  }

  fusedDims(width: number): Dims {
    return { E: this.stars, B: this.stars, T: C, NL: this.NL, NP: this.P, K, D, C, Q, W: width, H: this.H };
  }

  get knotsOfChunk(): number {
    return chunkKnots(this.lam.map(Math.log), this.dlnlam);
  }

  /** From a model spectrum to the library's pixels. */
  get rebin(): { dims: Dims; lam0: Float64Array; lam1: Float64Array; sigma: Float64Array } {
    const lam1 = this.knots;
    const first = lam1[0]! - 10, N = Math.ceil((lam1[this.NL - 1]! + 10 - first) / MODEL_STEP);
    const lam0 = Float64Array.from({ length: N }, (_, i) => first + MODEL_STEP * i);
    const sigma = new Float64Array(this.NL).fill(BROADENING);
    return { dims: { N, M: this.NL, W: rebinWidth(lam0, lam1, sigma) }, lam0, lam1, sigma };
  }

  rebinWeights(target: Target): Record<string, Inputs[string]> {
    const { dims, lam0, lam1, sigma } = this.rebin;
    const out = (name: string) => outputOf(target, rebinWeights, dims, { lam0, lam1, sigma }, name);
    return { lam0, lam1, start: out("start"), weights: out("weights") };
  }
}

type PerArm = (
  kernel: Kernel,
  dims: (arm: ArmData) => Dims,
  inputs: (arm: ArmData, target: Target) => Inputs,
  about?: { name?: string; rows?: number },
) => Case;

/** A case of a call an arm. */
function onArms(arms: readonly ArmData[], stars: number): PerArm {
  return (kernel, dims, inputs, { name = kernel.name, rows = stars } = {}) => {
    const calls = arms.map((arm) => ({ dims: dims(arm), inputs: (target: Target) => inputs(arm, target) }));
    return { kernel, name, rows, calls };
  };
}

function single(kernel: Kernel, rows: number, dims: Dims, inputs: (target: Target) => Inputs): Case {
  return { kernel, name: kernel.name, rows, calls: [{ dims, inputs }] };
}

/** A matrix a star that is positive definite like a continuum's normal equations. */
function normalEquations(stars: number): Float64Array {
  return matrix(stars, K * K, (_, i) => {
    const [row, column] = [Math.floor(i / K), i % K];
    // what is drawn is on the diagonal, so that the matrix is symmetric
    return Math.exp(-0.1 * Math.abs(row - column)) + (row === column ? uniform(0, 1) : 0);
  });
}

/** The velocities of a posterior, about a drawn one. */
function velocityScan(stars: number): Float64Array {
  const centre = drawn(stars, -400, 400);
  return matrix(stars, VELOCITIES, (star, v) => centre[star]! + 0.3 * (v - 8));
}

function fusedCases(perArm: PerArm, stars: number, width: number): Case[] {
  const velocity = velocityScan(stars);
  const label = (kernel: Kernel) => width === 0 ? kernel.name : `${kernel.name}, resolution matrix`;
  return [
    perArm(
      fitEvaluate,
      (arm) => ({ ...arm.fusedDims(width), M: arm.knotsOfChunk }),
      (arm, target) => arm.fused(target, width),
      { name: label(fitEvaluate) },
    ),
    perArm(
      fitScan,
      (arm) => ({ ...arm.fusedDims(width), V: VELOCITIES }),
      (arm, target) => ({ ...arm.fused(target, width), velocity }),
      { name: label(fitScan) },
    ),
    perArm(fitModel, (arm) => arm.fusedDims(width), (arm, target) => arm.fused(target, width), {
      name: label(fitModel),
    }),
  ];
}

/** Kernels of the cross-correlation, on the common grid. */
function correlationCases(arms: readonly ArmData[], stars: number): Case[] {
  const jobArms = arms.map(({ lam }) => ({ lam })) as unknown as FitJob["arms"];
  const { N, L, origin, step, pixels } = commonGrid(jobArms, DEFAULT_OPTIONS.maxVel);
  const twiddles = (target: Target) => outputOf(target, fourierTwiddles, { N }, {}, "twiddles");
  const series = (rows: number) => drawn(rows * N, -0.1, 0.1);
  const spectra = (target: Target, rows: number) =>
    outputOf(target, rfft, { B: rows, N }, { twiddles: twiddles(target), x: series(rows) }, "out");
  return [
    single(fourierTwiddles, 1, { N }, () => ({})),
    single(rfft, stars, { B: stars, N }, (target) => ({ twiddles: twiddles(target), x: series(stars) })),
    single(irfft, stars, { B: stars, N }, (target) => ({
      twiddles: twiddles(target),
      spectrum: spectra(target, stars),
    })),
    {
      kernel: ccfSpread,
      name: ccfSpread.name,
      rows: stars,
      calls: arms.map((arm, a) => ({
        dims: { B: stars, S: stars, P: arm.P, G: N, FIRST: pixels[a]![0], LAST: pixels[a]![1] },
        inputs: () => {
          const position = arm.lam.map((lam) => (Math.log(lam) - origin) / step);
          const { y, s } = arm.data;
          return {
            y,
            s,
            continuum: drawn(stars * arm.P, 0.9, 1.1),
            index: Int32Array.from(position, Math.floor),
            fraction: position.map((x) => x - Math.floor(x)),
            star: Int32Array.from({ length: stars }, (_, star) => star),
            dw: new Float64Array(stars * N),
            w: new Float64Array(stars * N),
          };
        },
      })),
    },
    single(ccfScan, stars, { B: stars, T: SCANNED, N, L }, (target) => ({
      twiddles: twiddles(target),
      tm: spectra(target, SCANNED),
      tm2: spectra(target, SCANNED),
      fd: spectra(target, stars),
      fw: spectra(target, stars),
    })),
  ];
}

/** A case or more for every kernel of the table, with so many stars in a batch. */
export function casesFor(stars: number): Case[] {
  const arms = SIMULATED_ARMS.map((model) => new ArmData(model, stars));
  const perArm = onArms(arms, stars);
  return [
    single(
      choleskySolve,
      stars,
      { B: stars, K },
      () => ({ n: normalEquations(stars), b: drawn(stars * K, -1, 1) }),
    ),
    ...correlationCases(arms, stars),
    perArm(
      rebinWeights,
      (arm) => arm.rebin.dims,
      (arm) => {
        const { lam0, lam1, sigma } = arm.rebin;
        return { lam0, lam1, sigma };
      },
      { rows: 1 },
    ),
    perArm(
      rebinApply,
      (arm) => ({ T: stars, ...arm.rebin.dims }),
      (arm, target) => ({ ...arm.rebinWeights(target), flux: drawn(stars * arm.rebin.dims.N!, 0.5, 1) }),
    ),
    perArm(
      rebinLog,
      (arm) => ({ T: stars, ...arm.rebin.dims }),
      (arm, target) => ({
        ...arm.rebinWeights(target),
        flux: new Float32Array(drawn(stars * arm.rebin.dims.N!, 0.5, 1)),
      }),
    ),
    perArm(
      resolutionDeconvolve,
      (arm) => ({ B: stars, W, P: arm.P, WRAP: 0 }),
      (arm) => arm.deconvolution,
    ),
    perArm(
      resolutionApply,
      (arm) => ({ B: stars, W, P: arm.P }),
      (arm, target) => ({ rows: arm.rows(target), vec: arm.pixels }),
    ),
    perArm(
      resolutionGaussian,
      (arm) => ({ B: stars, W, P: arm.P }),
      (arm) => ({ lam: arm.lam, sigma: drawn(stars * arm.P, 0.9 * BROADENING, 1.1 * BROADENING) }),
    ),
    perArm(
      rotationWeights,
      (arm) => ({ B: stars, H: arm.H }),
      (arm) => ({ R: drawn(stars, 0, 160 / LIGHT / arm.dlnlam), eps: drawn(stars, 0.5, 0.7) }),
    ),
    perArm(
      rotate,
      (arm) => ({ B: stars, N: arm.NL, H: 8 }),
      (arm) => ({ y: arm.flux, w: drawn(stars * 9, 0, 2 / 17) }),
    ),
    perArm(
      interpolate,
      (arm) => ({ E: stars, T: C, N: arm.NL, D, C }),
      (arm, target) => arm.fused(target, 0),
    ),
    perArm(
      chisq,
      (arm) => ({ E: stars, NP: arm.P, K }),
      (arm) => ({ ...arm.data, m: arm.pixels, good: arm.good }),
    ),
    perArm(
      chisqGradient,
      (arm) => ({ E: stars, NP: arm.P, K, Q }),
      (arm) => ({
        ...arm.data,
        T: matrix(
          stars,
          arm.P * Q,
          (t, i) => Math.exp(lnFlux(arm.lam[Math.floor(i / Q)]!, t)) * uniform(0.5, 1),
        ),
      }),
    ),
    ...fusedCases(perArm, stars, 0),
    ...fusedCases(perArm, stars, W),
    perArm(splineFactor, (arm) => ({ N: arm.NL }), (arm) => ({ x: arm.knots }), { rows: 1 }),
    perArm(
      splineBuild,
      (arm) => ({ B: stars, N: arm.NL }),
      (arm, target) => ({ factor: arm.factor(target), y: arm.flux }),
    ),
    perArm(
      splineEvaluate,
      (arm) => ({ B: stars, N: arm.NL, P: arm.P, LOG: 1 }),
      (arm, target) => {
        const { knots: x, flux: y } = arm;
        const z = outputOf(
          target,
          splineBuild,
          { B: stars, N: arm.NL },
          { factor: arm.factor(target), y },
          "z",
        );
        return { x, y, z, xe: arm.lam, velocity: drawn(stars, -400, 400) };
      },
    ),
    ...kappaCases(stars),
    ...lossconeCases(stars),
    ...spotCases(),
    ...bandedCases(),
  ];
}

export const CASES: readonly Case[] = casesFor(STARS);
