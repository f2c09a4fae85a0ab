import assert from "node:assert/strict";
import { join } from "node:path";
import { Header } from "../../core/io/fits_header.ts";
import { openSpectra } from "../../core/io/open_spectra.ts";
import { assertInputError } from "./faults.ts";
import { type DesiFixture, fluxAt, makeDesi, makeFrame } from "./spectra_fixtures.ts";
import { withFolder } from "./temporary_folder.ts";

function desiFault(fixture: DesiFixture, ...patterns: RegExp[]): void {
  withFolder((folder) => {
    const path = join(folder, "coadd.fits");
    makeDesi(path, fixture);
    assertInputError(() => openSpectra(path), /coadd\.fits/, ...patterns);
  });
}

Deno.test("a coadd lists its arms and gives rows in the order asked for", () => {
  withFolder((folder) => {
    const path = join(folder, "any name");
    makeDesi(path);
    const file = openSpectra(path);
    assert.equal(file.format, "desi-coadd");
    assert.equal(file.rows, 4);
    assert.deepEqual(file.arms.map((arm) => [arm.setup, arm.arm, arm.lam.length, arm.ndiag]), [
      ["desi_b", "b", 30, 5],
      ["desi_r", "r", 31, 5],
      ["desi_z", "z", 32, 5],
    ]);
    assert.deepEqual(file.arms[2].lsf, { kind: "fwhm", angstrom: 1.8 });
    assert.equal(file.header.string("SPGRP"), "healpix");
    assert.equal(file.fibermap.int64("targetid")[3], 39627000000000003n);
    assert.equal(file.expFibermap?.rows, 8);
    assert.equal(file.scores?.rows, 4);
    const rows = [3, 1, 2, 1];
    const read = file.read(1, rows, true);
    rows.forEach((row, i) => {
      assert.equal(read.flux[i * 31 + 7], fluxAt(1, row, 7));
      assert.equal(read.resolution![(i * 5 + 2) * 31], (row * 5 + 2) * 31 / 8);
    });
    assert.equal(file.read(0, [0], false).resolution, null);
    assert.equal(file.read(0, [], true).flux.length, 0);
    assert.throws(() => file.read(0, [4], false), RangeError);
    file.close();
  });
});

Deno.test("a spectra file with old columns and an unsigned mask opens, bad pixels stay non-zero", () => {
  withFolder((folder) => {
    const path = join(folder, "spectra.fits");
    makeDesi(path, { old: true });
    const file = openSpectra(path);
    assert.equal(file.format, "desi-spectra");
    assert.equal(file.expFibermap, null);
    assert.deepEqual([...file.read(0, [0], false).mask.slice(0, 3)], [0, 2147483650 | 0, 0]);
    file.close();
  });
});

Deno.test("a file of no rows opens", () => {
  withFolder((folder) => {
    const path = join(folder, "coadd.fits");
    makeDesi(path, { rows: 0 });
    const file = openSpectra(path);
    assert.equal(file.rows, 0);
    assert.equal(file.read(0, [], true).resolution!.length, 0);
    file.close();
  });
});

Deno.test("an arm without any HDU is left out", () => {
  withFolder((folder) => {
    const path = join(folder, "coadd.fits");
    const omit = ["WAVELENGTH", "FLUX", "IVAR", "MASK", "RESOLUTION"].map((part) => `R_${part}`);
    makeDesi(path, { omit });
    const file = openSpectra(path);
    assert.deepEqual(file.arms.map((arm) => arm.arm), ["b", "z"]);
    file.close();
  });
});

Deno.test("a missing RESOLUTION is a fault only where it is asked for", () => {
  withFolder((folder) => {
    const path = join(folder, "coadd.fits");
    makeDesi(path, { omit: ["Z_RESOLUTION", "SCORES", "EXP_FIBERMAP"] });
    const file = openSpectra(path);
    assert.equal(file.arms[2].ndiag, 0);
    assert.equal(file.scores, null);
    assert.equal(file.read(2, [0], false).flux.length, 32);
    assertInputError(() => file.read(2, [0], true), /no HDU Z_RESOLUTION/, /without the resolution matrix/);
    file.close();
  });
});

