/** Parity cases of the families cholesky, chisq. */
import { chisq, chisqGradient } from "../../core/kernels/chisq.ts";
import { choleskySolve } from "../../core/kernels/cholesky.ts";
import { continuumBasis } from "../../core/stellar/continuum.ts";
import { type CaseMaker, EDGES, type Next, type ParityCase, uniform, whole } from "./case.ts";

/** B systems whose condition number stays below 1e4. */
function systems(B: number, K: number, next: Next, scale = 1): { n: Float64Array; b: Float64Array } {
  const n = new Float64Array(B * K * K);
  for (let s = 0; s < B; s++) {
    const a = uniform(K * K, next);
    for (let i = 0; i < K; i++) {
      for (let j = 0; j < K; j++) {
        let sum = i === j ? 0.1 * K : 0;
        for (let k = 0; k < K; k++) sum += a[i * K + k]! * a[j * K + k]!;
        n[(s * K + i) * K + j] = scale * sum;
      }
    }
  }
  return { n, b: uniform(B * K, next) };
}

const cholesky: CaseMaker = function* (next, extra) {
  const one = (B: number, K: number, scale?: number): ParityCase => ({
    label: `${B} systems of ${K}${scale === undefined ? "" : `, ${scale}`}`,
    dims: { B, K },
    inputs: systems(B, K, next, scale),
  });
  yield one(0, 4);
  for (const K of [1, 2, 3, 4, 10, 17, 32]) yield one(3, K);
  for (const B of EDGES) yield one(B, 3);
  yield one(5, 6, 1e-200);
  yield one(5, 6, 1e200);
  const sick = systems(6, 5, next);
  sick.n[0] = 0; // no pivot
  sick.n[25] = -1; // negative pivot
  sick.n[50 + 24] = Infinity;
  sick.n[75 + 12] = NaN;
  yield { label: "pivots 0, negative, infinite, NaN", dims: { B: 6, K: 5 }, inputs: sick };
  sick.b[25 + 2] = NaN;
  yield { label: "NaN on the right", dims: { B: 6, K: 5 }, inputs: sick, poisoned: [5] };
  for (let i = 0; i < extra; i++) yield one(whole(next, 1, 20), whole(next, 1, 24));
};

interface Sizes {
  readonly E: number;
  readonly NP: number;
  readonly K: number;
  readonly Q?: number;
}

/** Spectra on NP pixels; T has Q columns, m is T with one. */
function spectra({ E, NP, K, Q = 1 }: Sizes, next: Next, kind: "rbf" | "chebyshev" = "rbf") {
  const lam = Float64Array.from({ length: NP }, (_, i) => 5000 + 0.8 * i);
  const T = uniform(E * NP * Q, next, -0.4, 0.4);
  for (let i = 0; i < E * NP; i++) T[i * Q] = 0.3 + next();
  return {
    basis: continuumBasis(lam, K, kind),
    y: uniform(E * NP, next, 0, 9),
    s: uniform(E * NP, next, 0.5, 2),
    good: Uint8Array.from({ length: E * NP }, () => next() < 0.9 ? 1 : 0),
    m: T,
    T,
  };
}

/** Pixels that make K coefficients well determined. */
function enough(K: number): number {
  return K === 1 ? 1 : 3 * K + 2;
}

function likelihood(gradient: boolean): CaseMaker {
  const dims = ({ E, NP, K, Q }: Sizes) => gradient ? { E, NP, K, Q: Q! } : { E, NP, K };
  const size = (E: number, NP: number, K: number, Q: number): Sizes =>
    gradient ? { E, NP, K, Q } : { E, NP, K };
  return function* (next, extra) {
    const one = (E: number, NP: number, K: number, Q: number): ParityCase => {
      const sizes = size(E, NP, K, Q);
      const label = `${E} spectra, ${NP} pixels, K = ${K}${gradient ? `, Q = ${Q}` : ""}`;
      return { label, dims: dims(sizes), inputs: spectra(sizes, next) };
    };
    yield one(0, 40, 3, 2);
    // one pixel and one coefficient: what is left of residual and projection is rounding
    yield { ...one(2, 1, 1, 2), unspecified: ["chi2", "chi2good", "gradient", "curvature"] };
    for (const NP of [31, 32, 33, 127, 128, 129, 255, 256, 257, 385]) yield one(1, NP, 4, 4);
    for (const K of [1, 2, 3, 7, 8, 11, 15]) yield one(1, 150, K, 8);
    for (const Q of [2, 6, 8, 10]) yield one(2, 200, 10, Q);
    // masked runs
    const sizes = size(2, 300, 5, 8);
    const masked = spectra(sizes, next);
    masked.s.fill(0, 20, 160);
    masked.y.fill(0, 20, 160);
    masked.s.fill(0, 300, 301);
    masked.good.fill(0, 300);
    yield { label: "masked runs", dims: dims(sizes), inputs: masked };
    // inverse variances over 16 decades
    const ranged = spectra(sizes, next);
    for (let i = 0; i < ranged.s.length; i++) {
      const factor = 10 ** (8 * next() - 4);
      ranged.s[i]! *= factor;
      ranged.y[i]! *= factor;
    }
    yield { label: "weights over 16 decades", dims: dims(sizes), inputs: ranged };
    const singular = spectra(sizes, next);
    singular.s.fill(0, 0, 300);
    yield {
      label: "no weight at all",
      dims: dims(sizes),
      inputs: singular,
      poisoned: [0],
      unspecified: ["coeff", "chi2", "chi2good", "model", "gradient", "curvature"],
    };
    for (const name of ["y", "s", "m"] as const) {
      const inputs = spectra(sizes, next);
      inputs[name][700 % inputs[name].length] = NaN;
      const stride = name === "m" ? (sizes.Q ?? 1) : 1;
      const row = Math.floor(700 % inputs[name].length / (300 * stride));
      yield { label: `NaN in ${name}`, dims: dims(sizes), inputs, poisoned: [row] };
    }
    for (let i = 0; i < extra; i++) {
      const K = whole(next, 1, 12);
      yield one(whole(next, 1, 3), whole(next, enough(K) + 20, 500), K, 2 * whole(next, 1, 5));
    }
  };
}

export const LINEAR: readonly (readonly [typeof chisq, CaseMaker])[] = [
  [choleskySolve, cholesky],
  [chisq, likelihood(false)],
  [chisqGradient, likelihood(true)],
];
