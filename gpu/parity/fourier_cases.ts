/** Parity cases of the families fourier and ccf. */
import { ccfScan, ccfSpread } from "../../core/kernels/ccf.ts";
import { fourierTwiddles, irfft, rfft } from "../../core/kernels/fourier.ts";
import type { Kernel } from "../../core/kernels/kernel.ts";
import type { Target } from "../../core/target.ts";
import { call, type CaseMaker, type Next, type ParityCase, uniform, whole, wide } from "./case.ts";

const LENGTHS = [2, 4, 8, 16, 32, 64, 128, 512, 1024, 2048];

function twiddlesOf(N: number, wasm: Target): Float64Array {
  return call(wasm, fourierTwiddles, { N }, {}).twiddles as Float64Array;
}

const roots: CaseMaker = function* () {
  for (const N of [...LENGTHS, 8192]) yield { label: `N = ${N}`, dims: { N }, inputs: {} };
};

const forward: CaseMaker = function* (next, extra, wasm) {
  const one = (B: number, N: number, x = uniform(B * N, next)): ParityCase => ({
    label: `${B} series of ${N}`,
    dims: { B, N },
    inputs: { twiddles: twiddlesOf(N, wasm), x },
  });
  yield one(0, 16);
  for (const N of LENGTHS) yield one(2, N);
  yield one(33, 8);
  yield { ...one(3, 256, wide(3 * 256, next)), label: "60 decades" };
  const poisoned = uniform(3 * 64, next);
  poisoned[100] = NaN;
  yield { ...one(3, 64, poisoned), label: "NaN", poisoned: [1] };
  for (let i = 0; i < extra; i++) yield one(whole(next, 1, 5), 2 ** whole(next, 1, 11));
};

const backward: CaseMaker = function* (next, extra, wasm) {
  const one = (B: number, N: number, spectrum = uniform(B * (N + 2), next)): ParityCase => ({
    label: `${B} series of ${N}`,
    dims: { B, N },
    inputs: { twiddles: twiddlesOf(N, wasm), spectrum },
  });
  yield one(0, 16);
  for (const N of LENGTHS) yield one(2, N);
  yield one(33, 8);
  yield { ...one(3, 256, wide(3 * 258, next)), label: "60 decades" };
  const poisoned = uniform(3 * 66, next);
  poisoned[100] = NaN;
  yield { ...one(3, 64, poisoned), label: "NaN", poisoned: [1] };
  for (let i = 0; i < extra; i++) yield one(whole(next, 1, 5), 2 ** whole(next, 1, 11));
};

interface Scan {
  readonly B: number;
  readonly T: number;
  readonly N: number;
  readonly L: number;
}

function scanInputs({ B, T, N }: Scan, next: Next, wasm: Target) {
  const twiddles = twiddlesOf(N, wasm);
  const spectra = (x: Float64Array) =>
    call(wasm, rfft, { B: x.length / N, N }, { twiddles, x }).out as Float64Array;
  const templates = uniform(T * N, next);
  return {
    twiddles,
    tm: spectra(templates),
    tm2: spectra(templates.map((v) => v * v)),
    fd: spectra(uniform(B * N, next)),
    fw: spectra(uniform(B * N, next, 0, 2)),
  };
}

const scan: CaseMaker = function* (next, extra, wasm) {
  const one = (dims: Scan): ParityCase => ({
    label: `${dims.B} spectra, ${dims.T} templates, N = ${dims.N}, L = ${dims.L}`,
    dims: { ...dims },
    inputs: scanInputs(dims, next, wasm),
  });
  yield one({ B: 0, T: 3, N: 64, L: 5 });
  yield one({ B: 1, T: 1, N: 2, L: 0 });
  yield one({ B: 2, T: 5, N: 64, L: 31 });
  yield one({ B: 1, T: 2, N: 256, L: 127 });
  yield one({ B: 3, T: 4, N: 128, L: 0 });
  yield one({ B: 2, T: 3, N: 1024, L: 200 });
  yield one({ B: 1, T: 2, N: 2048, L: 15 });
  const dims = { B: 3, T: 3, N: 64, L: 6 };
  const poisoned = scanInputs(dims, next, wasm);
  poisoned.fd[66 + 9] = NaN;
  yield { label: "NaN", dims, inputs: poisoned, poisoned: [1] };
  for (let i = 0; i < extra; i++) {
    const N = 2 ** whole(next, 2, 10);
    yield one({ B: whole(next, 1, 3), T: whole(next, 1, 5), N, L: whole(next, 0, N / 2 - 1) });
  }
};

interface Spread {
  readonly B: number;
  readonly S: number;
  readonly P: number;
  readonly G: number;
  readonly FIRST: number;
  readonly LAST: number;
}

/** Pixels from off the grid on the left to off it on the right, `dense` to a cell on average. */
function spreadInputs({ B, S, P, G }: Spread, next: Next, dense = 1.3) {
  let at = -3;
  return {
    y: uniform(B * P, next, -5, 50),
    s: uniform(B * P, next, 0.1, 4).map((v, i) => i % 7 === 0 ? 0 : v),
    continuum: uniform(B * P, next, 0.5, 9).map((v, i) => i % 11 === 3 ? -1 : i % 53 === 50 ? NaN : v),
    index: Int32Array.from({ length: P }, () => {
      at += 2 * next() / dense;
      return Math.floor(at);
    }),
    fraction: uniform(P, next, 0, 1).map((v, i) => i === 10 ? 0 : v),
    star: Int32Array.from({ length: B }, () => whole(next, 0, S - 1)),
    dw: uniform(S * G, next),
    w: uniform(S * G, next),
  };
}

const spread: CaseMaker = function* (next, extra) {
  const one = (dims: Spread, dense?: number): ParityCase => ({
    label:
      `${dims.B} spectra of ${dims.S} stars, ${dims.P} pixels ${dims.FIRST}..${dims.LAST} on ${dims.G} points`,
    dims: { ...dims },
    inputs: spreadInputs(dims, next, dense),
  });
  yield one({ B: 0, S: 2, P: 9, G: 8, FIRST: 0, LAST: 9 });
  yield one({ B: 1, S: 1, P: 1, G: 2, FIRST: 0, LAST: 1 });
  yield one({ B: 3, S: 2, P: 97, G: 60, FIRST: 4, LAST: 90 });
  yield one({ B: 3, S: 5, P: 97, G: 60, FIRST: 0, LAST: 1000 });
  yield one({ B: 2, S: 2, P: 40, G: 30, FIRST: 30, LAST: 20 });
  yield one({ B: 9, S: 3, P: 300, G: 257, FIRST: 0, LAST: 300 }, 0.7);
  yield one({ B: 2, S: 1, P: 300, G: 40, FIRST: 0, LAST: 300 }, 9);
  const dims = { B: 2, S: 2, P: 50, G: 40, FIRST: 0, LAST: 50 };
  const poisoned = spreadInputs(dims, next);
  poisoned.star.set([0, 1]);
  poisoned.y[50 + 26] = NaN;
  yield { label: "NaN in the flux", dims, inputs: poisoned, poisoned: [1] };
  for (let i = 0; i < extra; i++) {
    const P = whole(next, 1, 400);
    yield one({ B: whole(next, 1, 6), S: whole(next, 1, 4), P, G: whole(next, 2, 300), FIRST: 0, LAST: P });
  }
};

export const FOURIER_AND_CCF: readonly (readonly [Kernel, CaseMaker])[] = [
  [fourierTwiddles, roots],
  [rfft, forward],
  [irfft, backward],
  [ccfSpread, spread],
  [ccfScan, scan],
];
