/** Reading PDS 3-D tables: grouping, cleaning, what is refused and what is said of it. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../../core/io/input_error.ts";
import { DEFAULT_INPUT, openSweeps } from "../../core/losscone/input/open_sweeps.ts";
import { readSweeps } from "../../core/losscone/input/prepare.ts";
import { dateOfName } from "../../core/losscone/input/table_files.ts";
import { readNumbers, TABLE_COLUMNS, tableNumber } from "../../core/losscone/input/table_row.ts";
import { parseUtc } from "../../core/losscone/input/utc.ts";
import { simulateSweeps } from "../../core/losscone/simulate.ts";
import { inFolder } from "../cli/run_cli.ts";
import { editLines, NAME, simulatedTable, withColumns } from "./table_files.ts";

type Options = Partial<typeof DEFAULT_INPUT>;

/** Opens inputs; gives the source, and warnings and other notices. */
function opened(inputs: string[], options: Options = {}) {
  const warnings: string[] = [];
  const source = openSweeps(inputs, { ...DEFAULT_INPUT, ...options }, (_, text) => warnings.push(text));
  return { source, warnings };
}

const refusal = (inputs: string[], options: Options = {}): string => {
  try {
    opened(inputs, options).source.close();
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    return error.message;
  }
  assert.fail("it was not refused");
};

function allOf(inputs: string[], options: Options = {}, fill: "missing" | "reference" = "missing") {
  const { source, warnings } = opened(inputs, options);
  const raw = source.load(Array.from({ length: source.sweeps }, (_, i) => i)).batch;
  source.close();
  return { source, warnings, raw, read: readSweeps(raw, source.theta, fill) };
}

Deno.test("a table comes back as it was simulated", () =>
  inFolder(async (folder) => {
    const path = await simulatedTable(folder, 7);
    const { read, source, warnings } = allOf([path]);
    const { batch } = simulateSweeps({ sweeps: 7, seed: 5 });
    assert.equal(source.sweeps, 7);
    assert.deepEqual(warnings, []);
    read.batch.flux.forEach((flux, k) => assert.ok(Math.abs(flux - batch.flux[k]!) <= 1e-4 * batch.flux[k]!));
    read.batch.phi.forEach((phi, k) => assert.ok(Math.abs(phi - batch.phi[k]!) <= 0.0051));
    read.batch.energy.forEach((e, k) => assert.ok(Math.abs(e - batch.energy[k]!) <= 5.1e-4));
    assert.deepEqual(read.batch.theta, batch.theta);
    assert.equal(read.utc[2]![14], "1999-04-29T00:02:40.000");
  }));

Deno.test("a line with another number of columns is named", () =>
  inFolder(async (folder) => {
    const path = await simulatedTable(folder, 2);
    editLines(path, (lines) => lines.map((line, i) => i === 16 ? line.replace(/ \S+$/, "") : line));
    assert.match(refusal([path]), /3D990429\.TAB: line 17 has 182 columns, expected 183/);
    editLines(path, (lines) => lines.map((line, i) => i === 16 ? `${line} 1 2` : line));
    assert.match(refusal([path]), /line 17 has 184 columns, expected 183/);
  }));

Deno.test("a short sweep is padded, and does not shift those after it", () =>
  inFolder(async (folder) => {
    const path = await simulatedTable(folder, 4);
    const whole = allOf([path]).read;
    editLines(path, (lines) => lines.filter((_, i) => i < 17 || i >= 21));
    const { read, raw } = allOf([path]);
    assert.deepEqual(raw.heads.map(({ rows }) => rows), [15, 11, 15, 15]);
    assert.ok(read.batch.energy.subarray(15 + 11, 30).every(Number.isNaN));
    assert.deepEqual(read.batch.flux.subarray(30 * 88), whole.batch.flux.subarray(30 * 88));
    assert.deepEqual(read.utc.map((rows) => rows.length), [15, 11, 15, 15]);
  }));

Deno.test("rows of a sweep are found wherever they are, and it is said", () =>
  inFolder(async (folder) => {
    const path = await simulatedTable(folder, 3);
    const whole = allOf([path]).read;
    editLines(path, (lines) => [...lines.slice(0, 14), ...lines.slice(15), lines[14]!]);
    const { read, warnings } = allOf([path]);
    assert.deepEqual(read.batch.flux, whole.batch.flux);
    assert.match(warnings.join("\n"), /rows of one spec_no are apart 1 times/);
  }));

Deno.test("time that goes backwards: a warning with the line, the order is kept", () =>
  inFolder(async (folder) => {
    const path = await simulatedTable(folder, 3);
    editLines(path, (lines) => [...lines.slice(15, 30), ...lines.slice(0, 15), ...lines.slice(30)]);
    const { read, raw, warnings } = allOf([path]);
    assert.match(
      warnings.join("\n"),
      /time goes backwards in 15 rows, first in line 16 \(1999-04-29T00:00:00\.000\)/,
    );
    assert.deepEqual(raw.heads.map(({ specNo }) => specNo), [1, 0, 2]);
    assert.equal(read.utc[0]![0], "1999-04-29T00:01:20.000");
  }));

