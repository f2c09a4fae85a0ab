import { slowSpread } from "../reference/ccf.ts";
import { parityTests } from "./suite.ts";

parityTests("ccf", ({ name }, { dims, inputs, poisoned }) => {
  if (poisoned || name !== "ccf_spread") return null;
  const { B, P, G, FIRST, LAST } = dims as Record<"B" | "P" | "G" | "FIRST" | "LAST", number>;
  const dw = Float64Array.from(inputs.dw!), w = Float64Array.from(inputs.w!);
  for (let b = 0; b < B; b++) {
    const row = (a: ArrayLike<number>) => Array.prototype.slice.call(a, b * P, (b + 1) * P);
    const pixels = [FIRST, Math.min(LAST, P)] as const;
    const added = slowSpread(
      G,
      pixels,
      row(inputs.y!),
      row(inputs.s!),
      row(inputs.continuum!),
      inputs.index!,
      inputs.fraction!,
    );
    const star = inputs.star![b]!;
    for (let g = 0; g < G; g++) {
      dw[star * G + g]! += added.dw[g]!;
      w[star * G + g]! += added.w[g]!;
    }
  }
  return { dw, w };
});
