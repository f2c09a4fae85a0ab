/** Real files of the surveys: every one opens, or is refused in one clear sentence. */
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { basename, join } from "node:path";
import { readRedrock } from "../../core/io/desi_redrock.ts";
import { readNpy } from "../../core/io/npy.ts";
import { openSpectra } from "../../core/io/open_spectra.ts";
import { dataTest } from "../shared_data.ts";
import { assertInputError } from "./faults.ts";

const REFUSED: Readonly<Record<string, RegExp>> = {
  "quasarnp-test_coadd.fits": /no HDU FIBERMAP/,
  "redrock-4-80613-thru20210324.fits": /table of redshifts/,
  "redrock-special-dark-27247.fits": /table of redshifts/,
  "redrock-test.fits": /table of redshifts/,
};

dataTest("every real spectrum opens and reads, or is refused in one sentence", ["stellar/real"], (folder) => {
  const paths = globSync(join(folder, "**/*.fits"));
  assert.ok(paths.length >= 26);
  for (const path of paths) {
    const refused = REFUSED[basename(path)];
    if (refused !== undefined) {
      assertInputError(() => openSpectra(path), refused);
      continue;
    }
    const file = openSpectra(path);
    const rows = Array.from({ length: file.rows }, (_, i) => i);
    file.arms.forEach((arm, i) => {
      const read = file.read(i, rows, arm.ndiag > 0);
      assert.equal(read.flux.length, file.rows * arm.lam.length, path);
      assert.equal(read.resolution?.length ?? 0, file.rows * arm.ndiag * arm.lam.length);
      assert.ok(read.flux.every(Number.isFinite) && read.ivar.every((weight) => weight >= 0));
    });
    file.close();
  }
});

dataTest("real redrock tables are read", ["stellar/real/desi"], (folder) => {
  for (const path of globSync(join(folder, "redrock-*.fits"))) {
    const redshifts = readRedrock(path);
    assert.equal(redshifts.targetid.length, redshifts.rows);
    assert.ok(redshifts.spectype.every((kind) => ["STAR", "GALAXY", "QSO"].includes(kind)));
  }
});

dataTest("the compressed mask of a real spectra file flags its dead row", [
  "stellar/real/desi/spectra-5-169-thru20210419.fits",
], (path) => {
  const file = openSpectra(path);
  assert.equal(file.format, "desi-spectra");
  const read = file.read(0, [0], true);
  assert.ok(read.mask.every((bits) => bits === 512) && read.ivar.every((weight) => weight === 0));
  file.close();
});

dataTest(
  "the simulated coadd reads, with resolution, in well under a second",
  ["stellar/reference/coadd-oracle-10378.fits.gz", "stellar/reference/library"],
  (coadd, library) => {
    const start = performance.now();
    const file = openSpectra(coadd);
    const rows = Array.from({ length: file.rows }, (_, i) => i);
    const total = file.arms.reduce((sum, _, arm) => sum + file.read(arm, rows, true).resolution!.length, 0);
    file.close();
    assert.equal(total, 24 * 11 * (2751 + 2326 + 2881));
    assert.ok(performance.now() - start < 1000);
    assert.equal(readNpy(join(library, "specs_std_desi_b.d16.npy.gz")).shape[0], 400);
  },
);

dataTest("a frame whose FIBERMAP is longer than its spectra is refused with both shapes", [
  "extraction/frame-main.fits.gz",
], (path) => {
  assertInputError(() => openSpectra(path), /\(50, 251\)/, /FIBERMAP has 500 rows/);
});
