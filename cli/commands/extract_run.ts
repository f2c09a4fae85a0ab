/** What `twinspec extract` and its subcommands do. */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { compareFrames, type Spread } from "../../core/extraction/compare.ts";
import { uniformGrid } from "../../core/extraction/grid.ts";
import { wavelengthRange } from "../../core/extraction/psf.ts";
import { readPsf } from "../../core/extraction/read_psf.ts";
import {
  extractFiles,
  type ExtractionFile,
  type FrameSummary,
  type RefusedImage,
} from "../../core/extraction/run.ts";
import { writeSimulatedImage } from "../../core/extraction/simulate_file.ts";
import { simulateScene } from "../../core/extraction/simulate_spectra.ts";
import { InputError } from "../../core/io/input_error.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { extractionTargets } from "../../gpu/extraction_targets.ts";
import { shownPath, userPath } from "../paths.ts";
import { Progress, spent } from "../progress.ts";
import { align } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { VERSION } from "../version.ts";
import type { ExtractCommand, ExtractCompareCommand, ExtractSimulateCommand } from "./extract.ts";

/**
 * Runs `extract`.
 *
 * @returns the exit code
 */
export async function runExtract(
  command: ExtractCommand,
  args: readonly string[],
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const files = filesOf(command);
  const progress = new Progress(terminal, "bundles");
  const finished: FrameSummary[] = [];
  const refused: RefusedImage[] = [];
  let about: Record<string, unknown> = {};
  let done = 0, total = 0;
  try {
    await extractFiles(
      {
        files,
        grid: command.wavelength ?? null,
        specmin: command.specmin,
        nspec: command.nspec ?? null,
        bundleSize: command.bundleSize,
        maskBits: command.maskBits,
        barycentric: command.barycentric,
        float64: command.float64,
        options: {
          tiling: command.tiling,
          nsubbundles: command.nsubbundles,
          nwavestep: command.nwavestep,
          wavepad: command.wavepad,
          wavepadFrac: command.wavepadFrac,
          pixpadFrac: command.pixpadFrac,
          psferr: command.psferr ?? null,
          regularize: command.regularize,
          model: files.some(({ model }) => model !== null),
        },
        target: command.target,
        workers: command.workers ?? availableParallelism(),
        overwrite: command.overwrite,
        commandLine: ["twinspec", ...args].join(" "),
      },
      {
        onStart(bundles, before, { target, workers }) {
          about = { target, workers };
          [total, done] = [bundles, before];
          const again = before > 0 ? `, ${before} of them done before` : "";
          terminal.log(
            "info",
            `twinspec ${VERSION} · ${target}, ${workers} worker${workers === 1 ? "" : "s"} · ` +
              `${bundles} bundle${bundles === 1 ? "" : "s"}${again}`,
          );
          progress.start(bundles, before);
        },
        onProgress(bundles, all) {
          done = bundles;
          progress.update(bundles, all);
        },
        onFile(summary) {
          finished.push(summary);
          report(summary, terminal);
        },
        onRefused(image) {
          refused.push(image);
          terminal.log("error", image.why);
        },
        onNotice: (level, text) => terminal.log(level, text),
      },
      signal,
      extractionTargets,
    );
  } catch (error) {
    progress.stop();
    if (!signal.aborted) throw error;
  }
  progress.stop();
  if (refused.length === files.length) return 2;
  const pictures: string[] = [];
  if (command.plot !== undefined && !signal.aborted) {
    const { drawFrame } = await import("../frame_figure.ts");
    for (const { output } of finished) pictures.push(...await drawFrame(output, userPath(command.plot)));
    terminal.log("info", `${pictures.length} pictures in ${shownPath(userPath(command.plot))}`);
  }
  const failed = finished.flatMap((summary) => summary.failed);
  const code = signal.aborted ? 130 : refused.length > 0 ? 2 : failed.length > 0 ? 1 : 0;
  terminal.document({
    program: "twinspec",
    version: VERSION,
    ...about,
    exitCode: code,
    files: finished,
    refused,
    pictures,
  });
  if (code === 130) {
    terminal.log(
      "warning",
      `Interrupted with ${done} of ${total} bundles done; what is done is kept, and the same command goes on from there.`,
    );
  } else if (failed.length > 0) {
    terminal.log("error", `${failed.length} bundles could not be extracted for reasons outside the data.`);
  }
  return code;
}

function filesOf({ input, psf, output, model }: ExtractCommand): ExtractionFile[] {
  const images = `${input.length} image${input.length === 1 ? "" : "s"}`;
  if (output.length !== input.length) {
    throw new InputError(
      `${images} but ${output.length} outputs: give one -o for each -i, in the same order`,
    );
  }
  if (psf.length !== 1 && psf.length !== input.length) {
    throw new InputError(`${images} but ${psf.length} PSFs: give one -p for all, or one for each -i`);
  }
  if (model.length !== 0 && model.length !== input.length) {
    throw new InputError(`${images} but ${model.length} models: give one -m for each -i, or none`);
  }
  const files = input.map((image, i): ExtractionFile => ({
    input: userPath(image),
    psf: userPath(psf[i] ?? psf[0]!),
    output: userPath(output[i]!),
    model: model[i] === undefined ? null : userPath(model[i]!),
  }));
  const written = files.flatMap((file) => file.model === null ? [file.output] : [file.output, file.model]);
  const twice = written.find((path, i) => written.indexOf(path) !== i);
  if (twice !== undefined) {
    throw new InputError(`${twice}: would be written twice; give each image its own outputs`);
  }
  const inputs = new Set(files.flatMap((file) => [file.input, file.psf]));
  const over = written.find((path) => inputs.has(path));
  if (over !== undefined) throw new InputError(`${over}: is an input; write the output elsewhere`);
  return files;
}

