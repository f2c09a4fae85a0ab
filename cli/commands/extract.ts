/** `twinspec extract`, `extract simulate`, `extract compare`: options. */
import { merge, object, or } from "@optique/core/constructs";
import { commandLine, lineBreak, message } from "@optique/core/message";
import { multiple, optional, withDefault } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument, command, constant, option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import { DEFAULT_EXTRACTION } from "../../core/extraction/job.ts";
import { talk, where } from "../common.ts";
import { number, wavelengthGrid, whole } from "../values.ts";

const file = path({ metavar: "FILE" });

const files = object("Files", {
  command: constant("extract"),
  input: multiple(
    option("-i", "--input", file, {
      description: message`Preprocessed image, gzipped or not; may be repeated, with an -o for each.`,
    }),
    { min: 1, errors: { tooFew: message`No image was given; name one with -i.` } },
  ),
  psf: multiple(
    option("-p", "--psf", file, {
      description: message`PSF file of the camera: one for all images, or one each.`,
    }),
    { min: 1, errors: { tooFew: message`No PSF was given; name it with -p.` } },
  ),
  output: multiple(option("-o", "--output", file, { description: message`Frame to write.` }), {
    min: 1,
    errors: { tooFew: message`No output was given; name it with -o.` },
  }),
  model: multiple(
    option("-m", "--model", file, { description: message`Image of the pixel model to write.` }),
  ),
  plot: optional(
    option("--plot", path({ metavar: "DIR" }), {
      description: message`A picture (PNG) of every bundle, in this folder.`,
    }),
  ),
  float64: option("--float64", { description: message`FLUX and IVAR in double precision, for comparisons.` }),
  overwrite: option("--overwrite", { description: message`Replace existing output.` }),
});

const what = object("What", {
  wavelength: optional(
    option("-w", "--wavelength", wavelengthGrid(), {
      description: message`Bins, Å; without it, all that the PSF is made for in steps of 0.8.`,
    }),
  ),
  specmin: withDefault(option("-s", "--specmin", whole("N", 0), { description: message`First fibre.` }), 0),
  nspec: optional(
    option("-n", "--nspec", whole("N", 1), {
      description: message`How many fibres; without it, all from there on.`,
    }),
  ),
  maskBits: withDefault(
    option("--mask-bits", choice(["desi", "any"], { metavar: "WHICH" }), {
      description:
        message`Pixels left out: those that the DESI pipeline leaves out, or any with a bit of MASK set.`,
    }),
    "desi",
  ),
  barycentric: option("--barycentric-correction", {
    description:
      message`Bins uniform at the barycentre of the solar system, by the header's time and pointing.`,
  }),
});

const how = object("How", {
  tiling: withDefault(
    option("--tiling", choice(["bundle", "reference"], { metavar: "TILING" }), {
      description:
        message`bundle: each bundle exactly, as one system; reference: the overlapping patches of spex.`,
    }),
    DEFAULT_EXTRACTION.tiling,
  ),
  bundleSize: withDefault(
    option("--bundlesize", whole("N", 1, 500), { description: message`Fibres of a bundle.` }),
    25,
  ),
  nsubbundles: withDefault(
    option("--nsubbundles", whole("N", 1, 500), {
      description: message`Parts of a bundle (reference tiling).`,
    }),
    DEFAULT_EXTRACTION.nsubbundles,
  ),
  nwavestep: withDefault(
    option("--nwavestep", whole("N", 1, 10_000), {
      description: message`Bins of a patch (reference tiling).`,
    }),
    DEFAULT_EXTRACTION.nwavestep,
  ),
  wavepad: withDefault(
    option("--wavepad", whole("N", 0, 1000), {
      description: message`Bins beyond both ends of a patch (reference tiling).`,
    }),
    DEFAULT_EXTRACTION.wavepad,
  ),
  pixpadFrac: withDefault(
    option("--pixpad-frac", number("X", 0, 1), {
      description: message`Part used of the rows that only padding bins touch (reference tiling).`,
    }),
    DEFAULT_EXTRACTION.pixpadFrac,
  ),
  wavepadFrac: withDefault(
    option("--wavepad-frac", number("X", 0, 10), {
      description: message`Padding bins more, as a fraction of --wavepad (reference tiling).`,
    }),
    DEFAULT_EXTRACTION.wavepadFrac,
  ),
  psferr: optional(
    option("--psferr", number("X", 0), {
      description:
        message`Relative error of the pixel model in CHI2PIX; without it, what the PSF file says, or 0.01.`,
    }),
  ),
  regularize: withDefault(
    option("--regularize", number("R", 0), { description: message`Prior towards zero flux of every bin.` }),
    DEFAULT_EXTRACTION.regularize,
  ),
});

