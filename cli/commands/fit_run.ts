/** What `twinspec fit` does. */
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { InputError } from "../../core/io/input_error.ts";
import { DEFAULT_OPTIONS, type FitOptions } from "../../core/stellar/options.ts";
import { stellarTargets } from "../../gpu/stellar_targets.ts";
import { fitFiles } from "../../core/stellar/run.ts";
import type { FileSummary, FitRequest } from "../../core/stellar/run_types.ts";
import { builtinLibraryPath } from "../../core/templates/builtin_path.ts";
import { openTemplates } from "../../core/templates/open_templates.ts";
import { closest } from "../closest.ts";
import { shownPath, userPath } from "../paths.ts";
import { Progress, spent } from "../progress.ts";
import { resultTable, warnNames } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { VERSION } from "../version.ts";
import type { FitCommand } from "./fit.ts";

/**
 * Runs `fit`.
 *
 * @returns the exit code
 */
export async function runFit(
  command: FitCommand,
  args: readonly string[],
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  if (command.overwrite && command.skipExisting) {
    throw new InputError("--overwrite and --skip-existing contradict each other; give one of them");
  }
  const library = command.library === undefined ? builtinLibraryPath() : userPath(command.library);
  const { axes, classes } = labelsOf(library);
  const request: FitRequest = {
    inputs: command.inputs.map(userPath),
    library,
    outputDir: userPath(command.outputDir),
    options: fitOptions(command, axes),
    minSn: command.minSn ?? null,
    targetids: command.targetids.length === 0 ? null : command.targetids.flat(),
    target: command.target,
    workers: command.workers ?? availableParallelism(),
    batch: command.batch ?? null,
    overwrite: command.overwrite,
    skipExisting: command.skipExisting,
    commandLine: ["twinspec", ...args].map(quoted).join(" "),
  };
  const progress = new Progress(terminal, "stars");
  const labels: Labels = { axes: command.rvOnly ? [] : axes, classes };
  let about: Record<string, unknown> = {};
  let done = 0, total = 0;
  const finished: FileSummary[] = [];
  const drawings: Promise<string[]>[] = [];
  try {
    await fitFiles(
      request,
      {
        onStart(stars, before, { target, workers, batch, library: name }) {
          total = stars;
          done = before;
          about = { target, workers, batch, library: name, libraryPath: library };
          const again = before > 0 ? `, ${before} of them done before` : "";
          terminal.log(
            "info",
            `twinspec ${VERSION} · ${target}, ${
              count(workers, "worker")
            }, batch ${batch} · library ${name} · ${count(stars, "star")}${again}`,
          );
          progress.start(stars, before);
        },
        onProgress(stars, all) {
          done = stars;
          progress.update(stars, all);
        },
        onFile(summary) {
          finished.push(summary);
          report(summary, terminal);
          if (command.plot && !summary.skipped) drawings.push(draw(summary, terminal, signal));
        },
        onNotice: (level, text) => terminal.log(level, text),
      },
      signal,
      stellarTargets,
    );
  } catch (error) {
    progress.stop();
    if (!signal.aborted) throw error;
  }
  progress.stop();
  showAnswers(finished, request.inputs, labels, terminal);
  const pictures = (await Promise.all(drawings)).flat();
  const failed = finished.flatMap((summary) => summary.failed);
  const code = signal.aborted ? 130 : failed.length > 0 ? 1 : 0;
  terminal.document({
    program: "twinspec",
    version: VERSION,
    ...about,
    exitCode: code,
    files: finished.map((summary) => fileDocument(summary, labels)),
    pictures,
  });
  if (code === 130) {
    terminal.log(
      "warning",
      `Interrupted with ${done} of ${
        count(total, "star")
      } done; what is done is kept, and the same command goes on from there.`,
    );
  } else if (code === 1) {
    terminal.log("error", `${count(failed.length, "row")} could not be fitted for reasons outside the data.`);
  }
  return code;
}

interface Labels {
  /** Names of the parameters; empty for templates without. */
  readonly axes: readonly string[];
  /** Class of every template, where the library names them. */
  readonly classes: readonly string[] | null;
}

function labelsOf(path: string): Labels {
  using library = openTemplates(path);
  return { axes: library.axes.map((axis) => axis.name), classes: library.classes };
}

