import assert from "node:assert/strict";
import { join } from "node:path";
import { FitsWriter } from "../../core/io/fits_write.ts";
import { readRedrock } from "../../core/io/desi_redrock.ts";
import { numberColumn, stringColumn, Table } from "../../core/io/fits_table.ts";
import { openSpectra } from "../../core/io/open_spectra.ts";
import { assertInputError } from "./faults.ts";
import { makeDesi, makeLamost, makeSdss } from "./spectra_fixtures.ts";
import { withFolder } from "./temporary_folder.ts";

Deno.test("an SDSS file gives exact grid wavelengths, a tabulated line spread and the catalogue redshift", () => {
  withFolder((folder) => {
    const path = join(folder, "spec.fits");
    makeSdss(path);
    const file = openSpectra(path);
    assert.deepEqual([file.format, file.rows, file.arms.length], ["sdss", 1, 1]);
    const [arm] = file.arms;
    assert.deepEqual([arm.setup, arm.arm, arm.medium, arm.frame], ["sdss", "opt", "vacuum", "heliocentric"]);
    assert.equal(arm.lam[7], 10 ** 3.5805);
    assert.ok(arm.lsf.kind === "table");
    const expected = 1.2 * 1e-4 * Math.LN10 * arm.lam[5];
    assert.ok(
      Math.abs(arm.lsf.sigma[5] / expected - 1) < 1e-6,
      "a pixel without wdisp takes its neighbour's",
    );
    assert.equal(file.catalogueZ![0], 0.25);
    assert.equal(file.fibermap.int64("TARGETID")[0], 299497923312379904n);
    const read = file.read(0, [0, 0], false);
    assert.equal(read.flux[50 + 7], 7);
    assert.deepEqual([...read.mask.slice(0, 5)], [0, 0, 0, 1, 0], "only ivar 0 is masked, not and_mask");
    assertInputError(() => file.read(0, [0], true), /no resolution matrix/);
    file.close();
  });
});

Deno.test("an SDSS file without a usable SPECOBJID gets an identifier of plate, MJD and fibre", () => {
  withFolder((folder) => {
    const path = join(folder, "spec.fits");
    makeSdss(path, { specObjId: "99999999999999999999" });
    const file = openSpectra(path);
    assert.equal(file.fibermap.int64("TARGETID")[0], 2660516020031n);
    file.close();
  });
});

Deno.test("an SDSS file without a column names it", () => {
  withFolder((folder) => {
    const path = join(folder, "spec.fits");
    for (const dropColumn of ["flux", "ivar", "wdisp"]) {
      makeSdss(path, { dropColumn });
      assertInputError(() => openSpectra(path), new RegExp(`no column ${dropColumn.toUpperCase()}`), /COADD/);
    }
  });
});

for (const old of [false, true]) {
  Deno.test(`a LAMOST file of ${old ? "an old" : "a new"} release opens`, () => {
    withFolder((folder) => {
      const path = join(folder, "spec.fits");
      makeLamost(path, old);
      const file = openSpectra(path);
      const [arm] = file.arms;
      assert.deepEqual([file.format, arm.setup, arm.arm, arm.medium, arm.frame, arm.lam.length], [
        "lamost",
        "lamost_b",
        "b",
        "vacuum",
        "heliocentric",
        40,
      ]);
      assert.deepEqual(arm.lsf, { kind: "resolution", R: 1800 });
      assert.equal(arm.lam[3], 3703);
      assert.equal(file.fibermap.int64("TARGETID")[0], 3703110n);
      assert.ok(Number.isNaN(file.catalogueZ![0]), "-9999 is no redshift");
      const read = file.read(0, [0], false);
      assert.deepEqual([read.flux[4], read.ivar[4], read.mask[4], read.mask[5]], [14, 4, 0, 1]);
      file.close();
    });
  });
}

Deno.test("a LAMOST spectrum is cut into its arms, the red one fitted on request only", () => {
  withFolder((folder) => {
    const path = join(folder, "spec.fits");
    makeLamost(path, false, 2200);
    const file = openSpectra(path);
    assert.deepEqual(file.arms.map(({ setup, arm, lam }) => [setup, arm, lam[0], lam.length]), [
      ["lamost_b", "b", 3700, 2100],
      ["lamost_r", "r", 5800, 100],
    ]);
    assert.deepEqual(file.arms.map(({ onRequest }) => onRequest !== undefined), [false, true]);
    const { flux, mask } = file.read(1, [0], false);
    assert.deepEqual([flux.length, flux[0], mask[0]], [100, 2110, 1]);
    file.close();
  });
});

Deno.test("wavelengths that do not increase are a fault that names the pixel", () => {
  withFolder((folder) => {
    const path = join(folder, "spec.fits");
    using writer = FitsWriter.create(path);
    const shape = [3];
    writer.addTable({
      name: "COADD",
      table: new Table([
        numberColumn("FLUX", new Float32Array(3), { shape }),
        numberColumn("IVAR", new Float32Array(3), { shape }),
        numberColumn("WAVELENGTH", Float32Array.of(4000, 4002, 4001), { shape }),
      ]),
    });
    writer.commit();
    assertInputError(() => openSpectra(path), /pixel 2: 4001 after 4002/);
  });
});

Deno.test("a redrock table is read, and is not taken for spectra", () => {
  withFolder((folder) => {
    const path = join(folder, "redrock.fits");
    using writer = FitsWriter.create(path);
    const columns = [
      numberColumn("TARGETID", BigInt64Array.of(5n, 6n)),
      numberColumn("Z", Float64Array.of(1e-4, 0.5)),
      stringColumn("SPECTYPE", ["STAR", "GALAXY"]),
    ];
    writer.addTable({ name: "ZBEST", table: new Table(columns) });
    writer.commit();
    const redshifts = readRedrock(path);
    assert.deepEqual([redshifts.rows, redshifts.targetid[1], redshifts.z[0]], [2, 6n, 1e-4]);
    assert.deepEqual([redshifts.spectype, redshifts.subtype], [["STAR", "GALAXY"], ["", ""]]);
    assertInputError(() => openSpectra(path), /table of redshifts, expected spectra/);
    const coadd = join(folder, "coadd.fits");
    makeDesi(coadd);
    assertInputError(() => readRedrock(coadd), /neither HDU REDSHIFTS nor ZBEST/);
  });
});

Deno.test("a FITS file of no known kind is refused with the list of its HDUs", () => {
  withFolder((folder) => {
    const path = join(folder, "other.fits");
    using writer = FitsWriter.create(path);
    writer.addWholeImage({ name: "SCI", shape: [2, 2], data: new Float32Array(4) });
    writer.commit();
    assertInputError(() => openSpectra(path), /no spectra of a known kind/, /PRIMARY, SCI/);
  });
});
