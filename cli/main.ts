/**
 * The command line of twinspec.
 *
 * Exit codes: 0 done; 1 some rows could not be fitted for reasons outside the data, or a fault of the program; 2 bad
 * usage or input; 3 the target asked for is absent; 130 interrupted.
 */
import { or } from "@optique/core/constructs";
import { commandLine, lineBreak, message } from "@optique/core/message";
import { run } from "@optique/run";
import { abortUnfinished } from "../core/io/atomic_write.ts";
import { InputError } from "../core/io/input_error.ts";
import { DeviceError } from "../gpu/errors.ts";
import { devices } from "./commands/devices.ts";
import { extract } from "./commands/extract.ts";
import { fit } from "./commands/fit.ts";
import { losscone } from "./commands/losscone.ts";
import { parity } from "./commands/parity.ts";
import { plot } from "./commands/plot.ts";
import { simulate } from "./commands/simulate.ts";
import { templates } from "./commands/templates.ts";
import { explain } from "./suggest.ts";
import { PROCESS_STREAMS, type Streams, Terminal } from "./terminal.ts";
import { VERSION } from "./version.ts";

/** Carries an exit code out of the parser. */
class Exit extends Error {
  constructor(readonly code: number) {
    super(`exit ${code}`);
  }
}

const PARSER = or(fit, simulate, templates, plot, extract, losscone, devices, parity);

function parse(args: readonly string[], streams: Streams) {
  return run(PARSER, {
    programName: "twinspec",
    args,
    brief: message`Fits spectra in bulk: radial velocities and stellar parameters with honest errors.`,
    examples: message`${commandLine("twinspec simulate --out coadd.fits --stars 100 --seed 1")}${lineBreak()}
${commandLine("twinspec fit coadd.fits --output-dir out")}${lineBreak()}
${commandLine("twinspec plot out/rvtab_coadd.fits --targetid 1000001 --out star.png")}`,
    footer:
      message`Exit codes: 0 done; 1 some rows could not be fitted; 2 bad usage or input; 3 no such target; 130 interrupted.`,
    help: "both",
    version: { value: VERSION, option: true, command: true },
    completion: "command",
    aboveError: "none",
    errorExitCode: 2,
    showDefault: true,
    stdout: (text) => streams.out(text + "\n"),
    stderr: (text) => streams.err(explain(text, PARSER.usage, args) + "\n"),
    onExit: (code): never => {
      throw new Exit(code);
    },
  });
}

/** Runs one command and returns its exit code. Never throws. */
export async function main(
  args: readonly string[],
  streams: Streams = PROCESS_STREAMS,
  signal: AbortSignal = new AbortController().signal,
): Promise<number> {
  let chosen: ReturnType<typeof parse>;
  try {
    chosen = parse(args, streams);
  } catch (error) {
    if (error instanceof Exit) return error.code;
    throw error;
  }
  const terminal = new Terminal(chosen, streams);
  try {
    switch (chosen.command) {
      case "fit":
        return await (await import("./commands/fit_run.ts")).runFit(chosen, args, terminal, signal);
      case "simulate":
        return await (await import("./commands/simulate_run.ts")).runSimulate(chosen, terminal, signal);
      case "templates import":
        return await (await import("./commands/templates_run.ts")).runImport(chosen, terminal);
      case "templates info":
        return await (await import("./commands/templates_run.ts")).runInfo(chosen, terminal);
      case "plot":
        return await (await import("./commands/plot_run.ts")).runPlot(chosen, terminal);
      case "extract":
        return await (await import("./commands/extract_run.ts")).runExtract(chosen, args, terminal, signal);
      case "extract simulate":
        return (await import("./commands/extract_run.ts")).runExtractSimulate(chosen, terminal);
      case "extract compare":
        return (await import("./commands/extract_run.ts")).runExtractCompare(chosen, terminal);
      case "losscone fit":
      case "losscone kappa":
        return await (await import("./commands/losscone_fit_run.ts"))
          .runLosscone(chosen, args, terminal, signal);
      case "losscone simulate":
        return await (await import("./commands/losscone_simulate_run.ts"))
          .runLossconeSimulate(chosen, terminal, signal);
      case "losscone plot":
        return await (await import("./commands/losscone_plot_run.ts")).runLossconePlot(chosen, terminal);
      case "devices":
        return (await import("./commands/devices_run.ts")).runDevices(chosen, terminal);
      case "parity":
        return (await import("./commands/parity_run.ts")).runParity(chosen, terminal);
    }
  } catch (error) {
    return fault(error, terminal, signal);
  }
}

/** Says in one sentence what went wrong; the stack is for --log-level debug. */
function fault(error: unknown, terminal: Terminal, signal: AbortSignal): number {
  terminal.status("");
  if (signal.aborted) {
    terminal.log("warning", "Interrupted.");
    return 130;
  }
  if (error instanceof DeviceError) {
    terminal.log("error", error.message);
    return 3;
  }
  // NotCapable: a path that the permissions of the program leave out, as those below /proc.
  if (error instanceof InputError || error instanceof Deno.errors.NotCapable) {
    terminal.log("error", error.message);
    return 2;
  }
  const [text] = (error instanceof Error ? error.message : String(error)).split("\n");
  terminal.log("error", `${text} (this is a fault of twinspec; --log-level debug shows where)`);
  if (terminal.debugging && error instanceof Error && error.stack) terminal.streams.err(error.stack + "\n");
  return 1;
}

if (import.meta.main) {
  const abort = new AbortController();
  const interrupt = () => {
    if (abort.signal.aborted) {
      abortUnfinished();
      Deno.exit(130);
    }
    abort.abort(new DOMException("interrupted", "AbortError"));
  };
  // The other commands never pause to hear a signal: the system ends them.
  const [command, subcommand] = Deno.args;
  const pausing = command === "extract"
    ? !["simulate", "compare"].includes(subcommand)
    : command === "losscone"
    ? subcommand !== "plot"
    : ["fit", "simulate"].includes(command);
  if (pausing) {
    Deno.addSignalListener("SIGINT", interrupt);
    Deno.addSignalListener("SIGTERM", interrupt);
  }
  Deno.exit(await main(Deno.args, PROCESS_STREAMS, abort.signal));
}
