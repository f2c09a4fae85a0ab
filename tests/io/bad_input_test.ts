import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { openBytes } from "../../core/io/byte_source.ts";
import { FitsFile } from "../../core/io/fits_read.ts";
import { InputError } from "../../core/io/input_error.ts";
import { openSpectra } from "../../core/io/open_spectra.ts";
import { assertInputError } from "./faults.ts";
import { makeDesi } from "./spectra_fixtures.ts";
import { withFolder } from "./temporary_folder.ts";

Deno.test("a missing file, a folder, an empty file, a text file: one sentence each", () => {
  withFolder((folder) => {
    assertInputError(() => openSpectra(join(folder, "no.fits")), /no\.fits: cannot be opened: no such file/);
    assertInputError(() => openSpectra(folder), /is a folder, expected a file/);
    const path = join(folder, "x.fits");
    writeFileSync(path, "");
    assertInputError(() => openSpectra(path), /is empty, expected a FITS file/);
    writeFileSync(path, "S");
    assertInputError(() => openSpectra(path), /is not a FITS file/);
    writeFileSync(path, "TARGETID,Z\n".repeat(1000));
    assertInputError(
      () => openSpectra(path),
      /is not a FITS file: it does not begin with the keyword SIMPLE/,
    );
    writeFileSync(path, gzipSync("TARGETID,Z\n"));
    assertInputError(() => openSpectra(path), /is not a FITS file/);
    writeFileSync(path, "SIMPLE  =                    T".padEnd(2880 * 12));
    assertInputError(() => openSpectra(path), /header of HDU 0 has no END within the 34560 bytes/);
  });
});

Deno.test("a FITS file cut anywhere is told with bytes expected and found", () => {
  withFolder((folder) => {
    const whole = join(folder, "whole.fits");
    makeDesi(whole, { rows: 2 });
    const bytes = readFileSync(whole);
    const path = join(folder, "cut.fits");
    // A cut exactly between HDUs leaves a shorter file that is FITS.
    fc.assert(
      fc.property(fc.integer({ min: 1, max: bytes.length - 1 }).filter((n) => n % 2880 !== 0), (length) => {
        writeFileSync(path, bytes.subarray(0, length));
        assertInputError(
          () => openSpectra(path),
          /cut off|is not a FITS file/,
        );
      }),
      { numRuns: 60 },
    );
    writeFileSync(path, bytes.subarray(0, bytes.length - 100));
    assertInputError(
      () => openSpectra(path),
      new RegExp(
        `HDU \\d+ \\(\\w+\\) ends at byte \\d+, found ${bytes.length - 100} bytes; copy the file again`,
      ),
    );
  });
});

Deno.test("what follows the last HDU and is none is ignored", () => {
  withFolder((folder) => {
    const path = join(folder, "x.fits");
    makeDesi(path);
    using file = FitsFile.open(path);
    writeFileSync(path, Buffer.concat([readFileSync(path), new Uint8Array(7000)]));
    using longer = FitsFile.open(path);
    assert.equal(longer.hdus.length, file.hdus.length);
  });
});

Deno.test("gzip is told by content, in memory and through a temporary file", () => {
  withFolder((folder) => {
    const plain = join(folder, "plain.fits.gz");
    makeDesi(plain);
    const packed = join(folder, "packed.fits");
    writeFileSync(packed, gzipSync(readFileSync(plain)));
    using expected = FitsFile.open(plain);
    for (const limit of [undefined, 1000]) {
      using file = FitsFile.open(packed, limit);
      assert.deepEqual(file.image("R_FLUX", [2, 3]), expected.image("R_FLUX", [2, 3]));
      assert.equal(file.table("FIBERMAP").rows, 4);
    }
    // Two members are one stream.
    const half = gzipSync(readFileSync(plain).subarray(0, 5000));
    const rest = gzipSync(readFileSync(plain).subarray(5000));
    writeFileSync(packed, Buffer.concat([half, rest]));
    for (const limit of [undefined, 1000]) {
      assert.equal(openBytes(packed, limit).size, readFileSync(plain).length);
    }
  });
});

Deno.test("gzip data cut anywhere are told, with what was found", () => {
  withFolder((folder) => {
    const path = join(folder, "coadd.fits");
    makeDesi(path);
    const packed = gzipSync(readFileSync(path));
    const cut = join(folder, "cut.fits.gz");
    // Every length where nothing or a part of the first keyword comes out; beyond it, lengths of every residue.
    for (let length = 2; length < packed.length; length += length < 300 ? 1 : 41) {
      writeFileSync(cut, packed.subarray(0, length));
      for (const limit of [undefined, 100]) {
        assertInputError(
          () => FitsFile.open(cut, limit),
          new RegExp(`cut off after ${length} compressed bytes, \\d+ bytes unpacked`),
          /copy the file again/,
        );
      }
    }
    writeFileSync(cut, packed.subarray(0, packed.length >> 1));
    assertInputError(() => openSpectra(cut), /HDU \d+ (\(\w+\) ends at byte|has no END)|header of HDU/);
  });
});

Deno.test("gzip data with a wrong checksum are told", () => {
  withFolder((folder) => {
    const path = join(folder, "x.fits.gz");
    makeDesi(path);
    const packed = gzipSync(readFileSync(path), { level: 0 });
    packed[packed.length >> 1] ^= 1;
    writeFileSync(path, packed);
    for (const limit of [undefined, 1000]) {
      assertInputError(() => FitsFile.open(path, limit), /gzip data are damaged/, /copy the file again/);
    }
  });
});

Deno.test("a missing HDU and a missing column are named with what there is", () => {
  withFolder((folder) => {
    const path = join(folder, "x.fits");
    makeDesi(path);
    using file = FitsFile.open(path);
    assertInputError(() => file.hdu("NOPE"), /x\.fits: has no HDU NOPE; it holds PRIMARY, FIBERMAP/);
    assertInputError(() => file.hdu(99), /no HDU 99/);
    assertInputError(
      () => file.table("FIBERMAP").column("NOPE"),
      /x\.fits\[1, FIBERMAP\]: has no column NOPE/,
    );
    assertInputError(() => file.table("B_FLUX"), /B_FLUX/, /expected a binary table/);
    assertInputError(() => file.image("FIBERMAP"), /expected an image/);
    assert.throws(() => file.image("B_FLUX", [4]), RangeError);
  });
});

Deno.test("bytes changed at random never give anything but an InputError or a result", () => {
  withFolder((folder) => {
    const path = join(folder, "x.fits");
    makeDesi(path, { rows: 2, npix: 5 });
    const bytes = readFileSync(path);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 }),
        (edits) => {
          const copy = new Uint8Array(bytes);
          for (const [at, value] of edits) copy[at] = value;
          writeFileSync(path, copy);
          try {
            const file = openSpectra(path);
            file.arms.forEach((_, arm) => file.read(arm, [0], false));
            file.close();
          } catch (error) {
            assert.ok(error instanceof InputError, String((error as Error).stack));
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

const root = Deno.uid() === 0;
Deno.test({
  name: root
    ? "SKIP a file without permission to read (root may read everything)"
    : "a file without permission is told",
  ignore: root,
  fn: () =>
    withFolder((folder) => {
      const path = join(folder, "x.fits");
      makeDesi(path);
      chmodSync(path, 0);
      assertInputError(() => openSpectra(path), /permission denied/);
    }),
});
