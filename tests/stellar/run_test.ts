/** Fits over files: names, what is there already, rows in place, order independence. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FitsFile } from "../../core/io/fits_read.ts";
import { InputError } from "../../core/io/input_error.ts";
import { DEFAULT_OPTIONS } from "../../core/stellar/options.ts";
import { WARN } from "../../core/stellar/result.ts";
import { fitFilesWith } from "../../core/stellar/run_files.ts";
import type { FitRequest } from "../../core/stellar/run_types.ts";
import { type Behaviour, fakeParts, fitRequest, LAM, LIBRARY, writeSpectra } from "./run_fixture.ts";

function inFolder(name: string, body: (folder: string) => Promise<void>): void {
  Deno.test(name, async () => {
    const folder = mkdtempSync(join(tmpdir(), "twinspec-run-"));
    try {
      await body(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

function fit(request: FitRequest, behaviour: Behaviour = {}) {
  return fitFilesWith(fakeParts(behaviour), request, {});
}

inFolder("a fit writes a row for each selected row, in place", async (folder) => {
  const input = join(folder, "coadd-a.fits");
  writeSpectra(input, { rows: 12, sky: [0, 5], broken: [7], dead: [3] });
  const progress: number[] = [];
  let started: unknown;
  const events = {
    onStart: (...args: unknown[]) => void (started = args),
    onProgress: (done: number, total: number) => void progress.push(done, total),
  };
  const [summary] = await fitFilesWith(
    fakeParts({ bad: [8] }),
    fitRequest([input], join(folder, "out")),
    events,
  );
  assert.deepEqual(started, [9, 0, { target: "fake target", workers: 1, batch: 3, library: "fake" }]);
  assert.deepEqual(progress.slice(-2), [9, 9]);
  assert.deepEqual(summary.failed, [{ row: 8, why: "row 8 is cursed" }]);
  assert.equal(summary.fitted, 8);
  assert.deepEqual(summary.targetids.slice(0, 2), [39627000000000001n, 39627000000000002n]);

  using rvtab = FitsFile.open(summary.rvtab!);
  const table = rvtab.table("RVTAB");
  const rows = [1, 2, 3, 4, 6, 8, 9, 10, 11];
  assert.deepEqual([...table.int64("ROW")].map(Number), rows);
  assert.deepEqual([...table.int64("RVS_WARN")].map(Number), [
    0,
    0,
    32,
    WARN.LIBRARY_EDGE,
    0,
    32,
    WARN.LIBRARY_EDGE,
    0,
    0,
  ]);
  assert.deepEqual([...table.numbers("SUCCESS")], [1, 1, 0, 0, 1, 0, 0, 1, 1]);
  assert.deepEqual([...table.float64("VRAD")], rows.map((row) => row === 3 || row === 8 ? NaN : 100 * row));
  assert.deepEqual([...table.float64("SN_R")], rows);
  assert.deepEqual([...table.int32("FIBER")], rows.map((row) => 7 * row));
  assert.equal(table.strings("REASON")[5], "not fitted");
  assert.deepEqual(table.column("COVAR").shape, [7, 7]);
  assert.deepEqual([...rvtab.table("FIBERMAP").int32("FIBER")], rows.map((row) => 7 * row));
  assert.equal(rvtab.table("EXP_FIBERMAP").rows, 18);

  using rvmod = FitsFile.open(summary.rvmod!);
  assert.deepEqual(rvmod.hdus.map((hdu) => hdu.name), [
    "PRIMARY",
    "B_WAVELENGTH",
    "B_MODEL",
    "R_WAVELENGTH",
    "R_MODEL",
    "FIBERMAP",
  ]);
  const model = rvmod.image("R_MODEL");
  assert.deepEqual(model.shape, [9, LAM.r.length]);
  assert.deepEqual(
    [...model.data as Float32Array],
    rows.flatMap((row) => Array.from(LAM.r, (_, i) => row === 8 ? 0 : 2 * (100 * row + i))),
  );
  assert.equal(rvmod.hdus[0].header.get("HPXPIXEL"), 10378);
  assert.equal(rvmod.hdus[0].header.has("OTHER"), false);
  assert.deepEqual(readdirSync(join(folder, "out")).toSorted(), ["rvmod_coadd-a.fits", "rvtab_coadd-a.fits"]);
});

inFolder(
  "the output is the same to the last byte for any batch size and number of workers",
  async (folder) => {
    const input = join(folder, "coadd-a.fits");
    writeSpectra(input, { rows: 23, sky: [4], dead: [9], scores: false });
    const outputs: Uint8Array[][] = [];
    for (const [workers, batch] of [[0, 7], [1, 1], [3, 2], [2, 100]]) {
      const [{ rvtab, rvmod }] = await fit(
        fitRequest([input], join(folder, "out"), { workers, batch, overwrite: true }),
      );
      outputs.push([readFileSync(rvtab!), readFileSync(rvmod!)]);
    }
    for (const other of outputs.slice(1)) assert.deepEqual(other, outputs[0]);
  },
);

inFolder("several files, of one name too, keep apart", async (folder) => {
  const inputs = ["night1/coadd-a.fits", "night2/coadd-a.fits", "coadd-b.fits", "coadd-b.fits"].map((name) =>
    join(folder, name)
  );
  mkdirSync(join(folder, "night1"));
  mkdirSync(join(folder, "night2"));
  inputs.slice(0, 3).forEach((input, i) => writeSpectra(input, { rows: 3 + i }));
  const summaries = await fit(fitRequest(inputs, join(folder, "out"), { workers: 2 }));
  assert.deepEqual(summaries.map(({ rvtab, fitted }) => [rvtab, fitted]), [
    [join(folder, "out/night1/rvtab_coadd-a.fits"), 3],
    [join(folder, "out/night2/rvtab_coadd-a.fits"), 4],
    [join(folder, "out/rvtab_coadd-b.fits"), 5],
  ]);
});

inFolder("an output that is there is kept, replaced or skipped as asked, before any work", async (folder) => {
  const [a, b] = ["coadd-a.fits", "coadd-b.fits"].map((name) => join(folder, name));
  const out = join(folder, "out");
  writeSpectra(a, { rows: 3 });
  writeSpectra(b, { rows: 3 });
  await fit(fitRequest([a], out));
  const before = readFileSync(join(out, "rvtab_coadd-a.fits"));
  await assert.rejects(
    fit(fitRequest([b, a], out)),
    (error) =>
      error instanceof InputError &&
      /rvtab_coadd-a\.fits: exists already.*--overwrite.*--skip-existing/.test(error.message),
  );
  assert.equal(existsSync(join(out, "rvtab_coadd-b.fits")), false);

  const [second, first] = await fit(fitRequest([b, a], out, { skipExisting: true }));
  assert.deepEqual([second.skipped, first.skipped, second.fitted], [false, true, 3]);
  assert.deepEqual(readFileSync(join(out, "rvtab_coadd-a.fits")), before);

  const other = join(folder, "other");
  mkdirSync(other);
  writeSpectra(join(other, "coadd-a.fits"), { rows: 2 });
  await assert.rejects(
    fit(fitRequest([join(other, "coadd-a.fits")], out, { skipExisting: true })),
    /was made from .*coadd-a\.fits, not from .*other\/coadd-a\.fits/,
  );
  const [replaced] = await fit(fitRequest([join(other, "coadd-a.fits")], out, { overwrite: true }));
  assert.equal(replaced.fitted, 2);
});

inFolder("nothing selected gives valid empty tables", async (folder) => {
  const input = join(folder, "coadd-a.fits");
  writeSpectra(input, { rows: 3 });
  const [summary] = await fit(fitRequest([input], folder, { targetids: [1n] }));
  using rvtab = FitsFile.open(summary.rvtab!);
  assert.equal(rvtab.table("RVTAB").rows, 0);
  assert.equal(rvtab.table("FIBERMAP").rows, 0);
  using rvmod = FitsFile.open(summary.rvmod!);
  assert.deepEqual(rvmod.hdu("B_MODEL").shape, [0, LAM.b.length]);
});

inFolder("rows that all fail are all there, with their flag", async (folder) => {
  const input = join(folder, "coadd-a.fits");
  writeSpectra(input, { rows: 4 });
  const [summary] = await fit(fitRequest([input], folder, { workers: 2 }), { bad: [0, 1, 2, 3] });
  assert.equal(summary.fitted, 0);
  assert.deepEqual(summary.failed.map(({ row }) => row), [0, 1, 2, 3]);
  using rvtab = FitsFile.open(summary.rvtab!);
  assert.deepEqual([...rvtab.table("RVTAB").int64("RVS_WARN")], [32n, 32n, 32n, 32n]);
});

inFolder("rows of one TARGETID are one star where they are joined", async (folder) => {
  const input = join(folder, "spectra-a.fits");
  writeSpectra(input, { rows: 5, targetids: [10n, 20n, 10n, 30n, 20n] });
  const options = { ...DEFAULT_OPTIONS, jointByTargetid: true };
  const [summary] = await fit(fitRequest([input], folder, { options, batch: 2 }));
  using rvtab = FitsFile.open(summary.rvtab!);
  const table = rvtab.table("RVTAB");
  assert.deepEqual([...table.int64("ROW")], [0n, 1n, 3n]);
  assert.deepEqual([...table.int64("NROWS")], [2n, 2n, 1n]);
  assert.deepEqual(Array.from(table.float64("SN_B"), (sn) => Math.round(sn ** 2)), [4, 17, 9]);
  using rvmod = FitsFile.open(summary.rvmod!);
  assert.deepEqual([...rvmod.table("ROWS").int64("ROW")], [0n, 2n, 1n, 4n, 3n]);
  assert.deepEqual([...rvmod.table("ROWS").int64("STAR")], [0n, 0n, 1n, 1n, 2n]);
  assert.deepEqual([...rvmod.table("FIBERMAP").int64("TARGETID")], [10n, 10n, 20n, 20n, 30n]);
  const model = rvmod.image("B_MODEL");
  assert.deepEqual(
    Array.from({ length: 5 }, (_, row) => Number(model.data[row * LAM.b.length])),
    [0, 400, 200, 800, 600],
  );
});

inFolder("faults of input and usage are told before any work", async (folder) => {
  const input = join(folder, "coadd-a.fits");
  const out = join(folder, "out");
  writeSpectra(input, { rows: 3 });
  writeFileSync(join(folder, "notes.txt"), "no spectra");
  const options = (more: Partial<typeof DEFAULT_OPTIONS>) => ({ options: { ...DEFAULT_OPTIONS, ...more } });
  const faults: [FitRequest, RegExp][] = [
    [fitRequest([], out), /no input files/],
    [fitRequest([input, join(folder, "none.fits")], out), /none\.fits.*no such file/],
    [fitRequest([input, join(folder, "notes.txt")], out), /notes\.txt/],
    [
      fitRequest([input], out, options({ fix: { tef: 5000 } })),
      /--fix: no parameter tef; library fake has vrad, vsini, teff/,
    ],
    [fitRequest([input], out, options({ priors: { x: { mean: 0, sigma: 1 } } })), /--prior: no parameter x/],
    [fitRequest([input], out, options({ arms: ["b", "z"] })), /has no arm z; it has b, r/],
    [fitRequest([input], out, options({ resolutionMatrix: true })), /arm b has no resolution matrix/],
    [fitRequest([input], out, options({ bandLimit: true })), /--band-limit belongs to --resolution-matrix/],
    [fitRequest([input], join(folder, "notes.txt")), /notes\.txt: the output folder cannot be written to/],
  ];
  for (const [request, message] of faults) {
    await assert.rejects(fit(request), (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
  await assert.rejects(
    fitFilesWith(fakeParts({}, { ...LIBRARY, axes: [] }), fitRequest([input], out), {}),
    /no stellar parameters: add --rv-only/,
  );
  assert.equal(existsSync(out), false);
});

inFolder("a selection by S/N measures it where the file does not tell", async (folder) => {
  const input = join(folder, "coadd-a.fits");
  writeSpectra(input, { rows: 5, scores: false, dead: [3] });
  // Median flux of row r is about 100 r + 6 in the longer arm, S/N twice that.
  const [summary] = await fit(fitRequest([input], folder, { minSn: 212 }));
  assert.deepEqual(summary.results.map(({ rows }) => rows[0]), [2, 4]);
  assert.equal(summary.results[0].sn[0], 412);
});
