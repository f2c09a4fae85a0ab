import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { FitsFile } from "../../core/io/fits_read.ts";
import {
  boolColumn,
  cellSize,
  type Column,
  numberColumn,
  stringColumn,
  Table,
} from "../../core/io/fits_table.ts";
import { FitsWriter } from "../../core/io/fits_write.ts";
import { allocate, bytesView, type NumberArray, type NumberType } from "../../core/io/number_types.ts";
import { assertInputError } from "./faults.ts";
import { withFolder } from "./temporary_folder.ts";

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

/** Numbers of random bits: every value of the type, NaN among the reals. */
function randomNumbers(type: NumberType, n: number, seed: number): NumberArray {
  const out = allocate(type, n);
  const bytes = bytesView(out);
  let state = seed >>> 0;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return out;
}

const type = fc.constantFrom(...TYPES);
const seed = fc.nat();
const text = fc.string({
  unit: fc.integer({ min: 33, max: 126 }).map((c) => String.fromCharCode(c)),
  maxLength: 12,
});

Deno.test("images of every type and shape come back bit by bit, whole and by rows", () => {
  withFolder((folder) => {
    const path = join(folder, "x.fits");
    const shape = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(type, shape, seed, fc.array(fc.nat(100), { maxLength: 6 }), (kind, axes, s, picks) => {
        const n = axes.reduce((product, length) => product * length, 1);
        const data = randomNumbers(kind, n, s);
        using writer = FitsWriter.create(path);
        writer.addWholeImage({ name: "DATA", shape: axes, data });
        writer.commit();
        using file = FitsFile.open(path);
        const back = file.image("data");
        assert.deepEqual(back.shape, axes);
        assert.equal(back.data.constructor, data.constructor);
        assert.deepEqual(bytesView(back.data), bytesView(data));
        if (axes[0] === 0) return;
        const rows = picks.map((pick) => pick % axes[0]);
        const some = file.image("data", rows);
        const size = n / axes[0];
        assert.deepEqual(some.shape, [rows.length, ...axes.slice(1)]);
        rows.forEach((row, i) =>
          assert.deepEqual(
            bytesView(some.data.slice(i * size, (i + 1) * size)),
            bytesView(data.slice(row * size, (row + 1) * size)),
          )
        );
      }),
      { numRuns: 60 },
    );
  });
});

function column(name: string, rows: number): fc.Arbitrary<Column> {
  const shape = fc.constantFrom([], [3], [2, 2]);
  const unit = fc.constantFrom("", "km s-1");
  const comment = fc.constantFrom("", "what it is");
  return fc.oneof(
    fc.tuple(type, shape, unit, comment, seed).map(([kind, cell, u, c, s]) =>
      numberColumn(name, randomNumbers(kind, rows * cell.reduce((a, b) => a * b, 1), s), {
        shape: cell,
        unit: u,
        comment: c,
      })
    ),
    fc.array(fc.boolean(), { minLength: rows, maxLength: rows }).map((values) => boolColumn(name, values)),
    fc.array(text, { minLength: rows * 2, maxLength: rows * 2 }).map((values) =>
      stringColumn(name, values, { shape: [2], unit: "x" })
    ),
    fc.array(text, { minLength: rows, maxLength: rows }).map((values) => stringColumn(name, values)),
  );
}

const table = fc.tuple(fc.nat(5), fc.nat(6)).chain(([rows, count]) =>
  fc.tuple(...Array.from({ length: count }, (_, i) => column(`COL${i}`, rows))).map((columns) =>
    new Table(columns, { rows })
  )
);

function assertSameColumns(back: Table, table: Table): void {
  assert.deepEqual(back.names, table.names);
  back.columns.forEach((found, i) => {
    const wanted = table.columns[i];
    assert.deepEqual([found.kind, found.shape, found.unit, found.comment], [
      wanted.kind,
      wanted.shape,
      wanted.unit,
      wanted.comment,
    ]);
    if (found.kind === "number" && wanted.kind === "number") {
      assert.equal(found.data.constructor, wanted.data.constructor);
      assert.deepEqual(bytesView(found.data), bytesView(wanted.data));
    } else {
      assert.deepEqual([...found.data], [...wanted.data]);
    }
  });
}

Deno.test("tables of every column type come back, whole and by rows", () => {
  withFolder((folder) => {
    const path = join(folder, "x.fits");
    fc.assert(
      fc.property(table, fc.array(fc.nat(100), { maxLength: 5 }), (wanted, picks) => {
        using writer = FitsWriter.create(path);
        writer.addTable({ name: "T", table: wanted });
        writer.commit();
        using file = FitsFile.open(path);
        const back = file.table("T");
        assert.equal(back.rows, wanted.rows);
        assertSameColumns(back, wanted);
        if (wanted.rows === 0) return;
        const rows = picks.map((pick) => pick % wanted.rows);
        assertSameColumns(file.table("T", rows), wanted.take(rows));
      }),
      { numRuns: 60 },
    );
  });
});

Deno.test("a table is found by column in any case, subset by rows and names", () => {
  const wanted = new Table([
    numberColumn("TARGETID", BigInt64Array.of(1n, 2n, 3n)),
    stringColumn("Name", ["a", "b", "c"]),
    numberColumn("V", Float32Array.of(1, 2, 3, 4, 5, 6), { shape: [2] }),
    numberColumn("N", Int16Array.of(1, -99, 3), { missing: -99 }),
  ], { name: "T" });
  assert.ok(wanted.has("targetid") && !wanted.has("other"));
  const taken = wanted.take([2, 0, 0]);
  assert.deepEqual([...taken.int64("TARGETID")], [3n, 1n, 1n]);
  assert.deepEqual([...taken.numbers("v")], [5, 6, 1, 2, 1, 2]);
  assert.deepEqual(taken.strings("NAME"), ["c", "a", "a"]);
  assert.deepEqual([...wanted.float64("N")], [1, NaN, 3]);
  assert.deepEqual(wanted.select(["V", "ABSENT", "name"]).names, ["V", "Name"]);
  assert.deepEqual(wanted.with(boolColumn("ok", [1, 0, 1])).names.at(-1), "ok");
  assert.equal(cellSize(wanted.column("V")), 2);
  assertInputError(
    () => wanted.column("MISSING"),
    /table T: has no column MISSING; its columns are TARGETID, Name/,
  );
  assertInputError(() => wanted.strings("V"), /column V holds float32, expected strings/);
  assertInputError(() => wanted.numbers("Name"), /expected numbers/);
  assertInputError(() => wanted.int64("V"), /expected integers/);
  assert.throws(() => wanted.take([3]), RangeError);
  assert.throws(() => new Table([...wanted.columns, numberColumn("X", new Int8Array(2))]), RangeError);
});
