import assert from "node:assert/strict";
import { polesFor, zolotarev } from "../../core/extraction/poles.ts";
import { bandExtent, bandRoot, decorrelate } from "../../core/kernels/root.ts";
import { bandOf, denseOf, slowInverse, slowProduct } from "../reference/banded.ts";
import { random, uniform } from "../reference/random.ts";
import { dataTest } from "../shared_data.ts";
import { assertClose, call } from "./harness.ts";
import { oracle } from "./oracle.ts";

/** Q of dense matrices given as full lower bands, with the poles that `error` takes. */
function rootOf(F: number, L: number, s: Float64Array, x: Float64Array, error: number, ND = L - 1) {
  const H = L - 1, dims = { B: 1, F, L, H };
  const { low, high } = call(bandExtent, dims, { s });
  const count = Int32Array.from(low, (l, f) => polesFor(l, high[f], error) || 1);
  const P = Math.max(...count);
  const shift = new Float64Array(F * P), weight = new Float64Array(F * P);
  for (let f = 0; f < F; f++) {
    const poles = zolotarev(low[f], high[f], count[f]!);
    shift.set(poles.shift, f * P);
    weight.set(poles.weight, f * P);
  }
  return call(bandRoot, { ...dims, P, ND }, { s, x, count, shift, weight });
}

/** A symmetric positive definite matrix whose rows are scaled over some decades. */
function matrix(L: number, decades: number, seed: number): number[][] {
  const next = random(seed);
  const m = Array.from({ length: L }, () => uniform(L, next));
  const scale = Array.from({ length: L }, () => 10 ** (decades * (next() - 0.5)));
  return m.map((row, i) =>
    m.map((other, j) =>
      (row.reduce((sum, v, t) => sum + v * other[t], 0) + (i === j ? 1 : 0)) * scale[i]! * scale[j]!
    )
  );
}

for (
  const [L, decades, tolerance] of [[1, 0, 1e-13], [6, 0, 1e-11], [20, 2, 1e-10], [30, 4, 1e-9]] as const
) {
  Deno.test(`band_root squared is S: ${L} bins, rows over ${decades} decades`, () => {
    const s = matrix(L, decades, L), x = uniform(L, random(7));
    const out = rootOf(1, L, Float64Array.from(bandOf(s, L - 1)), x, 1e-13);
    const q = denseOf(L, L - 1, out.q);
    for (let i = 0; i < L; i++) {
      for (let j = 0; j < L; j++) {
        const sum = q[i]!.reduce((total, v, t) => total + v * q[t]![j]!, 0);
        const scale = Math.sqrt(s[i]![i]! * s[j]![j]!);
        assert.ok(Math.abs(sum - s[i]![j]!) < tolerance * scale, `${i}, ${j}: ${sum} against ${s[i]![j]}`);
      }
    }
    assertClose(out.rowsum, slowProduct(q, new Array(L).fill(1)), tolerance, "Q 1");
    assertClose(out.qx, slowProduct(q, [...x]), tolerance, "Q x");
  });
}

Deno.test("band_extent bounds the spectrum of every matrix", () => {
  const L = 12;
  for (const decades of [0, 3]) {
    const s = matrix(L, decades, 40 + decades);
    const { low, high } = call(bandExtent, { B: 1, F: 1, L, H: L - 1 }, {
      s: Float64Array.from(bandOf(s, L - 1)),
    });
    // the power method from many starts: never above what bounds the spectrum
    const norm = (a: number[][], seed: number) => {
      let v = [...uniform(L, random(seed))], size = 0;
      for (let step = 0; step < 200; step++) {
        const w = slowProduct(a, v);
        size = Math.hypot(...w) / Math.hypot(...v);
        v = w.map((value) => value / Math.hypot(...w));
      }
      return size;
    };
    const largest = norm(s, 1), smallest = 1 / norm(slowInverse(s), 2);
    assert.ok(low[0] <= smallest * (1 + 1e-9) && low[0] > smallest / L, `${low[0]} against ${smallest}`);
    assert.ok(high[0] >= largest * (1 - 1e-9) && high[0] < largest * L, `${high[0]} against ${largest}`);
  }
});

Deno.test("zolotarev keeps to the error asked for, over any interval", () => {
  for (const ratio of [1, 3, 1e3, 1e6, 1e12]) {
    for (const error of [1e-3, 1e-8, 1e-12]) {
      const low = 3e-11, P = polesFor(low, low * ratio, error);
      const { shift, weight } = zolotarev(low, low * ratio, P);
      for (let i = 0; i <= 300; i++) {
        const x = low * ratio ** (i / 300);
        const root = shift.reduce((sum, sigma, p) => sum + weight[p]! * x / (x + sigma), 0);
        const found = Math.abs(root / Math.sqrt(x) - 1);
        // the elliptic functions of a modulus next to 1 carry 1e-13
        assert.ok(found < error + 2e-13, `${ratio}, ${error}: ${found} with ${P} poles at ${x}`);
      }
    }
  }
});

