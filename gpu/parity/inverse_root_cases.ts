/** Parity cases of the family inverse_root. */
import { bandedCholesky } from "../../core/kernels/banded.ts";
import { decorrelateBlock, fibreCovariance, inverseRoot } from "../../core/kernels/inverse_root.ts";
import type { Kernel } from "../../core/kernels/kernel.ts";
import { bands } from "./banded_cases.ts";
import { call, type CaseMaker, type Next, type ParityCase, uniform, whole } from "./case.ts";

/** Fibres of systems, some of them more than once, not in order. */
const items = (B: number, P: number, F: number, next: Next) =>
  Int32Array.from({ length: B }, () => whole(next, 0, P * F - 1));

const covariance: CaseMaker = function* (next, extra, wasm) {
  const make = (B: number, P: number, F: number, L: number, H: number, decades = 0): ParityCase => {
    const system = { B: P, N: F * L, H };
    const { l } = call(wasm, bandedCholesky, system, { band: bands(P, F * L, H, next, { decades }) });
    return {
      label: `${B} fibres of ${P} systems of ${F} × ${L}, H ${H}`,
      dims: { B, P, F, L, H },
      inputs: { l: l!, item: items(B, P, F, next) },
    };
  };
  yield make(0, 1, 2, 3, 2);
  yield make(1, 1, 1, 1, 0);
  for (const L of [2, 7, 8, 9, 17]) yield make(3, 2, 3, L, Math.min(3 * L - 1, 10));
  yield make(2, 1, 7, 20, 51);
  yield make(2, 1, 1, 31, 40);
  yield { ...make(2, 1, 3, 16, 9, 5), label: "bins over 5 decades" };
  const sick = make(4, 2, 2, 5, 3);
  (sick.inputs.item as Int32Array).set([0, 2, 3, 1]);
  sick.inputs.l!.fill(NaN, 10 * 4);
  yield { ...sick, label: "NaN", poisoned: [1, 2] };
  for (let i = 0; i < extra; i++) {
    const [F, L] = [whole(next, 1, 5), whole(next, 1, 20)];
    yield make(whole(next, 1, 4), 2, F, L, whole(next, 0, F * L - 1));
  }
};

/** Symmetric positive definite matrices: eigenvalues spread evenly over `decades`, seen in turned coordinates. */
function matrices(B: number, N: number, decades: number, next: Next): Float64Array {
  const out = new Float64Array(B * N * N);
  for (let b = 0; b < B; b++) {
    const c = out.subarray(b * N * N, (b + 1) * N * N);
    for (let k = 0; k < N; k++) c[k * N + k] = 3e2 * 10 ** (-decades * k / Math.max(1, N - 1));
    for (let turn = 0; turn < 6 * N && N > 1; turn++) {
      const p = whole(next, 0, N - 1), q = (p + whole(next, 1, N - 1)) % N;
      const angle = 6.3 * next(), [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
      const rotate = (from: number, to: number, step: number) => {
        for (let k = 0; k < N; k++) {
          const [x, y] = [c[from + k * step]!, c[to + k * step]!];
          c[from + k * step] = cosine * x - sine * y;
          c[to + k * step] = sine * x + cosine * y;
        }
      };
      rotate(p * N, q * N, 1);
      rotate(p, q, N);
    }
  }
  return out;
}

const root: CaseMaker = function* (next, extra) {
  const make = (B: number, N: number, decades: number): ParityCase => ({
    label: `${B} matrices of ${N}, cond 1e${decades}`,
    dims: { B, N },
    inputs: { c: matrices(B, N, decades, next) },
  });
  yield make(0, 4, 1);
  for (const N of [1, 2, 3, 4, 5, 8, 31, 32, 33]) yield make(2, N, 2);
  yield make(1, 74, 3);
  yield make(1, 20, 5);
  // beyond 1e6: the eigen-solver
  for (const N of [2, 9, 40]) yield make(1, N, 7);
  // variances over nine decades: cond 1e9 by the scale of rows, of which each keeps its digits
  const graded = make(1, 12, 1);
  const scale = uniform(12, next, -4.5, 4.5).map((v) => 10 ** (v / 2));
  const { c } = graded.inputs as { c: Float64Array };
  c.forEach((v, at) => c[at] = v * scale[Math.floor(at / 12)]! * scale[at % 12]!);
  yield { ...graded, label: "rows over decades" };
  const sick = make(6, 9, 2);
  sick.inputs.c![0 * 81 + 40] = -1;
  sick.inputs.c![1 * 81 + 0] = 0;
  sick.inputs.c![3 * 81 + 50] = Infinity;
  sick.inputs.c!.fill(1, 4 * 81, 5 * 81);
  yield { ...sick, label: "not positive definite" };
  sick.inputs.c![5 * 81 + 20] = NaN;
  // above the diagonal nothing is read
  sick.inputs.c![2 * 81 + 1] = NaN;
  yield { ...sick, label: "NaN" };
  for (let i = 0; i < extra; i++) yield make(whole(next, 1, 3), whole(next, 1, 40), whole(next, 0, 5));
};

const flux: CaseMaker = function* (next, extra) {
  const make = (
    B: number,
    P: number,
    F: number,
    L: number,
    M: number,
    FIRST: number,
    ND: number,
  ): ParityCase => ({
    label: `${B} fibres of ${P} × ${F}, ${L} bins, ${M} kept from ${FIRST}, ND ${ND}`,
    dims: { B, P, F, L, M, FIRST, ND },
    inputs: {
      q: uniform(B * L * L, next, 0.2, 1),
      x: uniform(P * L * F, next),
      item: items(B, P, F, next),
    },
  });
  yield make(0, 1, 2, 4, 2, 1, 1);
  yield make(1, 1, 1, 1, 1, 0, 0);
  for (const L of [5, 31, 257]) yield make(2, 2, 3, L, L - 2, 1, 2);
  yield make(3, 2, 7, 74, 50, 12, 5);
  const sick = make(3, 2, 2, 8, 4, 2, 1);
  sick.inputs.q![64 + 3 * 8 + 3] = NaN;
  yield { ...sick, label: "NaN", poisoned: [1] };
  for (let i = 0; i < extra; i++) {
    const L = whole(next, 1, 40), FIRST = whole(next, 0, L - 1);
    yield make(
      whole(next, 1, 3),
      2,
      whole(next, 1, 4),
      L,
      whole(next, 1, L - FIRST),
      FIRST,
      whole(next, 0, 6),
    );
  }
};

export const INVERSE_ROOTS: readonly (readonly [Kernel, CaseMaker])[] = [
  [fibreCovariance, covariance],
  [inverseRoot, root],
  [decorrelateBlock, flux],
];
