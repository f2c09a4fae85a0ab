import { solveSystem } from "../reference/cholesky.ts";
import { parityTests } from "./suite.ts";

parityTests("cholesky", (_, { dims, inputs, poisoned, label }) => {
  if (poisoned || label.startsWith("pivots")) return null;
  const { B, K } = dims as { B: number; K: number };
  const systems = Array.from({ length: B }, (_, s) =>
    solveSystem(
      K,
      inputs.n!.subarray(s * K * K, (s + 1) * K * K),
      inputs.b!.subarray(s * K, (s + 1) * K),
    ));
  return {
    l: Float64Array.from(systems.flatMap(({ l }) => l)),
    a: Float64Array.from(systems.flatMap(({ a }) => a)),
    logdet: Float64Array.from(systems, ({ logdet }) => logdet),
  };
});
