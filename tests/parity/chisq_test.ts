import { slowChisq } from "../reference/chisq.ts";
import { parityTests } from "./suite.ts";

parityTests("chisq", ({ name }, { dims, inputs, poisoned }) => {
  if (poisoned) return null;
  const { E, NP, K, Q = 1 } = dims as { E: number; NP: number; K: number; Q?: number };
  const value = Float64Array.from({ length: E }, (_, e) => {
    const part = (a: ArrayLike<number>) => Array.prototype.slice.call(a, e * NP, (e + 1) * NP);
    const m = Float64Array.from({ length: NP }, (_, i) => inputs.T![(e * NP + i) * Q]!);
    return slowChisq(inputs.basis!, K, part(inputs.y!), part(inputs.s!), m).value;
  });
  return name === "chisq" || name === "chisq_gradient" ? { value } : null;
});
