/**
 * −2 ln L at our answers against the lowest known ones, row by row of the reference coadd, in both modes. Markdown.
 *
 *   deno run -A bench/optimum.ts
 */
import { openSpectra } from "../core/io/open_spectra.ts";
import { makeFitter } from "../core/stellar/fitter.ts";
import { DEFAULT_OPTIONS } from "../core/stellar/options.ts";
import { type StarResult, WARN } from "../core/stellar/result.ts";
import { importLibrary } from "../core/templates/import_library.ts";
import { prepareArm } from "../core/templates/prepare.ts";
import { loadWasmTarget } from "../core/wasm/load.ts";
import { sharedData } from "../tests/shared_data.ts";

const folder = sharedData("stellar/reference");
if (folder === null) {
  console.error("the development data are not there (TWINSPEC_DATA)");
  Deno.exit(2);
}
const library = importLibrary(`${folder}/library`);

function answers(
  objective: string,
  resolutionMatrix: boolean,
): { row: number; excess: number; star: StarResult }[] {
  const known = JSON.parse(Deno.readTextFileSync(`${folder}/outputs/${objective}`)) as {
    row: number;
    m2logl_best: number;
  }[];
  const options = { ...DEFAULT_OPTIONS, resolutionMatrix };
  const file = openSpectra(`${folder}/coadd-oracle-10378.fits.gz`);
  const rows = known.map(({ row }) => row);
  const job = {
    options,
    library,
    arms: file.arms.map((grid) => ({
      ...grid,
      prepared: prepareArm(library, { ...grid, resolutionMatrix, maxVel: options.maxVel }),
    })),
  };
  const pixels = file.arms.map((_, a) => file.read(a, rows, resolutionMatrix));
  const { stars } = makeFitter(loadWasmTarget(), job).fit({
    rows: rows.map((row) => [row]),
    sn: rows.map(() => file.arms.map(() => 0)),
    pixels,
  });
  file.close();
  return known.map(({ row, m2logl_best }, i) => ({
    row,
    excess: stars[i]!.m2lnl - m2logl_best,
    star: stars[i]!,
  }));
}

const std = answers("objective.json", false), matrix = answers("objective_resolmat.json", true);
const edges = ({ params }: StarResult) =>
  library.axes.flatMap(({ name, values }, d) => {
    const span = values[values.length - 1]! - values[0]!;
    return params[d]! > values[values.length - 1]! - 1e-9 * span
      ? [`${name} top`]
      : params[d]! < values[0]! + 1e-9 * span
      ? [`${name} bottom`]
      : [];
  }).join(", ");
console.log("| row | nominal | resolution matrix | where |\n|---|---|---|---|");
std.forEach(({ row, excess, star }, i) => {
  const where = star.warn & WARN.LIBRARY_EDGE
    ? `library border (${edges(star)})`
    : star.reason === "kink"
    ? "on a kink"
    : "";
  console.log(`| ${row} | ${excess.toFixed(4)} | ${matrix[i]!.excess.toFixed(4)} | ${where} |`);
});
