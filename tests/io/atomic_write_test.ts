import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { abortUnfinished, AtomicFile, writeAtomic, writeAtomicStream } from "../../core/io/atomic_write.ts";
import { assertInputError } from "./faults.ts";
import { withFolder } from "./temporary_folder.ts";

Deno.test("text, bytes and pieces are written whole, an older file is replaced", () => {
  withFolder((folder) => {
    const path = join(folder, "x.txt");
    writeAtomic(path, "é\n");
    writeAtomic(path, Uint8Array.of(0x61));
    assert.equal(readFileSync(path, "utf8"), "a");
    writeAtomic(path, ["one,", new TextEncoder().encode("two")]);
    assert.equal(readFileSync(path, "utf8"), "one,two");
    assert.deepEqual(readdirSync(folder), ["x.txt"]);
  });
});

async function* broken(): AsyncGenerator<Uint8Array> {
  yield Uint8Array.of(1);
  await Promise.resolve();
  throw new Error("connection lost");
}

async function* fine(): AsyncGenerator<Uint8Array> {
  yield Uint8Array.of(1);
  yield await Promise.resolve(Uint8Array.of(2));
}

Deno.test("a stream that breaks leaves the older file and nothing else", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const path = join(folder, "x.bin");
    writeFileSync(path, "older");
    await assert.rejects(writeAtomicStream(path, broken()), /connection lost/);
    assert.deepEqual([readdirSync(folder), readFileSync(path, "utf8")], [["x.bin"], "older"]);
    await writeAtomicStream(path, fine());
    assert.deepEqual([...readFileSync(path)], [1, 2]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("the file is not there before commit, and abortUnfinished removes what is half written", () => {
  withFolder((folder) => {
    const path = join(folder, "x.bin");
    const file = AtomicFile.create(path);
    file.write(Uint8Array.of(1, 2, 3));
    file.write(Uint8Array.of(9), 1);
    assert.deepEqual([file.size, ...file.read(0, 5)], [3, 1, 9, 3, 0, 0]);
    assert.ok(!readdirSync(folder).includes("x.bin"));
    abortUnfinished();
    assert.deepEqual(readdirSync(folder), []);
  });
});

Deno.test("a name that cannot be taken is told, and nothing is left behind", () => {
  withFolder((folder) => {
    const path = join(folder, "taken");
    mkdirSync(path);
    writeFileSync(join(path, "inside"), "");
    assertInputError(() => writeAtomic(path, "x"), /taken: cannot be written/);
    assert.deepEqual(readdirSync(folder), ["taken"]);
    assertInputError(() => writeAtomic(join(folder, "no", "x"), "x"), /no such file or folder/);
  });
});
