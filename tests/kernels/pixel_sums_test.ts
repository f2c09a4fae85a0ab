import assert from "node:assert/strict";
import { modelImage, pixelSums } from "../../core/kernels/pixel_sums.ts";
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
