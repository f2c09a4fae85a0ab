/** One arm of a job on a target: the library and grids that stay, the spectra of the batch, and the kernels on them. */
import { chisq } from "../kernels/chisq.ts";
import { chunkKnots, columns, fitEvaluate, fitModel, fitScan, rotationHalfWidth } from "../kernels/fit.ts";
import type { Dims } from "../kernels/kernel.ts";
import { lsfInverse, resolutionApply, resolutionDeconvolve, rowCentring } from "../kernels/resolution.ts";
import { splineFactor } from "../kernels/spline.ts";
import { type DeviceArray, place, type Target } from "../target.ts";
import type { FitJob } from "./batch.ts";
import { continuumBasis } from "./continuum.ts";
import { type Displacement, displacementOf, seenThrough, UNDISPLACED } from "./displacement.ts";
import type { PreparedSpectrum } from "./prepare_spectrum.ts";

/** Where evaluations are wanted; arrays of one element (or row) an evaluation. */
export interface Points {
  /** Spectrum of the batch, shape (E). */
  readonly entry: Int32Array;
  /** Shape (E, C). */
  readonly corners: Int32Array;
  /** Shape (E, D). */
  readonly t: Float64Array;
  /** km/s, shape (E), or (E, V) for scans. */
  readonly velocity: Float64Array;
  /** km/s, shape (E). */
  readonly vsini: Float64Array;
}

export interface Models {
  /** −2 ln L, shape (E). */
  readonly value: Float64Array;
  /** χ² over good pixels, shape (E). */
  readonly chi2: Float64Array;
  /** Shape (E, npix). */
  readonly model: Float64Array;
  /** Seconds of bringing them to the host; on a GPU with the wait for the kernel. */
  readonly downloadSeconds: number;
}

type Arm = FitJob["arms"][number];

/** Sizes that all kernels of an arm share, by the table's names. */
export interface ArmDims {
  readonly T: number;
  readonly NL: number;
  readonly NP: number;
  readonly K: number;
  readonly D: number;
  readonly C: number;
  readonly W: number;
  readonly H: number;
}

export class ArmContext {
  readonly arm: Arm;
  readonly #target: Target;
  readonly #dims: ArmDims;
  readonly #resident: Record<string, DeviceArray>;
  readonly #M: number;
  readonly #ginv: DeviceArray | null;
  /** Of the spectra of the batch. */
  #displacements: readonly Displacement[] = [];
  #batch: Record<string, DeviceArray> = {};
  #B = 0;