Deno.test("a missing HDU is named", () => {
  desiFault({ omit: ["FIBERMAP"] }, /no HDU FIBERMAP/);
  for (const name of ["B_WAVELENGTH", "R_FLUX", "Z_IVAR", "B_MASK"]) {
    desiFault({ omit: [name] }, new RegExp(`no HDU ${name}`));
  }
});

Deno.test("shapes that disagree are named, both", () => {
  desiFault({ reshape: { B_FLUX: [4, 29] } }, /\(4, 29\)/, /B_WAVELENGTH of shape \(30\)/);
  desiFault({ reshape: { R_IVAR: [3, 31] } }, /\(3, 31\)/, /R_FLUX of shape \(4, 31\)/);
  desiFault({ reshape: { R_MASK: [4, 30] } }, /\(4, 30\)/, /\(4, 31\)/);
  desiFault({ reshape: { Z_RESOLUTION: [4, 5, 31] } }, /\(4, 5, 31\)/, /\(4, 32\)/);
  desiFault({ reshape: { Z_RESOLUTION: [4, 32] } }, /\(4, 32\)/);
  desiFault({ reshape: { B_WAVELENGTH: [2, 30] } }, /\(2, 30\)/, /one wavelength grid/);
});

Deno.test("FIBERMAP of another length is a fault that names both", () => {
  desiFault({ reshape: { B_FLUX: [6, 30] } }, /\(6, 30\)/, /FIBERMAP has 4 rows/);
});

Deno.test("a frame is one arm named by CAMERA", () => {
  withFolder((folder) => {
    const path = join(folder, "cframe.fits");
    makeFrame(path, "r3");
    const file = openSpectra(path);
    assert.equal(file.format, "desi-frame");
    assert.deepEqual([file.arms.length, file.arms[0].setup, file.arms[0].ndiag, file.rows], [
      1,
      "desi_r",
      3,
      5,
    ]);
    assert.equal(file.read(0, [2], true).flux[1], 17);
    file.close();
    for (const camera of [null, "x1"]) {
      makeFrame(path, camera);
      assertInputError(() => openSpectra(path), /CAMERA is (missing|x1)/);
    }
  });
});

Deno.test("a frame is barycentric unless its header says that nothing was corrected", () => {
  withFolder((folder) => {
    const path = join(folder, "frame.fits");
    const frameOf = (header: Header) => {
      makeFrame(path, "r3", header);
      const file = openSpectra(path);
      file.close();
      return file.arms[0].frame;
    };
    assert.equal(frameOf(new Header()), "barycentric");
    assert.equal(frameOf(new Header().setReal("HELIOCOR", 1.00008)), "barycentric");
    assert.equal(frameOf(new Header().setReal("HELIOCOR", 1)), "topocentric");
    assert.equal(frameOf(new Header().set("HELIOCOR", 1)), "topocentric");
    assert.equal(frameOf(new Header().set("SPECSYS", "TOPOCENT")), "topocentric");
    // what a camera wrote before the correction
    assert.equal(frameOf(new Header().setReal("HELIOCOR", 0.9999).set("SPECSYS", "TOPOCENT")), "barycentric");
    assert.equal(frameOf(new Header().set("SPECSYS", "BARYCENT")), "barycentric");
  });
});

Deno.test("a frame of some fibres takes their rows of a longer FIBERMAP by FIBERMIN, else it is a fault", () => {
  withFolder((folder) => {
    const path = join(folder, "frame.fits");
    makeFrame(path, "b0", new Header().set("FIBERMIN", 103), 20);
    const file = openSpectra(path);
    assert.deepEqual([...file.fibermap.int32("FIBER")], [103, 104, 105, 106, 107]);
    file.close();
    makeFrame(path, "b0", new Header(), 20);
    assertInputError(() => openSpectra(path), /\(5, 8\)/, /FIBERMAP has 20 rows/);
  });
});