function fitOptions(command: FitCommand, axes: readonly string[]): FitOptions {
  const known = ["vrad", "vsini", ...(command.rvOnly ? [] : axes)];
  const once = (option: string, names: readonly string[]) =>
    names.forEach((name, i) => {
      if (!known.includes(name)) {
        const near = closest(name, known);
        const hint = near === null ? "" : `; did you mean ${near}?`;
        throw new InputError(`${option}: unknown parameter ${name}${hint} (known: ${known.join(", ")})`);
      }
      if (names.indexOf(name) !== i) throw new InputError(`${option}: ${name} is given twice`);
    });
  once("--fix", command.fix.map(({ name }) => name));
  once("--prior", command.priors.map(({ name }) => name));
  const both = command.fix.find(({ name }) => command.priors.some((prior) => prior.name === name));
  if (both !== undefined) throw new InputError(`${both.name} has both --fix and --prior; give one of them`);
  return {
    arms: command.arms ?? null,
    resolutionMatrix: command.resolutionMatrix,
    bandLimit: command.bandLimit,
    npoly: command.npoly,
    continuum: command.continuum,
    rvOnly: command.rvOnly,
    fix: Object.fromEntries(command.fix.map(({ name, value }) => [name, value])),
    priors: Object.fromEntries(command.priors.map(({ name, mean, sigma }) => [name, { mean, sigma }])),
    maxVel: command.maxVel,
    maxVsini: DEFAULT_OPTIONS.maxVsini,
    jointByTargetid: command.jointBy !== undefined,
  };
}

/** One table of all stars, in the order of the inputs. */
function showAnswers(
  finished: FileSummary[],
  inputs: readonly string[],
  { axes, classes }: Labels,
  terminal: Terminal,
): void {
  finished.sort((a, b) => inputs.indexOf(a.input) - inputs.indexOf(b.input));
  const stars = finished.flatMap((summary) => summary.results);
  if (stars.length === 0) return;
  const total = finished.reduce((sum, summary) => sum + summary.fitted + summary.failed.length, 0);
  const targetids = finished.flatMap((summary) => summary.targetids);
  terminal.print(resultTable(stars, targetids, axes, total, classes).join("\n"));
}

/** What people see of a finished file. */
function report(summary: FileSummary, terminal: Terminal): void {
  if (summary.skipped) {
    terminal.log("info", `${shownPath(summary.input)}: output is there, left alone`);
    return;
  }
  terminal.log(
    "info",
    `${shownPath(summary.input)}: ${count(summary.fitted, "star")} in ${spent(summary.seconds)}`,
  );
  const outputs = [summary.rvtab, summary.rvmod].filter((path) => path !== null).map(shownPath);
  terminal.log("info", `written: ${outputs.join(", ")}`);
  for (const { row, why } of summary.failed) {
    terminal.log("error", `${shownPath(summary.input)}: row ${row} could not be fitted: ${why}`);
  }
  const stages = Object.entries(summary.stages).map(([name, seconds]) => `${name} ${seconds.toFixed(2)} s`);
  terminal.log("debug", `${shownPath(summary.input)}: ${stages.join(", ")}`);
}

/** A file in the document of --json. */
function fileDocument(summary: FileSummary, { axes, classes }: Labels) {
  const { results, targetids, ...rest } = summary;
  return {
    ...rest,
    stars: results.map((star, i) => ({
      targetid: targetids[i],
      rows: star.rows,
      vrad: star.vrad,
      vradErr: star.vradErr,
      vradErrMarginal: star.vradErrMarginal,
      vsini: star.vsini,
      vsiniErr: star.vsiniErr,
      ...Object.fromEntries(
        axes.flatMap((name, a) => [[name, star.params[a]], [`${name}Err`, star.paramErrs[a]]]),
      ),
      m2lnl: star.m2lnl,
      warn: star.warn,
      warnings: warnNames(star.warn).split(" ").filter((name) => name !== ""),
      reason: star.reason,
      ...(star.template < 0 ? {} : { template: star.template, class: classes?.[star.template] ?? null }),
    })),
  };
}

/** A picture of every star of a file, beside its rvtab. */
async function draw(summary: FileSummary, terminal: Terminal, signal: AbortSignal): Promise<string[]> {
  if (summary.rvtab === null || summary.results.length === 0) return [];
  const [{ StarFigures }, { writePicture }] = await Promise.all([
    import("../star_figure.ts"),
    import("../picture.ts"),
  ]);
  using figures = StarFigures.open(summary.rvtab, summary.input);
  const stem = basename(summary.rvtab).replace(/^rvtab_/, "").replace(/\.fits$/i, "");
  const written: string[] = [];
  for (const [row, targetid] of figures.stars()) {
    if (signal.aborted) break;
    const path = join(dirname(summary.rvtab), `fig_${stem}_${targetid}_${row}.png`);
    try {
      await writePicture(path, figures.figure({ targetid, row }));
      written.push(path);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      terminal.log("warning", `no picture: ${error.message}`);
    }
  }
  if (written.length > 0) {
    terminal.log(
      "info",
      `drawn: ${count(written.length, "picture")}, fig_${stem}_*.png in ${shownPath(dirname(summary.rvtab))}`,
    );
  }
  return written;
}

function count(n: number, thing: string): string {
  return `${n} ${thing}${n === 1 ? "" : "s"}`;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
