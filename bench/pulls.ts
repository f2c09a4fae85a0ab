/**
 * Are the errors honest? Fits stars simulated from a library and prints the pulls (answer − truth)/(marginal error).
 *
 *   deno run -A bench/pulls.ts [--library FILE] [--stars 2000] [--seed 20261121] [--resolution-matrix] [--json]
 *
 * Stars are drawn uniformly over the library; one is taken if its truth lies at least four predicted σ inside every
 * border, the prediction being the Fisher matrix at the truth, before any noise is drawn. No star is dropped after it
 * was fitted. S/N per r pixel 20–100, log-uniform.
 */
import { parseArgs } from "node:util";
import { openLibrary } from "../core/templates/library_file.ts";
import { builtinLibraryPath } from "../core/templates/builtin_path.ts";
import { mappedPoint } from "../core/templates/grid.ts";
import { ArmContext } from "../core/stellar/arm_context.ts";
import { makeFitter } from "../core/stellar/fitter.ts";
import { Lockstep } from "../core/stellar/lockstep.ts";
import { ParameterSpace } from "../core/stellar/parameter_space.ts";
import { preparationRules } from "../core/stellar/preparation_rules.ts";
import { prepareSpectrum } from "../core/stellar/prepare_spectrum.ts";
import { invertSymmetric } from "../core/stellar/quadratic.ts";
import type { StarResult } from "../core/stellar/result.ts";
import { simulateStars, type SimulationOptions, type Truth } from "../core/stellar/simulate.ts";
import { makeEvaluate } from "../core/stellar/simulate_evaluate.ts";
import { loadWasmTarget } from "../core/wasm/load.ts";
import { simulatedJob } from "../tests/stellar/simulated_job.ts";

