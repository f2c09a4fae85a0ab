/** Fits batches of one job on one target: the stellar pipeline, lockstep over the batch. */
import type { Target } from "../target.ts";
import { ArmContext } from "./arm_context.ts";
import type { FitBatch, FitJob, Fitter } from "./batch.ts";
import { Lockstep, type StarEntries } from "./lockstep.ts";
import { ParameterSpace, type Point } from "./parameter_space.ts";
import { preparationRules } from "./preparation_rules.ts";
import { type PreparedSpectrum, prepareSpectrum } from "./prepare_spectrum.ts";
import type { BatchResult, Reason, StarResult } from "./result.ts";
import { WARN } from "./result.ts";
import { fitStar, type StarFit } from "./star.ts";
import { CrossCorrelation, type Start } from "./start.ts";
import { unfittedStar, warningBits } from "./warnings.ts";

/** What a batch's arm holds: entry b is spectrum `row` (of the batch's pixel order) of star `star`. */
interface ArmEntries {
  readonly spectra: PreparedSpectrum[];
  readonly resolution: Float32Array[];
  /** Row of the batch's pixel order, per entry. */
  readonly rows: number[];
}

/** Puts what the batches of a job share on the target. */
export function makeFitter(target: Target, job: FitJob): Fitter {
  return new StellarFitter(target, job);
}

class StellarFitter implements Fitter {
  readonly #target: Target;
  readonly #job: FitJob;
  readonly #space: ParameterSpace;
  readonly #arms: readonly ArmContext[];
  readonly #correlation: CrossCorrelation;

  constructor(target: Target, job: FitJob) {
    this.#target = target;
    this.#job = job;
    this.#space = new ParameterSpace(job.library.axes, job.library.idgrid, job.options);
    this.#arms = job.arms.map((_, a) => new ArmContext(target, job, a, this.#space.dimension));
    this.#correlation = new CrossCorrelation(target, job, this.#space, this.#arms);
  }

  fit(batch: FitBatch): BatchResult {
    const mark = this.#target.mark();
    try {
      return this.#fit(batch);
    } finally {
      this.#target.release(mark);
    }
  }

  #fit(batch: FitBatch): BatchResult {
    const seconds: Record<string, number> = {};
    const timed = <R>(stage: string, work: () => R): R => {
      const began = performance.now();
      const out = work();
      seconds[stage] = (seconds[stage] ?? 0) + (performance.now() - began) / 1000;
      return out;
    };

