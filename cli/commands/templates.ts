/** `twinspec templates import` and `twinspec templates info`: options. */
import { merge, object, or } from "@optique/core/constructs";
import { commandLine, lineBreak, message } from "@optique/core/message";
import type { InferValue } from "@optique/core/parser";
import { argument, command, constant, option } from "@optique/core/primitives";
import { path } from "@optique/run/valueparser";
import { talk } from "../common.ts";

const importOptions = merge(
  object("Import", {
    command: constant("templates import"),
    source: argument(path({ metavar: "SOURCE" }), {
      description: message`A directory or a file of model spectra.`,
    }),
    out: option("--out", path({ metavar: "LIBRARY" }), { description: message`Library file to write.` }),
    air: option("--air", { description: message`The wavelengths of the source are in air.` }),
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
  ${commandLine("twinspec templates import templ_data --out phoenix.h5")}`,
    }),
    command("info", infoOptions, {
      brief: message`Say what is in a library.`,
      footer: message`Example:${lineBreak()}
  ${commandLine("twinspec templates info phoenix.h5")}`,
    }),
  ),
  { brief: message`Import template libraries, or look into one.` },
);

export type ImportCommand = InferValue<typeof importOptions>;
export type InfoCommand = InferValue<typeof infoOptions>;
