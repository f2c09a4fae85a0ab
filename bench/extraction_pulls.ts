/**
 * Are the errors of extracted spectra honest, also at the edges of the CCD? Simulates bundles afresh with real PSFs and
 * prints the pulls (flux − R·truth)·√ivar, and how many bins were lost whose centroid is on the CCD.
 *
 *   deno run -A bench/extraction_pulls.ts [--seeds 4] [--first 1] [--noiseless] [--psf FILE]… [--json]
 *
 * Flux is linear in the pixels as long as their weights do not look at the noise, as here: the mean pull that many seeds
 * would show is that of --noiseless images, exactly.
 *
 * The real traces leave the CCD at its lower and upper edge only. For the left and right edge all traces are moved, so
 * that three fibres of the first or last bundle are beyond it.
 */
import { parseArgs } from "node:util";
import { centroid, type Psf, wavelengthRange } from "../core/extraction/psf.ts";
import { readPsf } from "../core/extraction/read_psf.ts";
import { loadWasmTarget } from "../core/wasm/load.ts";
import { extractEdge, moved } from "../tests/extraction/edge_scene.ts";
import { moments } from "../tests/extraction/scene.ts";
import { sharedData } from "../tests/shared_data.ts";

const { values: args } = parseArgs({
  args: Deno.args,
  options: {
    seeds: { type: "string", default: "4" },
    psf: { type: "string", multiple: true },
    first: { type: "string", default: "1" },
    noiseless: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const BUNDLE = 25, STEP = 0.8;
const paths = args.psf ??
  ["psf-r0-00051060", "psf-r0-00067784"].flatMap((name) => sharedData(`extraction/${name}.fits`) ?? []);
if (paths.length === 0) {
  console.error("No PSF: name one with --psf, or set TWINSPEC_DATA.");
  Deno.exit(2);
}

interface Case {
  readonly where: string;
  readonly psf: Psf;
  readonly firstFibre: number;
  readonly from: number;
  readonly to: number;
}

/** The middle, and everything that touches an edge. */
function casesOf(psf: Psf): Case[] {
  const { min, max } = wavelengthRange(psf), middle = (min + max) / 2;
  const half = BUNDLE * Math.floor(psf.fibres / BUNDLE / 2), last = psf.fibres - BUNDLE;
  const centre = { from: middle - 50, to: middle + 50 };
  const left = -centroid(psf, 3, middle).x, right = psf.columns - centroid(psf, psf.fibres - 4, middle).x;
  return [
    { where: "middle", psf, firstFibre: half, ...centre },
    { where: "first bundle", psf, firstFibre: 0, ...centre },
    { where: "last bundle", psf, firstFibre: last, ...centre },
    { where: "lower edge, middle bundle", psf, firstFibre: half, from: min, to: min + 140 },
    { where: "lower edge, first bundle", psf, firstFibre: 0, from: min, to: min + 100 },
    { where: "upper edge, middle bundle", psf, firstFibre: half, from: max - 100, to: max },
    { where: "upper edge, last bundle", psf, firstFibre: last, from: max - 170, to: max - 70 },
    { where: "left edge", psf: moved(psf, left, 0), firstFibre: 0, ...centre },
    { where: "right edge", psf: moved(psf, right, 0), firstFibre: last, ...centre },
    { where: "left and lower edge", psf: moved(psf, left, 0), firstFibre: 0, from: min, to: min + 100 },
  ];
}

const rows = [];
for (const path of paths) {
  for (const { where, psf, firstFibre, from, to } of casesOf(readPsf(path))) {
    const pulls: number[] = [];
    let on = 0, lost = 0, off = 0;
    const noise = !args.noiseless, first = Number(args.first);
    for (let seed = first; seed < first + Number(args.seeds); seed++) {
      const grid = { min: Math.ceil(from), max: Math.floor(to), step: STEP };
      const found = extractEdge(loadWasmTarget(), { psf, firstFibre, fibres: BUNDLE, grid, seed, noise });
      pulls.push(...found.pulls);
      [on, lost, off] = [on + found.on, lost + found.lost, off + found.off];
    }
    const worst = pulls.reduce((most, pull) => Math.max(most, Math.abs(pull)), 0);
    const psfName = path.replace(/^.*\//, "").replace(/\.fits(\.gz)?$/, "");
    const row = { psf: psfName, where, n: pulls.length, ...moments(pulls), worst, on, lost, off };
    rows.push(row);
    if (!args.json) {
      if (rows.length === 1) {
        console.log("| PSF | where | pulls | mean | σ | worst | bins on the CCD | lost | off |");
        console.log("|---|---|---|---|---|---|---|---|---|");
      }
      console.log(
        `| ${row.psf} | ${where} | ${row.n} | ${row.mean.toFixed(args.noiseless ? 5 : 3)} | ${
          row.sigma.toFixed(3)
        } | ` +
          `${worst.toFixed(1)} | ${on} | ${lost} | ${off} |`,
      );
    }
  }
}
if (args.json) console.log(JSON.stringify(rows));
