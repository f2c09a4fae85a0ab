import assert from "node:assert/strict";
import { join } from "node:path";
import { centroid, legendre, shapeParameters, wavelengthRange } from "../../core/extraction/psf.ts";
import { readPsf } from "../../core/extraction/read_psf.ts";
import { InputError } from "../../core/io/input_error.ts";
import { withFolder } from "../io/temporary_folder.ts";
import { oracle } from "../kernels/oracle.ts";
import { dataTest } from "../shared_data.ts";
import { type PsfFileChanges, smallPsf, writePsf } from "./psf_fixture.ts";

Deno.test("a PSF file is read as it was written", () => {
  withFolder((folder) => {
    const path = join(folder, "psf.fits"), psf = smallPsf();
    writePsf(path, psf);
    assert.deepEqual(readPsf(path), { ...psf, path });
  });
});

Deno.test("readPsf: PSFERR counts, PSFERROR where it is positive, else 0.01", () => {
  withFolder((folder) => {
    const path = join(folder, "psf.fits");
    const error = (table: PsfFileChanges["table"] & object) => {
      writePsf(path, smallPsf(), { table });
      return readPsf(path).error;
    };
    assert.equal(error({}), 0.01);
    assert.equal(error({ PSFERROR: 0.02 }), 0.02);
    assert.equal(error({ PSFERR: 0, PSFERROR: 0.02 }), 0);
    assert.equal(error({ PSFERR: 0.04 }), 0.04);
    assert.throws(() => error({ PSFERR: -1 }), /PSFERR is -1/);
  });
});

Deno.test("readPsf: tails are read, and may be missing where there are none", () => {
  withFolder((folder) => {
    const path = join(folder, "psf.fits");
    const plain = smallPsf();
    const noTails = (names: string[]) => names.filter((name) => !name.startsWith("TAIL"));
    writePsf(path, plain, { rows: noTails });
    assert.deepEqual(readPsf(path).shape, plain.shape);
    const P = shapeParameters(plain), shape = plain.shape.slice();
    for (let i = 0; i < 5; i++) shape[(3 * P + P - 5 + i) * plain.shapeTerms] = 0.5 + i;
    writePsf(path, { ...plain, shape });
    assert.deepEqual(readPsf(path).shape, shape);
    writePsf(path, { ...plain, shape }, { rows: (names) => names.filter((name) => name !== "TAILCORE") });
    assert.throws(() => readPsf(path), /no row TAILCORE/);
  });
});

const BROKEN: readonly (readonly [string, PsfFileChanges, RegExp])[] = [
  ["another type", { primary: { PSFTYPE: "SPOTGRID" } }, /type SPOTGRID; only GAUSS-HERMITE/],
  ["no type", { primary: { PSFTYPE: null }, table: { PSFTYPE: null } }, /no HDU has the keyword PSFTYPE/],
  ["an old version", { primary: { PSFVER: 2 } }, /PSFVER is 2, expected 3/],
  ["a version to come", { primary: { PSFVER: 4 } }, /PSFVER is 4, expected 3/],
  ["no version", { primary: { PSFVER: null }, table: { PSFVER: null } }, /PSFVER is missing/],
  ["no XTRACE", { without: "XTRACE" }, /has no HDU XTRACE/],
  ["no YTRACE", { without: "YTRACE" }, /has no HDU YTRACE/],
  ["no PSF table", { without: "PSF" }, /has no HDU PSF/],
  ["a row missing", { rows: (n) => n.filter((name) => name !== "GH-2-1") }, /\[2, PSF\].*no row GH-2-1/],
  ["no widths", { rows: (n) => n.filter((name) => name !== "GHSIGX") }, /no row GHSIGX/],
  ["NaN coefficients", { poison: "GHSIGY" }, /row GHSIGY, fibre 0: a coefficient is NaN/],
  ["no CCD size", { table: { NPIX_Y: null } }, /no keyword NPIX_Y/],
  ["a spot without size", { table: { HSIZEX: 0 } }, /HSIZEX is 0, expected at least 1/],
  ["no wavelengths", { primary: { WAVEMIN: null } }, /\[0, XTRACE\].*no keyword WAVEMIN/],
  ["wavelengths reversed", { table: { WAVEMAX: 5000 } }, /WAVEMIN 5999 is not below WAVEMAX 5000/],
  ["traces on two domains", { primary: { WAVEMAX: 7000 } }, /YTRACE.*must agree/],
  ["a wrong degree", { table: { LEGDEG: 3 } }, /LEGDEG is 3, but COEFF has 2/],
];

