import assert from "node:assert/strict";
import { fibreCoefficients, type Psf, spotDims } from "../../core/extraction/psf.ts";
import { readPsf } from "../../core/extraction/read_psf.ts";
import { psfSpots } from "../../core/kernels/spots.ts";
import { smallPsf } from "../extraction/psf_fixture.ts";
import { slowSeries, slowSpot } from "../reference/spots.ts";
import { dataTest } from "../shared_data.ts";
import { assertClose, call } from "./harness.ts";
import { oracle } from "./oracle.ts";

/** Spots of consecutive fibres, all at the same wavelengths. */
function spotsOf(psf: Psf, first: number, fibres: number, wave: ArrayLike<number>) {
  const L = wave.length;
  return call(psfSpots, spotDims(psf, fibres, L), {
    wave: Float64Array.from({ length: fibres * L }, (_, i) => wave[i % L]!),
    ...fibreCoefficients(psf, first, fibres),
  });
}

dataTest("psf_spots reproduces the reference's spots and corners", [
  "extraction/psf-r0-00051060.fits",
  "extraction/kernels/basis_and_spots.npz",
], (file, kernels) => {
  const psf = readPsf(file!), member = oracle(kernels!);
  const wave = member("wave"), fibres = member("fibers");
  const L = wave.length, size = 17 * 11;
  fibres.forEach((fibre, i) => {
    const out = spotsOf(psf, fibre, 1, wave);
    const spots = member("spots").subarray(i * L * size, (i + 1) * L * size);
    assertClose(out.spots!, spots, 1e-12, `spots of fibre ${fibre}`, 1);
    assert.deepEqual([...out.xc!], [...member("xcorner").subarray(i * L, (i + 1) * L)]);
    assert.deepEqual([...out.yc!], [...member("ycorner").subarray(i * L, (i + 1) * L)]);
  });
});

dataTest("every spot of a real camera has the sum 1 and no negative pixel", [
  "extraction/psf-r0-00067784.fits",
], (file) => {
  const psf = readPsf(file!), L = 31, size = 17 * 11;
  const wave = Float64Array.from({ length: L }, (_, i) => 5540 + 76.5 * i);
  const { spots } = spotsOf(psf, 0, psf.fibres, wave);
  for (let i = 0; i < psf.fibres * L; i++) {
    let sum = 0;
    for (const value of spots!.subarray(i * size, (i + 1) * size)) {
      assert.ok(value >= 0);
      sum += value;
    }
    assert.ok(Math.abs(sum - 1) < 1e-13, `spot ${i}: ${sum}`);
  }
});

Deno.test("psf_spots agrees with quadrature pixel by pixel, tails too", () => {
  const plain = smallPsf({ fibres: 2 });
  const P = plain.shape.length / 2 / plain.shapeTerms, shape = plain.shape.slice();
  [0.02, 1.2, 0.9, 1.1, 1.8].forEach((v, i) => shape[(2 * P - 5 + i) * plain.shapeTerms] = v);
  const psf = { ...plain, shape };
  const wave = [6001, 6017.3, 6030.9], size = 13 * 9;
  const out = spotsOf(psf, 0, 2, wave);
  for (let f = 0; f < 2; f++) {
    const { trace, shape, domains } = fibreCoefficients(psf, f, 1);
    wave.forEach((at, l) => {
      const series = (from: Float64Array, terms: number, p: number, domain: Float64Array) =>
        slowSeries(from.subarray(p * terms, (p + 1) * terms), domain, at);
      const parameters = Array.from({ length: P }, (_, p) => series(shape, 2, p, domains.subarray(2)));
      const [x, y] = [0, 1].map((axis) => series(trace, 3, axis, domains));
      const expected = slowSpot(x!, y!, parameters, { GX: 4, GY: 3, SX: 13, SY: 9 });
      const i = f * wave.length + l;
      assertClose(out.spots!.subarray(i * size, (i + 1) * size), expected.image, 1e-14, "spot", 1);
      assert.deepEqual([out.xc![i], out.yc![i]], [expected.xc, expected.yc]);
    });
  }
  // a tail of the second fibre alone
  const { spots } = spotsOf(plain, 0, 2, wave);
  assert.deepEqual(spots!.subarray(0, 3 * size), out.spots!.subarray(0, 3 * size));
  assert.notDeepEqual(spots!.subarray(3 * size), out.spots!.subarray(3 * size));
});

Deno.test("psf_spots: a spot does not depend on its neighbours, NaN stays in its bin", () => {
  const psf = smallPsf({ fibres: 3 }), size = 13 * 9;
  const wave = [6000, 6005, NaN, 6011, 6013];
  const all = spotsOf(psf, 0, 3, wave);
  for (const [f, l] of [[0, 0], [1, 1], [1, 3], [2, 4]] as const) {
    const one = spotsOf(psf, f, 1, [wave[l]!]);
    const i = f * wave.length + l;
    assert.deepEqual(all.spots!.subarray(i * size, (i + 1) * size), one.spots);
    assert.deepEqual([all.xc![i], all.yc![i]], [one.xc![0], one.yc![0]]);
  }
  assert.ok(all.spots!.subarray(2 * size, 3 * size).every(Number.isNaN));
});

Deno.test("psf_spots: light narrower than a pixel, wings of 40 σ, and empty batches", () => {
  const psf = smallPsf({ fibres: 1 });
  const narrow = psf.shape.slice().fill(0);
  [0.15, 0.15, 1].forEach((v, p) => narrow[p * psf.shapeTerms] = v);
  const { spots } = spotsOf({ ...psf, shape: narrow }, 0, 1, [6007.1]);
  assert.ok(spots!.every((v) => v >= 0 && Number.isFinite(v)));
  assert.ok(Math.abs(spots!.reduce((s, v) => s + v, 0) - 1) < 1e-14);
  assert.equal(spotsOf(psf, 0, 0, [6000]).spots!.length, 0);
  assert.equal(spotsOf(psf, 0, 1, []).spots!.length, 0);
});
