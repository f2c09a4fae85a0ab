import assert from "node:assert/strict";
import { openSpectra } from "../../core/io/open_spectra.ts";
import type { FitBatch, FitJob } from "../../core/stellar/batch.ts";
import { makeFitter } from "../../core/stellar/fitter.ts";
import { DEFAULT_OPTIONS } from "../../core/stellar/options.ts";
import { importLibrary } from "../../core/templates/import_library.ts";
import { prepareArm } from "../../core/templates/prepare.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { dataTest } from "../shared_data.ts";

const COADD = "stellar/reference/coadd-oracle-10378.fits.gz";
const LIBRARY = "stellar/reference/library";

/** The reference coadd as a job and a batch of the given rows. */
function reference(coadd: string, library: string, rows: readonly number[], resolutionMatrix: boolean) {
  const options = { ...DEFAULT_OPTIONS, resolutionMatrix };
  const templates = importLibrary(library);
  using file = Object.assign(openSpectra(coadd), {
    [Symbol.dispose](this: { close(): void }) {
      this.close();
    },
  });
  const job: FitJob = {
    options,
    library: templates,
    arms: file.arms.map((grid) => ({
      ...grid,
      prepared: prepareArm(templates, { ...grid, resolutionMatrix, maxVel: options.maxVel }),
    })),
  };
  const batch: FitBatch = {
    rows: rows.map((row) => [row]),
    sn: rows.map(() => job.arms.map(() => 0)),
    pixels: file.arms.map((_, a) => file.read(a, rows, resolutionMatrix)),
  };
  return { job, batch };
}

interface Objective {
  readonly row: number;
  readonly m2logl_best: number;
}

for (
  const [mode, objective, resolutionMatrix] of [
    ["nominal line spread", "objective.json", false],
    ["resolution matrix", "objective_resolmat.json", true],
  ] as const
) {
  dataTest(
    `−2 ln L of every reference star is the best known or lower, ${mode}`,
    [COADD, LIBRARY, `stellar/reference/outputs/${objective}`],
    (coadd, library, known) => {
      const stars = JSON.parse(Deno.readTextFileSync(known!)) as Objective[];
      const { job, batch } = reference(coadd!, library!, stars.map(({ row }) => row), resolutionMatrix);
      const found = makeFitter(loadWasmTarget(), job).fit(batch).stars;
      stars.forEach((star, i) => {
        const excess = found[i]!.m2lnl - star.m2logl_best;
        assert.ok(
          excess <= 0.01,
          `row ${star.row}: ${found[i]!.m2lnl} lies ${excess} above ${star.m2logl_best}`,
        );
        assert.ok(["converged", "kink"].includes(found[i]!.reason), `row ${star.row}: ${found[i]!.reason}`);
      });
    },
  );
}

dataTest(
  "velocity errors, skewness and kurtosis are the reference's where both stand in the same minimum",
  [COADD, LIBRARY, "stellar/reference/outputs/rvtab_std.fits"],
  async (coadd, library, table) => {
    const { FitsFile } = await import("../../core/io/fits_read.ts");
    using file = FitsFile.open(table!);
    const rvtab = file.table("RVTAB");
    const [vrad, error, skew, kurt] = ["VRAD", "VRAD_ERR", "VRAD_SKEW", "VRAD_KURT"].map((c) =>
      rvtab.float64(c)
    );
    // row 20 and 21 of the input are sky and a bad fibre, so the table skips them
    const rows = Array.from({ length: 24 }, (_, i) => i).filter((i) => i !== 20 && i !== 21);
    const { job, batch } = reference(coadd!, library!, rows, false);
    const found = makeFitter(loadWasmTarget(), job).fit(batch).stars;
    let same = 0;
    found.forEach((star, i) => {
      if (Math.abs(star.vrad - vrad![i]!) > 1e-3 * error![i]!) return;
      same++;
      assert.ok(
        Math.abs(star.vradErr / error![i]! - 1) < 2e-3,
        `row ${rows[i]}: ${star.vradErr} against ${error![i]}`,
      );
      assert.ok(
        Math.abs(star.vradSkew - skew![i]!) < 0.02,
        `row ${rows[i]}: skewness ${star.vradSkew}, ${skew![i]}`,
      );
      assert.ok(
        Math.abs(star.vradKurt - kurt![i]!) < 0.03,
        `row ${rows[i]}: kurtosis ${star.vradKurt}, ${kurt![i]}`,
      );
    });
    assert.ok(same >= 12, `only ${same} stars are in the reference's minimum`);
  },
);
