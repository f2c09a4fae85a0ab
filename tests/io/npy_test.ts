import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import {
  npyBytes,
  type NpyContent,
  parseNpy,
  readNpy,
  readNpz,
  writeNpy,
  writeNpz,
} from "../../core/io/npy.ts";
import { assertInputError } from "./faults.ts";
import { withFolder } from "./temporary_folder.ts";

const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
const content: fc.Arbitrary<NpyContent> = shape.chain((axes) => {
  const n = axes.reduce((product, length) => product * length, 1);
  const size = { minLength: n, maxLength: n };
  return fc.oneof(
    fc.float64Array(size),
    fc.float32Array(size),
    fc.int8Array(size),
    fc.uint8Array(size),
    fc.int16Array(size),
    fc.uint16Array(size),
    fc.int32Array(size),
    fc.uint32Array(size),
    fc.bigInt64Array(size),
    fc.bigUint64Array(size),
    fc.array(fc.string({ unit: "grapheme" }).filter((text) => !text.endsWith("\0")), size),
  ).map((data) => ({ shape: axes, data }));
});

Deno.test("NPY arrays of every type and shape survive writing and reading", () => {
  fc.assert(fc.property(content, (array) => {
    const back = parseNpy(npyBytes(array), "x.npy");
    assert.deepEqual([back.shape, back.data], [array.shape, array.data]);
  }));
});

Deno.test("NPZ archives survive, stored and deflated", () => {
  withFolder((folder) => {
    const path = join(folder, "x.npz");
    fc.assert(
      fc.property(fc.array(content, { maxLength: 4 }), fc.boolean(), (arrays, compress) => {
        const named = new Map(arrays.map((array, i) => [`array ${i}`, array]));
        writeNpz(path, named, compress);
        const back = readNpz(path);
        assert.deepEqual([...back.keys()], [...named.keys()]);
        for (const [name, array] of named) assert.deepEqual(back.get(name)!.data, array.data);
      }),
      { numRuns: 20 },
    );
  });
});

/** Bytes of an NPY file as NumPy would write them. */
function numpyFile(descr: string, fortran: boolean, tuple: string, data: number[], version = 1): Uint8Array {
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': ${tuple}, }\n`;
  const length = version === 1
    ? [text.length & 255, text.length >> 8]
    : [text.length & 255, text.length >> 8, 0, 0];
  return Uint8Array.from([
    0x93,
    ...new TextEncoder().encode("NUMPY"),
    version,
    0,
    ...length,
    ...new TextEncoder().encode(text),
    ...data,
  ]);
}

Deno.test("big-endian, Fortran order, version 2, half, complex, logical and byte strings are read", () => {
  const data = (...args: Parameters<typeof numpyFile>) => {
    const array = parseNpy(numpyFile(...args), "x.npy");
    return [array.shape, [...array.data]];
  };
  assert.deepEqual(data(">i2", false, "(3,)", [0, 1, 255, 255, 1, 0]), [[3], [1, -1, 256]]);
  assert.deepEqual(data("|u1", true, "(2, 3)", [0, 3, 1, 4, 2, 5]), [[2, 3], [0, 1, 2, 3, 4, 5]]);
  assert.deepEqual(data("|b1", false, "(2,)", [1, 0], 2), [[2], [1, 0]]);
  assert.deepEqual(data("<f2", false, "(3,)", [0, 0x3e, 0, 0xfc, 1, 0]), [[3], [
    1.5,
    -Infinity,
    Math.fround(2 ** -24),
  ]]);
  assert.deepEqual(data("<c8", false, "(1,)", [0, 0, 128, 63, 0, 0, 0, 192]), [[1, 2], [1, -2]]);
  assert.deepEqual(data("|S3", false, "(2,)", [97, 98, 0, 99, 0, 0]), [[2], ["ab", "c"]]);
  assert.deepEqual(data("<U2", false, "()", [0xe9, 0, 0, 0, 0, 0, 0, 0]), [[], ["é"]]);
});

Deno.test("a gzip-compressed NPY file is read", () => {
  withFolder((folder) => {
    const path = join(folder, "x.d16.npy.gz");
    writeFileSync(path, gzipSync(npyBytes({ shape: [2, 2], data: Int16Array.of(1, -2, 3, -4) })));
    assert.deepEqual([...readNpy(path).data], [1, -2, 3, -4]);
    writeNpy(path, { shape: [1], data: Uint8Array.of(1), bool: true });
    assert.equal(readNpy(path).dtype, "|b1");
  });
});

Deno.test("what is no array, is cut off or damaged, is told", () => {
  withFolder((folder) => {
    const path = join(folder, "x.npz");
    assertInputError(() => readNpy(join(folder, "no.npy")), /no\.npy: cannot be opened/);
    assertInputError(() => parseNpy(new Uint8Array(200), "x.npy"), /is not an NPY file/);
    const whole = npyBytes({ shape: [5], data: new Float64Array(5) });
    assertInputError(
      () => parseNpy(whole.subarray(0, -1), "x.npy"),
      /cut off: 40 bytes of data expected, 39 found/,
    );
    assertInputError(
      () => parseNpy(numpyFile("|O", false, "(1,)", [0]), "x.npy"),
      /dtype \|O, expected numbers/,
    );
    writeNpz(path, new Map([["a", { shape: [100], data: new Float64Array(100).fill(3) }]]), false);
    assertInputError(() => readNpz(path, ["b"]), /has no array b; it holds a/);
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, -30));
    assertInputError(() => readNpz(path), /no list of files/);
    bytes[300] ^= 1;
    writeFileSync(path, bytes);
    assertInputError(() => readNpz(path), /a\.npy is damaged \(wrong checksum\)/);
    assert.throws(() => npyBytes({ shape: [3], data: new Float32Array(2) }), RangeError);
  });
});
