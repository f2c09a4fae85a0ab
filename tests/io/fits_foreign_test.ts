/** What other programs write and ours does not: scaling, blanks, variable-length columns, bits, complex numbers. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Header } from "../../core/io/fits_header.ts";
import { FitsFile } from "../../core/io/fits_read.ts";
import type { Table } from "../../core/io/fits_table.ts";
import { bigEndianBytes, type NumberArray } from "../../core/io/number_types.ts";
import { assertInputError } from "./faults.ts";
import { withFolder } from "./temporary_folder.ts";

function padded(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(bytes.byteLength / 2880) * 2880);
  out.set(bytes);
  return out;
}

function concatenated(...pieces: Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

function primary(header: Header, data: Uint8Array): Uint8Array {
  return concatenated(header.toBytes(), padded(data));
}

function imageHeader(bitpix: number, axes: number[], more: Record<string, number>): Header {
  const header = new Header().set("SIMPLE", true).set("BITPIX", bitpix).set("NAXIS", axes.length);
  axes.forEach((length, i) => header.set(`NAXIS${i + 1}`, length));
  for (const [key, value] of Object.entries(more)) header.set(key, value);
  return header;
}

function readImage(header: Header, data: NumberArray): NumberArray {
  return withFolder((folder) => {
    const path = join(folder, "x.fits");
    writeFileSync(path, primary(header, bigEndianBytes(data)));
    using file = FitsFile.open(path);
    return file.image(0).data;
  });
}

/** A table HDU of one row from TFORMs and the bytes of its row and heap. */
function readTable(
  columns: Record<string, string | number>[],
  row: Uint8Array,
  heap: Uint8Array = new Uint8Array(0),
): Table {
  const header = new Header().set("XTENSION", "BINTABLE").set("BITPIX", 8).set("NAXIS", 2);
  header.set("NAXIS1", row.byteLength).set("NAXIS2", 1).set("PCOUNT", heap.byteLength).set("GCOUNT", 1);
  header.set("TFIELDS", columns.length);
  columns.forEach((column, i) => {
    for (const [key, value] of Object.entries(column)) header.set(`${key}${i + 1}`, value);
  });
  return withFolder((folder) => {
    const path = join(folder, "x.fits");
    const empty = imageHeader(8, [], {});
    writeFileSync(path, concatenated(empty.toBytes(), header.toBytes(), padded(concatenated(row, heap))));
    using file = FitsFile.open(path);
    return file.table(1);
  });
}

Deno.test("BSCALE and BZERO make float64, BLANK becomes NaN", () => {
  const scaled = readImage(
    imageHeader(16, [3], { BSCALE: 0.5, BZERO: 10, BLANK: -1 }),
    Int16Array.of(4, -1, 6),
  );
  assert.deepEqual([...scaled], [12, NaN, 13]);
  assert.ok(scaled instanceof Float64Array);
  assert.deepEqual([...readImage(imageHeader(32, [2], { BLANK: 7 }), Int32Array.of(7, 8))], [NaN, 8]);
  assert.deepEqual([...readImage(imageHeader(-32, [2], { BSCALE: 2 }), Float32Array.of(1.5, 2))], [3, 4]);
});

Deno.test("unsigned integers through BZERO are exact", () => {
  const unsigned = readImage(
    imageHeader(32, [3], { BZERO: 2147483648 }),
    Int32Array.of(-2147483648, 0, 2147483647),
  );
  assert.ok(unsigned instanceof Uint32Array);
  assert.deepEqual([...unsigned], [0, 2147483648, 4294967295]);
});

Deno.test("TSCAL and TZERO make float64, TNULL becomes NaN there and is kept for plain integers", () => {
  const table = readTable(
    [
      { TTYPE: "S", TFORM: "2I", TSCAL: 0.1, TZERO: 1, TNULL: 5 },
      { TTYPE: "I", TFORM: "J", TNULL: -9 },
      { TTYPE: "U", TFORM: "I", TZERO: 32768, TNULL: -32768 },
    ],
    concatenated(
      bigEndianBytes(Int16Array.of(10, 5)),
      bigEndianBytes(Int32Array.of(-9)),
      bigEndianBytes(Int16Array.of(-32768)),
    ),
  );
  assert.deepEqual([...table.numbers("S")], [2, NaN]);
  assert.deepEqual([table.numbers("I")[0], table.float64("I")[0]], [-9, NaN]);
  assert.ok(Number.isNaN(table.float64("U")[0]));
  assert.deepEqual([...table.column("U").data], [0]);
});

Deno.test("variable-length columns are read from the heap, 32- and 64-bit descriptors", () => {
  const table = readTable(
    [{ TTYPE: "P", TFORM: "1PE(3)" }, { TTYPE: "Q", TFORM: "1QI(2)" }, { TTYPE: "E", TFORM: "1PJ(0)" }],
    concatenated(
      bigEndianBytes(Int32Array.of(3, 4)),
      bigEndianBytes(BigInt64Array.of(2n, 0n)),
      bigEndianBytes(Int32Array.of(0, 0)),
    ),
    concatenated(bigEndianBytes(Int16Array.of(7, -7)), bigEndianBytes(Float32Array.of(1, 2, 3))),
  );
  const data = (name: string): number[] => {
    const column = table.column(name);
    assert.ok(column.kind === "variable");
    return Array.from(column.data[0] as Float32Array);
  };
  assert.deepEqual([data("P"), data("Q"), data("E")], [[1, 2, 3], [7, -7], []]);
});

Deno.test("a variable-length cell outside the heap is a fault", () => {
  assertInputError(
    () => readTable([{ TTYPE: "P", TFORM: "1PE(3)" }], bigEndianBytes(Int32Array.of(300, 4))),
    /points to bytes/,
    /damaged/,
  );
});

Deno.test("bits, complex numbers, strings with NUL, columns without name or width are tolerated", () => {
  const table = readTable(
    [
      { TTYPE: "X", TFORM: "11X" },
      { TTYPE: "C", TFORM: "C" },
      { TTYPE: "A", TFORM: "6A" },
      { TFORM: "B" },
      { TTYPE: "NONE", TFORM: "0A" },
      { TTYPE: "L", TFORM: "3L" },
    ],
    concatenated(
      Uint8Array.of(0xff, 0xe0),
      bigEndianBytes(Float32Array.of(1, -2)),
      new TextEncoder().encode("ab \0zz"),
      Uint8Array.of(9),
      new TextEncoder().encode("TF\0"),
    ),
  );
  assert.deepEqual([...table.numbers("X")], [255, 224]);
  assert.deepEqual([...table.numbers("C")], [1, -2]);
  assert.deepEqual(table.column("C").shape, [2]);
  assert.deepEqual([...table.strings("A"), ...table.strings("NONE")], ["ab", ""]);
  assert.equal(table.numbers("col4")[0], 9);
  assert.deepEqual([...table.numbers("L")], [1, 0, 0]);
});

Deno.test("a format that is none, and columns wider than the row, are faults", () => {
  assertInputError(() => readTable([{ TTYPE: "A", TFORM: "1Y" }], new Uint8Array(8)), /TFORM1 is '1Y'/);
  assertInputError(
    () => readTable([{ TTYPE: "A", TFORM: "2D" }], new Uint8Array(8)),
    /16 bytes a row/,
    /NAXIS1 is 8/,
  );
});
