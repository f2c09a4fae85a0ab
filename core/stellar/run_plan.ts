/** Everything that is checked before a run of fits begins: inputs, options, outputs. */
import { existsSync, realpathSync, rmSync, statSync } from "node:fs";
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { FitsFile } from "../io/fits_read.ts";
import { InputError } from "../io/input_error.ts";
import type { SpectrumFile } from "../io/spectra.ts";
import { canonical } from "../identity.ts";
import { journalIdentity } from "../journal.ts";
import type { FitOptions } from "./options.ts";
import { headerText } from "./output_header.ts";
import { type OutputPaths, planOutputs } from "./output_names.ts";
import { VERSION } from "./output_version.ts";

import type { FitLibrary } from "./run_jobs.ts";
import type { FitRequest } from "./run_types.ts";
import { selectStars } from "./selection.ts";

export interface PlannedFile {
  readonly paths: OutputPaths;
  /** Its output is there and complete. */
  readonly skip: boolean;
}

/** Input paths without repetition. */
export function distinctInputs(inputs: readonly string[], onNotice: (text: string) => void): string[] {
  if (inputs.length === 0) throw new InputError("no input files were given");
  const seen = new Map<string, string>();
  for (const input of inputs) {
    const path = resolve(input);
    const real = realPath(path);
    if (seen.has(real)) onNotice(`${path} was given twice: it is fitted once`);
    else seen.set(real, path);
  }
  return [...seen.values()];
}

/** Names the outputs and looks at those that are there. @throws InputError where one would be overwritten */
export function planFiles(
  request: FitRequest,
  inputs: readonly string[],
  onNotice: (text: string) => void,
): PlannedFile[] {
  return planOutputs(inputs, request.outputDir).map((paths) => ({
    paths,
    skip: isDone(paths, request, onNotice),
  }));
}

function isDone(paths: OutputPaths, request: FitRequest, onNotice: (text: string) => void): boolean {
  const { input, rvtab, rvmod, journal } = paths;
  const hint = "give --overwrite to replace it or --skip-existing to keep it";
  if (existsSync(rvtab)) {
    if (request.overwrite) return false;
    const made = madeFrom(rvtab);
    if (request.skipExisting) {
      if (made.input === headerText(input)) return true;
      const other = made.input === null ? "is no output of this program" : `was made from ${made.input}`;
      throw new InputError(
        `${rvtab}: ${other}, not from ${input}: give another --output-dir, or --overwrite`,
      );
    }
    if (made.identity !== null && journalIdentityOrNull(journal) === made.identity) {
      // Killed between the last rename and the end of the journal.
      rmSync(journal, { force: true });
      onNotice(`${rvtab} is complete`);
      return true;
    }
    throw new InputError(`${rvtab}: exists already; ${hint}`);
  }
  if (existsSync(rvmod) && !request.overwrite && !existsSync(journal)) {
    if (!request.skipExisting) throw new InputError(`${rvmod}: exists already; ${hint}`);
    const made = madeFrom(rvmod);
    if (made.input !== headerText(input)) {
      throw new InputError(`${rvmod}: was not made from ${input}: give another --output-dir, or --overwrite`);
    }
  }
  return false;
}

/** What an output says it was made from. */
function madeFrom(output: string): { input: string | null; identity: string | null } {
  try {
    using fits = FitsFile.open(output);
    const { header } = fits.hdus[0];
    return { input: header.string("IN_FILE") ?? null, identity: header.string("RUNHASH") ?? null };
  } catch {
    return { input: null, identity: null };
  }
}

function journalIdentityOrNull(path: string): string | null {
  try {
    return journalIdentity(path);
  } catch {
    return null;
  }
}

/** Checks options against the library. @throws InputError */
export function checkOptions(options: FitOptions, library: FitLibrary): void {
  const axes = options.rvOnly ? [] : library.axes;
  const names = ["vrad", "vsini", ...axes.map(({ name }) => name)];
  for (const [option, given] of [["--fix", options.fix], ["--prior", options.priors]] as const) {
    const unknown = Object.keys(given).find((name) => !names.includes(name));
    if (unknown !== undefined) {
      throw new InputError(
        `${option}: no parameter ${unknown}; library ${library.name} has ${names.join(", ")}`,
      );
    }
  }
  const limits: readonly (readonly [name: string, low: number, high: number, of: string])[] = [
    ["vrad", -options.maxVel, options.maxVel, "the range of --max-vel"],
    ["vsini", 0, options.maxVsini, "what is searched"],
    ...axes.map(({ name, values }) =>
      [name, values[0], values[values.length - 1], `library ${library.name}`] as const
    ),
  ];
  for (const [name, low, high, of] of limits) {
    const value = options.fix[name];
    if (value === undefined || (value >= low && value <= high)) continue;
    throw new InputError(`--fix: ${name}=${value} is outside ${of}, ${low} … ${high}`);
  }
  if (options.bandLimit && !options.resolutionMatrix) {
    throw new InputError("--band-limit belongs to --resolution-matrix: give both or neither");
  }
  if (library.axes.length === 0 && !options.rvOnly) {
    throw new InputError(`library ${library.name} has no stellar parameters: add --rv-only`);
  }
}

/**
 * The arms to fit, as indices into `file.arms`: those asked for, or all that need not be asked for.
 *
 * @throws InputError where one is asked for that is not there, or has no resolution matrix where that is asked for
 */
export function chooseArms(file: SpectrumFile, options: FitOptions): number[] {
  const names = file.arms.map(({ arm }) => arm.toLowerCase());
  const wanted = options.arms?.map((arm) => arm.toLowerCase()) ??
    names.filter((_, i) => file.arms[i].onRequest === undefined);
  const missing = wanted.find((arm) => !names.includes(arm));
  if (missing !== undefined) {
    throw new InputError(`${file.path}: has no arm ${missing}; it has ${names.join(", ") || "none"}`);
  }
  const arms = names.flatMap((name, i) => wanted.includes(name) ? [i] : []);
  const plain = arms.find((arm) => file.arms[arm].ndiag === 0);
  if (options.resolutionMatrix && plain !== undefined) {
    throw new InputError(
      `${file.path}: arm ${names[plain]} has no resolution matrix; run without --resolution-matrix`,
    );
  }
  return arms;
}

/** Stars to fit in a file. */
export function chooseStars(file: SpectrumFile, arms: readonly number[], request: FitRequest): number[][] {
  const { minSn, targetids, options } = request;
  return selectStars(file, { arms, minSn, targetids, joint: options.jointByTargetid });
}

/** SHA-256 of everything that changes an answer, hexadecimal. */
export function identityOf(
  path: string,
  arms: readonly string[],
  stars: readonly (readonly number[])[],
  library: FitLibrary,
  options: FitOptions,
  target: string,
): string {
  const { size, mtimeMs } = statSync(path);
  const hash = createHash("sha256");
  const parts = { program: VERSION, target, options, library: library.checksum, path, size, mtimeMs };
  hash.update(canonical({ ...parts, arms }));
  for (const rows of stars) hash.update(`${rows.join(",")};`);
  return hash.digest("hex");
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
