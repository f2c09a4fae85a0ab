/**
 * How often the sets of U hold the truth, and how often evolution finds the minimum, on sweeps simulated afresh:
 * `deno run -A bench/losscone_sets.ts [sweeps] [seed]`. Poisson counts; the truth is not told to the fit.
 */
import { evolve } from "../core/losscone/evolution.ts";
import { makeLossconeFitter } from "../core/losscone/fitter.ts";
import { DEFAULT_LOSSCONE_OPTIONS } from "../core/losscone/options.ts";
import { prepareSweeps } from "../core/losscone/prepared.ts";
import type { Interval } from "../core/losscone/result.ts";
import { simulateSweeps } from "../core/losscone/simulate.ts";
import { loadWasmTarget } from "../core/wasm/load.ts";

const sweeps = Number(Deno.args[0] ?? 2000), seed = Number(Deno.args[1] ?? 101);
/** Evolution's random numbers are the same for all sweeps of a batch: small batches, each with a seed of its own. */
const BATCH = 100;
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const width = (set: readonly Interval[]) => set.reduce((sum, [low, high]) => sum + high - low, 0);

for (const method of ["halekas", "lillis"] as const) {
  const target = loadWasmTarget(), options = { ...DEFAULT_LOSSCONE_OPTIONS, method };
  const fitter = makeLossconeFitter(target, options);
  let fitted = 0, confident = 0, flat = 0, identifiable = 0;
  const reached = [0, 0], widths: number[] = [], plateaus: number[] = [];
  for (let first = 0; first < sweeps; first += BATCH) {
    const { batch, truths } = simulateSweeps({ sweeps: Math.min(BATCH, sweeps - first), first, seed });
    const results = fitter.fit(batch);
    const mark = target.mark();
    const evolved = [1, 2].map((runs) => {
      const own = { ...options, seed: 10 * first, evolution: { ...options.evolution, runs } };
      return evolve(target, own, prepareSweeps(target, batch, own, 1));
    });
    target.release(mark);
    results.forEach((result, e) => {
      if (result.reason !== "fitted") return;
      const U = truths[e]!.uSurface;
      const holds = (set: readonly Interval[]) => set.some(([low, high]) => low <= U && U <= high);
      fitted++;
      confident += Number(holds(result.confidence));
      flat += Number(holds(result.plateau));
      identifiable += Number(result.identifiable);
      widths.push(width(result.confidence));
      plateaus.push(width(result.plateau));
      const least = Math.min(result.chi2, ...evolved.map((all) => all[e]!.chi2));
      evolved.forEach((all, k) => reached[k] += Number(all[e]!.chi2 <= least * 1.001));
    });
  }
  const share = (n: number) => `${(100 * n / fitted).toFixed(1)} %`;
  console.log(`${method}, ${fitted} fitted sweeps
  ${100 * options.confidence} % sets hold the truth: ${share(confident)}, median width ${
    median(widths).toFixed(1)
  } V
  plateaus hold the truth: ${share(flat)}, median width ${median(plateaus).toFixed(1)} V
  identifiable: ${share(identifiable)}
  evolution within 1e-3 of the least χ²: one run ${share(reached[0]!)}, two runs ${share(reached[1]!)}`);
}
