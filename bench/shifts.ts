/**
 * What comes back of spectra whose line spread is displaced by 1 km/s, for every node of a library, without noise:
 *
 *   deno run -A bench/shifts.ts [--library FILE] [--every 1] [--vsini 0]
 *
 * The displacement is in the matrix that goes with a spectrum made by an undisplaced one; in the matrix that made the
 * spectrum; or in the continuous line spread that made it. Shares of ±1 km/s of velocity found, least and most, and how
 * many nodes are within 0.01 of 1; and the largest velocity of spectra that are not displaced.
 */
import { parseArgs } from "node:util";
import type { FitJob } from "../core/stellar/batch.ts";
import { makeFitter } from "../core/stellar/fitter.ts";
import type { Truth } from "../core/stellar/simulate.ts";
import { builtinLibraryPath } from "../core/templates/builtin_path.ts";
import { openLibrary } from "../core/templates/library_file.ts";
import { loadWasmTarget } from "../core/wasm/load.ts";
import {
  gaussian,
  integrated,
  matrices,
  type Profile,
  throughContinuousSpread,
  throughMatrices,
} from "../tests/stellar/displaced_matrices.ts";
import { modelSpectra, simulatedJob, starAtNode, withoutNoise } from "../tests/stellar/simulated_job.ts";

const { values: args } = parseArgs({
  args: Deno.args,
  options: {
    library: { type: "string" },
    every: { type: "string", default: "1" },
    vsini: { type: "string", default: "0" },
  },
});

const BATCH = 25;
const SN = 300;
const library = openLibrary(args.library ?? builtinLibraryPath());
const nodes = Array.from({ length: library.templates }, (_, node) => node)
  .filter((node) => node % Number(args.every) === 0);

/** Velocities of all nodes, fitted in batches. */
function velocities(
  job: FitJob,
  spectra: (truths: readonly Truth[]) => readonly Float64Array[],
  resolution: (stars: number) => readonly (Float32Array | null)[],
): number[] {
  const fitter = makeFitter(loadWasmTarget(), job);
  const out: number[] = [];
  for (let from = 0; from < nodes.length; from += BATCH) {
    const truths = nodes.slice(from, from + BATCH).map((node) =>
      starAtNode(job, node, SN, Number(args.vsini))
    );
    const batch = withoutNoise(job, truths, spectra(truths), resolution(truths.length));
    out.push(...fitter.fit(batch).stars.map(({ vrad }) => vrad));
    if (Deno.stderr.isTerminal()) Deno.stderr.writeSync(new TextEncoder().encode(`\r${out.length} nodes `));
  }
  return out;
}

const largest = (found: readonly number[]) => Math.max(...found.map(Math.abs));

function show(what: string, still: readonly number[], shares: readonly number[]): void {
  const within = shares.filter((share) => Math.abs(share - 1) < 0.01).length;
  const of = shares.length === 0 ? ["–", "–"] : [
    `${Math.min(...shares).toFixed(4)}–${Math.max(...shares).toFixed(4)}`,
    `${within} of ${shares.length}`,
  ];
  console.log(`| ${[what, ...of, largest(still).toExponential(0)].join(" | ")} |`);
}

console.log(`library ${library.name}, ${nodes.length} nodes, vsini ${args.vsini} km/s\n`);
console.log(
  "| displaced by ±1 km/s | share found | within 0.01 | not displaced, largest velocity |\n|---|---|---|---|",
);
const nominal = simulatedJob({}, library);
show(
  "nothing (no matrix)",
  velocities(nominal, (truths) => modelSpectra(nominal, truths, null), () => [null, null, null]),
  [],
);
for (const bandLimit of [false, true]) {
  const job = simulatedJob({ resolutionMatrix: true, bandLimit }, library);
  const mode = bandLimit ? ", --band-limit" : "";
  const profiles: [string, Profile][] = [["Gaussian", gaussian], ["pixel-integrated", integrated]];
  for (const [rows, profile] of profiles) {
    /** Spectra made by matrices displaced by `made` km/s to the red that go with ones displaced by `stored`. */
    const found = (made: number, stored: number) =>
      velocities(
        job,
        (truths) => throughMatrices(job, truths, made, profile),
        (stars) => matrices(stars, stored, profile),
      );
    const still = found(0, 0);
    show(
      `the stored matrix, ${rows} rows${mode}`,
      still,
      [1, -1].flatMap((s) => found(0, s).map((v) => v / s)),
    );
    show(
      `the matrix of the spectrum, ${rows} rows${mode}`,
      still,
      [1, -1].flatMap((s) => found(s, 0).map((v) => -v / s)),
    );
  }
  if (bandLimit) continue;
  const found = (shift: number) =>
    velocities(
      job,
      (truths) => throughContinuousSpread(job, truths, shift),
      (stars) => matrices(stars, 0, gaussian),
    );
  // not the fit's own model, so not at rest to the last digit; what a displacement adds is its shift
  const still = found(0);
  show(
    "the continuous line spread of the spectrum",
    still,
    [1, -1].flatMap((s) => found(s).map((v, k) => -(v - still[k]!) / s)),
  );
}
