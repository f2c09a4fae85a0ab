/**
 * Writes a zoo of FITS files with this project's writer, for `astropy_check.py`:
 * `deno run -A tests/interop/make_fits.ts FOLDER` prints their paths.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { Header } from "../../core/io/fits_header.ts";
import { boolColumn, numberColumn, stringColumn, Table } from "../../core/io/fits_table.ts";
import { FitsWriter } from "../../core/io/fits_write.ts";
import { allocate, type NumberArray, type NumberType } from "../../core/io/number_types.ts";

const TYPES: NumberType[] = [
  "uint8",
  "int8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "float32",
  "float64",
];

/** Numbers of one type, its extremes among them. */
export function ramp(type: NumberType, n: number): NumberArray {
  const out = allocate(type, n);
  if (out instanceof BigInt64Array || out instanceof BigUint64Array) {
    for (let i = 0; i < n; i++) out[i] = (BigInt(i) - 3n) * 1234567890123n;
    if (n > 1) out[1] = 1n << 63n;
    return out;
  }
  for (let i = 0; i < n; i++) out[i] = (i - 3) * 37.25;
  if (n > 1 && (type === "float32" || type === "float64")) out[1] = NaN;
  else if (n > 1) out[1] = 2 ** (8 * out.BYTES_PER_ELEMENT - 1);
  return out;
}

function zooHeader(): Header {
  const header = new Header();
  header.set("OBSERVER", "O'Brien", "quotes in the name").set("EMPTY", "").set("NOTHING", null, "no value");
  header.set("LONGSTR", "a long 'quoted' string & more ".repeat(20), "goes on in CONTINUE");
  header.set("AMPER", "ends with &").set("FLAG", false).set("BIG", 9223372036854775807n).set("COUNT", -12);
  header.setReal("WHOLE", 3, "a real number").set("SMALL", -1.2345678901234567e-300).set("LARGE", 1e21);
  header.set("ESO DET NAME", "hierarchical").set("TOOLONGKEYWORD", 1.5);
  header.addCommentary("COMMENT", "a comment ".repeat(15)).addCommentary("HISTORY", "made by a test");
  return header;
}

function zooTable(rows: number): Table {
  const columns = TYPES.map((type) => numberColumn(type.toUpperCase(), ramp(type, rows), { unit: "km s-1" }));
  return new Table([
    ...columns,
    numberColumn("VECTOR", ramp("float32", rows * 5), { shape: [5], comment: "five numbers a row" }),
    numberColumn("MATRIX", ramp("uint16", rows * 6), { shape: [2, 3] }),
    numberColumn("MISSING", ramp("int32", rows), { missing: -99 }),
    numberColumn("UMISSING", ramp("uint16", rows), { missing: 65535 }),
    boolColumn("OK", Array.from({ length: rows }, (_, i) => i % 3 === 0), {
      comment: "a long comment ".repeat(9),
    }),
    boolColumn("OKS", Array.from({ length: rows * 4 }, (_, i) => i % 3 === 0), { shape: [4] }),
    stringColumn("NAME", Array.from({ length: rows }, (_, i) => "star".repeat(i % 4)), { unit: "none" }),
    stringColumn("WIDE", Array.from({ length: rows }, () => ""), { width: 20 }),
    stringColumn("NAMES", Array.from({ length: rows * 2 }, (_, i) => `s${i}`), { shape: [2] }),
  ]);
}

/** Writes every file of the zoo. @returns their paths */
export function makeZoo(folder: string): string[] {
  const paths: string[] = [];
  const make = (name: string, write: (path: string) => void): void => {
    const path = join(folder, name);
    write(path);
    paths.push(path);
  };
  make("primary-only.fits", (path) => {
    using writer = FitsWriter.create(path, zooHeader());
    writer.commit();
  });
  make("images.fits", (path) => {
    using writer = FitsWriter.create(path, zooHeader());
    for (const type of TYPES) {
      writer.addWholeImage({ name: type, shape: [4, 3], data: ramp(type, 12) });
      writer.addWholeImage({ name: `EMPTY_${type}`, shape: [0, 7], data: allocate(type, 0) });
    }
    writer.addWholeImage({ name: "LINE", shape: [5], data: ramp("float64", 5), header: zooHeader() });
    writer.addWholeImage({ name: "CUBE", shape: [2, 3, 4], data: ramp("float32", 24) });
    writer.addImage({ name: "NODATA", type: "float32", shape: [] });
    writer.commit();
  });
  make("primary-image.fits", (path) => {
    const image = { name: "FLUX", type: "float32", shape: [2, 5] } as const;
    using writer = FitsWriter.create(path, zooHeader(), image);
    writer.writeRows(writer.primary, 0, ramp("float32", 10));
    writer.addWholeImage({ name: "IVAR", shape: [2, 5], data: ramp("float32", 10) });
    writer.commit();
  });
  make("tables.fits", (path) => {
    using writer = FitsWriter.create(path);
    writer.addTable({ name: "ZOO", table: zooTable(7), header: zooHeader() });
    writer.addTable({ name: "ONE", table: zooTable(1) });
    writer.addTable({ name: "EMPTY", table: zooTable(0) });
    writer.addTable({ name: "NOCOLUMNS", table: new Table([]) });
    writer.commit();
  });
  make("streamed.fits", (path) => {
    using writer = FitsWriter.create(path);
    const flux = writer.addImage({ name: "FLUX", type: "float32", shape: [6, 1000] });
    const table = writer.addTable({ name: "ROWS", table: zooTable(7), rows: 14 });
    const gap = writer.addImage({ name: "GAP", type: "int64", shape: [9, 100] });
    writer.writeRows(table, 7, zooTable(7));
    writer.writeRows(gap, 4, ramp("int64", 100));
    for (const row of [5, 0, 3, 1, 4, 2]) writer.writeRows(flux, row, ramp("float32", 1000));
    writer.writeRows(table, 0, zooTable(7));
    writer.commit();
  });
  return paths;
}

if (import.meta.main) {
  mkdirSync(argv[2], { recursive: true });
  console.log(makeZoo(argv[2]).join("\n"));
}
