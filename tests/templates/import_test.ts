import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { vacuumToAir } from "../../core/io/frame_conversion.ts";
import { Header } from "../../core/io/fits_header.ts";
import { FitsWriter } from "../../core/io/fits_write.ts";
import { InputError } from "../../core/io/input_error.ts";
import { importLibrary, type ImportOptions } from "../../core/templates/import_library.ts";
import { readLibrary, writeLibrary } from "../../core/templates/library_file.ts";
import type { TemplateLibrary } from "../../core/templates/library.ts";
import { dataTest } from "../shared_data.ts";
import { lineFlux, ramp, smallLibrary } from "./small_library.ts";

function inFolder(test: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync();
  try {
    test(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function writeImage(
  path: string,
  data: Float64Array | Float32Array,
  cards: Record<string, number | string>,
): void {
  const header = new Header();
  for (const [key, value] of Object.entries(cards)) header.set(key, value);
  using writer = FitsWriter.create(path, header);
  writer.addWholeImage({ name: "FLUX", shape: [data.length], data, header });
  writer.commit();
}

/** Largest difference of a template of the import from the lines of the small library, σ = 0.5 Å, up to a factor. */
function worst(library: TemplateLibrary, template: number, depth: number): number {
  const [arm] = library.builds[0].arms;
  let most = 0, scale = 0;
  const row = arm.lnflux.subarray(template * arm.npix, (template + 1) * arm.npix);
  row.forEach((x, i) =>
    scale = Math.max(scale, Math.exp(x) / lineFlux(arm.lam0 * Math.exp(i * arm.dlnlam), 0.5, depth))
  );
  row.forEach((x, i) => {
    const expected = lineFlux(arm.lam0 * Math.exp(i * arm.dlnlam), 0.5, depth);
    most = Math.max(most, Math.abs(Math.exp(x) / scale - expected));
  });
  return most;
}

const LAM = ramp(4950, 5330, 0.1);
const flux = (depth: number) => LAM.map((lam) => lineFlux(lam, 0, depth));
const fails = (source: string, pattern: RegExp, options: ImportOptions = {}) =>
  assert.throws(() => importLibrary(source, options), (error: Error) => {
    assert.ok(error instanceof InputError, String(error));
    assert.match(error.message, pattern);
    return true;
  });

Deno.test("a folder with params.csv becomes a grid, gaps become holes", () =>
  inFolder((folder) => {
    mkdirSync(`${folder}/spectra`);
    const rows = ["file,teff,logg,feh"];
    [[5000, 4, 0], [5000, 4.5, 0], [6000, 4, 0], [6000, 4.5, 0]].forEach(([teff, logg, feh], k) => {
      const y = flux(0.1 + 0.1 * k);
      if (k === 2) y[1000] = NaN;
      if (k === 1) {
        const text = Array.from(LAM, (lam, i) => `${lam},${y[i]}`).join("\n");
        writeFileSync(`${folder}/spectra/1.csv`, `wavelength,flux\n${text}\n`);
        rows.push(`spectra/1.csv,${teff},${logg},${feh}`);
      } else {
        writeImage(`${folder}/spectra/${k}.fits`, y, { CRVAL1: LAM[0], CDELT1: 0.1, CRPIX1: 1 });
        rows.push(`spectra/${k}.fits,${teff},${logg},${feh}`);
      }
    });
    writeFileSync(`${folder}/params.csv`, rows.join("\n") + "\n");
    const library = importLibrary(folder, { name: "mine" });
    assert.equal(library.name, "mine");
    assert.deepEqual(library.axes.map((a) => [a.name, a.log10, [...a.values]]), [
      ["teff", true, [5000, 6000]],
      ["logg", false, [4, 4.5]],
    ]);
    assert.deepEqual([...library.idgrid], [0, 1, -1, 2]);
    assert.equal(library.provenance.constant, "feh = 0");
    assert.deepEqual(library.builds[0].arms[0].lsf, { kind: "sigma", angstrom: 0.5 });
    for (const [t, depth] of [[0, 0.1], [1, 0.2], [2, 0.4]]) assert.ok(worst(library, t, depth) < 1e-3);
    writeLibrary(`${folder}/out.fits`, library);
    assert.deepEqual(readLibrary(`${folder}/out.fits`), library);
  }));

Deno.test("FITS keywords name the parameters; wavelengths in air are converted", () =>
  inFolder((folder) => {
    const air = vacuumToAir(LAM);
    writeImage(`${folder}/WAVE_grid.fits`, air, {});
    [5000, 6000].forEach((teff, k) =>
      writeImage(`${folder}/${teff}.fits`, flux(0.3 + 0.1 * k), { PHXTEFF: teff, PHXLOGG: 4.5, PHXM_H: -1 })
    );
    const library = importLibrary(folder, { air: true });
    assert.deepEqual(library.axes.map((a) => a.name), ["teff"]);
    assert.equal(library.builds[0].arms[0].medium, "vacuum");
    assert.equal(library.provenance.medium, "converted from air");
    assert.ok(worst(library, 1, 0.4) < 1e-3, `${worst(library, 1, 0.4)}`);
    assert.ok(worst(importLibrary(folder), 1, 0.4) > 0.1, "80 km/s off without --air");
  }));

Deno.test("a source that is not sharp keeps its resolution", () =>
  inFolder((folder) => {
    writeImage(`${folder}/a.fits`, flux(0.3), { CRVAL1: LAM[0], CDELT1: 0.1 });
    writeFileSync(`${folder}/params.csv`, "file,teff,logg\na.fits,5000,4\n");
    const library = importLibrary(folder, { resolution: 2000 });
    assert.deepEqual(library.builds[0].arms[0].lsf, { kind: "resolution", R: 2000 });
  }));

Deno.test("what cannot be imported is told in one sentence", () =>
  inFolder((folder) => {
    fails(`${folder}/none`, /no such file or folder/);
    fails(folder, /holds no model spectra/);
    writeImage(`${folder}/a.fits`, flux(0.3), { CRVAL1: LAM[0], CDELT1: 0.1 });
    fails(folder, /has no keyword PHXTEFF for teff; give the parameters in params.csv/);
    fails(`${folder}/a.fits`, /not a source of templates/);
    writeFileSync(`${folder}/params.csv`, "name,teff\na.fits,5000\n");
    fails(folder, /has no column "file"/);
    writeFileSync(`${folder}/params.csv`, "file,teff\na.fits,hot\n");
    fails(folder, /row 1 holds something that is no number: a.fits,hot/);
    writeFileSync(`${folder}/params.csv`, "file,teff\na.fits,5000,1\n");
    fails(folder, /row 1 has 3 cells, expected 2/);
    writeFileSync(`${folder}/params.csv`, "file,teff,logg\na.fits,5000,4\na.fits,6000,4\na.fits,6000,4\n");
    fails(folder, /1 of 3 spectra have the parameters of another one/);
    writeFileSync(`${folder}/params.csv`, "file,teff\nb.fits,5000\n");
    fails(folder, /no such file/);
    writeImage(`${folder}/b.fits`, flux(0.3), {});
    fails(folder, /has no wavelengths/);
    writeLibrary(`${folder}/library.fits`, smallLibrary());
    fails(`${folder}/library.fits`, /is a template library already/);
  }));

dataTest("the reference library has its grid and both builds", ["stellar/reference/library"], (folder) => {
  const library = importLibrary(folder);
  assert.deepEqual(library.axes.map((a) => a.name), ["teff", "logg", "feh", "alpha"]);
  assert.deepEqual(library.builds.map((b) => [b.name, b.arms.length]), [["std", 3], ["resolmat", 3]]);
  assert.ok(library.idgrid.every((id, i) => id === i));
  const [b, , z] = library.builds[0].arms;
  assert.deepEqual([b.npix, b.lsf, z.lsf], [6215, { kind: "fwhm", angstrom: 1.55 }, {
    kind: "fwhm",
    angstrom: 1.8,
  }]);
  assert.deepEqual(library.builds[1].arms[2].lsf, { kind: "sigma", angstrom: 0.5 });
});

dataTest(
  "redrock archetypes become classes, a few far-apart ones each",
  ["stellar/templates/rrtemplate-STAR-A-v0.1.fits", "stellar/templates/rrtemplate-STAR-K-v0.1.fits"],
  (a, k) => {
    const library = importLibrary(a, { maxTemplates: 7, range: [4000, 7000] });
    assert.deepEqual([library.templates, library.axes.length, library.params.length], [7, 0, 0]);
    assert.deepEqual(library.classes, new Array(7).fill("STAR-A"));
    const [arm] = library.builds[0].arms;
    assert.ok(Math.abs(arm.lam0 - 4000) < 1 && arm.lnflux.every(Number.isFinite));
    assert.deepEqual(importLibrary(a, { maxTemplates: 7, range: [4000, 7000] }).checksum, library.checksum);
    const other = importLibrary(k, { maxTemplates: 3, range: [4000, 7000] });
    assert.deepEqual(other.classes, new Array(3).fill("STAR-K"));
  },
);

dataTest(
  "redmonster archetypes become a labelled grid",
  ["stellar/templates/ndArch-nsc5-coarse00_lr.fits"],
  (path) => {
    const library = importLibrary(path);
    assert.deepEqual(library.axes.map((axis) => [axis.name, [...axis.values]]), [
      ["teff", [20000, 25000, 30000]],
      ["logg", [4, 5]],
      ["feh", [-2.5, -2, -1.5, -1, -0.5, 0, 0.5]],
    ]);
    // The image is C order over (metals, teff, logg): template 1 is (-2.5, 20000, 5).
    assert.deepEqual([...library.params.subarray(3, 6)], [20000, 5, -2.5]);
    const [vacuum] = library.builds[0].arms, [air] = importLibrary(path, { air: true }).builds[0].arms;
    assert.ok(air.lam0 - vacuum.lam0 > 0.7 && air.lam0 - vacuum.lam0 < 1);
  },
);
