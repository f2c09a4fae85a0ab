/** `twinspec plot`: options. */
import { merge, object } from "@optique/core/constructs";
import { commandLine, lineBreak, message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument, command, constant, option } from "@optique/core/primitives";
import { path } from "@optique/run/valueparser";
import { talk } from "../common.ts";
import { targetid, whole } from "../values.ts";

const options = merge(
  object("Plot", {
    command: constant("plot"),
    file: argument(path({ metavar: "RVTAB_OR_INPUT" }), {
      description: message`An rvtab file, or a file of spectra to see without a fit.`,
    }),
    targetid: optional(option("--targetid", targetid(), { description: message`The star.` })),
    row: optional(
      option("--row", whole("R", 0), {
        description: message`Its row in the file of spectra, from 0; tells rows of one TARGETID apart.`,
      }),
    ),
    out: option("--out", path({ metavar: "PICTURE" }), {
      description: message`Picture to write: .svg or .png.`,
    }),
    input: optional(
      option("--input", path({ metavar: "FILE" }), {
        description: message`The file of spectra, where it is no longer where the fit found it.`,
      }),
    ),
  }),
  talk,
);

export const plot = command("plot", options, {
  brief: message`Draw one star: data, model, residual, per arm.`,
  footer: message`Example:${lineBreak()}
  ${commandLine("twinspec plot out/rvtab_coadd.fits --targetid 39627612345 --out star.png")}`,
});

export type PlotCommand = InferValue<typeof options>;
