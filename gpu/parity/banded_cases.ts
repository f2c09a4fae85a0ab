/** Parity cases of the families banded, schur, root. */
import { bandedCholesky, bandedSolve } from "../../core/kernels/banded.ts";
import { bandExtent, bandRoot, decorrelate } from "../../core/kernels/root.ts";
import { fibreSchur } from "../../core/kernels/schur.ts";
import { polesFor, zolotarev } from "../../core/extraction/poles.ts";
import { call, type CaseMaker, type Next, type ParityCase, uniform, whole } from "./case.ts";

/**
 * B diagonally dominant bands of N rows, elements from `coupled`; rows and columns scaled by up to ± `decades`/2 decades,
 * as bins are that see little light.
 */
export function bands(
  B: number,
  N: number,
  H: number,
  next: Next,
  { decades = 0, coupled = (_i: number, _j: number): boolean => true } = {},
): Float64Array {
  const out = new Float64Array(B * N * (H + 1));
  for (let b = 0; b < B; b++) {
    const row = (i: number) => (b * N + i) * (H + 1);
    const sums = new Float64Array(N).fill(0.05);
    for (let i = 0; i < N; i++) {
      for (let j = Math.max(0, i - H); j < i; j++) {
        if (!coupled(i, j)) continue;
        const value = (2 * next() - 0.6) / (1 + Math.abs(i - j));
        out[row(i) + H - i + j] = value;
        sums[i]! += Math.abs(value);
        sums[j]! += Math.abs(value);
      }
    }
    const scale = Float64Array.from({ length: N }, () => 10 ** (decades * (next() - 0.5)));
    for (let i = 0; i < N; i++) {
      out[row(i) + H] = sums[i]!;
      for (let j = Math.max(0, i - H); j <= i; j++) out[row(i) + H - i + j]! *= scale[i]! * scale[j]!;
    }
  }
  return out;
}

/** Sizes around panels of 4 and 8 columns and 32 rows. */
const SIZES = [[1, 0], [1, 3], [2, 1], [5, 4], [7, 0], [8, 7], [9, 3], [31, 5], [33, 40], [65, 20]] as const;

/** Cases of `make` at all sizes, then one with a pivot that is not positive and one with a NaN. */
function banded(
  make: (B: number, N: number, H: number, next: Next, decades?: number) => ParityCase,
): CaseMaker {
  return function* (next, extra) {
    yield make(0, 5, 2, next);
    for (const [N, H] of SIZES) yield make(2, N, H, next);
    yield make(1, 300, 31, next);
    yield { ...make(2, 40, 9, next, 6), label: "rows over 6 decades" };
    for (let i = 0; i < extra; i++) {
      yield make(whole(next, 1, 3), whole(next, 1, 90), whole(next, 0, 30), next);
    }
  };
}

const cholesky: CaseMaker = function* (next, extra, wasm) {
  const make = (B: number, N: number, H: number, next: Next, decades = 0): ParityCase => ({
    label: `${B} bands of ${N}, H ${H}`,
    dims: { B, N, H },
    inputs: { band: bands(B, N, H, next, { decades }) },
  });
  yield* banded(make)(next, extra, wasm);
  const sick = make(5, 20, 6, next);
  sick.inputs.band![0 * 140 + 9 * 7 + 6] = -1;
  sick.inputs.band![1 * 140 + 13 * 7 + 6] = 0;
  sick.inputs.band![2 * 140 + 7 * 7 + 6] = Infinity;
  yield { ...sick, label: "pivots negative, 0, infinite" };
  sick.inputs.band![4 * 140 + 11 * 7 + 4] = NaN;
  yield { ...sick, label: "NaN", poisoned: [4] };
};

const solve: CaseMaker = function* (next, extra, wasm) {
  const make = (B: number, N: number, H: number, next: Next, decades = 0): ParityCase => {
    const { l } = call(wasm, bandedCholesky, { B, N, H }, { band: bands(B, N, H, next, { decades }) });
    return {
      label: `${B} systems of ${N}, H ${H}`,
      dims: { B, N, H },
      inputs: { l: l!, b: uniform(B * N, next) },
    };
  };
  yield* banded(make)(next, extra, wasm);
  const sick = make(3, 20, 6, next);
  sick.inputs.b![25] = NaN;
  yield { ...sick, label: "NaN on the right", poisoned: [1] };
};

interface Bundle {
  readonly B: number;
  readonly F: number;
  readonly L: number;
  readonly D: number;
  readonly W: number;
  readonly H: number;
}

const schur: CaseMaker = function* (next, extra) {
  const make = ({ B, F, L, D, W, H }: Bundle, decades = 0): ParityCase => {
    const HK = Math.max(0, Math.min(D * F + 2, F * L - 1));
    const coupled = (i: number, j: number) =>
      Math.abs(i % F - j % F) <= 2 && Math.floor(i / F) - Math.floor(j / F) <= D;
    return {
      label: `${B} bundles of ${F} × ${L}, D ${D}, W ${W}, H ${H}`,
      dims: { B, F, L, D, W, H, HK },
      inputs: { band: bands(B, F * L, HK, next, { decades, coupled }) },
    };
  };
  yield make({ B: 0, F: 3, L: 4, D: 1, W: 1, H: 2 });
  yield make({ B: 1, F: 1, L: 9, D: 3, W: 0, H: 4 });
  for (const L of [1, 2, 3, 4, 5, 8, 17]) yield make({ B: 1, F: 3, L, D: 2, W: 1, H: Math.min(5, L - 1) });
  for (const F of [2, 3, 4, 6]) yield make({ B: 2, F, L: 11, D: 3, W: 2, H: 6 });
  yield make({ B: 1, F: 4, L: 14, D: 2, W: 3, H: 13 });
  yield make({ B: 1, F: 5, L: 30, D: 4, W: 2, H: 0 });
  yield { ...make({ B: 1, F: 4, L: 30, D: 3, W: 2, H: 12 }, 6), label: "bins over 6 decades" };
  const sick = make({ B: 3, F: 4, L: 12, D: 2, W: 2, H: 5 });
  const { HK } = sick.dims as { HK: number };
  sick.inputs.band![(1 * 48 + 21) * (HK + 1) + HK] = NaN;
  yield { ...sick, label: "NaN", poisoned: [1] };
  for (let i = 0; i < extra; i++) {
    const [F, L] = [whole(next, 1, 6), whole(next, 1, 20)];
    yield make({ B: 1, F, L, D: whole(next, 0, 4), W: whole(next, 0, 3), H: whole(next, 0, L - 1) });
  }
};

