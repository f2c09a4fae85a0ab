/** `twinspec parity`: options. */
import { merge, object } from "@optique/core/constructs";
import { commandLine, lineBreak, message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { command, constant, option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { KERNELS } from "../../core/kernels/table.ts";
import { talk } from "../common.ts";
import { whole } from "../values.ts";

const options = merge(
  object("Parity", {
    command: constant("parity"),
    target: optional(
      option("--target", choice(["cuda", "emulated"], { metavar: "TARGET" }), {
        description:
          message`What to compare with WASM; without it CUDA where a device is usable, else the emulated one.`,
      }),
    ),
    kernel: optional(
      option("--kernel", choice(KERNELS.map((k) => k.name), { metavar: "NAME" }), {
        description: message`This kernel only, and no whole fits.`,
      }),
    ),
    cases: withDefault(
      option("--cases", whole("N", 0, 100_000), {
        description: message`Random cases a kernel, besides the fixed ones.`,
      }),
      5,
    ),
    seed: withDefault(
      option("--seed", whole("S", 0), { description: message`Seed of the random cases and stars.` }),
      1,
    ),
  }),
  talk,
);

export const parity = command("parity", options, {
  brief: message`Compare the kernels and whole fits of a device with WASM.`,
  description:
    message`Exits 0 only if everything is within its tolerance and nothing was skipped; 3 if the target is absent.`,
  footer: message`Example:${lineBreak()}
  ${commandLine("twinspec parity --target emulated --cases 20 --seed 7")}`,
});

export type ParityCommand = InferValue<typeof options>;
