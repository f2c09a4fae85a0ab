import assert from "node:assert/strict";
import { lsfInverse } from "../../core/kernels/resolution.ts";
import { bandLimit, bandLimitResponse } from "../../core/templates/band_limit.ts";
import { preparationKey, prepareArm } from "../../core/templates/prepare.ts";
import type { PreparationRequest } from "../../core/templates/prepared.ts";
import { gridWavelengths } from "../../core/templates/resample.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { ramp, smallLibrary } from "./small_library.ts";

const PIXEL = 0.8, SIGMA0 = 0.5;
const GRID = { lam0: 5000, dlnlam: 7e-5, npix: 1200 };
const LAM = gridWavelengths(GRID);

function filtered(spectra: readonly Float64Array[], sigma0 = SIGMA0): Float64Array[] {
  const lnflux = new Float32Array(spectra.length * GRID.npix), out = new Float32Array(lnflux.length);
  spectra.forEach((flux, t) => lnflux.set(flux.map(Math.log), t * GRID.npix));
  bandLimit(loadWasmTarget(), { ...GRID, sigma0, lnflux }, PIXEL, out);
  return spectra.map((_, t) => Float64Array.from(out.subarray(t * GRID.npix, (t + 1) * GRID.npix), Math.exp));
}

Deno.test("the band limit leaves of every sine what the response says, and its phase alone", () => {
  for (const sigma0 of [SIGMA0, 0]) {
    const frequencies = [0.1, 0.5, 0.75, 0.85, 0.92, 1, 1.1, 1.3];
    const sine = (k: number) => LAM.map((x) => Math.sin(Math.PI * k * (x - 5000) / PIXEL));
    const answers = filtered(frequencies.map((k) => sine(k).map((y) => 1 + 0.2 * y)), sigma0);
    frequencies.forEach((k, t) => {
      const left = bandLimitResponse(k, sigma0 / PIXEL), before = sine(k);
      for (let i = 150; i < GRID.npix - 150; i++) {
        const expected = 1 + 0.2 * left * before[i];
        assert.ok(
          Math.abs(answers[t][i] - expected) < 2e-6,
          `k ${k}, pixel ${i}: ${answers[t][i]}, ${expected}`,
        );
      }
    });
  }
  assert.ok(bandLimitResponse(1.15, SIGMA0 / PIXEL) < 1e-7);
});

Deno.test("a resolution matrix divided by the sampled line spread acts on filtered spectra as it says", () => {
  // rows of a unit matrix: what they do to a sine in the spectra, line spread and filter included, is nothing
  const width = 61, sigma = SIGMA0 / PIXEL;
  const inverse = lsfInverse(width, sigma).subarray((width >> 1) * width, ((width >> 1) + 1) * width);
  for (const k of [0, 0.2, 0.4, 0.6]) {
    const row = inverse.reduce((sum, c, m) => sum + c * Math.cos(Math.PI * k * (m - (width >> 1))), 0);
    const whole = inverse.reduce((sum, c) => sum + c, 0);
    const left = row / whole * Math.exp(-0.5 * (Math.PI * k * sigma) ** 2) * bandLimitResponse(k, sigma);
    assert.ok(Math.abs(left - 1) < 1e-5, `k ${k}: ${left}`);
  }
});

Deno.test("the band limit keeps a smooth spectrum up to its ends, and flux positive", () => {
  const flat = LAM.map(() => 3);
  const spike = LAM.map((_, i) => i === 600 ? 1e4 : 1);
  const [level, answer] = filtered([flat, spike]);
  level.forEach((flux, i) => assert.ok(Math.abs(flux / 3 - 1) < 1e-6, `pixel ${i}: ${flux}`));
  assert.ok(answer.every((flux) => flux > 0 && Number.isFinite(flux)));
  assert.ok(answer[600] < 9000);
});

Deno.test("the band limit is for resolution matrices, and belongs to one size of pixel", () => {
  const library = smallLibrary();
  const request = (change: Partial<PreparationRequest>): PreparationRequest => ({
    setup: "desi_b",
    lam: ramp(5000, 5300, PIXEL),
    medium: "vacuum",
    lsf: { kind: "fwhm", angstrom: 1.55 },
    resolutionMatrix: true,
    maxVel: 500,
    ...change,
  });
  const key = (change: Partial<PreparationRequest>) => preparationKey(library, request(change));
  assert.equal(key({ bandLimit: false }), key({}));
  assert.notEqual(key({ bandLimit: true }), key({}));
  assert.notEqual(key({ bandLimit: true, lam: ramp(5000, 5300, 1) }), key({ bandLimit: true }));
  assert.equal(key({ resolutionMatrix: false, bandLimit: true }), key({ resolutionMatrix: false }));

  const plain = prepareArm(library, request({})), limited = prepareArm(library, request({ bandLimit: true }));
  assert.deepEqual({ ...limited, lnflux: null }, { ...plain, lnflux: null });
  const again = prepareArm(library, request({}));
  assert.deepEqual(again.lnflux, plain.lnflux);
  // lines of σ 0.94 Å: next to nothing at the Nyquist frequency
  limited.lnflux.forEach((value, i) => assert.ok(Math.abs(value - plain.lnflux[i]) < 0.02, `${i}: ${value}`));
  assert.notDeepEqual(limited.lnflux, plain.lnflux);
});