    const stars = batch.rows.length;
    const { entries, held } = timed("prepare", () => this.#prepare(batch));
    timed("upload", () => this.#arms.forEach((arm, a) => arm.load(held[a]!.spectra, held[a]!.resolution)));
    const continuum = timed("ccf", () => this.#arms.map((arm) => arm.continuumOnly()));
    const starts = timed("ccf", () => this.#correlation.starts(entries, continuum.map((c) => c.continuum)));

    const lockstep = new Lockstep(this.#space, this.#arms, entries, seconds);
    const fits = lockstep.run(
      Array.from({ length: stars }, (_, star) => {
        const start = starts[star]!;
        return start === null ? null : fitStar(this.#space, start.points, start.rivals);
      }),
    );

    const models = batch.pixels.map((p) => new Float32Array(p.flux.length));
    seconds.download = 0;
    const summed = timed("model", () => this.#models(lockstep, entries, held, fits, models, seconds));
    seconds.model! -= seconds.download;
    const results = fits.map((fit, star) =>
      this.#result(
        batch,
        star,
        fit,
        starts[star]!,
        entries[star]!,
        held,
        summed[star]!,
        continuum.map((c) => c.chi2),
      )
    );
    return { stars: results, models, seconds };
  }

  /** Spectra that can be fitted, arm by arm, and which star each belongs to. */
  #prepare(batch: FitBatch): { entries: StarEntries[]; held: ArmEntries[] } {
    const entries: number[][][] = batch.rows.map(() => this.#arms.map(() => []));
    const held = this.#arms.map((arm, a): ArmEntries => {
      const out: ArmEntries = { spectra: [], resolution: [], rows: [] };
      const { flux, ivar, mask, resolution } = batch.pixels[a]!;
      const n = arm.npix;
      const W = arm.dims.W;
      const rules = preparationRules(arm.arm.setup, W > 0);
      let row = 0;
      batch.rows.forEach((rows, star) => {
        for (let k = 0; k < rows.length; k++, row++) {
          const from = row * n, to = from + n;
          const matrix = W > 0 ? resolution!.subarray(row * W * n, (row + 1) * W * n) : new Float32Array(0);
          // a fibre whose matrix is all zeros is dead, whatever its ivar says
          if (W > 0 && matrix.every((value) => value === 0)) continue;
          const [f, v, m] = [flux.subarray(from, to), ivar.subarray(from, to), mask.subarray(from, to)];
          const spectrum = prepareSpectrum(arm.arm.lam, f, v, m, rules);
          if (spectrum === null) continue;
          entries[star]![a]!.push(out.spectra.length);
          out.spectra.push(spectrum);
          out.resolution.push(matrix);
          out.rows.push(row);
        }
      });
      return out;
    });
    return { entries, held };
  }

  /** Fills the model arrays; returns per star: −2 ln L and χ² per arm. */
  #models(
    lockstep: Lockstep,
    entries: readonly StarEntries[],
    held: readonly ArmEntries[],
    fits: readonly (StarFit | null)[],
    models: readonly Float32Array[],
    seconds: Record<string, number>,
  ): { m2lnl: number; chisq: number[] }[] {
    const out = fits.map((fit) => ({ m2lnl: fit === null ? NaN : 0, chisq: this.#arms.map(() => NaN) }));
    this.#arms.forEach((arm, a) => {
      const list: { point: Point; entry: number; star: number }[] = [];
      fits.forEach((fit, star) => {
        if (fit === null) return;
        for (const entry of entries[star]![a]!) {
          list.push({ point: fit.curvature.minimum.point, entry, star });
        }
      });
      const PIECE = 64;
      for (let from = 0; from < list.length; from += PIECE) {
        const part = list.slice(from, from + PIECE);
        const { value, chi2, model, downloadSeconds } = arm.model(lockstep.points(part));
        seconds.download! += downloadSeconds;
        part.forEach(({ entry, star }, e) => {
          const sums = out[star]!;
          sums.m2lnl += value[e]!;
          sums.chisq[a] = (Number.isNaN(sums.chisq[a]!) ? 0 : sums.chisq[a]!) + chi2[e]!;
          models[a]!.set(model.subarray(e * arm.npix, (e + 1) * arm.npix), held[a]!.rows[entry]! * arm.npix);
        });
      }
    });
    return out;
  }

  #result(
    batch: FitBatch,
    star: number,
    fit: StarFit | null,
    start: Start | null,
    entries: StarEntries,
    held: readonly ArmEntries[],
    sums: { m2lnl: number; chisq: number[] },
    continuum: readonly Float64Array[],
  ): StarResult {
    const space = this.#space;
    const n = space.names.length;
    const axes = this.#job.library.axes;
    const rows = batch.rows[star]!;
    const sn = batch.sn[star]!;
    const chisqContinuum = entries.map((list, a) =>
      list.length === 0 ? NaN : list.reduce((sum, entry) => sum + continuum[a]![entry]!, 0)
    );
    const npix = entries.reduce(
      (sum, list, a) => sum + list.reduce((inner, entry) => inner + held[a]!.spectra[entry]!.goodPixels, 0),
      0,
    );
    if (fit === null) {
      const reason: Reason = start === null ? "not fitted" : "no valid evaluation";
      return {
        ...unfittedStar(rows, axes.length, sn),
        chisqContinuum,
        npix,
        vradCcf: start?.velocity ?? NaN,
        reason,
      };
    }
    const { minimum, bad } = fit.curvature;
    const { x, template } = minimum.point;
    const value = (i: number) => space.physical(i, x[i]!);
    const sigma = (i: number) => Math.sqrt(fit.covariance[i * n + i]!);
    const none = axes.map(() => NaN);
    const params = space.dimension > 0 ? axes.map((_, d) => value(2 + d)) : none;
    const edge = axes.length === space.dimension && axes.some((_, d) => {
      const i = 2 + d;
      return space.free.includes(i) && (x[i] === space.lower[i] || x[i] === space.upper[i]);
    });
    const full = 2 + axes.length;
    const covariance = Array.from({ length: full * full }, (_, k) => {
      const i = Math.floor(k / full), j = k % full;
      return i < n && j < n ? fit.covariance[i * n + j]! : NaN;
    });
    const record = {
      rows,
      vrad: x[0]!,
      vradErr: fit.moments.error,
      vradErrMarginal: sigma(0),
      vradSkew: fit.moments.skewness,
      vradKurt: fit.moments.kurtosis,
      vradCcf: start!.velocity,
      vsini: x[1]!,
      vsiniErr: sigma(1),
      params,
      paramErrs: space.dimension > 0 ? axes.map((_, d) => sigma(2 + d)) : none,
      covariance,
      m2lnl: sums.m2lnl,
      chisq: sums.chisq,
      chisqContinuum,
      npix,
      sn,
      warn: 0,
      evaluations: minimum.evaluations,
      reason: minimum.reason,
      template,
    };
    const flags = (bad || Number.isNaN(record.vradErrMarginal) ? WARN.BAD_HESSIAN : 0) |
      (edge ? WARN.LIBRARY_EDGE : 0);
    return {
      ...record,
      warn: flags | warningBits(record, axes.map((a) => a.name), this.#job.options.maxVel),
    };
  }
}
