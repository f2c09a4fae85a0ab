/** Slow references of the family inverse_root. */
import type { SlowReference } from "../../gpu/parity/reference.ts";
import { denseOf, slowFactor } from "../reference/banded.ts";
import { slowCovariance, slowInverseRoot } from "../reference/inverse_root.ts";
import { each, EXACT, part, reference, within } from "./slow.ts";

const covariance = reference(
  { c: within(1e-8, "C carries cond(K) ε; 5e7 is allowed for") },
  ({ F, L, H }, { l, item }) => ({
    c: [...item!].flatMap((which) => {
      const dense = denseOf(F! * L!, H!, part(l!, F! * L! * (H! + 1), Math.floor(which / F!)));
      const lower = dense.map((row, i) => row.map((v, j) => j > i ? 0 : v));
      return slowCovariance(lower, F!, which % F!).flat();
    }),
  }),
);

const root = reference(
  { q: within(1e-8, "the root carries cond(C) ε; 5e7 is allowed for"), method: EXACT },
  ({ B, N }, { c }) => {
    const blocks = Array.from({ length: B! }, (_, b) => {
      const a = part(c!, N! * N!, b);
      return Array.from({ length: N! }, (_, i) => a.slice(i * N!, (i + 1) * N!));
    });
    const lower = blocks.map((a) => a.map((row, i) => row.map((v, j) => j <= i ? v : a[j]![i]!)));
    const roots = lower.map((a) =>
      Number.isNaN(slowFactor(a)[0]?.[0] ?? 0) ? a.map((row) => row.map(() => NaN)) : slowInverseRoot(a)
    );
    return {
      q: roots.flatMap((q) => q.flat()),
      method: Uint8Array.from(
        roots,
        (q, b) => Number.isNaN(q[0]![0]) ? 0 : condition(lower[b]!, q) < 1e6 ? 1 : 2,
      ),
    };
  },
);

/** cond(C): the smaller of the norms of row sums and of Frobenius, times the largest eigenvalue of C⁻¹ = Q². */
function condition(c: number[][], q: number[][]): number {
  const sums = c.map((row) => row.reduce((sum, v) => sum + Math.abs(v), 0));
  const norm = Math.min(Math.max(...sums), Math.hypot(...c.flat()));
  let v = c.map((_, i) => 1 + (i % 5) / 7), size = 0;
  for (let step = 0; step < 60; step++) {
    const w = q.map((row) => row.reduce((sum, value, j) => sum + value * v[j]!, 0));
    size = Math.hypot(...w) / Math.hypot(...v);
    v = w.map((value) => value / Math.hypot(...w));
  }
  return norm * size * size;
}

const flux = reference(
  { flux: within(1e-11), ivar: within(1e-11), resolution: within(1e-11) },
  ({ B, F, L, M, FIRST, ND }, { q, x, item }) => {
    const row = (b: number, i: number) => part(q!, L!, b * L! + i);
    const sum = (values: readonly number[]) => values.reduce((a, v) => a + v, 0);
    const kept = (f: (b: number, bin: number) => number) =>
      each(B!, (b) => Array.from({ length: M! }, (_, w) => f(b, FIRST! + w)));
    const own = (b: number, j: number) => x![(Math.floor(item![b]! / F!) * L! + j) * F! + item![b]! % F!]!;
    const element = (b: number, i: number, j: number) =>
      i < 0 || i >= L! ? 0 : row(b, i)[j]! / sum(row(b, i));
    return {
      flux: kept((b, bin) => sum(row(b, bin).map((v, j) => v * own(b, j))) / sum(row(b, bin))),
      ivar: kept((b, bin) => sum(row(b, bin)) ** 2),
      resolution: each(
        B!,
        (b) =>
          each(
            2 * ND! + 1,
            (k) => Array.from({ length: M! }, (_, w) => element(b, FIRST! + w - ND! + k, FIRST! + w)),
          ),
      ),
    };
  },
);

export const INVERSE_ROOT_REFERENCES: Readonly<Record<string, SlowReference>> = {
  fibre_covariance: covariance,
  inverse_root: root,
  decorrelate_block: flux,
};
