import assert from "node:assert/strict";
import fc from "fast-check";
import { median, prepareSpectrum } from "../../core/stellar/prepare_spectrum.ts";
import { openSpectra } from "../../core/io/open_spectra.ts";
import { preparationRules } from "../../core/stellar/preparation_rules.ts";
import { oracle } from "../kernels/oracle.ts";
import { dataTest } from "../shared_data.ts";

Deno.test("the median is that of the sorted values, in float32", () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 60 }),
      (list) => {
        const values = Float32Array.from(list);
        const sorted = values.slice().sort(), n = sorted.length;
        const expected = n % 2 === 1
          ? sorted[n >> 1]!
          : Math.fround((sorted[n / 2 - 1]! + sorted[n / 2]!) / 2);
        assert.equal(median(values) === expected || Object.is(median(values), expected), true);
        assert.deepEqual(Array.from(values), Array.from(Float32Array.from(list)), "the input is left alone");
      },
    ),
  );
  assert.ok(Number.isNaN(median(new Float32Array(0))));
});

const LAM = Float64Array.from({ length: 20 }, (_, i) => 5000 + i);
const plain = { excluded: [], edge: 0 };
const ramp = () => Float32Array.from(LAM, (_, i) => 10 + i);
const ones = () => new Float32Array(20).fill(4);

Deno.test("bad pixels are interpolated over and lose their weight; excluded ones keep their flux", () => {
  const flux = ramp(), mask = new Int32Array(20);
  flux[5] = NaN;
  mask[0] = mask[19] = 1;
  mask[7] = -(2 ** 31); // the sign bit is a mask bit like any other
  const { y, s, good, goodPixels } = prepareSpectrum(LAM, flux, ones(), mask, {
    excluded: [[5009.5, 5011.5]],
    edge: 0,
  })!;
  const value = (i: number) => y[i]! / s[i]!;
  assert.equal(goodPixels, 14);
  assert.deepEqual([0, 5, 7, 10, 11, 19].map((i) => good[i]), [0, 0, 0, 0, 0, 0]);
  assert.ok(Math.abs(value(5) - 15) < 1e-5, "linear between its neighbours");
  assert.ok(Math.abs(value(0) - 11) < 1e-5 && Math.abs(value(19) - 28) < 1e-5, "constant beyond the ends");
  assert.ok(Math.abs(value(10) - 20) < 1e-4);
  assert.ok(s[5]! < 1e-3 * s[4]!);
});

Deno.test("errors far below their median are raised to a share of it", () => {
  const ivar = ones();
  ivar[3] = 4e6;
  const { s } = prepareSpectrum(LAM, ramp(), ivar, new Int32Array(20), plain)!;
  assert.ok(Math.abs(1 / s[3]! - 0.3 * 0.5) < 1e-6);
});

Deno.test("a spectrum without a good pixel or without flux is null", () => {
  const none = new Int32Array(20);
  assert.equal(prepareSpectrum(LAM, ramp(), new Float32Array(20), none, plain), null);
  assert.equal(prepareSpectrum(LAM, ramp(), ones(), none.map(() => 1), plain), null);
  assert.equal(prepareSpectrum(LAM, new Float32Array(20), ones(), none, plain), null);
  assert.equal(prepareSpectrum(LAM, ramp().fill(NaN), ones(), none, plain), null);
});

Deno.test("no good pixel is left of an arm that is all edge", () => {
  assert.equal(prepareSpectrum(LAM, ramp(), ones(), new Int32Array(20), { excluded: [], edge: 10 }), null);
});

dataTest(
  "prepared spectra are the reference's, σ and masks to the bit",
  ["stellar/reference/coadd-oracle-10378.fits.gz", "stellar/kernels/getchisq.npz"],
  (coadd, path) => {
    const get = oracle(path!), file = openSpectra(coadd!);
    file.arms.forEach(({ setup, lam }, a) => {
      const { flux, ivar, mask } = file.read(a, [0], false);
      const { y, s, good } = prepareSpectrum(lam, flux, ivar, mask, preparationRules(setup, false))!;
      const [sigma, spec, bad] = [
        get(`sd_${setup}_espec`),
        get(`sd_${setup}_spec`),
        get(`sd_${setup}_badmask`),
      ];
      lam.forEach((_, i) => {
        assert.equal(s[i], 1 / sigma[i]!, `${setup} pixel ${i}: σ`);
        assert.equal(good[i], 1 - bad[i]!, `${setup} pixel ${i}: mask`);
        assert.ok(
          Math.abs(y[i]! / s[i]! - spec[i]!) <= 1e-12 * Math.abs(spec[i]!),
          `${setup} pixel ${i}: flux`,
        );
      });
    });
    file.close();
  },
);