const extractOptions = merge(files, what, how, object("Work", where), talk);

const simulateOptions = merge(
  object("Simulate", {
    command: constant("extract simulate"),
    psf: option("-p", "--psf", file, { description: message`PSF file of the camera.` }),
    out: option("--out", file, { description: message`Image to write.` }),
    truth: option("--truth", file, { description: message`File of the truth to write.` }),
    seed: withDefault(
      option("--seed", whole("N", 0), {
        description: message`A fibre depends on the seed and its own number alone.`,
      }),
      1,
    ),
    wavelength: optional(
      option("-w", "--wavelength", wavelengthGrid(), {
        description: message`Bins of the truth, Å; without it, 200 Å in the middle of the PSF's range.`,
      }),
    ),
    specmin: withDefault(
      option("-s", "--specmin", whole("N", 0), { description: message`First fibre with light.` }),
      0,
    ),
    nspec: withDefault(
      option("-n", "--nspec", whole("N", 1), { description: message`How many have light.` }),
      50,
    ),
    cosmics: withDefault(
      option("--cosmics", whole("N", 0, 100_000), {
        description: message`Tracks of cosmic rays that are masked.`,
      }),
      0,
    ),
    unmasked: withDefault(
      option("--unmasked-cosmics", whole("N", 0, 10_000), {
        description: message`Hits that are not masked.`,
      }),
      0,
    ),
    deadColumns: withDefault(
      option("--dead-columns", whole("N", 0, 1000), {
        description: message`Masked columns that show nothing.`,
      }),
      0,
    ),
    deadBlocks: withDefault(
      option("--dead-blocks", whole("N", 0, 1000), {
        description: message`Masked blocks of 24 × 26 pixels.`,
      }),
      0,
    ),
    noiseless: option("--noiseless", { description: message`No noise in the image.` }),
    overwrite: option("--overwrite", { description: message`Replace existing files.` }),
  }),
  talk,
);

const compareOptions = merge(
  object("Compare", {
    command: constant("extract compare"),
    a: argument(path({ metavar: "A" }), { description: message`A frame.` }),
    b: argument(path({ metavar: "B" }), {
      description: message`Another of the same fibres and wavelengths.`,
    }),
  }),
  talk,
);

export const extract = command(
  "extract",
  or(
    command("simulate", simulateOptions, {
      brief: message`Simulate a CCD image of known spectra.`,
      footer: message`Example:${lineBreak()}
  ${commandLine("twinspec extract simulate -p psf-r0.fits --out preproc.fits --truth truth.fits --seed 1")}`,
    }),
    command("compare", compareOptions, {
      brief: message`Compare two frames: pulls, ivar, resolution, and a verdict.`,
      description: message`Exit code 0 where they are equal or agree, 1 where they differ.`,
      footer: message`Example:${lineBreak()}
  ${commandLine("twinspec extract compare frame.fits other.fits")}`,
    }),
    extractOptions,
  ),
  {
    brief: message`Extract spectra with resolution matrices from CCD images.`,
    description:
      message`Spectroperfectionism (Bolton & Schlegel 2010): all pixels of a bundle of fibres are modelled together. Writes a frame; an interrupted extraction goes on where it stopped when the same command is given again.`,
    footer: message`Examples:${lineBreak()}
  ${
      commandLine(
        "twinspec extract -i preproc-r0.fits.gz -p psf-r0.fits -o frame-r0.fits -w 5760.0,7620.0,0.8",
      )
    }${lineBreak()}
  ${
      commandLine("twinspec extract -i preproc.fits -p psf.fits -o frame.fits -s 250 -n 50 --plot pictures")
    }${lineBreak()}
  ${commandLine("twinspec extract compare frame.fits other.fits")}`,
  },
);

export type ExtractCommand = InferValue<typeof extractOptions>;
export type ExtractSimulateCommand = InferValue<typeof simulateOptions>;
export type ExtractCompareCommand = InferValue<typeof compareOptions>;
