import assert from "node:assert/strict";
import { modelImage, pixelSums } from "../../core/kernels/pixel_sums.ts";
import { slowModelImage, slowPixelSums } from "../reference/patch.ts";
import { dataTest } from "../shared_data.ts";
import { assertClose, call } from "./harness.ts";
import { oracle } from "./oracle.ts";
import { patchOracle } from "./patch_oracle.ts";

dataTest("model_image of unit fluxes is the reference's projection matrix", [
  "extraction/kernels/projection_small.npz",
], (path) => {
  const member = oracle(path!);
  const F = 3, L = 12, n = F * L;
  const [x0, x1, y0, y1] = member("xyrange") as unknown as [number, number, number, number];
  const NX = x1 - x0, NY = y1 - y0;
  const x = new Float64Array(n * n);
  for (let m = 0; m < n; m++) x[m * n + m] = 1;
  const each = (row: number[]) => Int32Array.from({ length: n * row.length }, (_, i) => row[i % row.length]!);
  const { model } = call(modelImage, { B: n, F, L, NF: F, NL: L, SX: 17, SY: 11, NX, NY }, {
    spots: member("spots"),
    xc: Int32Array.from(member("xc")),
    yc: Int32Array.from(member("yc")),
    place: each([0, 0, x0, y0, NX, NY]),
    keep: each([0, F, 0, L]),
    x,
  });
  // reference: [y][x][fibre][bin]
  const expected = member("A4");
  const found = expected.map((_, i) => {
    const [p, f, w] = [Math.floor(i / n), Math.floor(i % n / L), i % L];
    return model![(w * F + f) * NX * NY + p]!;
  });
  assert.deepEqual(found, expected);
});

for (const name of ["tiny", "typical", "masked"]) {
  dataTest(`model_image and pixel_sums reproduce the reference's ${name} patch`, [
    `extraction/kernels/ex2d_patch_${name}.npz`,
  ], (path) => {
    const { dims, inputs, member, unknowns } = patchOracle(path!);
    const { F, L } = dims as { F: number; L: number };
    const [f0, w0, core] = ["ispec_off", "wavepad", "nwave_core"].map((key) => member(key)[0]!) as [
      number,
      number,
      number,
    ];
    const kept = [f0, f0 + 5, w0, w0 + core];
    const project = (values: Float64Array, keep: number[]) =>
      call(modelImage, dims, { ...inputs, keep: Int32Array.from(keep), x: unknowns.fromFibreMajor(values) })
        .model!;
    // the reference's model is A R x: blurred twice, but the sum is the same
    assertClose(project(member("flux"), kept), member("core_modelimage"), 1e-13, "model");
    const model = project(member("xflux"), [0, F, 0, L]);
    const out = call(pixelSums, dims, { ...inputs, model, psferr: Float64Array.of(0.01) });
    const ofCore = (values: Float64Array) =>
      Float64Array.from(
        { length: 5 * core },
        (_, i) => values[(w0 + i % core) * F + f0 + Math.floor(i / core)]!,
      );
    assertClose(ofCore(out.masked!), member("core_pixmask_fraction"), 1e-14, "masked");
    const chi2pix = ofCore(out.chi2pix!), expected = member("core_chi2pix");
    for (let i = 0; i < expected.length; i++) {
      assert.ok(Math.abs(chi2pix[i]! - expected[i]!) <= 1e-11 * Math.abs(expected[i]!), `chi2pix[${i}]`);
    }
    const whole = ofCore(out.seen!).map((v, i) => v + ofCore(out.masked!)[i]!);
    assert.ok(whole.every((v) => v < 1 + 1e-12));
  });
}

