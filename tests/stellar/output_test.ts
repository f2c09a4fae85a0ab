/** Names and contents of the output: the reference's columns in its order, in the declared types; astropy opens it. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Column, numberColumn, stringColumn, Table } from "../../core/io/fits_table.ts";
import { FitsFile } from "../../core/io/fits_read.ts";
import { FitsWriter } from "../../core/io/fits_write.ts";
import { typeOf } from "../../core/io/number_types.ts";
import { DEFAULT_OPTIONS } from "../../core/stellar/options.ts";
import { planOutputs } from "../../core/stellar/output_names.ts";
import { fitFilesWith } from "../../core/stellar/run_files.ts";
import { dataTest } from "../shared_data.ts";
import { fakeParts, fitRequest, LIBRARY, writeSpectra } from "./run_fixture.ts";

const PYTHON = ["/usr/bin/python3", "/usr/local/bin/python3"].find((path) => existsSync(path)) ?? "";

function hasAstropy(): boolean {
  if (PYTHON === "") return false;
  return new Deno.Command(PYTHON, { args: ["-c", "import astropy"], stderr: "null" }).outputSync().success;
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "twinspec-output-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeRedrock(path: string, rows: readonly number[]): void {
  using writer = FitsWriter.create(path);
  const table = new Table([
    numberColumn("TARGETID", BigInt64Array.from(rows, (row) => 39627000000000000n + BigInt(row))),
    numberColumn("Z", Float64Array.from(rows, (row) => row / 1000)),
    stringColumn("SPECTYPE", rows.map(() => "STAR"), { width: 6 }),
    stringColumn("SUBTYPE", rows.map(() => "G")),
  ]);
  writer.addTable({ name: "REDSHIFTS", table });
  writer.commit();
}

/** Types as FITS has them. */
function form(column: Column): string {
  if (column.kind === "number") return typeOf(column.data);
  return column.kind;
}

Deno.test("planOutputs names outputs after inputs, and keeps those of one name apart", () => {
  const names = (inputs: string[]) => planOutputs(inputs, "/out").map(({ rvtab }) => rvtab);
  assert.deepEqual(names(["/d/coadd-1.fits.gz", "/d/spec-2.fits", "/d/spec-3.fit"]), [
    "/out/rvtab_coadd-1.fits",
    "/out/rvtab_spec-2.fits",
    "/out/rvtab_spec-3.fit.fits",
  ]);
  assert.deepEqual(names(["/d/n1/deep/x.fits", "/d/n2/deep/x.fits", "/d/n1/y.fits"]), [
    "/out/n1/deep/rvtab_x.fits",
    "/out/n2/deep/rvtab_x.fits",
    "/out/rvtab_y.fits",
  ]);
  assert.equal(new Set(names(["/x.fits", "/a/x.fits", "/b/a/x.fits"])).size, 3);
  // Where only case tells folders apart, some systems would write to one file.
  assert.throws(() => names(["/a/x.fits", "/A/X.fits"]), /its output .* is that of another input/);
  assert.equal(new Set(names(["/d/x.fits", "/d/x.fits.gz"])).size, 2);
  const [first] = planOutputs(["/d/x.fits"], "/out");
  assert.equal(first.rvmod, "/out/rvmod_x.fits");
  assert.equal(first.journal, "/out/rvtab_x.fits.journal");
});

Deno.test("rvtab has the redshifts of the file beside the input", () =>
  inFolder(async (folder) => {
    const input = join(folder, "coadd-a.fits");
    writeSpectra(input, { rows: 4, sky: [0] });
    writeRedrock(join(folder, "redrock-a.fits"), [2, 1]);
    const [{ rvtab }] = await fitFilesWith(fakeParts(), fitRequest([input], folder), {});
    using file = FitsFile.open(rvtab!);
    const table = file.table("RVTAB");
    assert.deepEqual([...table.float64("RR_Z")], [0.001, 0.002, NaN]);
    assert.deepEqual(table.strings("RR_SPECTYPE"), ["STAR", "STAR", ""]);
    assert.equal(file.hdus[0].header.get("RR_FILE"), join(folder, "redrock-a.fits"));
  }));

