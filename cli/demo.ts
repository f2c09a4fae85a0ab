/** `deno task demo`: simulates 24 stars from the built-in library, fits them and draws one, all in ./demo. */
import { mkdirSync } from "node:fs";
import { FitsFile } from "../core/io/fits_read.ts";
import { main } from "./main.ts";
import { shownPath, userPath } from "./paths.ts";

const folder = userPath("demo");
const spectra = `${folder}/coadd-demo.fits`;
const answers = `${folder}/rvtab_coadd-demo.fits`;
const picture = `${folder}/star.png`;
const STAR = "1000003";

async function step(title: string, args: readonly string[]): Promise<void> {
  console.log(
    `\n${title}\n$ twinspec ${args.map((word) => word.startsWith("/") ? shownPath(word) : word).join(" ")}`,
  );
  const code = await main(args);
  if (code !== 0) Deno.exit(code);
}

/** How far the answers are from the truth, in units of their errors. */
function compare(): string {
  using truthFile = FitsFile.open(spectra);
  using answerFile = FitsFile.open(answers);
  const truth = truthFile.table("TRUTH"), answer = answerFile.table("RVTAB");
  const rows = answer.float64("ROW"), v = answer.float64("VRAD"), vTrue = truth.float64("VRAD");
  const error = answer.float64("VRAD_ERR");
  const off = [...rows].map((row, i) => Math.abs(v[i] - vTrue[row])).sort((a, b) => a - b);
  const within = [...rows].filter((row, i) => Math.abs(v[i] - vTrue[row]) <= 2 * error[i]).length;
  return `Velocities: half of the stars are within ${off[off.length >> 1].toFixed(2)} km/s of the truth; ` +
    `${within} of ${off.length} within two of their errors (95 % expected).`;
}

mkdirSync(folder, { recursive: true });
await step("1. Simulate 24 stars of known truth.", [
  "simulate",
  "--out",
  spectra,
  "--stars",
  "24",
  "--seed",
  "1",
  "--margin",
  "0.1",
  "--overwrite",
]);
await step("2. Fit them.", ["fit", spectra, "--output-dir", folder, "--overwrite"]);
await step("3. Draw one.", ["plot", answers, "--targetid", STAR, "--out", picture]);
const files: [path: string, what: string][] = [
  [spectra, "the spectra; table TRUTH has what they were made from"],
  [answers, "table RVTAB: velocities, parameters, errors, flags"],
  [answers.replace("rvtab", "rvmod"), "the models"],
  [picture, "one star: data, model, residual (look at this first)"],
];
const width = Math.max(...files.map(([path]) => shownPath(path).length));
console.log(`\n${compare()}\n\nWhat there is now, in ${shownPath(folder)}:`);
for (const [path, what] of files) console.log(`  ${shownPath(path).padEnd(width)}  ${what}`);
