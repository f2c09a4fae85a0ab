/** `twinspec templates import` and `twinspec templates info`: options. */
import { merge, object, or } from "@optique/core/constructs";
import { commandLine, lineBreak, message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument, command, constant, option } from "@optique/core/primitives";
import { path } from "@optique/run/valueparser";
import { DEFAULT_MAX_TEMPLATES } from "../../core/templates/import_options.ts";
import { talk } from "../common.ts";
import { number, whole } from "../values.ts";

const importOptions = merge(
  object("Import", {
    command: constant("templates import"),
    source: argument(path({ metavar: "SOURCE" }), {
      description: message`A directory or a file of model spectra.`,
    }),
    out: option("--out", path({ metavar: "LIBRARY" }), { description: message`Library file to write.` }),
    air: option("--air", { description: message`The wavelengths of the source are in air.` }),
    maxTemplates: withDefault(
      option("--max-templates", whole("N", 1, 100_000), {
        description: message`Most templates per class of a source without parameters.`,
      }),
      DEFAULT_MAX_TEMPLATES,
    ),
    resolution: optional(
      option("--resolution", number("R", 100, 1e7), {
        description:
          message`Resolving power λ/FWHM of the source; without it, what is known of it, or 100000.`,
      }),
    ),
    overwrite: option("--overwrite", { description: message`Replace an existing library.` }),
  }),
  talk,
);

const infoOptions = merge(
  object("Info", {
    command: constant("templates info"),
    library: argument(path({ metavar: "LIBRARY" }), { description: message`A library file.` }),
  }),
  talk,
);

export const templates = command(
  "templates",
  or(
    command("import", importOptions, {
      brief: message`Make a library from model spectra.`,
      footer: message`Example:${lineBreak()}
  ${commandLine("twinspec templates import templ_data --out phoenix.fits")}`,
    }),
    command("info", infoOptions, {
      brief: message`Say what is in a library.`,
      footer: message`Example:${lineBreak()}
  ${commandLine("twinspec templates info phoenix.fits")}`,
    }),
  ),
  { brief: message`Import template libraries, or look into one.` },
);

export type ImportCommand = InferValue<typeof importOptions>;
export type InfoCommand = InferValue<typeof infoOptions>;
