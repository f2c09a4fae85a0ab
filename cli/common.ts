/** Options that commands share. */
import { optional, withDefault } from "@optique/core/modifiers";
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { LEVELS } from "./terminal.ts";
import { target, whole } from "./values.ts";

/** What a command hears besides its own options. */
export const talk = object("Messages", {
  logLevel: withDefault(
    option("--log-level", choice(LEVELS, { metavar: "LEVEL" }), {
      description: message`Least severe message shown: debug, info, warning or error.`,
    }),
    "info",
  ),
  quiet: option("--quiet", { description: message`Say nothing but warnings and errors.` }),
  json: option("--json", {
    description: message`Write one JSON document to stdout at the end, and every message to stderr.`,
  }),
});

/** Where the work of a command is done. */
export const where = {
  target: withDefault(
    option("--target", target(), {
      description:
        message`Where the arithmetic runs: wasm, cuda (all GPUs), cuda:0,2 (these), emulated (for tests), or auto for the best there is.`,
    }),
    "auto",
  ),
  workers: optional(
    option("--workers", whole("N", 1, 1024), { description: message`Workers; without it, one per core.` }),
  ),
};
