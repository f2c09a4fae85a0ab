/** Options that commands share. */
import { withDefault } from "@optique/core/modifiers";
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { LEVELS } from "./terminal.ts";

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
