/** What `twinspec losscone simulate` does. */
import { MIXED } from "../../core/losscone/simulate.ts";
import { writeSimulatedSweeps } from "../../core/losscone/simulate_file.ts";
import { shownPath, userPath } from "../paths.ts";
import { Progress, spent } from "../progress.ts";
import type { Terminal } from "../terminal.ts";
import { VERSION } from "../version.ts";
import type { LossconeSimulateCommand } from "./losscone.ts";

/**
 * Runs `losscone simulate`.
 *
 * @returns the exit code
 */
export async function runLossconeSimulate(
  command: LossconeSimulateCommand,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const { sweeps, seed, mixed, isotropic, overwrite } = command;
  const start = performance.now();
  const progress = new Progress(terminal, "sweeps");
  progress.start(sweeps, 0);
  let files: string[];
  try {
    const options = { sweeps, seed, lossCone: !isotropic, ...(mixed ? { groups: MIXED } : {}) };
    files = await writeSimulatedSweeps(
      { out: userPath(command.out), options, overwrite },
      (done) => progress.update(Math.floor(done), sweeps),
      signal,
    );
  } finally {
    progress.stop();
  }
  const seconds = (performance.now() - start) / 1000;
  const shown = files.length > 4
    ? `${shownPath(files[0])} … ${shownPath(files.at(-1)!)} (${files.length} files)`
    : files.map(shownPath).join(", ");
  terminal.log("info", `written: ${shown} in ${spent(seconds)}`);
  terminal.document({ program: "twinspec", version: VERSION, files, sweeps, seed, seconds });
  return 0;
}
