/** What `twinspec simulate` does. */
import { existsSync } from "node:fs";
import { InputError } from "../../core/io/input_error.ts";
import { SIMULATED_ARMS } from "../../core/stellar/simulate_arms.ts";
import { makeEvaluate } from "../../core/stellar/simulate_evaluate.ts";
import { writeSimulation } from "../../core/stellar/simulate_file.ts";
import { builtinLibraryPath } from "../../core/templates/builtin_path.ts";
import { readTemplates } from "../../core/templates/open_templates.ts";
import { prepareArm } from "../../core/templates/prepare.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { shownPath, userPath } from "../paths.ts";
import { Progress, spent } from "../progress.ts";
import type { Terminal } from "../terminal.ts";
import { VERSION } from "../version.ts";
import type { SimulateCommand } from "./simulate.ts";

/** Largest |velocity| and vsini that are drawn, km/s. */
const MOST_VELOCITY = 300;
const MOST_VSINI = 150;

/**
 * Runs `simulate`.
 *
 * @returns the exit code
 */
export async function runSimulate(
  command: SimulateCommand,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const { stars, seed, snMin, snMax, margin, resolutionMatrix } = command;
  const out = userPath(command.out);
  if (snMax < snMin) throw new InputError(`--sn-max ${snMax} is below --sn-min ${snMin}`);
  if (existsSync(out) && !command.overwrite) {
    throw new InputError(`${out}: is there already; give --overwrite to replace it`);
  }
  const library = readTemplates(
    command.library === undefined ? builtinLibraryPath() : userPath(command.library),
  );
  if (library.axes.length === 0) {
    throw new InputError(`library ${library.name} has no stellar parameters to draw a truth from`);
  }
  const start = performance.now();
  const arms = SIMULATED_ARMS.map(({ setup, lam, fwhm, ndiag }) => ({
    lam,
    ndiag,
    prepared: prepareArm(library, {
      setup,
      lam,
      medium: "vacuum",
      lsf: { kind: "fwhm", angstrom: fwhm },
      resolutionMatrix,
      maxVel: MOST_VELOCITY,
    }),
  }));
  const target = loadWasmTarget();
  terminal.log(
    "info",
    `twinspec ${VERSION} · ${target.name} · library ${library.name} · ${stars} stars, seed ${seed}`,
  );
  const progress = new Progress(terminal, "stars");
  progress.start(stars, 0);
  try {
    await writeSimulation(
      {
        path: out,
        stars,
        options: { seed, snMin, snMax, margin, resolutionMatrix },
        grid: library,
        evaluate: makeEvaluate(target, library, arms, MOST_VSINI),
        sigma0: arms.map(({ prepared }) => prepared.sigma0),
        library,
        version: VERSION,
      },
      (done) => progress.update(done, stars),
      signal,
    );
  } finally {
    progress.stop();
  }
  const seconds = (performance.now() - start) / 1000;
  terminal.log("info", `written: ${shownPath(out)} in ${spent(seconds)}`);
  terminal.document({
    program: "twinspec",
    version: VERSION,
    file: out,
    stars,
    seed,
    library: library.name,
    seconds,
  });
  return 0;
}
