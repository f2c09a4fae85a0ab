import { slowInterpolate } from "../reference/interpolate.ts";
import { parityTests } from "./suite.ts";

parityTests("interpolate", (_, { dims, inputs, poisoned, label }) => {
  if (poisoned || label.startsWith("beyond")) return null;
  const { E, N, D, C } = dims as Record<"E" | "N" | "D" | "C", number>;
  const rows = Array.from({ length: E }, (_, e) =>
    slowInterpolate(
      inputs.templates!,
      N,
      inputs.corners!.subarray(e * C, (e + 1) * C),
      inputs.t!.subarray(e * D, (e + 1) * D),
    ));
  return { out: Float64Array.from(rows.flatMap((columns) => columns.flatMap((column) => [...column]))) };
});
