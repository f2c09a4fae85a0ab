/** Steps in the free coordinates of a parameter space. */
import type { Evaluation, ParameterSpace } from "./parameter_space.ts";
import { boxStep } from "./quadratic.ts";

/** Restriction of a gradient and matrix to the free coordinates. */
export function restrict(space: ParameterSpace, e: Evaluation): { g: Float64Array; H: Float64Array } {
  const { free } = space;
  const n = space.names.length;
  const m = free.length;
  const g = new Float64Array(m);
  const H = new Float64Array(m * m);
  for (let a = 0; a < m; a++) {
    g[a] = e.gradient[free[a]!]!;
    for (let b = 0; b < m; b++) H[a * m + b] = e.curvature[free[a]! * n + free[b]!]!;
  }
  return { g, H };
}

/** How far the free coordinates may move down and up from x; 0 lies between. */
export function room(space: ParameterSpace, x: Float64Array, lower: Float64Array, upper: Float64Array) {
  const lo = Float64Array.from(space.free, (i) => Math.min(0, lower[i]! - x[i]!));
  const hi = Float64Array.from(space.free, (i) => Math.max(0, upper[i]! - x[i]!));
  return { lo, hi };
}

/** Levenberg-Marquardt damping: the diagonal of an m×m matrix times 1 + lambda. */
export function damped(H: Float64Array, m: number, lambda: number): Float64Array {
  const out = H.slice();
  for (let a = 0; a < m; a++) out[a * m + a]! *= 1 + lambda;
  return out;
}

/** x + step, landing exactly on bounds that the step reaches. */
export function moved(
  space: ParameterSpace,
  x: Float64Array,
  step: Float64Array,
  lo: Float64Array,
  hi: Float64Array,
  lower: Float64Array,
  upper: Float64Array,
): Float64Array {
  const out = x.slice();
  space.free.forEach((i, a) => {
    out[i] = step[a]! <= lo[a]!
      ? lower[i]!
      : step[a]! >= hi[a]!
      ? upper[i]!
      : Math.min(upper[i]!, Math.max(lower[i]!, x[i]! + step[a]!));
  });
  return out;
}

/** Box step with some components held at given shifts. */
export function stepHolding(
  H: Float64Array,
  g: Float64Array,
  lo: Float64Array,
  hi: Float64Array,
  held: readonly number[],
  shifts: readonly number[],
): Float64Array {
  const m = g.length;
  const shifted = g.map((value, i) => held.reduce((sum, a, k) => sum + H[i * m + a]! * shifts[k]!, value));
  const low = lo.slice(), high = hi.slice();
  for (const a of held) low[a] = high[a] = 0;
  const step = boxStep(H, shifted, low, high);
  held.forEach((a, k) => step[a] = shifts[k]!);
  return step;
}
