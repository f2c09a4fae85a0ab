import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { FitsWriter } from "../../core/io/fits_write.ts";
import { InputError } from "../../core/io/input_error.ts";
import { importLibrary } from "../../core/templates/import_library.ts";
import type { TemplateLibrary } from "../../core/templates/library.ts";
import { libraryChecksum } from "../../core/templates/library_checksum.ts";
import { openLibrary, readLibrary, verifyLibrary, writeLibrary } from "../../core/templates/library_file.ts";
import { dataTest } from "../shared_data.ts";
import { smallLibrary } from "./small_library.ts";

function withFile(test: (path: string) => void): void {
  const folder = Deno.makeTempDirSync();
  try {
    test(`${folder}/library.fits`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function assertSame(found: TemplateLibrary, expected: TemplateLibrary): void {
  assert.deepEqual({ ...found }, { ...expected });
}

/** Changes the first occurrence of a text or the byte at an offset. */
function damage(path: string, where: string | number, replacement = ""): void {
  const bytes = readFileSync(path);
  const at = typeof where === "number" ? where : bytes.indexOf(where);
  assert.ok(at >= 0, `${where} is not in the file`);
  if (typeof where === "number") bytes[at] ^= 1;
  else bytes.write(replacement, at, "latin1");
  writeFileSync(path, bytes);
}

Deno.test("a library comes back from its file as it was", () =>
  withFile((path) => {
    const library = smallLibrary();
    writeLibrary(path, library);
    assertSame(readLibrary(path), library);
    verifyLibrary(path);
  }));

Deno.test("an unlabelled library comes back with its classes", () =>
  withFile((path) => {
    const content = {
      ...smallLibrary(),
      axes: [],
      params: new Float64Array(0),
      idgrid: new Int32Array(0),
      classes: ["STAR-A", "STAR-A", "STAR-F", "STAR-G", ""],
    };
    const library = { ...content, checksum: libraryChecksum(content) };
    writeLibrary(path, library);
    assertSame(readLibrary(path), library);
  }));

Deno.test("openLibrary() knows all heads and reads one arm at a time", () =>
  withFile((path) => {
    const library = smallLibrary();
    writeLibrary(path, library);
    using open = openLibrary(path);
    assert.deepEqual(open.builds.map((b) => [b.name, b.arms.map((a) => a.setup)]), [["full", ["full"]], [
      "std",
      [
        "desi_b",
      ],
    ]]);
    assert.ok(!("lnflux" in open.builds[0].arms[0]));
    assert.deepEqual(open.readArm("std", "desi_b"), library.builds[1].arms[0]);
    assert.throws(() => open.readArm("std", "desi_z"), RangeError);
  }));

Deno.test("a changed spectrum is noticed when its arm is read", () =>
  withFile((path) => {
    writeLibrary(path, smallLibrary());
    const size = readFileSync(path).length;
    damage(path, size - 2880 - 1000);
    using open = openLibrary(path);
    open.readArm("full", "full");
    assert.throws(() => open.readArm("std", "desi_b"), (e: Error) => {
      assert.ok(e instanceof InputError);
      assert.match(e.message, /library\.fits\[6, SPEC2\]: its checksum does not match its content/);
      return true;
    });
    assert.throws(() => verifyLibrary(path), InputError);
  }));

Deno.test("a changed parameter or grid is noticed when the file is opened", () =>
  withFile((path) => {
    for (
      const [from, to] of [["LAM0    =               4900.0", "LAM0    =               4901.0"], [
        "DLNLAM",
        "DLNLAN",
      ]]
    ) {
      writeLibrary(path, smallLibrary());
      damage(path, from, to);
      assert.throws(() => openLibrary(path), InputError);
    }
  }));

Deno.test("foreign, missing, cut-off and newer files are InputErrors that say what is wrong", () =>
  withFile((path) => {
    const fails = (pattern: RegExp) =>
      assert.throws(() => openLibrary(path), (e: Error) => {
        assert.ok(e instanceof InputError, String(e));
        assert.match(e.message, pattern);
        assert.ok(!e.message.includes("\n"));
        return true;
      });
    fails(/no such file/);
    writeFileSync(path, "teff,logg\n5000,4\n");
    fails(/not a FITS file/);
    using writer = FitsWriter.create(path);
    writer.commit();
    fails(/is a FITS file but not a template library/);
    writeLibrary(path, smallLibrary());
    const bytes = readFileSync(path);
    for (const part of [0.1, 0.3, 0.9]) {
      writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * part)));
      fails(/cut off|no HDU|checksum|expected/);
    }
    writeFileSync(path, bytes);
    damage(path, "FMTVERS =                    1", "FMTVERS =                    2");
    fails(/format 2, this program reads format 1/);
  }));

dataTest(
  "the reference library survives its file and is read fast",
  ["stellar/reference/library"],
  (folder) => {
    withFile((path) => {
      const library = importLibrary(folder);
      writeLibrary(path, library);
      assertSame(readLibrary(path), library);
      using open = openLibrary(path);
      const start = performance.now();
      for (const { setup } of open.builds[0].arms) open.readArm(open.builds[0].name, setup);
      const ms = performance.now() - start;
      // 7.2 M values: 60 ms on the machine it was written on. A busy one may take longer; a parser would take seconds.
      assert.ok(ms < 1000, `${ms} ms`);
    });
  },
);
