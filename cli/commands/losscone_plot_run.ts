/** What `twinspec losscone plot` does, and the pictures of `losscone fit --plot`. */
import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { InputError } from "../../core/io/input_error.ts";
import { makeLossconeFitter } from "../../core/losscone/fitter.ts";
import { readEphemeris } from "../../core/losscone/geometry/ephemeris.ts";
import { openSweeps } from "../../core/losscone/input/open_sweeps.ts";
import type { SweepSource } from "../../core/losscone/input/source.ts";
import { DEFAULT_KAPPA_OPTIONS } from "../../core/losscone/kappa_options.ts";
import { type LossconeJob, readyBatch } from "../../core/losscone/losscone_station.ts";
import { portraitOf } from "../../core/losscone/portrait.ts";
import { jobOf } from "../../core/losscone/run.ts";
import type { LossconeSummary } from "../../core/losscone/run_types.ts";
import type { Target } from "../../core/target.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { type LossconeFigure, renderLosscone } from "../losscone_figure.ts";
import { setText } from "../losscone_table.ts";
import { shownPath, userPath } from "../paths.ts";
import { checkPictureName, writeSvg } from "../picture.ts";
import type { Terminal } from "../terminal.ts";
import type { LossconeFitCommand, LossconePlotCommand } from "./losscone.ts";
import { inputOptions, lossconeOptions, potentialChoice } from "./losscone_fit_run.ts";

/**
 * Runs `losscone plot`.
 *
 * @returns the exit code
 */
export async function runLossconePlot(command: LossconePlotCommand, terminal: Terminal): Promise<number> {
  const out = userPath(command.out ?? `sweep_${command.sweep}.png`);
  checkPictureName(out);
  const source = openSweeps(
    command.inputs.map(userPath),
    inputOptions(command),
    (level, text) => terminal.log(level, text),
  );
  try {
    const figure = figureOf(
      loadWasmTarget(),
      source,
      findSweep(source, command.sweep),
      jobFor(command, source),
    );
    await writeSvg(out, renderLosscone(figure));
    terminal.log("info", `${figure.title}: ${shownPath(out)}`);
    terminal.document({ picture: out, title: figure.title, answers: figure.subtitle, fit: figure.fit });
    return 0;
  } finally {
    source.close();
  }
}

/** Draws every fitted sweep of a run. @returns the pictures */
export async function drawAll(
  command: LossconeFitCommand,
  { sweeps, npz }: LossconeSummary,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<string[]> {
  const folder = userPath(command.plot!), stem = basename(npz).replace(/\.npz$/i, "");
  mkdirSync(folder, { recursive: true });
  const source = openSweeps(command.inputs.map(userPath), inputOptions(command));
  const target = loadWasmTarget(), written: string[] = [];
  try {
    const job = jobFor(command, source);
    for (let sweep = 0; sweep < sweeps && !signal.aborted; sweep++) {
      await new Promise((next) => setTimeout(next));
      try {
        const path = join(folder, `${stem}_${source.head(sweep).specNo}.png`);
        await writeSvg(path, renderLosscone(figureOf(target, source, sweep, job)));
        written.push(path);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        terminal.log("debug", `no picture: ${error.message}`);
      }
    }
  } finally {
    source.close();
  }
  const pictures = `${written.length} ${written.length === 1 ? "picture" : "pictures"}`;
  terminal.log("info", `drawn: ${pictures}, ${stem}_*.png in ${shownPath(folder)}`);
  return written;
}

function jobFor(command: LossconePlotCommand | LossconeFitCommand, source: SweepSource): LossconeJob {
  return jobOf(
    {
      wanted: "losscone",
      input: inputOptions(command),
      options: lossconeOptions(command),
      kappa: DEFAULT_KAPPA_OPTIONS,
      potential: potentialChoice(command),
    },
    source,
    command.ephemeris === undefined ? null : readEphemeris(userPath(command.ephemeris)),
  );
}

/** Place of a sweep by its number. @throws InputError where there is none */
function findSweep(source: SweepSource, specNo: number): number {
  for (let sweep = 0; sweep < source.sweeps; sweep++) if (source.head(sweep).specNo === specNo) return sweep;
  const [first, last] = [0, source.sweeps - 1].map((sweep) => source.head(sweep).specNo);
  throw new InputError(
    `${source.paths[0]}: has no sweep ${specNo}; its ${source.sweeps} sweeps are numbered ${first} … ${last}`,
  );
}

/** @throws InputError where the sweep has no fit: nothing to draw */
function figureOf(target: Target, source: SweepSource, sweep: number, job: LossconeJob): LossconeFigure {
  const raw = source.load([sweep]).batch, [{ specNo, path }] = raw.heads;
  const { read, reasonFor } = readyBatch(target, job, raw);
  const [fit] = makeLossconeFitter(target, job.options).fit(read.batch);
  const utc = read.utc[0][0] ?? "";
  if (!Number.isFinite(fit.u)) {
    throw new InputError(`${path}: sweep ${specNo} has no fit to draw: ${reasonFor(0, fit)}`);
  }
  const volts = read.batch.uSpacecraft.find((v) => !Number.isNaN(v)) ?? NaN;
  const minus = (value: number, digits: number) => value.toFixed(digits).replace("-", "−");
  return {
    title: `Sweep ${specNo}${utc === "" ? "" : `  ·  ${utc}`}  ·  ${basename(path)}`,
    subtitle: [
      `U = ${minus(fit.u, 1)} V, 68 % set ${setText(fit.confidence)} V`,
      `Bs/Bm = ${minus(fit.bsOverBm, 3)}`,
      `beam ${minus(fit.beamAmp, 2)}`,
      `spacecraft ${minus(volts, 1)} V`,
      `χ² = ${Number(fit.chi2.toPrecision(4))} over ${fit.validCells} cells (${job.options.method})`,
    ].join("  ·  "),
    portrait: portraitOf(target, read.batch, job.options, fit),
    fit,
    options: job.options,
  };
}