const { values: args } = parseArgs({
  args: Deno.args,
  options: {
    library: { type: "string" },
    stars: { type: "string", default: "2000" },
    seed: { type: "string", default: "20261121" },
    "resolution-matrix": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const BATCH = 64;
/** Predicted σ that truths keep from every border. */
const INSIDE = 4;
/** km/s: below this vsini is not resolved and its pull means little. */
const ROTATORS = 30;

const wanted = Number(args.stars);
const library = openLibrary(args.library ?? builtinLibraryPath());
const resolutionMatrix = args["resolution-matrix"];
const job = simulatedJob({ resolutionMatrix }, library);
const { options } = job;
const simulation: SimulationOptions = {
  seed: Number(args.seed),
  snMin: 20,
  snMax: 100,
  margin: 0,
  resolutionMatrix,
};
const sigma0 = job.arms.map((arm) => arm.prepared.sigma0);
const space = new ParameterSpace(library.axes, library.idgrid, options);
const evaluate = makeEvaluate(loadWasmTarget(), library, job.arms, options.maxVsini);
const target = loadWasmTarget();
const arms = job.arms.map((_, a) => new ArmContext(target, job, a, space.dimension));
const fitter = makeFitter(loadWasmTarget(), job);

/** Stars of the batch whose truth is far enough inside, by the Fisher matrix at the truth. */
function inside(batch: ReturnType<typeof simulateStars>): boolean[] {
  const mark = target.mark();
  const stars = batch.truths.length;
  arms.forEach((arm, a) => {
    const rules = preparationRules(arm.arm.setup, resolutionMatrix);
    const { ivar, mask, resolution, model } = batch.arms[a]!;
    const n = arm.npix, W = arm.dims.W;
    const spectra = Array.from({ length: stars }, (_, i) => {
      const part = <A extends { subarray(a: number, b: number): A }>(x: A) => x.subarray(i * n, (i + 1) * n);
      // the prediction sees the noise-free model, not the noise that will be drawn
      return prepareSpectrum(arm.arm.lam, Float32Array.from(part(model)), part(ivar), part(mask), rules)!;
    });
    arm.load(spectra, spectra.map((_, i) => resolution.subarray(i * W * n, (i + 1) * W * n)));
  });
  const lockstep = new Lockstep(space, arms, batch.truths.map((_, i) => arms.map(() => [i])), {});
  const points = batch.truths.map(({ vrad, vsini, params }, star) => {
    const x = Float64Array.of(vrad, vsini, ...mappedPoint(space.axes, params));
    return { star, point: { x, cell: space.cellOf(x), template: -1 } };
  });
  const n = space.names.length;
  const out = lockstep.evaluate(points).map(({ curvature }, k) => {
    const inverse = invertSymmetric(curvature, n);
    if (inverse === null) return false;
    return space.axes.every((_, d) => {
      const i = 2 + d;
      const u = points[k]!.point.x[i]!;
      const sigma = Math.sqrt(2 * inverse[i * n + i]!);
      return u - space.lower[i]! >= INSIDE * sigma && space.upper[i]! - u >= INSIDE * sigma;
    });
  });
  target.release(mark);
  return out;
}

const names = ["vrad", "vsini", ...library.axes.map((a) => a.name)];
const pulls: number[][] = names.map(() => []);
const results: { truth: Truth; found: StarResult }[] = [];
let drawn = 0;
while (results.length < wanted) {
  const stars = Array.from({ length: BATCH }, (_, i) => drawn + i);
  drawn += BATCH;
  const batch = simulateStars(library, simulation, stars, evaluate, sigma0);
  const keep = inside(batch).flatMap((yes, i) => yes ? [i] : []).slice(0, wanted - results.length);
  if (keep.length === 0) continue;
  const pick = <A extends Float32Array | Int32Array>(all: A, out: A): A => {
    const size = all.length / BATCH;
    keep.forEach((i, k) => out.set(all.subarray(i * size, (i + 1) * size) as never, k * size));
    return out;
  };
  const fitted = fitter.fit({
    rows: keep.map((_, k) => [k]),
    sn: keep.map((i) => batch.arms.map((arm) => arm.sn[i]!)),
    pixels: batch.arms.map(({ flux, ivar, mask, resolution }) => ({
      flux: pick(flux, new Float32Array(flux.length / BATCH * keep.length)),
      ivar: pick(ivar, new Float32Array(ivar.length / BATCH * keep.length)),
      mask: pick(mask, new Int32Array(mask.length / BATCH * keep.length)),
      resolution: pick(resolution, new Float32Array(resolution.length / BATCH * keep.length)),
    })),
  });
  fitted.stars.forEach((found, k) => results.push({ truth: batch.truths[keep[k]!]!, found }));
  if (!args.json && Deno.stderr.isTerminal()) {
    Deno.stderr.writeSync(new TextEncoder().encode(`\r${results.length} stars`));
  }
}

for (const { truth, found } of results) {
  pulls[0]!.push((found.vrad - truth.vrad) / found.vradErrMarginal);
  if (truth.vsini > ROTATORS) pulls[1]!.push((found.vsini - truth.vsini) / found.vsiniErr);
  found.params.forEach((value, d) => pulls[2 + d]!.push((value - truth.params[d]!) / found.paramErrs[d]!));
}
const table = names.map((name, i) => {
  const p = pulls[i]!;
  const n = p.length;
  const mean = p.reduce((a, b) => a + b, 0) / n;
  const sigma = Math.sqrt(p.reduce((a, b) => a + (b - mean) ** 2, 0) / (n - 1));
  const sorted = p.map(Math.abs).sort((a, b) => a - b);
  return { name, n, mean, sigma, within1: sorted.filter((x) => x < 1).length / n, worst: sorted[n - 1]! };
});
const kinks = results.filter(({ found }) => found.reason === "kink").length;
const other = results.filter(({ found }) => found.reason !== "kink" && found.reason !== "converged").length;
if (args.json) {
  console.log(
    JSON.stringify({
      library: library.name,
      stars: results.length,
      drawn,
      seed: simulation.seed,
      resolutionMatrix,
      table,
      kinks,
      other,
    }),
  );
} else {
  console.log(
    `\nlibrary ${library.name}, ${results.length} stars of ${drawn} drawn, seed ${simulation.seed}, ` +
      `${
        resolutionMatrix ? "resolution matrices" : "nominal line spread"
      }; ${kinks} on kinks, ${other} not converged`,
  );
  console.log("| pull of | stars | mean | σ | within 1 σ | worst |\n|---|---|---|---|---|---|");
  for (const { name, n, mean, sigma, within1, worst } of table) {
    console.log(
      `| ${name} | ${n} | ${mean.toFixed(3)} | ${sigma.toFixed(3)} | ${(100 * within1).toFixed(1)} % | ${
        worst.toFixed(1)
      } |`,
    );
  }
}
