/** `twinspec simulate`: options. */
import { merge, object } from "@optique/core/constructs";
import { commandLine, lineBreak, message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { command, constant, option } from "@optique/core/primitives";
import { path } from "@optique/run/valueparser";
import { talk } from "../common.ts";
import { number, whole } from "../values.ts";

const stars = object("Stars", {
  command: constant("simulate"),
  out: option("--out", path({ metavar: "FILE" }), {
    description: message`File to write, in the DESI coadd layout.`,
  }),
  stars: withDefault(
    option("--stars", whole("N", 0, 10_000_000), { description: message`Number of stars.` }),
    100,
  ),
  seed: withDefault(
    option("--seed", whole("N", 0), {
      description: message`A star depends on the seed and its own number alone.`,
    }),
    1,
  ),
  library: optional(
    option("--library", path({ metavar: "PATH" }), {
      description: message`Template library; without it, the built-in one.`,
    }),
  ),
  snMin: withDefault(
    option("--sn-min", number("X", 0.01), { description: message`Least median S/N per pixel of the r arm.` }),
    20,
  ),
  snMax: withDefault(
    option("--sn-max", number("X", 0.01), { description: message`Largest; drawn log-uniformly between.` }),
    100,
  ),
  margin: withDefault(
    option("--margin", number("FRACTION", 0, 0.49), {
      description: message`Stay away from either end of every axis of the library by this fraction of it.`,
    }),
    0,
  ),
  resolutionMatrix: option("--resolution-matrix", {
    description: message`Resolve the spectra with the written matrices instead of the nominal line spread.`,
  }),
  overwrite: option("--overwrite", { description: message`Replace an existing file.` }),
});

const options = merge(stars, talk);

export const simulate = command("simulate", options, {
  brief: message`Simulate spectra of known truth.`,
  description:
    message`Writes stars drawn from a library, with noise of known σ, masked pixels and resolution matrices, as a DESI coadd file; the truth is in its table TRUTH.`,
  footer: message`Example:${lineBreak()}
  ${commandLine("twinspec simulate --out coadd.fits --stars 100 --seed 1")}`,
});

export type SimulateCommand = InferValue<typeof options>;
