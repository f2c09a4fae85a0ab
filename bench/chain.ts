/**
 * From stars to velocities: stars of the built-in library's physics shine through a real PSF on a CCD, `extract` makes a
 * frame of its image, `fit` fits the frame. Prints the pulls (VRAD − truth)/VRAD_ERR.
 *
 *   deno run -A bench/chain.ts [--stars 200] [--seed 1] [--psf FILE]… [--level 80,250] [-w 5800,7400]
 *     [--noiseless] [--json]
 *
 * `noiseless`: the pulls are then what is systematic. `level`: electrons a bin, drawn log-uniformly from there to four times
 * as many.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { extractStars, fitStars } from "../tests/extraction/chain_scene.ts";
import { moments } from "../tests/extraction/scene.ts";
import { sharedData } from "../tests/shared_data.ts";

const { values: args } = parseArgs({
  args: Deno.args,
  options: {
    stars: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
    psf: { type: "string", multiple: true },
    level: { type: "string", default: "80,250" },
    wavelength: { type: "string", short: "w", multiple: true, default: ["5800,7400"] },
    noiseless: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const psfs = args.psf ??
  ["psf-r0-00051060", "psf-r0-00067784"].flatMap((name) => sharedData(`extraction/${name}.fits`) ?? []);
if (psfs.length === 0) {
  console.error("No PSF: name one with --psf, or set TWINSPEC_DATA.");
  Deno.exit(2);
}

const MODES = { "resolution matrix": ["--resolution-matrix"], "nominal line spread": [] } as const;

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

const rows = [];
const folder = mkdtempSync(join(tmpdir(), "twinspec-chain-"));
try {
  if (!args.json) {
    console.log("| PSF | Å | fit with | stars | S/N | error, km/s | mean | σ | worst |");
    console.log("|---|---|---|---|---|---|---|---|---|");
  }
  for (const psf of psfs) {
    for (const range of args.wavelength) {
      const [from, to] = range.split(",").map(Number) as [number, number];
      for (const level of args.level.split(",").map(Number)) {
        const own = mkdtempSync(join(folder, "field-"));
        const field = {
          psf,
          firstFibre: 0,
          stars: Number(args.stars),
          seed: Number(args.seed),
          from,
          to,
          level,
          noiseless: args.noiseless,
        };
        const made = await extractStars(own, field);
        for (const [mode, words] of Object.entries(MODES)) {
          const { pulls, errors, sn } = await fitStars(join(own, mode.replaceAll(" ", "-")), made, ...words);
          const { mean, sigma } = moments(pulls);
          const row = {
            psf: psf.replace(/^.*\//, "").replace(/\.fits(\.gz)?$/, ""),
            range: [from, to],
            mode,
            stars: pulls.length,
            ...{
              sn: median(sn),
              error: median(errors),
              mean,
              sigma,
              worst: Math.max(...pulls.map(Math.abs)),
            },
          };
          rows.push(row);
          if (args.json) continue;
          console.log(
            `| ${row.psf} | ${from}–${to} | ${mode} | ${row.stars} | ${row.sn.toFixed(0)} | ` +
              `${row.error.toFixed(2)} | ${mean.toFixed(3)} | ${sigma.toFixed(3)} | ${
                row.worst.toFixed(1)
              } |`,
          );
        }
        rmSync(own, { recursive: true });
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (args.json) console.log(JSON.stringify(rows));
