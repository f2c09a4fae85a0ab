import { slowRotate } from "../reference/rotation.ts";
import { parityTests } from "./suite.ts";

parityTests("rotation", ({ name }, { dims, inputs, poisoned, label }) => {
  if (poisoned || name !== "rotate" || label === "60 decades") return null;
  const { B, N, H } = dims as { B: number; N: number; H: number };
  const out = Array.from({ length: B }, (_, b) =>
    slowRotate(
      Array.from(inputs.y!.subarray(b * N, (b + 1) * N)),
      Array.from(inputs.w!.subarray(b * (H + 1), (b + 1) * (H + 1))),
    ));
  return { out: Float64Array.from(out.flatMap((row) => [...row])) };
});
