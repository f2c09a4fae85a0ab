import assert from "node:assert/strict";
import { fibreCoefficients, spotDims } from "../../core/extraction/psf.ts";
import { readPsf } from "../../core/extraction/read_psf.ts";
import { psfSpots } from "../../core/kernels/spots.ts";
import { dataTest } from "../shared_data.ts";
import { assertClose, call } from "./harness.ts";
import { oracle } from "./oracle.ts";

const DATA = "extraction/psf-r0-00051060.fits";

dataTest("psf_spots reproduces the reference's spots and corners", [
  DATA,
  "extraction/kernels/basis_and_spots.npz",
], (file, kernels) => {
  const psf = readPsf(file!), member = oracle(kernels!);
  const wave = member("wave"), fibres = member("fibers");
  const L = wave.length, size = 17 * 11;
  fibres.forEach((fibre, i) => {
    const inputs = { wave, ...fibreCoefficients(psf, fibre, 1) };
    const out = call(psfSpots, spotDims(psf, 1, L), inputs);
    const spots = member("spots").subarray(i * L * size, (i + 1) * L * size);
    assertClose(out.spots!, spots, 1e-12, `spots of fibre ${fibre}`, 1);
    assert.deepEqual([...out.xc!], [...member("xcorner").subarray(i * L, (i + 1) * L)]);
    assert.deepEqual([...out.yc!], [...member("ycorner").subarray(i * L, (i + 1) * L)]);
  });
});
