/** `twinspec losscone fit`, `kappa`, `simulate`, `plot`: options. What they do is in losscone_*.ts. */
import { merge, object, or } from "@optique/core/constructs";
import { commandLine, lineBreak, message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument, command, constant, option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import { DEFAULT_LOSSCONE_OPTIONS } from "../../core/losscone/options.ts";
import { talk, where } from "../common.ts";
import { number, polarity, whole } from "../values.ts";

const file = path({ metavar: "FILE" });

const input = object("Input", {
  inputs: multiple(
    argument(path({ metavar: "INPUT" }), {
      description:
        message`PDS 3-D flux tables 3DYYMMDD.TAB with their theta.tab, folders of them, or an NPZ of prepared sweeps.`,
    }),
    { min: 1, errors: { tooFew: message`No INPUT was given.` } },
  ),
  year: optional(option("--year", whole("YYYY", 1950, 2050), { description: message`Tables of this year.` })),
  month: optional(option("--month", whole("MM", 1, 12), { description: message`Tables of this month.` })),
  day: optional(option("--day", whole("DD", 1, 31), { description: message`Tables of this day.` })),
  theta: optional(
    option("--theta", file, {
      description: message`Elevations of the cells; without it, theta.tab beside the table.`,
    }),
  ),
  ephemeris: optional(
    option("--ephemeris", file, {
      description:
        message`CSV with the columns utc,x,y,z,spin_x,spin_y,spin_z: UTC, spacecraft in km and spin axis (any length), both Moon-fixed (IAU_MOON). Gives polarity, places and sunlight.`,
    }),
  ),
  polarity: optional(
    option("--polarity", polarity(), {
      description: message`Which of ±B points to the Moon, for all sweeps; without ephemeris.`,
    }),
  ),
  fill: withDefault(
    option("--fill", choice(["missing", "reference"], { metavar: "HOW" }), {
      description:
        message`PDS fill values are missing data, or (reference) numbers as in the reference program, for comparison only.`,
    }),
    DEFAULT_LOSSCONE_OPTIONS.fill,
  ),
});

const spacecraft = object("Spacecraft", {
  uSpacecraft: optional(
    option("--u-spacecraft", number("V", -5000, 5000), {
      description: message`Potential of the spacecraft for all sweeps, in place of that of the input.`,
    }),
  ),
  spacecraftPotential: optional(
    option("--spacecraft-potential", choice(["fit"], { metavar: "HOW" }), {
      description: message`fit: the potential of the spacecraft from the electrons, sweep by sweep.`,
    }),
  ),
});

const search = object("Fit", {
  method: withDefault(
    option("--method", choice(["halekas", "lillis"], { metavar: "METHOD" }), {
      description: message`halekas (logarithms of all cells) or lillis (cells between 0.07 and 0.79).`,
    }),
    DEFAULT_LOSSCONE_OPTIONS.method,
  ),
  search: withDefault(
    option("--search", choice(["exact", "evolution"], { metavar: "SEARCH" }), {
      description: message`exact (the global minimum), or differential evolution as the reference.`,
    }),
    DEFAULT_LOSSCONE_OPTIONS.search,
  ),
  normalisation: withDefault(
    option("--normalisation", choice(["ratio", "ratio2"], { metavar: "MODE" }), {
      description: message`Flux over the incident flux of its row, or over that at the opposite pitch.`,
    }),
    DEFAULT_LOSSCONE_OPTIONS.normalisation,
  ),
  incident: withDefault(
    option("--incident", choice(["mean", "max"], { metavar: "STATISTIC" }), {
      description: message`Incident flux that ratio divides by.`,
    }),
    DEFAULT_LOSSCONE_OPTIONS.incident,
  ),
  seed: withDefault(
    option("--seed", whole("N", 0), { description: message`Of the random numbers of the evolution.` }),
    DEFAULT_LOSSCONE_OPTIONS.seed,
  ),
});

const work = object("Work", {
  ...where,
  batch: optional(
    option("--batch", whole("N", 1, 65536), {
      description: message`Sweeps that step together, at most; without it, what suits the target.`,
    }),
  ),
});

const output = object("Output", {
  out: option("--out", path({ metavar: "FILE.npz" }), {
    description: message`Arrays to write, with the keys of the reference; the FITS table goes beside it.`,
  }),
  overwrite: option("--overwrite", { description: message`Replace existing output.` }),
});

const pictures = object("Pictures", {
  plot: optional(
    option("--plot", path({ metavar: "DIR" }), {
      description: message`A picture (PNG) of every fitted sweep, in this folder.`,
    }),
  ),
});

const fitOptions = merge(
  object({ command: constant("losscone fit") }),
  input,
  spacecraft,
  search,
  work,
  output,
  pictures,
  talk,
);

const kappaOptions = merge(
  object({ command: constant("losscone kappa") }),
  input,
  spacecraft,
  work,
  output,
  talk,
);

const simulateOptions = merge(
  object("Sweeps", {
    command: constant("losscone simulate"),
    out: option("--out", path({ metavar: "FILE" }), {
      description:
        message`NAME.npz with the truth; a table 3DYYMMDD.TAB, or a folder for one a day, with theta.tab and ephemeris.csv beside.`,
    }),
    sweeps: withDefault(
      option("--sweeps", whole("N", 0, 10_000_000), { description: message`Number of sweeps.` }),
      200,
    ),
    seed: withDefault(
      option("--seed", whole("N", 0), {
        description: message`A sweep depends on the seed and its own number alone.`,
      }),
      1,
    ),
    mixed: option("--mixed", {
      description: message`Some sweeps with holes, fill values, charged spacecraft, no polarity or no data.`,
    }),
    isotropic: option("--isotropic", { description: message`No loss cone: for losscone kappa.` }),
    overwrite: option("--overwrite", { description: message`Replace existing files.` }),
  }),
  talk,
);

const plotOptions = merge(
  object({ command: constant("losscone plot") }),
  input,
  object("Picture", {
    sweep: option("--sweep", whole("N", 0), {
      description: message`Number of the sweep: its spec_no, or its place in an NPZ without one.`,
    }),
    out: optional(
      option("--out", path({ metavar: "PICTURE" }), {
        description: message`Picture to write, .png or .svg; without it, sweep_N.png here.`,
      }),
    ),
  }),
  spacecraft,
  search,
  talk,
);

export const losscone = command(
  "losscone",
  or(
    command("fit", fitOptions, {
      brief: message`Fit the potential of the lunar surface.`,
      description:
        message`Fits surface potential, field ratio and beam of every sweep; writes an NPZ with the reference's keys and a FITS table. An interrupted fit goes on where it stopped when the same command is given again.`,
      footer: message`Examples:${lineBreak()}
  ${commandLine("twinspec losscone fit sweeps.npz --out fit.npz")}${lineBreak()}
  ${
        commandLine(
          "twinspec losscone fit 1999/ --month 4 --ephemeris lp.csv --spacecraft-potential fit --out april.npz",
        )
      }${lineBreak()}
  ${
        commandLine(
          "twinspec losscone fit 3D990429.TAB --polarity -1 --u-spacecraft 11 --method lillis --out fit.npz",
        )
      }`,
    }),
    command("kappa", kappaOptions, {
      brief: message`Fit kappa distributions of the incident electrons.`,
      description:
        message`Fits density, kappa and temperature of the incident electrons of every sweep; with --spacecraft-potential fit also the potential that they charge the spacecraft to.`,
      footer: message`Example:${lineBreak()}
  ${commandLine("twinspec losscone kappa sweeps.npz --out kappa.npz")}`,
    }),
    command("simulate", simulateOptions, {
      brief: message`Simulate sweeps of known truth.`,
      footer: message`Examples:${lineBreak()}
  ${commandLine("twinspec losscone simulate --out sweeps.npz --sweeps 200 --seed 1")}${lineBreak()}
  ${commandLine("twinspec losscone simulate --out 3D990429.TAB --sweeps 1080")}`,
    }),
    command("plot", plotOptions, {
      brief: message`Draw one sweep: data, model, loss cone, map of chi-square.`,
      footer: message`Example:${lineBreak()}
  ${commandLine("twinspec losscone plot sweeps.npz --sweep 3 --out sweep.svg")}`,
    }),
  ),
  { brief: message`Potential of the lunar surface from electron sweeps.` },
);

export type LossconeFitCommand = InferValue<typeof fitOptions>;
export type LossconeKappaCommand = InferValue<typeof kappaOptions>;
export type LossconeSimulateCommand = InferValue<typeof simulateOptions>;
export type LossconePlotCommand = InferValue<typeof plotOptions>;
