/** The extractor against the reference: patches and frames of the development data. */
import assert from "node:assert/strict";
import { makeExtractor } from "../../core/extraction/extractor.ts";
import { DEFAULT_EXTRACTION, type ExtractionJob, FLAG, type Tiling } from "../../core/extraction/job.ts";
import type { Patch } from "../../core/extraction/patches.ts";
import type { Psf } from "../../core/extraction/psf.ts";
import { solvePatches } from "../../core/extraction/solve_patches.ts";
import { place } from "../../core/target.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { assertClose } from "../kernels/harness.ts";
import { patchOracle } from "../kernels/patch_oracle.ts";
import { dataTest } from "../shared_data.ts";
import { cutOut, frameOracle, MAIN_NEEDS, mainScene, moments, resolved } from "./scene.ts";

for (
  const [name, flux, ivar, r] of [
    ["typical", 1e-8, 1e-9, 1e-9],
    ["masked", 1e-5, 1e-6, 1e-6],
    ["tiny", 1e-8, 1e-9, 1e-9],
  ] as const
) {
  dataTest(
    `the chain of kernels reproduces the ${name} patch`,
    [`extraction/kernels/ex2d_patch_${name}.npz`],
    (path) => {
      const { member, dims, inputs } = patchOracle(path!);
      const F = dims.F!, L = dims.L!, M = member("nwave_core")[0]!;
      const keepFibre = member("ispec_off")[0]!, keepBin = member("wavepad")[0]!;
      const keepFibres = member("core_flux").length / M;
      const box = { x0: member("xmin")[0]!, y0: member("ymin")[0]!, columns: dims.NX!, rows: dims.NY! };
      const patch: Patch = {
        ...{ bundle: 0, fibre: 0, fibres: F, bin: 0, bins: L, keepFibre, keepFibres, keepBin, keepBins: M },
        ...{ toFibre: 0, toBin: 0, box },
      };
      const job = {
        psf: { halfY: 5, error: 0.01 } as Psf,
        wave: member("wave"),
        options: { ...DEFAULT_EXTRACTION, tiling: "reference" as const },
      };
      const target = loadWasmTarget();
      const xc = inputs.xc as Int32Array, yc = inputs.yc as Int32Array;
      const bundle = { firstFibre: 0, fibres: F, cutout: box, image: member("pix"), ivar: member("ivar") };
      const solved = solvePatches(target, job, [bundle], [patch], {
        spots: place(target, inputs.spots!),
        xc: place(target, xc),
        yc: place(target, yc),
        corners: { xc, yc, bins: L, columns: 17, rows: 11 },
        fibres: F,
      });
      const kept = (values: Float64Array, length: number) =>
        values.subarray(keepFibre * length, (keepFibre + keepFibres) * length);
      const unknowns = (values: Float64Array) =>
        Float64Array.from({ length: keepFibres * M }, (_, i) => {
          const f = keepFibre + Math.floor(i / M), w = keepBin + i % M;
          return values[w * F + f]!;
        });
      const sigma = member("core_ivar").map((v) => 1 / Math.sqrt(v));
      const pulls = kept(solved.flux, M).map((v, i) => (v - member("core_flux")[i]!) / sigma[i]!);
      assertClose(pulls, new Float64Array(pulls.length), flux, "flux in σ", 1);
      const ratios = kept(solved.ivar, M).map((v, i) => v / member("core_ivar")[i]!);
      assertClose(ratios, new Float64Array(ratios.length).fill(1), ivar, "ivar");
      assertClose(kept(solved.resolution, 11 * M), member("core_Rdiags"), r, "R", 1);
      assertClose(
        unknowns(solved.chi2pix),
        member("core_chi2pix"),
        name === "masked" ? 1e-6 : 1e-10,
        "chi2pix",
      );
      assertClose(unknowns(solved.masked), member("core_pixmask_fraction"), 1e-12, "pixmask_fraction", 1);
    },
  );
}

