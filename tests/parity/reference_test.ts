/** Whole fits of reference spectra, three arms of DESI, on WASM and on the emulated device. */
import assert from "node:assert/strict";
import { openSpectra } from "../../core/io/open_spectra.ts";
import type { FitBatch, FitJob } from "../../core/stellar/batch.ts";
import { makeFitter } from "../../core/stellar/fitter.ts";
import { DEFAULT_OPTIONS } from "../../core/stellar/options.ts";
import { importLibrary } from "../../core/templates/import_library.ts";
import { prepareArm } from "../../core/templates/prepare.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { compareFits } from "../../gpu/parity/fits.ts";
import { GpuTarget } from "../../gpu/target.ts";
import { emulated } from "../gpu/emulated.ts";
import { dataTest } from "../shared_data.ts";

const NEEDED = ["stellar/reference/coadd-oracle-10378.fits.gz", "stellar/reference/library"];
const ROWS = [3, 11];

function referenceTest(resolutionMatrix: boolean): void {
  const name = `reference spectra are fitted alike on the emulated device${
    resolutionMatrix ? ", resolution matrix" : ""
  }`;
  if (emulated === null) {
    Deno.test({ name: `SKIP ${name} (no C++ compiler)`, ignore: true, fn: () => {} });
    return;
  }
  const library = emulated;
  dataTest(name, NEEDED, (coadd, folder) => {
    const options = { ...DEFAULT_OPTIONS, resolutionMatrix };
    const templates = importLibrary(folder!);
    const file = openSpectra(coadd!);
    const job: FitJob = {
      options,
      library: templates,
      arms: file.arms.map((grid) => ({
        ...grid,
        prepared: prepareArm(templates, { ...grid, resolutionMatrix, maxVel: options.maxVel }),
      })),
    };
    const batch: FitBatch = {
      rows: ROWS.map((row) => [row]),
      sn: ROWS.map(() => job.arms.map(() => 0)),
      pixels: file.arms.map((_, a) => file.read(a, ROWS, resolutionMatrix)),
    };
    file.close();
    const target = new GpuTarget("emulated", { library });
    const [found, expected] = [target, loadWasmTarget()].map((on) => makeFitter(on, job).fit(batch).stars);
    expected!.forEach((star, i) => {
      const axes = job.library.axes.map((axis) => axis.name);
      const row = compareFits(`row ${ROWS[i]}`, found![i]!, star, axes);
      assert.ok(row.ok, `${row.name}: ${row.m2lnl} in −2 ln L, ${row.sigmas} σ in ${row.parameter}`);
    });
    target.close();
  });
}

referenceTest(false);
referenceTest(true);