Deno.test("sweeps without field or time are left out whole; a NaN field is not", () =>
  inFolder(async (folder) => {
    const path = await simulatedTable(folder, 5);
    editLines(path, (lines) =>
      lines.map((line, i) => {
        if (i === 3) return withColumns(line, { 4: "0", 5: "0", 6: "1e-10" });
        if (i === 15) return withColumns(line, { 1: "1970-01-01T00:00:00" });
        if (i === 44) return withColumns(line, { 4: "1000" });
        return i === 50 ? withColumns(line, { 4: "NaN" }) : line;
      }));
    const { raw, warnings } = allOf([path]);
    assert.deepEqual(raw.heads.map(({ specNo }) => specNo), [3, 4]);
    assert.match(warnings.join("\n"), /3 sweeps left out: a row without magnetic field or time/);
  }));

Deno.test("a cell that is no number takes its sweep alone, line and column named", () =>
  inFolder(async (folder) => {
    const path = await simulatedTable(folder, 3);
    editLines(path, (lines) => lines.map((line, i) => i === 20 ? withColumns(line, { 9: "1.2.3" }) : line));
    const { read } = allOf([path]);
    assert.deepEqual(read.faults.map((fault) => fault === null), [true, false, true]);
    assert.match(read.faults[1]!, /line 21: ele_flux_2 is "1\.2\.3", expected a number/);
    assert.ok(read.batch.flux.subarray(15 * 88, 30 * 88).every(Number.isNaN));
    editLines(path, (lines) => lines.map((line, i) => i === 20 ? withColumns(line, { 3: "x" }) : line));
    assert.match(refusal([path]), /line 21: spec_no is "x", expected a number/);
  }));

Deno.test("more than fifteen rows of one sweep are not fitted, its neighbours are", () =>
  inFolder(async (folder) => {
    const path = await simulatedTable(folder, 3);
    editLines(
      path,
      (lines) => lines.map((line, i) => i >= 15 && i < 30 ? withColumns(line, { 3: "0" }) : line),
    );
    const { read } = allOf([path]);
    assert.deepEqual(read.faults, ["30 rows, at most 15 expected", null]);
    assert.equal(read.utc[0]!.length, 30);
  }));

Deno.test("fill values are missing data, or numbers where the reference is asked for", () =>
  inFolder(async (folder) => {
    const path = await simulatedTable(folder, 4, 5, { missing: 1, error: 1 });
    const filled = (flux: Float64Array) =>
      [...flux].filter((f) => Math.abs(f) === 9.999e-99 || f === -9.99e-99);
    const missing = allOf([path]).read.batch.flux, kept = allOf([path], {}, "reference").read.batch.flux;
    assert.ok(filled(kept).length > 50);
    assert.equal(filled(missing).length, 0);
    assert.equal(missing.filter(Number.isNaN).length, filled(kept).length);
  }));

