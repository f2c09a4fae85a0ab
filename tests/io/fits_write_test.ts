import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { addToSum } from "../../core/io/fits_checksum.ts";
import { Header } from "../../core/io/fits_header.ts";
import { FitsFile } from "../../core/io/fits_read.ts";
import { numberColumn, stringColumn, Table } from "../../core/io/fits_table.ts";
import { FitsWriter } from "../../core/io/fits_write.ts";
import { assertInputError } from "./faults.ts";
import { withFolder } from "./temporary_folder.ts";

const row = (i: number): Float32Array => Float32Array.of(i, i + 0.5, -i);

function writeInOrder(path: string, order: readonly number[]): void {
  using writer = FitsWriter.create(path, new Header().set("PROGRAM", "test"));
  const image = writer.addImage({ name: "X", type: "float32", shape: [order.length, 3] });
  const empty = writer.addImage({ name: "NONE", type: "int64", shape: [0, 3] });
  const plan = new Table([numberColumn("I", new Int32Array(0)), stringColumn("S", [], { width: 4 })]);
  const table = writer.addTable({ name: "T", table: plan, rows: order.length });
  assert.equal(empty.rows, 0);
  for (const i of order) {
    writer.writeRows(image, i, row(i));
    const cells = new Table([numberColumn("I", Int32Array.of(i)), stringColumn("S", [`r${i}`])]);
    writer.writeRows(table, i, cells);
  }
  writer.commit();
}

Deno.test("the order in which rows are written does not change a byte", () => {
  withFolder((folder) => {
    const inOrder = join(folder, "a.fits");
    writeInOrder(inOrder, [0, 1, 2, 3, 4]);
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), (order) => {
        const path = join(folder, "b.fits");
        writeInOrder(path, order);
        assert.deepEqual(readFileSync(path), readFileSync(inOrder));
      }),
      { numRuns: 10 },
    );
    using file = FitsFile.open(inOrder);
    assert.deepEqual([...file.image("X", [3]).data], [...row(3)]);
    assert.deepEqual(file.image("NONE").shape, [0, 3]);
    assert.deepEqual(file.table("T").strings("S"), ["r0", "r1", "r2", "r3", "r4"]);
  });
});

Deno.test("the words of every HDU add up to minus zero, those of its data to DATASUM", () => {
  withFolder((folder) => {
    const path = join(folder, "x.fits");
    writeInOrder(path, [2, 0, 1]);
    const bytes = new Uint8Array(readFileSync(path));
    using file = FitsFile.open(path);
    let start = 0;
    for (const hdu of file.hdus) {
      const end = hdu.dataOffset + Math.ceil(hdu.dataSize / 2880) * 2880;
      assert.equal(addToSum(bytes.slice(start, end)), 0xffffffff, hdu.name);
      assert.equal(String(addToSum(bytes.slice(hdu.dataOffset, end))), hdu.header.string("DATASUM"));
      assert.match(hdu.header.string("CHECKSUM")!, /^[0-9A-Za-z]{16}$/);
      start = end;
    }
    assert.equal(start, bytes.byteLength);
  });
});

Deno.test("rows that were never written are zeros", () => {
  withFolder((folder) => {
    const path = join(folder, "x.fits");
    using writer = FitsWriter.create(path);
    const image = writer.addImage({ name: "X", type: "uint8", shape: [3, 2] });
    writer.writeRows(image, 1, Uint8Array.of(1, 2));
    writer.commit();
    using file = FitsFile.open(path);
    assert.deepEqual([...file.image("X").data], [0, 0, 1, 2, 0, 0]);
  });
});

Deno.test("a header that is handed in gives its keywords, not those that describe other data", () => {
  withFolder((folder) => {
    const path = join(folder, "x.fits");
    const header = new Header().set("BITPIX", 8).set("NAXIS1", 99).set("BZERO", 7).set("TTYPE1", "x").set(
      "CHECKSUM",
      "y",
    )
      .set("ZCMPTYPE", "GZIP_1").set("EXTNAME", "OTHER").set("CAMERA", "b0", "which").set("TIMESYS", "utc");
    using writer = FitsWriter.create(path, header, { name: "FLUX", type: "float32", shape: [2] });
    writer.writeRows(writer.primary, 0, Float32Array.of(1, 2));
    writer.commit();
    using file = FitsFile.open(path);
    const back = file.hdu("FLUX").header;
    assert.deepEqual([...file.image(0).data], [1, 2]);
    assert.deepEqual([back.get("CAMERA"), back.comment("CAMERA"), back.get("TIMESYS")], [
      "b0",
      "which",
      "utc",
    ]);
    assert.ok(!back.has("TTYPE1") && !back.has("ZCMPTYPE") && !back.has("BZERO"));
  });
});

Deno.test("abort, a thrown fault and a forgotten commit leave no file, and an older one as it was", () => {
  withFolder((folder) => {
    const path = join(folder, "x.fits");
    writeFileSync(path, "older");
    FitsWriter.create(path).abort();
    assert.throws(() => {
      using writer = FitsWriter.create(path);
      writer.addWholeImage({ name: "X", shape: [1], data: new Float32Array(1) });
      throw new Error("stop");
    });
    assert.deepEqual(readdirSync(folder), ["x.fits"]);
    assert.equal(readFileSync(path, "utf8"), "older");
  });
});

Deno.test("rows that do not fit the plan are refused", () => {
  withFolder((folder) => {
    using writer = FitsWriter.create(join(folder, "x.fits"));
    const image = writer.addImage({ name: "X", type: "float32", shape: [2, 3] });
    const table = writer.addTable({ name: "T", table: new Table([stringColumn("S", ["abc"])]), rows: 2 });
    assert.throws(() => writer.writeRows(image, 1, new Float32Array(6)), /rows 1 to 3 of 2/);
    assert.throws(() => writer.writeRows(image, 0, new Float32Array(4)), /no whole rows of 3/);
    assert.throws(() => writer.writeRows(image, 0, new Float64Array(3)), /planned as float32, got float64/);
    assert.throws(
      () => writer.writeRows(table, 0, new Table([stringColumn("S", ["longer"])])),
      /longer than the 3/,
    );
    assert.throws(
      () => writer.writeRows(table, 0, new Table([stringColumn("Q", ["a"])])),
      /expected S as planned/,
    );
    const variable = { name: "V", kind: "variable", data: [], shape: [], unit: "", comment: "" } as const;
    assert.throws(() => writer.addTable({ name: "V", table: new Table([variable]) }), TypeError);
  });
});

Deno.test("a folder that is not there is named", () => {
  withFolder((folder) => {
    const path = join(folder, "no", "x.fits");
    assertInputError(() => FitsWriter.create(path), /x\.fits: cannot be written: no such file or folder/);
    assert.ok(!existsSync(join(folder, "no")));
  });
});
