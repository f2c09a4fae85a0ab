import assert from "node:assert/strict";
import { halfBandwidth } from "../../core/extraction/overlap.ts";
import { fibreCoefficients, spotDims } from "../../core/extraction/psf.ts";
import { normalEquations, weakPrior } from "../../core/kernels/normal_equations.ts";
import { psfSpots } from "../../core/kernels/spots.ts";
import { smallPsf } from "../extraction/psf_fixture.ts";
import { slowNormalEquations } from "../reference/patch.ts";
import { random } from "../reference/random.ts";
import { dataTest } from "../shared_data.ts";
import { assertClose, call } from "./harness.ts";
import { patchOracle } from "./patch_oracle.ts";

for (const name of ["tiny", "typical", "masked"]) {
  dataTest(`normal_equations and weak_prior reproduce the reference's ${name} patch`, [
    `extraction/kernels/ex2d_patch_${name}.npz`,
  ], (path) => {
    const { dims, inputs, member, unknowns } = patchOracle(path!);
    const { F, L } = dims as { F: number; L: number };
    const n = F * L;
    for (const H of [unknowns.halfBandwidth, unknowns.halfBandwidth + 20]) {
      const out = call(normalEquations, { ...dims, H }, inputs);
      assertClose(out.y!, unknowns.fromFibreMajor(member("y")), 1e-13, "y");
      assertClose(out.fw!, unknowns.fromFibreMajor(member("fluxweight")), 1e-13, "fw");
      const { band, weak } = call(weakPrior, { B: 1, F, L, H }, {
        fw: out.fw!,
        regularize: Float64Array.of(0),
        band: out.band!,
      });
      const expected = member("icov_lower"), found = new Float64Array(n * n);
      for (let m = 0; m < n; m++) {
        for (let k = 0; k <= H; k++) {
          const j = m - H + k;
          if (j < 0) {
            assert.equal(band![m * (H + 1) + k], 0);
            continue;
          }
          const [a, b] = [unknowns.fibreMajor(m), unknowns.fibreMajor(j)];
          found[Math.max(a, b) * n + Math.min(a, b)] = band![m * (H + 1) + k]!;
        }
      }
      assertClose(found, expected, 1e-13, "K, of the largest");
      // relative to √(K_ii K_jj), the size that K_ij could have
      for (let i = 0; i < n; i++) {
        for (let j = 0; j <= i; j++) {
          const size = Math.sqrt(expected[i * n + i]! * expected[j * n + j]!);
          const error = Math.abs(found[i * n + j]! - expected[i * n + j]!);
          assert.ok(error <= 1e-13 * size, `K[${i}, ${j}]: ${found[i * n + j]}`);
        }
      }
      const most = Math.max(...member("fluxweight"));
      const few = [...unknowns.fromFibreMajor(member("fluxweight"))].map((v) => v < 1e-4 * most ? 1 : 0);
      assert.deepEqual([...weak!], few);
    }
  });
}

/** Two patches of 4 fibres × 12 bins on the spots of a small PSF, boxes that cut them at all sides. */
function smallPatches() {
  const psf = smallPsf({ fibres: 6 }), F = 4, L = 12, NF = 6, NL = 20;
  const next = random(8);
  const { spots, xc, yc } = call(psfSpots, spotDims(psf, NF, NL), {
    wave: Float64Array.from({ length: NF * NL }, (_, i) => 6010 + 0.8 * (i % NL)),
    ...fibreCoefficients(psf, 0, NF),
  });
  const NX = 33, NY = 22, pixels = 2 * NX * NY;
  return {
    dims: { B: 2, F, L, NF, NL, SX: 13, SY: 9, NX, NY },
    H: halfBandwidth({ xc: xc as never, yc: yc as never, fibres: NF, bins: NL, columns: 13, rows: 9 }),
    inputs: {
      spots: spots!,
      xc: Int32Array.from(xc!),
      yc: Int32Array.from(yc!),
      place: Int32Array.of(
        0,
        1,
        xc![0]! + 2,
        yc![0]! + 3,
        NX,
        NY,
        2,
        8,
        xc![2 * NL + 8]! + 1,
        yc![8]! + 2,
        30,
        20,
      ),
      pixels: Float64Array.from({ length: pixels }, () => 200 * next()),
      weights: Float64Array.from({ length: pixels }, () => next() < 0.1 ? 0 : 0.1 * next()),
    },
  };
}

