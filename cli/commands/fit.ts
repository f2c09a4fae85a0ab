/** `twinspec fit`: options. What it does is in fit_run.ts, which is loaded only when needed. */
import { merge, object } from "@optique/core/constructs";
import { commandLine, lineBreak, message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument, command, constant, option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import { DEFAULT_OPTIONS } from "../../core/stellar/options.ts";
import { talk, where } from "../common.ts";
import { arms, fixed, number, prior, targetids, whole } from "../values.ts";

const file = path({ metavar: "FILE" });
const folder = path({ metavar: "DIR" });

const input = object("Input", {
  command: constant("fit"),
  inputs: multiple(
    argument(file, {
      description: message`Spectra: DESI coadd-* and spectra-*, SDSS/BOSS spec-*, LAMOST; gzipped or not.`,
    }),
    { min: 1, errors: { tooFew: message`No FILE to fit was given.` } },
  ),
  arms: optional(option("--arms", arms(), { description: message`Fit these arms only, as in b,r,z.` })),
  minSn: optional(
    option("--min-sn", number("X"), {
      description: message`Fit rows whose best arm has a median S/N above X; without it, all.`,
    }),
  ),
  targetids: multiple(
    option("--targetid", targetids(), { description: message`Fit these targets only; may be repeated.` }),
  ),
  jointBy: optional(
    option("--joint-by", choice(["TARGETID"], { metavar: "COLUMN", caseInsensitive: true }), {
      description: message`Join the exposures of a star in one fit: TARGETID.`,
    }),
  ),
});

const model = object("Model", {
  library: optional(
    option("--library", path({ metavar: "PATH" }), {
      description: message`Template library; without it, the built-in one.`,
    }),
  ),
  resolutionMatrix: option("--resolution-matrix", {
    description: message`Use the resolution matrices of the data instead of the nominal line spread.`,
  }),
  bandLimit: option("--band-limit", {
    description:
      message`With --resolution-matrix: leave out of the templates the detail that the data's pixels cannot carry.`,
  }),
  npoly: withDefault(
    option("--npoly", whole("N", 1, 30), { description: message`Continuum coefficients per arm.` }),
    DEFAULT_OPTIONS.npoly,
  ),
  continuum: withDefault(
    option("--continuum", choice(["rbf", "chebyshev"], { metavar: "BASIS" }), {
      description: message`Continuum basis: rbf (three low orders and Gaussians) or chebyshev.`,
    }),
    DEFAULT_OPTIONS.continuum,
  ),
  maxVel: withDefault(
    option("--max-vel", number("KM_S", 10, 5000), { description: message`Search −KM_S … +KM_S.` }),
    DEFAULT_OPTIONS.maxVel,
  ),
  rvOnly: option("--rv-only", { description: message`Velocity and template only, no parameters.` }),
  fix: multiple(
    option("--fix", fixed(), {
      description: message`Hold a parameter (vrad, vsini or one of the library's) fixed; may be repeated.`,
    }),
  ),
  priors: multiple(
    option("--prior", prior(), { description: message`Gaussian prior on a parameter; may be repeated.` }),
  ),
});

const work = object("Work", {
  ...where,
  batch: optional(
    option("--batch", whole("N", 1, 65536), {
      description: message`Stars that step together, at most; without it, 64 on WASM and what fits on a GPU.`,
    }),
  ),
});

const output = object("Output", {
  outputDir: withDefault(
    option("--output-dir", folder, { description: message`Where rvtab_*.fits and rvmod_*.fits go.` }),
    ".",
  ),
  plot: option("--plot", { description: message`A picture (PNG) of every star beside the tables.` }),
  overwrite: option("--overwrite", { description: message`Replace existing output.` }),
  skipExisting: option("--skip-existing", { description: message`Leave inputs alone whose output exists.` }),
});

const options = merge(input, model, work, output, talk);

export const fit = command("fit", options, {
  brief: message`Fit radial velocities and stellar parameters.`,
  description:
    message`Fits every star of the files; writes one rvtab (answers) and one rvmod (models) for each file. An interrupted fit goes on where it stopped when the same command is given again.`,
  footer: message`Examples:${lineBreak()}
  ${commandLine("twinspec fit coadd-main-dark-10378.fits --output-dir out")}${lineBreak()}
  ${commandLine("twinspec fit spec-*.fits --library phoenix.fits --min-sn 5 --plot")}${lineBreak()}
  ${
    commandLine(
      "twinspec fit coadd.fits --targetid 39627612345,39627612346 --fix alpha=0 --prior feh=-0.5,0.3",
    )
  }`,
});

export type FitCommand = InferValue<typeof options>;
