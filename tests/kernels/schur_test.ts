import assert from "node:assert/strict";
import { fibreSchur } from "../../core/kernels/schur.ts";
import { bandOf, denseOf, slowInverse } from "../reference/banded.ts";
import { random } from "../reference/random.ts";
import { dataTest } from "../shared_data.ts";
import { assertClose, call } from "./harness.ts";
import { patchOracle } from "./patch_oracle.ts";

/** K of F fibres × L bins that couple over D bins and 2 fibres, unknown = bin·F + fibre. */
function bundle(F: number, L: number, D: number, seed: number) {
  const next = random(seed), n = F * L, HK = Math.min(n - 1, D * F + 2);
  const k = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  for (let i = 0; i < n; i++) {
    for (let j = Math.max(0, i - HK); j < i; j++) {
      if (Math.abs(i % F - j % F) > 2 || Math.floor(i / F) - Math.floor(j / F) > D) continue;
      k[i]![j] = k[j]![i] = next() - 0.3;
    }
  }
  k.forEach((row, i) => row[i] = 0.1 + row.reduce((sum, v) => sum + Math.abs(v), 0));
  return { HK, band: Float64Array.from(bandOf(k, HK)), k };
}

/** Inverse of the block of fibre s of K⁻¹. */
function inverseBlock(k: number[][], F: number, s: number): number[][] {
  const c = slowInverse(k), own = k.map((_, m) => m).filter((m) => m % F === s);
  return slowInverse(own.map((m) => own.map((n) => c[m]![n]!)));
}

for (const [F, L, D] of [[1, 6, 2], [2, 7, 1], [4, 9, 2], [5, 8, 7]] as const) {
  Deno.test(`fibre_schur is the inverse of the block of K⁻¹: ${F} fibres, ${L} bins, D = ${D}`, () => {
    const { HK, band, k } = bundle(F, L, D, F * L);
    const dims = { B: 1, F, L, D, W: F - 1, H: L - 1, HK };
    const { s } = call(fibreSchur, dims, { band });
    for (let f = 0; f < F; f++) {
      assertClose(
        s.subarray(f * L * L, (f + 1) * L * L),
        bandOf(inverseBlock(k, F, f), L - 1),
        1e-12,
        `fibre ${f}`,
      );
    }
  });
}

Deno.test("fibre_schur: fewer neighbours and a narrower band cost little where couplings die out", () => {
  const F = 5, L = 40, D = 2, H = 16;
  const { HK, band, k } = bundle(F, L, D, 8);
  // weak light between fibres
  for (let i = 0; i < k.length; i++) {
    for (let j = 0; j <= i; j++) {
      if (i % F === j % F) continue;
      if (i - j <= HK) band[i * (HK + 1) + HK - i + j]! *= 0.01;
      k[i]![j] = k[j]![i] = k[i]![j]! * 0.01;
    }
  }
  const { s } = call(fibreSchur, { B: 1, F, L, D, W: 2, H, HK }, { band });
  const expected = bandOf(inverseBlock(k, F, 2), H);
  assertClose(s.subarray(2 * L * (H + 1), 3 * L * (H + 1)), expected, 1e-9, "S");
});

Deno.test("fibre_schur: NaN stays in its bundle, empty batch, bit-identical on repeat", () => {
  const F = 3, L = 8, D = 2, dims = { F, L, D, W: 2, H: 5 };
  const { HK, band } = bundle(F, L, D, 1);
  const two = Float64Array.from([...band, ...band]);
  two[band.length + 9 * (HK + 1) + HK] = NaN;
  const { s } = call(fibreSchur, { B: 2, ...dims, HK }, { band: two });
  const alone = call(fibreSchur, { B: 1, ...dims, HK }, { band }).s;
  assert.deepEqual(s.subarray(0, alone.length), alone);
  assert.ok(s.subarray(alone.length).some(Number.isNaN));
  assert.deepEqual(call(fibreSchur, { B: 1, ...dims, HK }, { band }).s, alone);
  assert.equal(call(fibreSchur, { B: 0, ...dims, HK }, { band: new Float64Array(0) }).s.length, 0);
});

for (const [name, tolerance] of [["typical", 1e-9], ["masked", 1e-6], ["tiny", 1e-9]] as const) {
  dataTest(
    `fibre_schur inverts the covariance blocks of the ${name} patch`,
    [`extraction/kernels/ex2d_patch_${name}.npz`],
    (path) => {
      const { member, dims, unknowns } = patchOracle(path!);
      const F = dims.F!, L = dims.L!, N = F * L, HK = unknowns.halfBandwidth;
      const k = member("icov_lower"), blocks = member("cov_blocks");
      const band = new Float64Array(N * (HK + 1));
      for (let m = 0; m < N; m++) {
        for (let n = Math.max(0, m - HK); n <= m; n++) {
          const [a, b] = [unknowns.fibreMajor(m), unknowns.fibreMajor(n)];
          band[m * (HK + 1) + HK - m + n] = k[Math.max(a, b) * N + Math.min(a, b)];
        }
      }
      const { s } = call(fibreSchur, { B: 1, F, L, D: Math.ceil(HK / F), W: F - 1, H: L - 1, HK }, { band });
      for (let f = 0; f < F; f++) {
        const own = denseOf(L, L - 1, s.subarray(f * L * L, (f + 1) * L * L));
        const c = blocks.subarray(f * L * L, (f + 1) * L * L);
        // S C = 1, each column in units of the error of its bin
        for (let j = 0; j < L; j++) {
          for (let i = 0; i < L; i++) {
            const scale = Math.sqrt(c[j * (L + 1)] * own[i]![i]!);
            let sum = 0;
            for (let t = 0; t < L; t++) sum += own[i]![t]! * c[t * L + j];
            const error = Math.abs(sum - (i === j ? 1 : 0)) / Math.max(1, scale);
            assert.ok(error < tolerance, `fibre ${f}, element ${i}, ${j}: ${error}`);
          }
        }
      }
    },
  );
}
