/** Selection of rows, S/N, and the warning bits that follow from numbers. */
import assert from "node:assert/strict";
import { boolColumn, type Column, numberColumn, stringColumn, Table } from "../../core/io/fits_table.ts";
import { Header } from "../../core/io/fits_header.ts";
import { InputError } from "../../core/io/input_error.ts";
import type { SpectrumFile } from "../../core/io/spectra.ts";
import { WARN } from "../../core/stellar/result.ts";
import { jointSn, measuredSn, NO_SN, scoredSn, selectStars } from "../../core/stellar/selection.ts";
import { warningBits } from "../../core/stellar/warnings.ts";

function fileOf(columns: Column[], scores: Table | null = null): SpectrumFile {
  const fibermap = new Table(columns, { name: "FIBERMAP" });
  return {
    path: "coadd-x.fits",
    format: "desi-coadd",
    rows: fibermap.rows,
    arms: [{
      setup: "desi_b",
      arm: "b",
      lam: Float64Array.of(1, 2, 3),
      medium: "vacuum",
      frame: "barycentric",
      lsf: { kind: "fwhm", angstrom: 1 },
      ndiag: 0,
    }],
    header: new Header(),
    fibermap,
    scores,
    expFibermap: null,
    catalogueZ: null,
    read: () => assert.fail("no pixels are needed"),
    close: () => {},
  };
}

const EVERYTHING = { arms: [0], minSn: null, targetids: null, joint: false };

Deno.test("selectStars leaves out sky, bad objects and bad fibres, and no others", () => {
  const status = [0, 1 << 3, 1 << 20, (1 << 3) | (1 << 20), 1 << 9, (1 << 3) | 1, 1 << 31, 0, 0];
  const types = ["TGT", "TGT", "TGT", "", "TGT", "TGT", "TGT", "SKY", "BAD"];
  const file = fileOf([
    numberColumn("COADD_FIBERSTATUS", Int32Array.from(status)),
    stringColumn("OBJTYPE", types),
  ]);
  assert.deepEqual(selectStars(file, EVERYTHING), [[0], [1], [2], [3]]);
});

Deno.test("selectStars goes by FIBERSTATUS where there is one, and by neither where there is none", () => {
  const both = [
    numberColumn("FIBERSTATUS", Int32Array.of(0, 4)),
    numberColumn("COADD_FIBERSTATUS", Int32Array.of(4, 0)),
  ];
  assert.deepEqual(selectStars(fileOf(both), EVERYTHING), [[0]]);
  assert.deepEqual(selectStars(fileOf([boolColumn("X", [0, 1])]), EVERYTHING), [[0], [1]]);
});

Deno.test("selectStars takes listed targets with all their rows, joined where asked", () => {
  const file = fileOf([numberColumn("TARGETID", BigInt64Array.of(5n, 2n ** 62n, 5n, 7n))]);
  const targetids = [5n, 2n ** 62n, 99n];
  assert.deepEqual(selectStars(file, { ...EVERYTHING, targetids }), [[0], [1], [2]]);
  assert.deepEqual(selectStars(file, { ...EVERYTHING, targetids, joint: true }), [[0, 2], [1]]);
  assert.throws(
    () => selectStars(fileOf([boolColumn("X", [0, 1])]), { ...EVERYTHING, targetids }),
    (error) => error instanceof InputError && /no TARGETID, which --targetid needs/.test(error.message),
  );
});

Deno.test("selectStars compares the S/N of SCORES strictly", () => {
  const scores = new Table([
    numberColumn("MEDIAN_COADD_FLUX_SNR_B", Float32Array.of(9, 9, 9, 9)),
    numberColumn("MEDIAN_COADD_SNR_B", Float32Array.of(1, 2, 3, NaN)),
  ]);
  const file = fileOf([numberColumn("TARGETID", BigInt64Array.of(1n, 2n, 3n, 4n))], scores);
  assert.deepEqual(selectStars(file, { ...EVERYTHING, minSn: 2 }), [[2]]);
  assert.deepEqual([...scoredSn(scores, "b", 4)!], [1, 2, 3, NO_SN]);
  assert.equal(scoredSn(scores, "r", 4), null);
});

Deno.test("measuredSn is the median over good pixels, and says none where there are none", () => {
  const pixels = {
    flux: Float32Array.of(1, 2, NaN, 5, 7, 8, 1, 1, 1, 1),
    ivar: Float32Array.of(4, 4, 4, 4, 0, -1, 4, 0, 0, 0),
    mask: Int32Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1, 0),
    resolution: null,
  };
  assert.equal(measuredSn(pixels, 0, 7), 3);
  assert.equal(
    measuredSn({ ...pixels, flux: pixels.flux.subarray(7), ivar: pixels.ivar.subarray(7) }, 0, 3),
    NO_SN,
  );
  assert.equal(jointSn([3, 4]), 5);
  assert.equal(jointSn([3, NO_SN]), 3);
  assert.equal(jointSn([NO_SN, NO_SN]), NO_SN);
});

Deno.test("warningBits follows the reference's limits", () => {
  const axes = ["teff", "logg", "feh", "alpha"];
  const fine = {
    vrad: 994,
    vradErr: 100,
    vsini: 100,
    params: [5000, 4, -1, 0.4],
    chisq: [100, NaN],
    chisqContinuum: [150, NaN],
  };
  const bits = (change: Partial<typeof fine>) => warningBits({ ...fine, ...change }, axes, 1000);
  assert.equal(bits({}), 0);
  assert.equal(bits({ chisqContinuum: [149.9, NaN] }), WARN.CHISQ);
  assert.equal(bits({ vrad: -995.1 }), WARN.RV);
  assert.equal(bits({ vradErr: 100.1 }), WARN.RVERR);
  assert.equal(bits({ vsini: 101 }), WARN.VSINI);
  for (const params of [[2309, 4, -1, 0], [14991, 4, -1, 0], [5000, 6.495, -1, 0], [5000, 4, -3.995, 0]]) {
    assert.equal(bits({ params }), WARN.PARAM);
  }
  assert.equal(warningBits({ ...fine, params: [] }, [], 1000), 0);
});