/** Both bundles of the main scene. */
function extractMain(scene: ReturnType<typeof mainScene>, tiling: Tiling) {
  const { psf, wave } = scene;
  const job: ExtractionJob = { psf, wave, options: { ...DEFAULT_EXTRACTION, tiling } };
  const extractor = makeExtractor(loadWasmTarget(), job);
  return [250, 275].map((first) => extractor.extract({ bundles: [cutOut(job, scene.ccd, first, 25)] })[0]!);
}

/** Frames are per Å. */
const STEP = 0.8;

dataTest(
  "the main scene in reference tiling is the frame of spex",
  [...MAIN_NEEDS, "extraction/frame-main-f64.npz"],
  (...paths) => {
    const scene = mainScene(paths), expected = frameOracle(paths[3]!), bins = scene.wave.length;
    const [flux, ivar, chi2pix] = [expected("flux"), expected("ivar"), expected("chi2pix")];
    const fraction = expected("pixmask_fraction"), R = expected("resolution");
    extractMain(scene, "reference").forEach((result, b) => {
      const from = b * 25 * bins;
      assertClose(
        result.pixmaskFraction,
        fraction.subarray(from, from + 25 * bins),
        1e-10,
        "pixmask_fraction",
        1,
      );
      result.flux.forEach((v, i) => {
        if (fraction[from + i]! >= 0.5) return;
        const sigma = 1 / (Math.sqrt(result.ivar[i]!) * STEP), where = `bin ${i} of bundle ${b}`;
        assert.ok(Math.abs(v / STEP - flux[from + i]!) < 1e-5 * sigma, `flux of ${where}`);
        assert.ok(Math.abs(result.ivar[i]! * STEP * STEP / ivar[from + i]! - 1) < 1e-5, `ivar of ${where}`);
        assert.ok(Math.abs(result.chi2pix[i]! - chi2pix[from + i]!) < 1e-6, `chi2pix of ${where}`);
        for (let k = 0; k < 11; k++) {
          const at = (Math.floor(i / bins) * 11 + k) * bins + i % bins;
          assert.ok(Math.abs(result.resolution[at]! - R[11 * from + at]!) < 1e-6, `R of ${where}`);
        }
      });
    });
  },
);

dataTest(
  "the main scene, whole bundles, is the exact solution; pulls are standard normal deviates",
  [...MAIN_NEEDS, "extraction/frame-main-global.npz"],
  (...paths) => {
    const scene = mainScene(paths), expected = frameOracle(paths[3]!), bins = scene.wave.length;
    const [flux, ivar, R] = [expected("flux"), expected("ivar"), expected("resolution")];
    const pulls: number[] = [];
    extractMain(scene, "bundle").forEach((result, b) => {
      const from = b * 25 * bins;
      // bundle 0 has the block without data
      const limit = b === 0 ? 1e-5 : 1e-6;
      result.flux.forEach((v, i) => {
        if (result.ivar[i] === 0) {
          assert.ok((result.flags[i]! & FLAG.NO_LIGHT) !== 0);
          return;
        }
        const root = Math.sqrt(result.ivar[i]!), where = `bin ${i} of bundle ${b}`;
        assert.ok(Math.abs(v / STEP - flux[from + i]!) * root * STEP < limit, `flux of ${where}`);
        assert.ok(Math.abs(result.ivar[i]! * STEP * STEP / ivar[from + i]! - 1) < limit, `ivar of ${where}`);
        for (let k = 0; k < 11; k++) {
          const at = (Math.floor(i / bins) * 11 + k) * bins + i % bins;
          assert.ok(Math.abs(result.resolution[at]! - R[11 * from + at]!) < 1e-6, `R of ${where}`);
        }
        const bin = i % bins, good = result.pixmaskFraction[i]! < 0.02 && result.chi2pix[i]! < 3;
        if (!good || bin < 5 || bin >= bins - 5) return;
        const truth = scene.truth.subarray(from, from + 25 * bins);
        pulls.push((v - resolved(result, bins, truth, Math.floor(i / bins), bin)) * root);
      });
    });
    const { mean, sigma } = moments(pulls);
    assert.ok(pulls.length > 11000, `${pulls.length} good bins`);
    assert.ok(Math.abs(mean) < 0.03, `mean ${mean}`);
    assert.ok(sigma > 0.97 && sigma < 1.03, `σ ${sigma}`);
  },
);