Deno.test("theta.tab: beside the table, above it, named, missing, unknown or of another length", () =>
  inFolder(async (folder) => {
    const deep = join(folder, "1999", "119_APR");
    mkdirSync(deep, { recursive: true });
    const path = await simulatedTable(deep, 1);
    const own = join(deep, "theta.tab"), other = join(folder, "angles.txt");
    copyFileSync(own, other);
    rmSync(own);
    assert.match(
      refusal([path]),
      /theta\.tab, the elevations of its 88 cells, is not beside it; .* --theta FILE/,
    );
    assert.equal(allOf([path], { theta: other }).source.sweeps, 1);
    copyFileSync(other, join(folder, "THETA.TAB"));
    assert.equal(allOf([folder]).source.sweeps, 1);
    writeFileSync(own, Array.from({ length: 88 }, (_, i) => i === 4 ? 12 : 11.25).join("\n"));
    assert.match(refusal([path]), /theta of cell 4 is 12; the instrument's latitudes are ±11\.25, .*±78\.75/);
    writeFileSync(own, "11.25 33.75");
    assert.match(refusal([path]), /holds 2 elevations, expected 88/);
    writeFileSync(own, "11.25 abc");
    assert.match(refusal([path]), /value 2 is "abc", expected a number/);
  }));

Deno.test("folders: by name and date, not by parts of the path", () =>
  inFolder(async (folder) => {
    // The reference's substring match takes all of 1999/091_120APR for April, and any path with 29.TAB for the 29th.
    const april = join(folder, "1999_APR", "a"), may = join(folder, "1999_APR", "b");
    mkdirSync(april, { recursive: true });
    mkdirSync(may);
    await simulatedTable(april, 2, 5, undefined, "3D990430.TAB");
    await simulatedTable(april, 1, 6);
    await simulatedTable(may, 3, 7, undefined, "3D990529.TAB");
    writeFileSync(join(may, "ATTITUDE.TAB"), "x");
    symlinkSync(folder, join(april, "round"));
    const days = (options: Options) => allOf([folder], options).source.paths.map((path) => path.slice(-12));
    assert.deepEqual(days({}), [NAME, "3D990430.TAB", "3D990529.TAB"]);
    assert.deepEqual(days({ month: 4 }), [NAME, "3D990430.TAB"]);
    assert.deepEqual(days({ day: 29 }), [NAME, "3D990529.TAB"]);
    assert.deepEqual(days({ year: 1999, month: 5, day: 29 }), ["3D990529.TAB"]);
    assert.match(refusal([folder], { year: 1998 }), /none of its 3 tables is of --year 1998/);
    assert.match(refusal([join(april, NAME)], { day: 30 }), /3D990429\.TAB: is not of --day 30 by its name/);
    mkdirSync(join(folder, "none"));
    assert.match(refusal([join(folder, "none")]), /no table 3DYYMMDD\.TAB in this folder or below/);
    assert.match(refusal([join(folder, "absent")]), /cannot be opened: no such file/);
  }));

Deno.test("spec_no stays unique over files; a file given twice is read once", () =>
  inFolder(async (folder) => {
    const a = await simulatedTable(folder, 3, 5),
      b = await simulatedTable(folder, 2, 6, undefined, "3D990430.TAB");
    const { raw } = allOf([a, b, folder]);
    assert.deepEqual(raw.heads.map(({ specNo }) => specNo), [0, 1, 2, 3, 4]);
    assert.deepEqual(raw.heads.map(({ path }) => path), [a, a, a, b, b]);
  }));

Deno.test("lines across the borders of what is read at a time, blanks in any number, no end of line at the end", () =>
  inFolder(async (folder) => {
    // 4 MiB are read at a time: some rows lie across.
    const path = await simulatedTable(folder, 500);
    const straight = allOf([path]).read;
    const text = Deno.readTextFileSync(path);
    assert.ok(text.length > 9e6);
    Deno.writeTextFileSync(
      path,
      "\r\n" + text.trimEnd().replaceAll(" 1999", "1999").replaceAll("\n", " \r\n  "),
    );
    const { read } = allOf([path]);
    assert.deepEqual(read.batch.flux, straight.batch.flux);
    assert.deepEqual(read.batch.phi, straight.batch.phi);
    assert.deepEqual(read.utc, straight.utc);
  }));

Deno.test("numbers are read as the runtime reads them", () => {
  const words = [
    "1.2345E-05",
    "9.999E-99",
    "-9.99E-99",
    "0",
    "-0",
    "3.4028234663852886e+38",
    "123456789012345678",
    ".5",
  ];
  const more = [
    "5.",
    "+7",
    "1e22",
    "1e23",
    "4.35",
    "0.000001234",
    "1e-22",
    "NaN",
    "nan",
    "-Inf",
    "1E400",
    "2.5e-324",
  ];
  const all = [...words, ...more], row = ["t", "t", "1", "1", "1", "1", "1"];
  while (row.length < TABLE_COLUMNS) row.push(all[(row.length - 7) % all.length]!);
  const bytes = new TextEncoder().encode(row.join(" "));
  const flux = new Float64Array(88), phi = new Float64Array(88);
  assert.equal(readNumbers(bytes, 0, bytes.length, flux, phi), null);
  row.slice(7, 95).forEach((word, i) =>
    assert.ok(Object.is(flux[i], tableNumber(word)!), `${word}: ${flux[i]}`)
  );
  for (const bad of ["1..2", "e5", "1e", "--1", "1,5", "0x10", "."]) {
    assert.equal(tableNumber(bad), undefined, bad);
  }
});

Deno.test("times and names of days", () => {
  assert.equal(parseUtc("1999-04-29T14:45:00"), Date.UTC(1999, 3, 29, 14, 45) / 1000);
  assert.equal(parseUtc("1999-119T14:45:00.5"), Date.UTC(1999, 3, 29, 14, 45) / 1000 + 0.5);
  for (const bad of ["", "1999-02-30T00:00:00", "1999-04-29", "925344000", "1999-04-29T25:00:00"]) {
    assert.ok(Number.isNaN(parseUtc(bad)), bad);
  }
  assert.deepEqual(dateOfName("/x/3d980101.tab"), { year: 1998, month: 1, day: 1 });
  assert.deepEqual(dateOfName("3D010203.TAB"), { year: 2001, month: 2, day: 3 });
  assert.equal(dateOfName("3D990231.TAB"), null);
  assert.equal(dateOfName("theta.tab"), null);
});
