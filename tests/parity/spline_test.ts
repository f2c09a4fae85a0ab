import { slowSpline } from "../reference/spline.ts";
import { parityTests } from "./suite.ts";

parityTests("spline", ({ name }, { dims, inputs, poisoned }) => {
  const { B = 0, N } = dims as { B?: number; N: number };
  if (poisoned || name !== "spline_build" || N > 100) return null;
  // knots from their spacings, the origin at the first one
  const x = new Float64Array(N);
  for (let i = 1; i < N; i++) x[i] = x[i - 1]! + inputs.factor![4 * (i - 1)]!;
  const z = Array.from({ length: B }, (_, b) => slowSpline(x, inputs.y!.subarray(b * N, (b + 1) * N)));
  return { z: Float64Array.from(z.flatMap((row) => [...row])) };
});
