/** Slow references of the families banded, schur, root. */
import type { HostArray } from "../../core/target.ts";
import type { SlowReference } from "../../gpu/parity/reference.ts";
import {
  bandOf,
  denseOf,
  type SchurSizes,
  slowFactor,
  slowInverse,
  slowProduct,
  slowRoot,
  slowSchur,
  slowSolve,
} from "../reference/banded.ts";
import { part, reference, within } from "./slow.ts";

const each = <T>(n: number, f: (b: number) => T[]): T[] => Array.from({ length: n }, (_, b) => f(b)).flat();

const cholesky = reference(
  { l: within(1e-10, "factors carry √cond ε: 1e9 is allowed for") },
  ({ B, N, H }, { band }) => ({
    l: each(B!, (b) => {
      const l = slowFactor(denseOf(N!, H!, part(band!, N! * (H! + 1), b)));
      const broken = N! > 0 && Number.isNaN(l[0]![0]);
      return broken ? new Array<number>(N! * (H! + 1)).fill(NaN) : bandOf(l, H!);
    }),
  }),
  ({ N }) => N! <= 100,
);

const solve = reference(
  { x: within(1e-10, "substitution carries √cond ε: 1e9 is allowed for") },
  ({ B, N, H }, { l, b }) => ({
    x: each(B!, (s) => {
      const lower = denseOf(N!, H!, part(l!, N! * (H! + 1), s));
      return slowSolve(lower.map((row, i) => row.map((v, j) => j > i ? 0 : v)), part(b!, N!, s));
    }),
  }),
  ({ N }) => N! <= 100,
);

const schur = reference(
  { s: within(1e-11) },
  ({ B, F, L, D, W, H, HK }, { band }) => ({
    s: each(B!, (b) => {
      const k = denseOf(F! * L!, HK!, part(band!, F! * L! * (HK! + 1), b));
      const sizes = { F, L, D, W, H } as SchurSizes;
      return each(F!, (s) => bandOf(slowSchur(k, s, sizes), H!));
    }),
  }),
);

/** Row sums of |a| within the band. */
const rowSums = (a: readonly number[][], H: number) =>
  a.map((row, i) => row.reduce((sum, v, j) => sum + (Math.abs(i - j) <= H ? Math.abs(v) : 0), 0));

const extent = reference(
  { low: within(1e-6, "the inverse carries cond ε, and a bound needs no digits"), high: within(1e-12) },
  ({ B, F, L, H }, { s }) => {
    const dense = Array.from({ length: B! * F! }, (_, m) => denseOf(L!, H!, part(s!, L! * (H! + 1), m)));
    return {
      low: dense.map((a) => 1 / Math.max(...rowSums(slowInverse(a), H!))),
      high: dense.map((a) => Math.max(...rowSums(a, H!))),
    };
  },
);

const CARRIED = "each pole carries cond(S + σ) ε, and the right-hand sides that of their bins";

const root = reference(
  { q: within(1e-9, CARRIED), rowsum: within(1e-9, CARRIED), qx: within(1e-9, CARRIED) },
  ({ B, F, L, H, P, ND }, { s, x, count, shift, weight }) => {
    const roots = Array.from({ length: B! * F! }, (_, m) => {
      const poles = (a: HostArray) => part(a, P!, m).slice(0, count![m]!);
      return slowRoot(denseOf(L!, H!, part(s!, L! * (H! + 1), m)), poles(shift!), poles(weight!));
    });
    const ones = new Array<number>(L!).fill(1);
    const own = (m: number) => ones.map((_, i) => x![Math.floor(m / F!) * L! * F! + i * F! + m % F!]!);
    return {
      q: roots.flatMap((q) => bandOf(q, ND!)),
      rowsum: roots.flatMap((q) => slowProduct(q, ones)),
      qx: roots.flatMap((q, m) => slowProduct(q, own(m))),
    };
  },
);

const flux = reference(
  { flux: within(1e-14), ivar: within(1e-14), resolution: within(1e-14) },
  ({ B, L, M, FIRST, ND }, { q, rowsum, qx }) => {
    const kept = <T>(f: (b: number, j: number) => T) =>
      each(B!, (b) => Array.from({ length: M! }, (_, j) => f(b, FIRST! + j)));
    const sum = (b: number, i: number) => rowsum![b * L! + i]!;
    const element = (b: number, i: number, j: number) => {
      if (i < 0 || i >= L!) return 0;
      const [low, high] = [Math.min(i, j), Math.max(i, j)];
      return q![(b * L! + high) * (ND! + 1) + ND! - high + low]! / sum(b, i);
    };
    return {
      flux: kept((b, i) => qx![b * L! + i]! / sum(b, i)),
      ivar: kept((b, i) => sum(b, i) ** 2),
      resolution: each(
        B!,
        (b) =>
          each(
            2 * ND! + 1,
            (k) => Array.from({ length: M! }, (_, j) => element(b, FIRST! + j - ND! + k, FIRST! + j)),
          ),
      ),
    };
  },
);

export const BANDED_REFERENCES: Readonly<Record<string, SlowReference>> = {
  banded_cholesky: cholesky,
  banded_solve: solve,
  fibre_schur: schur,
  band_extent: extent,
  band_root: root,
  decorrelate: flux,
};
