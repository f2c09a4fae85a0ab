/**
 * Are the minima the lowest? Fits stars without noise, drawn over the whole of a library: the lowest minimum is the truth,
 * where χ² vanishes.
 *
 *   deno run -A bench/minima.ts [--library FILE] [--stars 1500] [--sn 45,100,300] [--seed 20261121]
 */
import { parseArgs } from "node:util";
import { makeFitter } from "../core/stellar/fitter.ts";
import { drawTruth } from "../core/stellar/simulate.ts";
import { builtinLibraryPath } from "../core/templates/builtin_path.ts";
import { openLibrary } from "../core/templates/library_file.ts";
import { loadWasmTarget } from "../core/wasm/load.ts";
import { modelSpectra, simulatedJob, withoutNoise } from "../tests/stellar/simulated_job.ts";

const { values: args } = parseArgs({
  args: Deno.args,
  options: {
    library: { type: "string" },
    stars: { type: "string", default: "1500" },
    sn: { type: "string", default: "45,100,300" },
    seed: { type: "string", default: "20261121" },
  },
});

const BATCH = 50;
/** χ² of a star that is at its truth is below this. */
const AT_TRUTH = 0.1;
const stars = Number(args.stars), seed = Number(args.seed);
const library = openLibrary(args.library ?? builtinLibraryPath());
const job = simulatedJob({}, library);
const fitter = makeFitter(loadWasmTarget(), job);

console.log(`library ${library.name}, ${stars} stars a row, seed ${seed}\n`);
console.log(
  "| S/N | not at the truth | largest χ² | velocity, km/s | evaluations, mean |\n|---|---|---|---|---|",
);
for (const sn of args.sn.split(",").map(Number)) {
  let away = 0, largest = 0, fastest = 0, evaluations = 0;
  for (let from = 0; from < stars; from += BATCH) {
    const truths = Array.from(
      { length: Math.min(BATCH, stars - from) },
      (_, k) =>
        drawTruth(library, { seed, snMin: sn, snMax: sn, margin: 0, resolutionMatrix: false }, from + k),
    );
    const batch = withoutNoise(job, truths, modelSpectra(job, truths, null), [null, null, null]);
    fitter.fit(batch).stars.forEach((found, k) => {
      const chisq = found.chisq.reduce((a, b) => a + b, 0);
      evaluations += found.evaluations / stars;
      largest = Math.max(largest, chisq);
      if (chisq < AT_TRUTH) fastest = Math.max(fastest, Math.abs(found.vrad - truths[k]!.vrad));
      else {
        away++;
        const { vrad, vsini, params } = truths[k]!;
        console.error(`star ${from + k}: χ² ${chisq}; vrad ${vrad}, vsini ${vsini}, ${params.join(", ")}`);
      }
    });
  }
  const shown = [sn, `${away} of ${stars}`, largest.toExponential(0), fastest.toExponential(0)];
  console.log(`| ${[...shown, evaluations.toFixed(1)].join(" | ")} |`);
}
