import assert from "node:assert/strict";
import { bandedCholesky, bandedSolve } from "../../core/kernels/banded.ts";
import { normalEquations } from "../../core/kernels/normal_equations.ts";
import { place } from "../../core/target.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { bandOf, denseOf, slowFactor, slowProduct } from "../reference/banded.ts";
import { random, uniform } from "../reference/random.ts";
import { dataTest } from "../shared_data.ts";
import { assertClose, call } from "./harness.ts";
import { patchOracle } from "./patch_oracle.ts";

/** B well-conditioned bands: M Mᵀ + ½ of a lower band M. */
function systems(B: number, N: number, H: number, seed: number) {
  const next = random(seed);
  const band = new Float64Array(B * N * (H + 1));
  for (let b = 0; b < B; b++) {
    const m = denseOf(N, H, uniform(N * (H + 1), next)).map((row, i) => row.map((v, j) => j > i ? 0 : v));
    const k = m.map((row, i) =>
      m.map((other, j) => row.reduce((sum, v, t) => sum + v * other[t], 0) + (i === j ? 0.5 : 0))
    );
    band.set(bandOf(k, H), b * N * (H + 1));
  }
  return { band, b: uniform(B * N, next) };
}

for (const [N, H] of [[1, 0], [2, 5], [9, 1], [20, 6], [33, 32], [70, 13]] as const) {
  Deno.test(`banded_cholesky and banded_solve of ${N} unknowns, H = ${H}`, () => {
    const B = 3;
    const { band, b } = systems(B, N, H, N);
    const { l } = call(bandedCholesky, { B, N, H }, { band });
    const { x } = call(bandedSolve, { B, N, H }, { l: l!, b });
    for (let s = 0; s < B; s++) {
      const k = denseOf(N, H, band.subarray(s * N * (H + 1)));
      assertClose(l.subarray(s * N * (H + 1), (s + 1) * N * (H + 1)), bandOf(slowFactor(k), H), 1e-11, "l");
      assertClose(
        slowProduct(k, [...x.subarray(s * N, (s + 1) * N)]),
        b.subarray(s * N, (s + 1) * N),
        1e-10,
        "K x",
      );
    }
  });
}

Deno.test("banded_cholesky makes NaN of what is not positive definite, and of that matrix only", () => {
  const B = 6, N = 20, H = 4, size = N * (H + 1);
  const { band } = systems(B, N, H, 5);
  const whole = call(bandedCholesky, { B, N, H }, { band }).l;
  const at = (s: number, i: number, k = H) => s * size + i * (H + 1) + k;
  band[at(1, 7)] = -1;
  band[at(2, 9, 2)] = NaN;
  band[at(3, 0)] = 0;
  band[at(4, 19)] = Infinity;
  const { l } = call(bandedCholesky, { B, N, H }, { band });
  for (let s = 0; s < B; s++) {
    const part = l.subarray(s * size, (s + 1) * size);
    if (s === 0 || s === 5) assert.deepEqual(part, whole.subarray(s * size, (s + 1) * size));
    else assert.ok(part.every(Number.isNaN), `matrix ${s}`);
  }
});

Deno.test("banded_cholesky may factor in place", () => {
  const dims = { B: 2, N: 31, H: 7 };
  const { band } = systems(2, 31, 7, 11);
  const target = loadWasmTarget();
  const k = place(target, band);
  target.run(bandedCholesky, dims, { band: k, l: k });
  assert.deepEqual(target.download(k), call(bandedCholesky, dims, { band }).l);
});

Deno.test("banded kernels: empty batch, bit-identical on repeat", () => {
  const none = new Float64Array(0), dims = { B: 0, N: 4, H: 2 };
  assert.equal(call(bandedCholesky, dims, { band: none }).l.length, 0);
  assert.equal(call(bandedSolve, dims, { l: none, b: none }).x.length, 0);
  const { band } = systems(2, 40, 9, 3), full = { B: 2, N: 40, H: 9 };
  assert.deepEqual(call(bandedCholesky, full, { band }), call(bandedCholesky, full, { band }));
});

for (const [name, tolerance] of [["typical", 1e-8], ["masked", 1e-5], ["tiny", 1e-8]] as const) {
  dataTest(
    `banded kernels find the flux of the ${name} patch`,
    [`extraction/kernels/ex2d_patch_${name}.npz`],
    (path) => {
      const { member, dims, inputs, unknowns } = patchOracle(path!);
      const H = unknowns.halfBandwidth, N = dims.F! * dims.L!;
      const equations = call(normalEquations, { ...dims, H }, inputs);
      // the prior comes from the oracle's own matrix
      const k = member("icov_lower");
      for (let m = 0; m < N; m++) equations.band[m * (H + 1) + H] = k[unknowns.fibreMajor(m) * (N + 1)];
      const { l } = call(bandedCholesky, { B: 1, N, H }, { band: equations.band });
      const { x } = call(bandedSolve, { B: 1, N, H }, { l, b: equations.y });
      const expected = unknowns.fromFibreMajor(member("xflux"));
      // in units of the error that x has where its neighbours are known
      const sigmas = x.map((v, m) => (v - expected[m]) * Math.sqrt(equations.band[m * (H + 1) + H]));
      assertClose(sigmas, new Float64Array(N), tolerance, "x", 1);
    },
  );
}