for (const [what, changes, message] of BROKEN) {
  Deno.test(`readPsf refuses a PSF with ${what}`, () => {
    withFolder((folder) => {
      const path = join(folder, "psf.fits");
      writePsf(path, smallPsf(), changes);
      assert.throws(() => readPsf(path), (error: Error) => {
        assert.ok(error instanceof InputError, error.stack);
        assert.match(error.message, message);
        assert.ok(error.message.includes(path));
        return true;
      });
    });
  });
}

Deno.test("legendre is the series, beyond its domain too", () => {
  const domain = { min: 10, max: 20 };
  const c = Float64Array.of(9, 1, 2, 3);
  for (const wave of [8, 10, 13, 20, 25]) {
    const u = (wave - 15) / 5;
    const expected = 1 + 2 * u + 3 * (3 * u * u - 1) / 2;
    assert.ok(Math.abs(legendre(c, 1, 3, domain, wave) - expected) < 1e-12);
  }
});

for (const [file, terms] of [["psf-r0-00051060", 4], ["psf-r0-00067784", 2]] as const) {
  dataTest(`the real PSF ${file} is read`, [`extraction/${file}.fits`], (path) => {
    const psf = readPsf(path!);
    const { fibres, columns, rows, halfX, halfY, degreeX, degreeY, traceTerms, shapeTerms, camera } = psf;
    assert.deepEqual({
      fibres,
      columns,
      rows,
      halfX,
      halfY,
      degreeX,
      degreeY,
      traceTerms,
      shapeTerms,
      camera,
    }, {
      ...{ fibres: 500, columns: 4114, rows: 4128, halfX: 8, halfY: 5, degreeX: 6, degreeY: 6 },
      ...{ traceTerms: 7, shapeTerms: terms, camera: "r0" },
    });
    assert.equal(psf.error, 0.01);
    assert.deepEqual(psf.traceDomain, { min: 5543, max: 7826 });
    assert.deepEqual(psf.shapeDomain, { min: 5543, max: 7827 });
    assert.deepEqual(wavelengthRange(psf), { min: 5543, max: 7826 });
  });
}

dataTest("stray coefficients of GH-0-0 are kept", ["extraction/psf-r0-00051060.fits"], (path) => {
  const psf = readPsf(path!);
  const from = (250 * shapeParameters(psf) + 2) * psf.shapeTerms;
  const [c0, ...stray] = psf.shape.subarray(from, from + 4);
  assert.equal(c0, 1);
  assert.deepEqual(stray.map((c) => c.toFixed(4)), ["0.1017", "-0.0040", "-0.0200"]);
});

dataTest("centroids and widths are the reference's", [
  "extraction/psf-r0-00051060.fits",
  "extraction/kernels/basis_and_spots.npz",
], (path, kernels) => {
  const psf = readPsf(path!), member = oracle(kernels!);
  const wave = member("wave"), P = shapeParameters(psf);
  member("fibers").forEach((fibre, i) => {
    wave.forEach((at, l) => {
      const { x, y } = centroid(psf, fibre, at);
      const width = (p: number) =>
        legendre(psf.shape, (fibre * P + p) * psf.shapeTerms, psf.shapeTerms, psf.shapeDomain, at);
      const found = { X: x, Y: y, GHSIGX: width(0), GHSIGY: width(1) };
      for (const [name, value] of Object.entries(found)) {
        const expected = member(name)[i * wave.length + l]!;
        assert.ok(Math.abs(value - expected) <= 1e-12 * Math.abs(expected), `${name}: ${value} ${expected}`);
      }
    });
  });
});
