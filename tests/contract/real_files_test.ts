/** Real DESI files, galaxies and sky as they are: each is fitted, rows flagged or not, or answered by one sentence. */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { openSpectra } from "../../core/io/open_spectra.ts";
import { dataTest } from "../shared_data.ts";
import { done, ownFolder, refused } from "./command.ts";
import { answers } from "./spectra_files.ts";

const REAL = "stellar/real/desi";
const folder = ownFolder();

const FITTED = [
  "coadd-4-80613-thru20210324.fits",
  "coadd-5-169-thru20210419.fits",
  "coadd-special-dark-27247.fits",
  "coadd-sv3-dark-26065.fits",
  "spectra-5-169-thru20210419.fits",
];

dataTest(
  "real DESI coadds and spectra are fitted",
  FITTED.map((name) => `${REAL}/${name}`),
  async (...paths) => {
    await done(["fit", ...paths, "--output-dir", folder, "--workers", "1", "--quiet"]);
    for (const path of paths) {
      const found = answers(folder, basename(path));
      const input = openSpectra(path);
      try {
        const types = input.fibermap.has("OBJTYPE") ? input.fibermap.strings("OBJTYPE") : [];
        const sky = types.flatMap((type, row) => /^(SKY|BAD)$/.test(type.trim()) ? [row] : []);
        assert.ok(found.rows.every((row) => !sky.includes(row)));
        assert.ok(found.rows.length > 0 && found.rows.length + sky.length <= input.rows);
        const ids = input.fibermap.int64("TARGETID");
        assert.deepEqual([...found.table.int64("TARGETID")], found.rows.map((row) => ids[row]));
        const v = found.table.float64("VRAD");
        v.forEach((x, i) => assert.ok((found.warn[i] & 32) !== 0 ? Number.isNaN(x) : Math.abs(x) <= 1000));
      } finally {
        input.close();
      }
    }
  },
);

dataTest(
  "real DESI files that hold no usable spectra are refused in one sentence",
  [
    `${REAL}/quasarnp-test_coadd.fits`,
    `${REAL}/redrock-4-80613-thru20210324.fits`,
    `${REAL}/redrock-special-dark-27247.fits`,
    `${REAL}/redrock-test.fits`,
  ],
  async (quasar, ...redrocks) => {
    const args = ["--output-dir", `${folder}/none`];
    await refused(
      folder,
      ["fit", quasar, ...args],
      /has no HDU FIBERMAP, which tells whose spectra these are/,
    );
    for (const redrock of redrocks) {
      await refused(folder, ["fit", redrock, ...args], /is a table of redshifts, expected spectra/);
    }
  },
);

dataTest("nothing among the real DESI files is unknown to these tests", [REAL], (all) => {
  const names = [...Deno.readDirSync(all)].map(({ name }) => name).filter((name) => name.endsWith(".fits"));
  const known = [...FITTED, "quasarnp-test_coadd.fits"];
  assert.deepEqual(names.filter((name) => !known.includes(name) && !name.startsWith("redrock-")), []);
});