Deno.test("band_root: NaN stays with its fibre, an unused pole is not looked at, bit-identical on repeat", () => {
  const L = 9, F = 3, s = Float64Array.from([1, 2, 3].flatMap((seed) => bandOf(matrix(L, 0, seed), L - 1)));
  const x = uniform(F * L, random(5));
  const whole = rootOf(F, L, s, x, 1e-8, 2);
  assert.deepEqual(rootOf(F, L, s, x, 1e-8, 2), whole);
  const sick = s.slice();
  sick[L * L + 5 * L + L - 1] = -1;
  const out = rootOf(F, L, sick, x, 1e-8, 2);
  for (const f of [0, 1, 2]) {
    const part = out.rowsum.subarray(f * L, (f + 1) * L);
    if (f === 1) assert.ok(part.every(Number.isNaN));
    else assertClose(part, whole.rowsum.subarray(f * L, (f + 1) * L), 1e-13);
  }
});

Deno.test("decorrelate: rows of R sum to 1, columns are stored, zeros past the ends", () => {
  const L = 7, ND = 2, M = 7;
  const q = new Float64Array(L * (ND + 1)).fill(0.25);
  for (let i = 0; i < L; i++) q[i * (ND + 1) + ND] = 2 + i;
  const dense = denseOf(L, ND, q);
  const rowsum = Float64Array.from(dense, (row) => row.reduce((sum, v) => sum + v, 0));
  const qx = Float64Array.from(slowProduct(dense, [1, 2, 3, 4, 5, 6, 7]));
  const out = call(decorrelate, { B: 1, L, M, FIRST: 0, ND }, { q, rowsum, qx });
  for (let i = 0; i < L; i++) {
    let sum = 0;
    for (let k = 0; k <= 2 * ND; k++) {
      const j = i + ND - k;
      if (j >= 0 && j < L) sum += out.resolution[k * M + j];
    }
    assert.ok(Math.abs(sum - 1) < 1e-15, `row ${i}: ${sum}`);
    assert.equal(out.ivar[i], rowsum[i] ** 2);
    assert.equal(out.flux[i], qx[i] / rowsum[i]);
  }
  assert.equal(out.resolution[0], 0);
  assert.equal(out.resolution[2 * ND * M + L - 1], 0);
});

for (
  const [name, flux, ivar, r] of [
    ["typical", 1e-8, 1e-9, 1e-9],
    ["masked", 1e-5, 1e-6, 1e-6],
    ["tiny", 1e-8, 1e-9, 1e-9],
  ] as const
) {
  dataTest(
    `roots of the covariance blocks of the ${name} patch`,
    [`extraction/kernels/ex2d_patch_${name}.npz`],
    (path) => {
      const member = oracle(path!);
      const F = member("nspec_padded")[0], L = member("nwave_padded")[0];
      const blocks = member("cov_blocks"), xflux = member("xflux");
      const all: number[] = [];
      for (let f = 0; f < F; f++) {
        const c = Array.from(
          { length: L },
          (_, i) => [...blocks.subarray((f * L + i) * L, (f * L + i + 1) * L)],
        );
        all.push(...bandOf(slowInverse(c), L - 1));
      }
      const x = Float64Array.from({ length: F * L }, (_, m) => xflux[(m % F) * L + Math.floor(m / F)]);
      const out = rootOf(F, L, Float64Array.from(all), x, 1e-13);
      const found = call(decorrelate, { B: F, L, M: L, FIRST: 0, ND: L - 1 }, {
        q: out.q,
        rowsum: out.rowsum,
        qx: out.qx,
      });
      const sigma = (values: Float64Array) => values.map((v, i) => v * Math.sqrt(member("fluxivar")[i]));
      assertClose(sigma(found.flux), sigma(member("flux")), flux, "flux in σ", 1);
      assertClose(
        found.ivar.map((v, i) => v / member("fluxivar")[i]),
        new Float64Array(F * L).fill(1),
        ivar,
        "ivar",
      );
      const blocksR = member("R_blocks"), bands = 2 * L - 1;
      for (let f = 0; f < F; f++) {
        for (let i = 0; i < L; i++) {
          const row = Float64Array.from(
            { length: L },
            (_, j) => found.resolution[(f * bands + i - j + L - 1) * L + j],
          );
          assertClose(
            row,
            blocksR.subarray((f * L + i) * L, (f * L + i + 1) * L),
            r,
            `R of fibre ${f}, bin ${i}`,
            1,
          );
        }
      }
    },
  );
}