function report(summary: FrameSummary, terminal: Terminal): void {
  const { input, output, model, fibres, bins, counts, failed, seconds } = summary;
  terminal.log("info", `${shownPath(input)}: ${fibres} fibres × ${bins} bins in ${spent(seconds)}`);
  const what = [
    [counts.allBad, "without unmasked light"],
    [counts.badFit, "where the pixel model does not fit"],
    [counts.failed, "that could not be solved"],
  ].filter(([n]) => n !== 0).map(([n, text]) => `${n} ${text}`);
  const flagged = `${counts.masked} of ${counts.bins} bins are flagged`;
  terminal.log("info", what.length === 0 ? flagged : `${flagged}: ${what.join(", ")}`);
  for (const { firstFibre, why } of failed) {
    terminal.log(
      "error",
      `${shownPath(input)}: the bundle from fibre ${firstFibre} on could not be extracted: ${why}`,
    );
  }
  terminal.log("info", `written: ${[output, ...(model === null ? [] : [model])].map(shownPath).join(", ")}`);
}

/** Å in the middle of the PSF's range that are simulated unless more is asked for. */
const SIMULATED = 200;

/**
 * Runs `extract simulate`.
 *
 * @returns the exit code
 */
export function runExtractSimulate(command: ExtractSimulateCommand, terminal: Terminal): number {
  const [out, truth] = [userPath(command.out), userPath(command.truth)];
  if (out === truth) throw new InputError(`${out}: the image and the truth cannot be one file`);
  for (const path of [out, truth]) {
    if (path.endsWith(".gz")) throw new InputError(`${path}: files are written plain; leave out .gz`);
    if (existsSync(path) && !command.overwrite) {
      throw new InputError(`${path}: is there already; give --overwrite to replace it`);
    }
  }
  const psf = readPsf(userPath(command.psf));
  const { specmin, nspec, seed } = command;
  if (specmin + nspec > psf.fibres) {
    throw new InputError(
      `--specmin ${specmin} --nspec ${nspec}: the PSF has the fibres 0 to ${
        psf.fibres - 1
      }; ask for some of them`,
    );
  }
  const range = wavelengthRange(psf);
  const middle = Math.round((range.min + range.max) / 2);
  const wave = uniformGrid(
    command.wavelength ?? { min: middle - SIMULATED / 2, max: middle + SIMULATED / 2, step: 0.8 },
  );
  const start = performance.now();
  const scene = simulateScene({ wave, firstFibre: specmin, fibres: nspec, seed });
  const progress = new Progress(terminal, "rows");
  progress.start(psf.rows, 0);
  const target = loadWasmTarget();
  writeSimulatedImage(target, {
    path: out,
    truth,
    psf,
    firstFibre: specmin,
    fibres: nspec,
    scene,
    seed,
    damage: {
      cosmics: command.cosmics,
      unmaskedCosmics: command.unmasked,
      deadColumns: command.deadColumns,
      deadBlocks: command.deadBlocks,
    },
    noiseless: command.noiseless,
  }, (rows) => progress.update(rows, psf.rows));
  progress.stop();
  const seconds = (performance.now() - start) / 1000;
  terminal.log(
    "info",
    `${nspec} fibres × ${wave.length} bins from ${wave[0]} to ${wave[wave.length - 1]!.toFixed(1)} Å; ` +
      `written: ${shownPath(out)}, ${shownPath(truth)} in ${spent(seconds)}`,
  );
  const grid = { min: wave[0], max: wave[wave.length - 1], bins: wave.length };
  terminal.document({
    program: "twinspec",
    version: VERSION,
    file: out,
    truth,
    specmin,
    nspec,
    seed,
    grid,
    seconds,
  });
  return 0;
}

const VERDICTS = {
  equal: "The frames are equal, but for the rounding of float32.",
  agree:
    "The frames agree where both have data: by less than half of the noise everywhere, by 0.01 σ nearly everywhere.",
  differ: "The frames differ.",
} as const;

/**
 * Runs `extract compare`.
 *
 * @returns the exit code
 */
export function runExtractCompare(command: ExtractCompareCommand, terminal: Terminal): number {
  const [a, b] = [userPath(command.a), userPath(command.b)];
  const found = compareFrames(a, b);
  const row = (name: string, spread: Spread | null): string[] =>
    spread === null
      ? [name, "–", "–", "–", "not in both"]
      : [name, ...[spread.median, spread.percentile99, spread.largest].map(shortNumber), spread.where];
  terminal.print(
    align([
      ["difference", "median", "99 %", "largest", "where"],
      row("flux, σ", found.pull),
      row("ivar, relative", found.ivar),
      row("resolution", found.resolution),
      row("chi2pix", found.chi2pix),
    ]).join("\n"),
  );
  terminal.print(
    `${found.common} of ${found.fibres * found.bins} bins in both, ${found.onlyA} only in the first, ` +
      `${found.onlyB} only in the second; flux within 0.01 σ in ${(100 * found.close).toFixed(2)} %`,
  );
  terminal.print(VERDICTS[found.verdict]);
  const code = found.verdict === "differ" ? 1 : 0;
  terminal.document({ program: "twinspec", version: VERSION, a, b, ...found, exitCode: code });
  return code;
}

function shortNumber(x: number): string {
  return x === 0 ? "0" : x.toPrecision(2);
}
