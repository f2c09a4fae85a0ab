/** Real files as they are: each is fitted, rows flagged or not, or answered by one sentence; real templates likewise. */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { openSpectra } from "../../core/io/open_spectra.ts";
import { dataTest } from "../shared_data.ts";
import { done, ownFolder, refused, simulated } from "./command.ts";
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

dataTest(
  "real spectra of SDSS and of LAMOST, old and new, are fitted in one run",
  [
    "stellar/real/sdss/spec-0266-51602-0031.fits",
    "stellar/real/lamost/3703110.fits",
    "stellar/real/lamost/spec-58397-EG014118N254444M01_sp03-031.fits",
  ],
  async (...paths) => {
    const { out } = await done(["fit", ...paths, "--output-dir", `${folder}/others`, "--workers", "1"]);
    assert.equal(out.trimEnd().split("\n").length, 1 + paths.length);
    for (const path of paths) {
      const { header, table } = answers(`${folder}/others`, basename(path));
      assert.equal(header.get("AIRORVAC"), "vac");
      assert.equal(header.get("SPECSYS"), "HELIOCEN");
      assert.ok(Number.isFinite(table.float64("VRAD")[0]));
    }
  },
);

dataTest(
  "a grid too coarse for the data and archetypes without parameters are imported, and refused with what to do",
  ["stellar/templates/ndArch-nsc3-coarse00_lr.fits", "stellar/templates/rrtemplate-STAR-A-v0.1.fits"],
  async (grid, archetypes) => {
    const input = await simulated(`${folder}/coadd.fits`, 2);
    const [coarse, classes] = [`${folder}/coarse.fits`, `${folder}/classes.fits`];
    await done(["templates", "import", grid, "--out", coarse, "--quiet"]);
    const few = ["--max-templates", "3", "--json"];
    const { out } = await done(["templates", "import", archetypes, "--out", classes, ...few]);
    assert.equal(JSON.parse(out).templates, 3);
    const request = ["fit", input, "--output-dir", `${folder}/refused`, "--library"];
    await refused(folder, [...request, coarse], /not sharp enough for arm desi_b/, /name a sharper library/);
    await refused(folder, [...request, classes], /has no stellar parameters: add --rv-only/);
    const { out: table } = await done([...request, classes, "--rv-only", "--arms", "b"]);
    assert.match(table, /STAR-A/);
    // Told to be sharp, the grid serves.
    await done([
      "templates",
      "import",
      grid,
      "--out",
      coarse,
      "--quiet",
      "--overwrite",
      "--resolution",
      "8000",
    ]);
    await done([...request, coarse, "--arms", "b", "--quiet", "--overwrite"]);
  },
);