Deno.test("headers say from what and how", () =>
  inFolder(async (folder) => {
    const input = join(folder, "coadd-\u00e9toiles.fits");
    writeSpectra(input, { rows: 2 });
    const options = {
      ...DEFAULT_OPTIONS,
      fix: { teff: 0.75 },
      priors: { logg: { mean: 4.4, sigma: 0.1 } },
      maxVel: 600,
    };
    const request = fitRequest([input], folder, {
      options,
      commandLine: `twinspec fit ${"x".repeat(100)}`,
      minSn: -5,
    });
    const [{ rvtab }] = await fitFilesWith(fakeParts(), request, {});
    using file = FitsFile.open(rvtab!);
    const { header } = file.hdus[0];
    const expected = {
      DEPNAM00: "twinspec",
      TMPLCON1: "desi_r",
      RVS_CMD: request.commandLine,
      IN_FILE: join(folder, "coadd-%C3%A9toiles.fits"),
      LIBNAME: "fake",
      LIBSUM: LIBRARY.checksum,
      AIRORVAC: "vac",
      SPECSYS: "BARYCENT",
      ARMS: "b,r",
      NPOLY: 10,
      RESMAT: false,
      MAXVEL: 600,
      MINSN: -5,
      FIX1: "teff=0.75",
      PRIOR1: "logg=4.4,0.1",
    };
    for (const [key, value] of Object.entries(expected)) assert.equal(header.get(key), value, key);
    const table = file.hdu("RVTAB").header;
    const order = [1, 2, 3, 4, 5, 6, 7].map((i) => table.get(`COVPAR${i}`));
    assert.deepEqual(order, ["VRAD", "VSINI", "TEFF", "LOGG", "FEH", "ALPHAFE", "VMIC"]);
    const columns = file.table("RVTAB");
    assert.deepEqual([...columns.float64("VMIC")], [0.5, 1.5]);
    assert.equal(columns.column("VMIC").unit, "km s-1");
    // The same input is known again by its name.
    const [again] = await fitFilesWith(fakeParts(), { ...request, skipExisting: true }, {});
    assert.equal(again.skipped, true);
  }));

Deno.test("a library without labels gives classes, and no parameters", () =>
  inFolder(async (folder) => {
    const input = join(folder, "coadd-a.fits");
    writeSpectra(input, { rows: 2 });
    const library = { ...LIBRARY, axes: [], classes: ["STAR-A", "STAR-G"] };
    const options = { ...DEFAULT_OPTIONS, rvOnly: true };
    const [{ rvtab }] = await fitFilesWith(
      fakeParts({}, library),
      fitRequest([input], folder, { options }),
      {},
    );
    using file = FitsFile.open(rvtab!);
    const table = file.table("RVTAB");
    assert.deepEqual(table.strings("CLASS"), ["STAR-G", "STAR-G"]);
    assert.deepEqual([...table.float64("TEFF")], [NaN, NaN]);
    assert.deepEqual(table.column("COVAR").shape, [2, 2]);
  }));

dataTest(
  "rvtab begins with the reference's columns",
  ["stellar/reference/outputs/rvtab_armb.fits"],
  (path) =>
    inFolder(async (folder) => {
      const input = join(folder, "coadd-a.fits");
      writeSpectra(input, { rows: 5 });
      writeRedrock(join(folder, "redrock-a.fits"), [0, 1, 2, 3, 4]);
      const options = { ...DEFAULT_OPTIONS, arms: ["b"] };
      const [{ rvtab }] = await fitFilesWith(fakeParts(), fitRequest([input], folder, { options }), {});
      using ours = FitsFile.open(rvtab!);
      using theirs = FitsFile.open(path);
      assert.deepEqual(ours.hdus.map((hdu) => hdu.name), theirs.hdus.map((hdu) => hdu.name));
      const [table, reference] = [ours, theirs].map((file) => file.table("RVTAB"));
      const shared = table.columns.slice(0, reference.columns.length);
      assert.deepEqual(shared.map(({ name }) => name), reference.names);
      reference.columns.forEach((column, i) => {
        assert.equal(form(shared[i]), form(column), column.name);
        if (column.unit !== "") assert.equal(shared[i].unit, column.unit, column.name);
        if (column.comment !== "") assert.equal(shared[i].comment, column.comment, column.name);
      });
      assert.deepEqual(table.names.slice(reference.columns.length), [
        "ROW",
        "VRAD_ERR_MARG",
        "VSINI_ERR",
        "COVAR",
        "M2LNL",
        "NEVAL",
        "REASON",
        "VMIC",
        "VMIC_ERR",
      ]);
    }),
);

if (hasAstropy()) {
  Deno.test("astropy opens the output, full and empty, and verifies it", () =>
    inFolder(async (folder) => {
      const inputs = ["coadd-a.fits", "coadd-b.fits"].map((name) => join(folder, name));
      writeSpectra(inputs[0], { rows: 6, dead: [2] });
      writeSpectra(inputs[1], { rows: 3, sky: [0, 1, 2] });
      writeRedrock(join(folder, "redrock-a.fits"), [1]);
      writeFileSync(join(folder, "redrock-b.fits"), "broken");
      const joint = { ...DEFAULT_OPTIONS, jointByTargetid: true };
      const summaries = [
        ...await fitFilesWith(fakeParts(), fitRequest(inputs, folder), {}),
        ...await fitFilesWith(fakeParts(), fitRequest(inputs, join(folder, "joint"), { options: joint }), {}),
      ];
      const script = fileURLToPath(new URL("../interop/astropy_check.py", import.meta.url));
      const files = summaries.flatMap(({ rvtab, rvmod }) => [rvtab!, rvmod!]);
      const { success, stderr } = new Deno.Command(PYTHON, { args: [script, ...files] }).outputSync();
      assert.ok(success, new TextDecoder().decode(stderr));
    }));
} else {
  Deno.test({ name: "SKIP astropy opens the output (no astropy)", ignore: true, fn: () => {} });
}
