/** Whole fits on two targets: the last rows of the parity suite, differences in sigmas. */
import { makeFitter } from "../../core/stellar/fitter.ts";
import type { StarResult } from "../../core/stellar/result.ts";
import type { Target } from "../../core/target.ts";
import { inventedBatch, inventedJob } from "./stars.ts";

/** Largest difference of −2 ln L, and of a parameter in units of its error. */
export const FIT_TOLERANCE = { m2lnl: 1e-6, sigmas: 1e-3 } as const;

export interface FitRow {
  /** "star 3, resolution matrix". */
  readonly name: string;
  /** |Δ(−2 ln L)|. */
  readonly m2lnl: number;
  /** Largest |Δparameter| / its error, over velocity, vsini and the grid's parameters. */
  readonly sigmas: number;
  /** Parameter of that difference. */
  readonly parameter: string;
  readonly ok: boolean;
}

/** Difference of two fits of one star; NaN on one side alone is infinitely far. */
export function compareFits(
  name: string,
  found: StarResult,
  expected: StarResult,
  axes: readonly string[],
): FitRow {
  let sigmas = 0, parameter = "";
  const take = (what: string, a: number, b: number, error: number) => {
    let off = Math.abs(a - b);
    if (off === 0 || (Number.isNaN(a) && Number.isNaN(b))) return;
    if (error > 0) off /= error;
    if (!(off <= sigmas)) [sigmas, parameter] = [Number.isNaN(off) ? Infinity : off, what];
  };
  take("vrad", found.vrad, expected.vrad, expected.vradErr);
  take("vsini", found.vsini, expected.vsini, expected.vsiniErr);
  axes.forEach((axis, d) => take(axis, found.params[d]!, expected.params[d]!, expected.paramErrs[d]!));
  if (found.warn !== expected.warn) take("warn", found.warn, expected.warn, NaN);
  const m2lnl = Math.abs(found.m2lnl - expected.m2lnl);
  const both = Number.isNaN(found.m2lnl) && Number.isNaN(expected.m2lnl);
  const ok = (both || m2lnl <= FIT_TOLERANCE.m2lnl) && sigmas <= FIT_TOLERANCE.sigmas;
  return { name, m2lnl: both ? 0 : Number.isNaN(m2lnl) ? Infinity : m2lnl, sigmas, parameter, ok };
}

/** Fits the same invented stars on both targets, with and without resolution matrix. */
export function parityOfFits(target: Target, wasm: Target, stars = 4, seed = 1): FitRow[] {
  const rows: FitRow[] = [];
  for (const resolutionMatrix of [false, true]) {
    const job = inventedJob(resolutionMatrix);
    const batch = inventedBatch(job, stars, seed, wasm);
    const [found, expected] = [target, wasm].map((on) => {
      const mark = on.mark();
      try {
        return makeFitter(on, job).fit(batch).stars;
      } finally {
        on.release(mark);
      }
    }) as [readonly StarResult[], readonly StarResult[]];
    expected.forEach((star, i) => {
      const name = `star ${i + 1}${resolutionMatrix ? ", resolution matrix" : ""}`;
      rows.push(compareFits(name, found[i]!, star, job.library.axes.map((axis) => axis.name)));
    });
  }
  return rows;
}