  constructor(target: Target, job: FitJob, index: number, dimension: number) {
    const arm = job.arms[index]!;
    const { prepared, lam } = arm;
    const NL = prepared.npix;
    const T = prepared.lnflux.length / NL;
    const K = job.options.npoly;
    const knots = Float64Array.from({ length: NL }, (_, i) => prepared.lam0 * Math.exp(i * prepared.dlnlam));
    const lnlam = lam.map(Math.log);
    this.arm = arm;
    this.#target = target;
    this.#dims = {
      T,
      NL,
      NP: lam.length,
      K,
      D: dimension,
      C: 1 << dimension,
      W: job.options.resolutionMatrix ? arm.ndiag : 0,
      H: rotationHalfWidth(job.options.maxVsini, prepared.dlnlam),
    };
    this.#M = chunkKnots(lnlam, prepared.dlnlam);
    const factor = target.allocate("f64", NL * 4);
    this.#resident = {
      templates: place(target, prepared.lnflux),
      knots: place(target, knots),
      factor,
      grid: place(target, Float64Array.of(Math.log(prepared.lam0), prepared.dlnlam)),
      lam: place(target, lam),
      lnlam: place(target, lnlam),
      basis: place(target, continuumBasis(lam, K, job.options.continuum)),
    };
    target.run(splineFactor, { N: NL }, { x: this.#resident.knots!, factor });
    const W = this.#dims.W;
    this.#ginv = W === 0 ? null : place(target, lsfInverse(W, prepared.sigma0 / (lam[1]! - lam[0]!)));
  }

  get npix(): number {
    return this.#dims.NP;
  }

  get resident(): Readonly<Record<string, DeviceArray>> {
    return this.#resident;
  }

  get dims(): ArmDims {
    return this.#dims;
  }

  /** The batch's arrays on the target: y, s, good, sumlog, rows. */
  get batch(): Readonly<Record<string, DeviceArray>> {
    return this.#batch;
  }

  get entries(): number {
    return this.#B;
  }

  /** Puts the spectra of a batch on the target; `resolution` holds their matrices in the file's storage. */
  load(spectra: readonly PreparedSpectrum[], resolution: readonly Float32Array[]): void {
    const target = this.#target;
    const { NP, W } = this.#dims;
    const B = spectra.length;
    this.#B = B;
    const gather = (pick: (s: PreparedSpectrum) => Float64Array) => {
      const all = new Float64Array(B * NP);
      spectra.forEach((s, b) => all.set(pick(s), b * NP));
      return place(target, all);
    };
    const good = new Uint8Array(B * NP);
    spectra.forEach((s, b) => good.set(s.good, b * NP));
    const rows = target.allocate("f64", B * NP * W);
    this.#displacements = spectra.map((_, b) =>
      W > 0 ? displacementOf(resolution[b]!, W, this.arm.lam) : UNDISPLACED
    );
    if (W > 0) {
      const mark = target.mark();
      const stored = target.allocate("f32", B * NP * W);
      resolution.forEach((matrix, b) => target.upload(stored, matrix, b * NP * W));
      target.run(resolutionDeconvolve, { B, W, P: NP, WRAP: 0 }, {
        d: stored,
        ...this.#deconvolution(),
        rows,
      });
      target.release(mark);
    }
    this.#batch = {
      y: gather((s) => s.y),
      s: gather((s) => s.s),
      good: place(target, good),
      sumlog: place(target, Float64Array.from(spectra, (s) => s.sumlog)),
      rows,
    };
  }

  #placed(points: Points): Record<string, DeviceArray> {
    const target = this.#target;
    return {
      ...this.#resident,
      ...this.#batch,
      entry: place(target, points.entry),
      corners: place(target, points.corners),
      t: place(target, points.t),
      velocity: place(target, this.#seen(points)),
      vsini: place(target, points.vsini),
    };
  }

  /** What resolution_deconvolve takes besides the matrices of the batch. */
  #deconvolution(): Record<string, DeviceArray> {
    const { lam, prepared: { sigma0 } } = this.arm;
    const W = this.#dims.W, step = lam[1]! - lam[0]!;
    const displacements = this.#displacements;
    const centring = new Float64Array(2 * displacements.length * W * W);
    displacements.forEach(({ relative, spread }, b) => {
      if (relative !== 0) centring.set(rowCentring(W, spread, sigma0 / step), 2 * b * W * W);
    });
    const perEntry = (value: (d: Displacement) => number) =>
      place(this.#target, Float64Array.from(displacements, value));
    return {
      inverse: this.#ginv!,
      displacement: perEntry(({ relative }) => relative / step),
      spread: perEntry(({ spread }) => spread),
      centring: place(this.#target, centring),
      lam: this.#resident.lam!,
    };
  }

  /** Velocities through the displacements; derivatives by either are the same to 1e-8. */
  #seen({ entry, velocity }: Points): Float64Array {
    if (this.#displacements.every(({ relative }) => relative === 0)) return velocity;
    const V = velocity.length / entry.length;
    return velocity.map((v, k) => {
      const displacement = this.#displacements[entry[Math.floor(k / V)]!]!;
      return displacement.relative === 0 ? v : seenThrough(displacement, v);
    });
  }

  /** Value, gradient by (velocity, vsini, t…) and Gauss-Newton matrix of every point. */
  evaluate(points: Points): { value: Float64Array; gradient: Float64Array; curvature: Float64Array } {
    const target = this.#target;
    const mark = target.mark();
    const E = points.entry.length;
    const { D } = this.#dims;
    const P = D + 2;
    const value = target.allocate("f64", E);
    const gradient = target.allocate("f64", E * P);
    const curvature = target.allocate("f64", E * P * P);
    const args = { ...this.#placed(points), value, gradient, curvature };
    const dims: Dims = { E, B: this.#B, ...this.#dims, Q: columns(D), M: this.#M };
    target.run(fitEvaluate, dims, args);
    const out = {
      value: target.download(value) as Float64Array,
      gradient: target.download(gradient) as Float64Array,
      curvature: target.download(curvature) as Float64Array,
    };
    target.release(mark);
    return out;
  }

  /** −2 ln L at V velocities a point, shape (E, V). */
  scan(points: Points, V: number): Float64Array {
    const target = this.#target;
    const mark = target.mark();
    const E = points.entry.length;
    const value = target.allocate("f64", E * V);
    target.run(fitScan, { E, V, B: this.#B, ...this.#dims }, { ...this.#placed(points), value });
    const out = target.download(value) as Float64Array;
    target.release(mark);
    return out;
  }

  /** Models at the answers. */
  model(points: Points): Models {
    const target = this.#target;
    const mark = target.mark();
    const E = points.entry.length;
    const { NP, K } = this.#dims;
    const outputs = {
      value: target.allocate("f64", E),
      chi2: target.allocate("f64", E),
      coeff: target.allocate("f64", E * K),
      template: target.allocate("f64", E * NP),
      model: target.allocate("f64", E * NP),
    };
    target.run(fitModel, { E, B: this.#B, ...this.#dims }, { ...this.#placed(points), ...outputs });
    const began = performance.now();
    const [value, chi2, model] = [outputs.value, outputs.chi2, outputs.model].map((array) =>
      target.download(array) as Float64Array
    );
    const out = {
      value: value!,
      chi2: chi2!,
      model: model!,
      downloadSeconds: (performance.now() - began) / 1000,
    };
    target.release(mark);
    return out;
  }

  /**
   * The continuum alone: its χ² over good pixels, and the continuum itself, left on the target for the
   * cross-correlation, shape (B, npix).
   */
  continuumOnly(): { chi2: Float64Array; continuum: DeviceArray } {
    const target = this.#target;
    const { NP, K, W } = this.#dims;
    const B = this.#B;
    const continuum = target.allocate("f64", B * NP);
    const mark = target.mark();
    const ones = place(target, new Float64Array(B * NP).fill(1));
    const flat = target.allocate("f64", B * NP);
    if (W > 0) {
      target.run(resolutionApply, { B, P: NP, W }, { rows: this.#batch.rows!, vec: ones, out: flat });
    }
    const chi2good = target.allocate("f64", B);
    target.run(chisq, { E: B, NP, K }, {
      basis: this.#resident.basis!,
      y: this.#batch.y!,
      s: this.#batch.s!,
      good: this.#batch.good!,
      m: W > 0 ? flat : ones,
      value: target.allocate("f64", B),
      coeff: target.allocate("f64", B * K),
      logdet: target.allocate("f64", B),
      chi2: target.allocate("f64", B),
      chi2good,
      model: continuum,
    });
    const chi2 = target.download(chi2good) as Float64Array;
    target.release(mark);
    return { chi2, continuum };
  }
}
