/**
 * Velocities of real stars against published ones: the LAMOST stars of the development data with redrock's archetypes
 * and with the built-in library, and the SDSS spectrum. Prints markdown.
 *
 *   deno run -A bench/real_stars.ts
 */
import { basename, join } from "node:path";
import { openSpectra } from "../core/io/open_spectra.ts";
import { makeFitter } from "../core/stellar/fitter.ts";
import { LIGHT } from "../core/doppler.ts";
import { DEFAULT_OPTIONS } from "../core/stellar/options.ts";
import type { StarResult } from "../core/stellar/result.ts";
import { builtinLibraryPath } from "../core/templates/builtin_path.ts";
import { importLibrary } from "../core/templates/import_library.ts";
import type { TemplateLibrary } from "../core/templates/library.ts";
import { readLibrary } from "../core/templates/library_file.ts";
import { prepareArm } from "../core/templates/prepare.ts";
import { loadWasmTarget } from "../core/wasm/load.ts";
import { sharedData } from "../tests/shared_data.ts";

/** Fits a file of one spectrum with its default arms. */
function fitOne(path: string, library: TemplateLibrary): { star: StarResult; catalogue: number } {
  const file = openSpectra(path);
  const options = { ...DEFAULT_OPTIONS, rvOnly: library.axes.length === 0 };
  const arms = file.arms.flatMap((arm, i) => arm.onRequest === undefined ? [i] : []);
  const job = {
    options,
    library,
    arms: arms.map((i) => {
      const grid = file.arms[i]!;
      return {
        ...grid,
        prepared: prepareArm(library, { ...grid, resolutionMatrix: false, maxVel: options.maxVel }),
      };
    }),
  };
  const fitter = makeFitter(loadWasmTarget(), job);
  const pixels = arms.map((i) => file.read(i, [0], false));
  const star = fitter.fit({ rows: [[0]], sn: [arms.map(() => 0)], pixels }).stars[0]!;
  const catalogue = (file.catalogueZ?.[0] ?? NaN) * LIGHT;
  file.close();
  return { star, catalogue };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b), n = sorted.length;
  return n % 2 === 1 ? sorted[n >> 1]! : (sorted[n / 2 - 1]! + sorted[n / 2]!) / 2;
}

function scatter(values: readonly number[]): string {
  const centre = median(values);
  const robust = 1.4826 * median(values.map((v) => Math.abs(v - centre)));
  return `median offset ${centre.toFixed(1)} km/s, 1.4826·MAD ${robust.toFixed(1)} km/s`;
}

const lamost = sharedData("stellar/real/lamost"), templates = sharedData("stellar/templates");
const sdss = sharedData("stellar/real/sdss/spec-0266-51602-0031.fits");
if (lamost === null || templates === null || sdss === null) {
  console.error("the development data are not there (TWINSPEC_DATA)");
  Deno.exit(2);
}
const published = new Map(
  Deno.readTextFileSync(join(lamost, "LASP_CurveFit_inferred.csv")).trim().split("\n").slice(1).map(
    (line) => {
      const [name, rv, , , , error] = line.split(",");
      return [name!, { rv: Number(rv), error: Number(error) }];
    },
  ),
);
const archetypes = importLibrary(templates), builtin = readLibrary(builtinLibraryPath());
const offsets: [number[], number[]] = [[], []];
const cell = (star: StarResult) => `${star.vrad.toFixed(1)} ± ${star.vradErrMarginal.toFixed(1)}`;
console.log("| star | published | archetypes | − | built-in | − | reason |\n|---|---|---|---|---|---|---|");
for (const [name, { rv, error }] of [...published].sort()) {
  const found = [archetypes, builtin].map((library) => fitOne(join(lamost, name), library).star);
  const off = found.map((star) => star.vrad - rv);
  off.forEach((value, k) => offsets[k]!.push(value));
  console.log(
    `| LAMOST ${basename(name, ".fits")} | ${rv.toFixed(1)} ± ${error.toFixed(1)} | ${cell(found[0]!)} | ` +
      `${off[0]!.toFixed(1)} | ${cell(found[1]!)} | ${off[1]!.toFixed(1)} | ${
        found.map((s) => s.reason).join(", ")
      } |`,
  );
}
{
  const found = [archetypes, builtin].map((library) => fitOne(sdss, library));
  const z = found[0]!.catalogue;
  console.log(
    `| SDSS 0266-51602-0031 | ${z.toFixed(1)} ± 26.5 | ${cell(found[0]!.star)} | ${
      (found[0]!.star.vrad - z).toFixed(1)
    } | ` +
      `${cell(found[1]!.star)} | ${(found[1]!.star.vrad - z).toFixed(1)} | ${
        found.map(({ star }) => star.reason).join(", ")
      } |`,
  );
}
console.log(`\nLAMOST, archetypes: ${scatter(offsets[0])}; built-in library: ${scatter(offsets[1])}.`);
