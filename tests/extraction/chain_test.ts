/**
 * From stars to velocities: spectra put through the real PSF on a CCD, extracted from its image, fitted from the frame.
 * The stars shine at a resolution of their own, far sharper than library and instrument, on a grid finer than the bins.
 */
import assert from "node:assert/strict";
import { inFolder } from "../cli/run_cli.ts";
import { dataTest } from "../shared_data.ts";
import { extractStars, fitStars } from "./chain_scene.ts";
import { moments } from "./scene.ts";

dataTest("stars through PSF, CCD, extraction and fit: velocities and their errors are right", [
  "extraction/psf-r0-00051060.fits",
], (psf) =>
  inFolder(async (folder) => {
    const made = await extractStars(folder, {
      ...{ psf: psf!, firstFibre: 175, stars: 75, seed: 20261125, from: 5800, to: 7400, level: 250 },
    });
    for (const [mode, ...words] of [["matrix", "--resolution-matrix"], ["nominal"]] as const) {
      const { pulls, errors } = await fitStars(`${folder}/${mode}`, made, ...words);
      const { mean, sigma } = moments(pulls);
      const shown = [pulls.map((v) => v.toFixed(1)), errors.map((v) => v.toFixed(2))].join("; errors ");
      const said = `${mode}: pulls ${mean.toFixed(3)} ± ${sigma.toFixed(3)}: ${shown}`;
      assert.ok(Math.abs(mean) < 0.4, said);
      assert.ok(sigma > 0.8 && sigma < 1.2, said);
    }
  }));