/** A patch of 2 × 2 spots of 3 × 3 pixels; the last two overlap the box by a column and not at all. */
const SMALL = {
  dims: { B: 1, F: 2, L: 2, NF: 2, NL: 2, SX: 3, SY: 3, NX: 6, NY: 5 },
  inputs: {
    spots: Float64Array.from({ length: 36 }, (_, i) => (1 + i % 9) / 45),
    xc: Int32Array.of(0, 2, 5, 40),
    yc: Int32Array.of(0, 1, 1, 1),
    place: Int32Array.of(0, 0, 0, 0, 6, 5),
    keep: Int32Array.of(0, 2, 0, 2),
    x: Float64Array.of(10, 20, 30, 40),
    pixels: new Float64Array(30).fill(5),
    weights: new Float64Array(30).fill(0.25),
    psferr: Float64Array.of(0.1),
  },
};

Deno.test("model_image and pixel_sums agree with the dense projection matrix", () => {
  const { dims, inputs } = SMALL;
  const { model } = call(modelImage, dims, inputs);
  assertClose(model!, slowModelImage(dims, inputs, 0), 1e-15, "model");
  for (const keep of [[0, 1, 0, 2], [1, 2, 0, 1], [0, 2, 2, 2]]) {
    const kept = { ...inputs, keep: Int32Array.from(keep) };
    assertClose(call(modelImage, dims, kept).model!, slowModelImage(dims, kept, 0), 1e-15, `${keep}`);
  }
  const found = call(pixelSums, dims, { ...inputs, model: model! });
  const expected = slowPixelSums(dims, { ...inputs, model: model! }, 0);
  for (const name of ["chi2pix", "masked", "seen"] as const) {
    assertClose(found[name]!, expected[name], 1e-14, name);
  }
  // bins by wavelength: the fourth fell beyond the box
  assert.deepEqual([found.seen![3], found.masked![3], found.chi2pix![3]], [0, 0, 0]);
});

Deno.test("pixel_sums: masked light is counted, NaN under weight 0 leaves no trace", () => {
  const { dims, inputs } = SMALL;
  const { model } = call(modelImage, dims, inputs);
  const weights = inputs.weights.slice(), pixels = inputs.pixels.slice();
  weights.fill(0, 0, 6); // the lowest row
  pixels.fill(NaN, 0, 6);
  const { chi2pix, masked, seen } = call(pixelSums, dims, { ...inputs, model: model!, weights, pixels });
  const row = (1 + 2 + 3) / 45;
  assert.ok(Math.abs(masked![0]! - row) < 1e-15 && Math.abs(seen![0]! - (1 - row)) < 1e-15);
  assert.deepEqual([masked![1], masked![2]], [0, 0]);
  assert.ok(chi2pix!.every(Number.isFinite));
  const dark = call(pixelSums, dims, {
    ...inputs,
    model: model!,
    weights: new Float64Array(30),
    pixels: new Float64Array(30).fill(NaN),
  });
  assert.deepEqual([...dark.chi2pix!, ...dark.seen!], new Array(8).fill(0));
  assert.ok(Math.abs(dark.masked![0]! - 1) < 1e-9);
});

Deno.test("pixel_sums: the error of the PSF is taken off χ², as a part of the model", () => {
  const { dims, inputs } = SMALL;
  const model = new Float64Array(30).fill(8), wide = { ...inputs, model };
  const chi2 = (psferr: number) =>
    call(pixelSums, dims, { ...wide, psferr: Float64Array.of(psferr) }).chi2pix![0]!;
  assert.ok(Math.abs(chi2(0) - 9 / 4) < 1e-14);
  assert.ok(Math.abs(chi2(0.1) - 9 / (4 + 0.64)) < 1e-14);
});

Deno.test("model_image and pixel_sums: empty batches, the same bits on repeat", () => {
  const { dims, inputs } = SMALL;
  const none = { ...dims, B: 0 };
  assert.equal(call(modelImage, none, inputs).model!.length, 0);
  assert.equal(call(pixelSums, none, { ...inputs, model: new Float64Array(0) }).seen!.length, 0);
  assert.deepEqual(call(modelImage, dims, inputs), call(modelImage, dims, inputs));
});
