/** `twinspec devices`: options. */
import { merge, object } from "@optique/core/constructs";
import { commandLine, lineBreak, message } from "@optique/core/message";
import type { InferValue } from "@optique/core/parser";
import { command, constant } from "@optique/core/primitives";
import { talk } from "../common.ts";

const options = merge(object("Devices", { command: constant("devices") }), talk);

export const devices = command("devices", options, {
  brief: message`List every target: name, memory, driver, why one is not usable.`,
  footer: message`Example:${lineBreak()}
  ${commandLine("twinspec devices --json")}`,
});

export type DevicesCommand = InferValue<typeof options>;
