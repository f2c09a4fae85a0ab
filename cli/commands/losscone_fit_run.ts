/** What `twinspec losscone fit` and `losscone kappa` do. */
import { availableParallelism } from "node:os";
import { InputError } from "../../core/io/input_error.ts";
import type { InputOptions } from "../../core/losscone/input/source.ts";
import { DEFAULT_KAPPA_OPTIONS } from "../../core/losscone/kappa_options.ts";
import type { PotentialChoice } from "../../core/losscone/losscone_station.ts";
import { DEFAULT_LOSSCONE_OPTIONS, type LossconeOptions } from "../../core/losscone/options.ts";
import { fitSweeps } from "../../core/losscone/run.ts";
import type { LossconeRequest, LossconeSummary } from "../../core/losscone/run_types.ts";
import { lossconeTargets } from "../../gpu/losscone_targets.ts";
import { kappaTable, sweepSummary, sweepTable } from "../losscone_table.ts";
import { shownPath, userPath } from "../paths.ts";
import { Progress, spent } from "../progress.ts";
import type { Terminal } from "../terminal.ts";
import { VERSION } from "../version.ts";
import type { LossconeFitCommand, LossconeKappaCommand, LossconePlotCommand } from "./losscone.ts";

type Command = LossconeFitCommand | LossconeKappaCommand | LossconePlotCommand;

/** How the inputs are to be read. */
export function inputOptions({ year, month, day, theta, polarity }: Command): InputOptions {
  return {
    year: year ?? null,
    month: month ?? null,
    day: day ?? null,
    theta: theta === undefined ? null : userPath(theta),
    polarity: polarity ?? null,
  };
}

/** Where the potential of the spacecraft is from. @throws InputError where two ways are asked for */
export function potentialChoice({ uSpacecraft, spacecraftPotential }: Command): PotentialChoice {
  if (uSpacecraft !== undefined && spacecraftPotential !== undefined) {
    throw new InputError("--u-spacecraft and --spacecraft-potential contradict each other; give one of them");
  }
  if (spacecraftPotential !== undefined) return { kind: "fit" };
  return uSpacecraft === undefined ? { kind: "input" } : { kind: "constant", volts: uSpacecraft };
}

/** Options of the fit; those of a kappa fit are the defaults. */
export function lossconeOptions(command: Command): LossconeOptions {
  if (command.command === "losscone kappa") return { ...DEFAULT_LOSSCONE_OPTIONS, fill: command.fill };
  const { method, search, normalisation, incident, fill, seed } = command;
  return { ...DEFAULT_LOSSCONE_OPTIONS, method, search, normalisation, incident, fill, seed };
}

/**
 * Runs `losscone fit` or `losscone kappa`.
 *
 * @returns the exit code
 */
export async function runLosscone(
  command: LossconeFitCommand | LossconeKappaCommand,
  args: readonly string[],
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const wanted = command.command === "losscone fit" ? "losscone" : "kappa";
  const request: LossconeRequest = {
    wanted,
    inputs: command.inputs.map(userPath),
    input: inputOptions(command),
    ephemeris: command.ephemeris === undefined ? null : userPath(command.ephemeris),
    options: lossconeOptions(command),
    kappa: DEFAULT_KAPPA_OPTIONS,
    potential: potentialChoice(command),
    out: userPath(command.out),
    target: command.target,
    workers: command.workers ?? availableParallelism(),
    batch: command.batch ?? null,
    overwrite: command.overwrite,
    commandLine: ["twinspec", ...args].map(quoted).join(" "),
  };
  const progress = new Progress(terminal, "sweeps");
  let about: Record<string, unknown> = {};
  let done = 0, total = 0;
  let summary: LossconeSummary | null = null;
  try {
    summary = await fitSweeps(
      request,
      {
        onStart(sweeps, before, { target, workers, batch }) {
          [total, done] = [sweeps, before];
          about = { target, workers, batch };
          const again = before > 0 ? `, ${before} of them done before` : "";
          terminal.log(
            "info",
            `twinspec ${VERSION} · ${target}, ${count(Math.max(1, workers), "worker")}, batch ${batch} · ${
              count(sweeps, "sweep")
            }${again}`,
          );
          progress.start(sweeps, before);
        },
        onProgress(sweeps, all) {
          done = sweeps;
          progress.update(sweeps, all);
        },
        onNotice: (level, text) => terminal.log(level, text),
      },
      signal,
      lossconeTargets,
    );
  } catch (error) {
    progress.stop();
    if (!signal.aborted) throw error;
  }
  progress.stop();
  if (summary === null) {
    terminal.log(
      "warning",
      `Interrupted with ${done} of ${
        count(total, "sweep")
      } done; what is done is kept, and the same command goes on from there.`,
    );
    terminal.document({ program: "twinspec", version: VERSION, ...about, exitCode: 130 });
    return 130;
  }
  const table = wanted === "losscone" ? sweepTable : kappaTable;
  terminal.print([...table(summary.first, summary.sweeps), sweepSummary(summary, wanted)].join("\n"));
  terminal.log(
    "info",
    `written: ${shownPath(summary.npz)}, ${shownPath(summary.fits)} in ${spent(summary.seconds)}`,
  );
  const pictures = command.command === "losscone fit" && command.plot !== undefined
    ? await (await import("./losscone_plot_run.ts")).drawAll(command, summary, terminal, signal)
    : [];
  const code = signal.aborted ? 130 : summary.failed.length > 0 ? 1 : 0;
  const { first, ...rest } = summary;
  terminal.document({
    program: "twinspec",
    version: VERSION,
    ...about,
    exitCode: code,
    ...rest,
    firstSweeps: first.map(({ specNo, utc, fit, kappa, potential, temperature, reason }) => ({
      specNo,
      utc: utc[0] ?? "",
      reason,
      spacecraftPotential: potential.volts[0] ?? NaN,
      temperature,
      ...(fit === null ? {} : { fit }),
      ...(kappa === null ? {} : { kappa }),
    })),
    pictures,
  });
  for (const { specNo, why } of summary.failed.slice(0, 20)) {
    terminal.log("error", `sweep ${specNo} could not be fitted: ${why}`);
  }
  if (code === 1) {
    terminal.log(
      "error",
      `${count(summary.failed.length, "sweep")} could not be fitted for reasons outside the data.`,
    );
  }
  return code;
}

function count(n: number, thing: string): string {
  return `${n} ${thing}${n === 1 ? "" : "s"}`;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
