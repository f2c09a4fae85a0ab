/** Fits batches of sweeps on one target: what a worker of the fleet calls. */
import { lossconeEvaluate, lossconeSearch } from "../kernels/losscone_search.ts";
import { place, type Target } from "../target.ts";
import { evolve, type Evolved } from "./evolution.ts";
import { hypercube, seedBounds, widthOfU } from "./hypercube.ts";
import type { LossconeOptions } from "./options.ts";
import { type PreparedSweeps, prepareSweeps } from "./prepared.ts";
import { chi2Quantile } from "./quantile.ts";
import type { Interval, LossconeReason, SweepResult } from "./result.ts";
import type { SweepBatch } from "./sweep.ts";

export interface LossconeFitter {
  /** One result per sweep, in the order of the batch. */
  fit(batch: SweepBatch): SweepResult[];
}

/** Most intervals of a plateau or a confidence set; where there are more, the nearest are joined. */
export const INTERVALS = 8;
/** Width in U, of the beam's width, of the boxes whose middle alone is looked at: 2 FINE of losscone_search. */
const RESOLUTION = 1 / 60;
/** Most boxes of one descent of the exact search. */
const MOST_BOXES = 1 << 20;
/** A Lillis fit with a larger reduced χ² is rejected, as in the reference. */
export const LILLIS_LIMIT = 2;
/** Widest confidence set of an identifiable U, V. */
export const IDENTIFIABLE_WIDTH = 200;

/**
 * A fitter for batches with the same options. With the evolution U, Bs/Bm and the amplitude are its own best member; the
 * plateau and the confidence set are those of the exact search either way. It leaves nothing on the target between batches.
 */
export function makeLossconeFitter(target: Target, options: LossconeOptions): LossconeFitter {
  const rise = chi2Quantile(options.confidence);
  return {
    fit(batch) {
      const mark = target.mark();
      try {
        return fitBatch(target, options, rise, batch);
      } finally {
        target.release(mark);
      }
    },
  };
}

/**
 * Intervals of one sweep: `INTERVALS` pairs, NaN past the last. What the search cannot tell apart is one interval: where it
 * sees the beam it asks of boxes of U only their middles, {@link RESOLUTION} beam widths apart.
 */
export function intervals(ends: Float64Array, sweep: number, beamWidth: number): Interval[] {
  const out: Interval[] = [];
  for (let i = sweep * INTERVALS; i < (sweep + 1) * INTERVALS; i++) {
    const [low, high] = [ends[2 * i]!, ends[2 * i + 1]!], last = out.at(-1);
    if (Number.isNaN(low)) continue;
    if (last !== undefined && low - last[1] <= RESOLUTION * beamWidth) out[out.length - 1] = [last[0], high];
    else out.push([low, high]);
  }
  return out;
}

/** Whether U is known: one interval, not wider than the limit, that meets no bound. */
function isIdentifiable(set: readonly Interval[], options: LossconeOptions): boolean {
  if (set.length !== 1) return false;
  const [low, high] = set[0]!;
  return high - low <= IDENTIFIABLE_WIDTH && low > options.potential[0] && high < options.potential[1];
}

function fitBatch(
  target: Target,
  options: LossconeOptions,
  rise: number,
  batch: SweepBatch,
): SweepResult[] {
  const prepared = prepareSweeps(target, batch, options, rise);
  const { B } = prepared.dims;
  const valid = target.download(prepared.valid) as Int32Array;
  const widths = options.method === "lillis" ? hypercubeWidths(target, options, prepared) : null;

  const evolved = options.search === "evolution" ? evolve(target, options, prepared) : null;

  const fit = target.allocate("f64", 4 * B);
  const plateau = target.allocate("f64", 2 * INTERVALS * B);
  const confidence = target.allocate("f64", 2 * INTERVALS * B);
  const state = target.allocate("i32", B);
  target.run(lossconeSearch, { ...prepared.dims, I: INTERVALS, MOST: MOST_BOXES }, {
    ...prepared.tables,
    fit,
    plateau,
    confidence,
    state,
  });
  const fits = target.download(fit) as Float64Array;
  const states = target.download(state) as Int32Array;
  const plateaus = target.download(plateau) as Float64Array;
  const sets = target.download(confidence) as Float64Array;

  return Array.from({ length: B }, (_, e): SweepResult => {
    const [u, bsOverBm, beamAmp, chi2] = fits.subarray(4 * e, 4 * e + 4);
    const exact: Evolved = {
      u: u!,
      bsOverBm: bsOverBm!,
      beamAmp: beamAmp!,
      chi2: chi2!,
      seed: false,
      converged: states[e] === 1,
      evaluations: null,
    };
    const found = evolved?.[e] ?? exact;
    const reason = reasonOf(options, valid[e]!, found.chi2);
    const fitted = reason === "fitted";
    const set = fitted ? intervals(sets, e, options.beamWidth) : [];
    return {
      u: fitted ? found.u : NaN,
      bsOverBm: fitted ? found.bsOverBm : NaN,
      beamAmp: fitted ? found.beamAmp : NaN,
      chi2: found.chi2,
      validCells: valid[e]!,
      plateau: fitted ? intervals(plateaus, e, options.beamWidth) : [],
      confidence: set,
      identifiable: isIdentifiable(set, options),
      uWidth: widths === null || !fitted ? NaN : widths[e]!,
      search: !fitted ? "none" : evolved === null ? "exact" : found.seed ? "hypercube" : "evolution",
      converged: fitted && found.converged,
      evaluations: fitted ? found.evaluations : null,
      reason,
    };
  });
}

function reasonOf(options: LossconeOptions, valid: number, chi2: number): LossconeReason {
  if (valid === 0) return "no valid cells";
  if (Number.isNaN(chi2)) return "too few cells";
  return options.method === "lillis" && chi2 > LILLIS_LIMIT ? "chi2 above the limit" : "fitted";
}

/** The reference's width of U of every sweep, over the points that its search starts from. */
function hypercubeWidths(target: Target, options: LossconeOptions, prepared: PreparedSweeps): number[] {
  const S = options.evolution.seeds, { B } = prepared.dims;
  const mark = target.mark();
  const seeds = hypercube(S, seedBounds(options), options.seed, "seeds");
  const chi2 = target.allocate("f64", B * S);
  target.run(lossconeEvaluate, { ...prepared.dims, S }, {
    ...prepared.tables,
    points: place(target, seeds),
    chi2,
  });
  const values = target.download(chi2) as Float64Array;
  target.release(mark);
  return Array.from({ length: B }, (_, e) => widthOfU(values.subarray(e * S, (e + 1) * S), seeds));
}