type Fibres = readonly [B: number, F: number, L: number, H: number];
const FIBRES: readonly Fibres[] = [
  [1, 1, 1, 0],
  [1, 2, 2, 1],
  [2, 3, 9, 4],
  [1, 2, 33, 8],
  [1, 1, 70, 21],
  [1, 2, 12, 11],
  [2, 2, 31, 5],
];

const fibreBands = ([B, F, L, H]: Fibres, next: Next, decades = 0) => bands(B * F, L, H, next, { decades });

const extent: CaseMaker = function* (next, extra) {
  const make = (size: Fibres, decades = 0): ParityCase => {
    const [B, F, L, H] = size;
    return {
      label: `${B} × ${F} bands of ${L}, H ${H}`,
      dims: { B, F, L, H },
      inputs: { s: fibreBands(size, next, decades) },
    };
  };
  yield make([0, 2, 5, 2]);
  for (const size of FIBRES) yield make(size);
  yield { ...make([1, 2, 40, 7], 5), label: "bins over 5 decades" };
  const sick = make([3, 2, 10, 3]);
  sick.inputs.s![(2 * 10 + 4) * 4 + 3] = -1;
  yield { ...sick, label: "not positive definite", poisoned: [1] };
  for (let i = 0; i < extra; i++) yield make([1, whole(next, 1, 3), whole(next, 6, 60), whole(next, 0, 5)]);
};

const root: CaseMaker = function* (next, extra, wasm) {
  const make = (size: Fibres, decades = 0): ParityCase => {
    const [B, F, L, H] = size;
    const dims = { B, F, L, H };
    const s = fibreBands(size, next, decades);
    const { low, high } = call(wasm, bandExtent, dims, { s }) as Record<string, Float64Array>;
    // an odd number of poles now and then, and one more for some fibres than for others
    const poles = Array.from(low!, (l, i) => zolotarev(l, high![i]!, polesFor(l, high![i]!, 1e-6) + i % 2));
    const P = poles.reduce((most, p) => Math.max(most, p.shift.length), 1);
    const table = (what: "shift" | "weight") =>
      Float64Array.from(poles.flatMap((p) => Array.from({ length: P }, (_, k) => p[what][k] ?? 7)));
    return {
      label: `${B} × ${F} bands of ${L}, H ${H}, ${P} poles`,
      dims: { ...dims, P, ND: Math.min(H, 3) },
      inputs: {
        s,
        x: uniform(B * L * F, next),
        count: Int32Array.from(poles, (p) => p.shift.length),
        shift: table("shift"),
        weight: table("weight"),
      },
    };
  };
  yield make([0, 2, 5, 2]);
  for (const size of FIBRES) yield make(size);
  yield { ...make([1, 2, 40, 7], 5), label: "bins over 5 decades" };
  const sick = make([3, 2, 10, 3]);
  sick.inputs.s![(2 * 10 + 4) * 4 + 3] = NaN;
  yield { ...sick, label: "NaN", poisoned: [1] };
  for (let i = 0; i < extra; i++) yield make([1, whole(next, 1, 3), whole(next, 6, 60), whole(next, 0, 5)]);
};

const flux: CaseMaker = function* (next, extra) {
  const make = (B: number, L: number, M: number, FIRST: number, ND: number): ParityCase => ({
    label: `${B} fibres of ${L} bins, ${M} kept from ${FIRST}, ND ${ND}`,
    dims: { B, L, M, FIRST, ND },
    inputs: {
      q: uniform(B * L * (ND + 1), next),
      rowsum: uniform(B * L, next, 0.5, 2),
      qx: uniform(B * L, next),
    },
  });
  yield make(0, 4, 2, 1, 1);
  yield make(1, 1, 1, 0, 0);
  for (const M of [1, 31, 255, 256, 257]) yield make(2, M + 9, M, 4, 5);
  yield make(3, 12, 12, 0, 5);
  const sick = make(3, 12, 6, 3, 2);
  sick.inputs.q![(12 + 6) * 3] = NaN;
  yield { ...sick, label: "NaN", poisoned: [1] };
  for (let i = 0; i < extra; i++) {
    const L = whole(next, 1, 50), FIRST = whole(next, 0, L - 1);
    yield make(whole(next, 1, 4), L, whole(next, 1, L - FIRST), FIRST, whole(next, 0, 6));
  }
};

export const EXTRACTION_BANDS: readonly (readonly [typeof bandRoot, CaseMaker])[] = [
  [bandedCholesky, cholesky],
  [bandedSolve, solve],
  [fibreSchur, schur],
  [bandExtent, extent],
  [bandRoot, root],
  [decorrelate, flux],
];