Deno.test("normal_equations agrees with the dense projection matrix, in windows too", () => {
  const { dims, H, inputs } = smallPatches();
  for (const half of [H, H + 9, 5]) {
    const out = call(normalEquations, { ...dims, H: half }, inputs);
    const n = dims.F * dims.L, row = n * (half + 1);
    for (let b = 0; b < 2; b++) {
      const expected = slowNormalEquations({ ...dims, H: half }, inputs, b);
      assertClose(out.band!.subarray(b * row, (b + 1) * row), expected.band, 1e-14, "band");
      assertClose(out.y!.subarray(b * n, (b + 1) * n), expected.y, 1e-14, "y");
      assertClose(out.fw!.subarray(b * n, (b + 1) * n), expected.fw, 1e-14, "fw");
    }
  }
});

Deno.test("halfBandwidth is the smallest that leaves nothing out", () => {
  const { dims, inputs } = smallPatches();
  const { NF, NL } = dims;
  // one patch of all spots, on a box that holds them
  const box = { ...dims, B: 1, F: NF, L: NL, NX: 90, NY: 90 };
  const one = {
    ...inputs,
    place: Int32Array.of(0, 0, -10, -10, 90, 90),
    pixels: new Float64Array(8100),
    weights: new Float64Array(8100).fill(1),
  };
  const corners = { xc: inputs.xc, yc: inputs.yc, fibres: NF, bins: NL, columns: 13, rows: 9 };
  const H = halfBandwidth(corners), wide = NF * NL - 1;
  const { band } = call(normalEquations, { ...box, H: wide }, one);
  let most = 0;
  for (let m = 0; m <= wide; m++) {
    for (let k = 0; k <= wide; k++) if (band![m * (wide + 1) + k] !== 0) most = Math.max(most, wide - k);
  }
  // spots that share a pixel may have no light in it
  assert.ok(H >= most && H <= most + NF, `${H} against ${most}`);
  assert.equal(halfBandwidth({ ...corners, fibres: 0 }), 0);
  assert.equal(halfBandwidth({ ...corners, xc: corners.xc.map((_, i) => 100 * i), columns: 3 }), 0);
});

Deno.test("normal_equations: pixels of weight 0 are not looked at, a NaN with weight stays in its patch", () => {
  const { dims, H, inputs } = smallPatches();
  const sound = call(normalEquations, { ...dims, H }, inputs);
  const pixels = inputs.pixels.map((v, i) => inputs.weights[i] === 0 ? NaN : v);
  assert.deepEqual(call(normalEquations, { ...dims, H }, { ...inputs, pixels }), sound);
  pixels[10 * dims.NX + 15] = NaN;
  const weights = inputs.weights.slice();
  weights[10 * dims.NX + 15] = 1;
  const sick = call(normalEquations, { ...dims, H }, { ...inputs, pixels, weights });
  const n = dims.F * dims.L;
  assert.ok(sick.y!.subarray(0, n).some(Number.isNaN));
  assert.deepEqual(sick.y!.subarray(n), sound.y!.subarray(n));
});

Deno.test("weak_prior: the threshold is the patch's own, regularize holds the others", () => {
  const fw = Float64Array.of(10, 5e-4, 1e-3, 0, 1e-6, 0, 1e-9, 1e-11);
  const band = new Float64Array(16);
  const out = call(weakPrior, { B: 2, F: 2, L: 2, H: 1 }, { fw, regularize: Float64Array.of(0.01, 0), band });
  assert.deepEqual([...out.weak!], [0, 1, 0, 1, 0, 1, 0, 1]);
  const least = [1e-3, 1e-3, 1e-3, 1e-3, 1e-10, 1e-10, 1e-10, 1e-10];
  fw.forEach((v, i) => {
    const alpha = out.weak![i] ? least[i]! - v : i < 4 ? 0.01 : 0;
    assert.ok(Math.abs(out.band![2 * i + 1]! - (alpha ** 2 + 1e-15)) <= 1e-12 * alpha ** 2 + 1e-30);
    assert.equal(out.band![2 * i], 0);
  });
  // no light at all: what keeps the diagonal positive
  const dark = call(weakPrior, { B: 1, F: 1, L: 2, H: 0 }, {
    fw: new Float64Array(2),
    regularize: new Float64Array(1),
    band: new Float64Array(2),
  });
  assert.deepEqual([[...dark.band!], [...dark.weak!]], [[1e-15, 1e-15], [0, 0]]);
});
