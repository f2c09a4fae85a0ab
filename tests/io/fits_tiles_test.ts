/** Fixtures by astropy: see fixtures/make_tiles.py. */
import assert from "node:assert/strict";
import { gunzipSync, gzipSync } from "node:zlib";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FitsFile } from "../../core/io/fits_read.ts";
import { bytesView } from "../../core/io/number_types.ts";
import { assertInputError } from "./faults.ts";
import { withFolder } from "./temporary_folder.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

for (const name of ["tiles_integer.fits.gz", "tiles_real.fits.gz"]) {
  using listed = FitsFile.open(fixture(name));
  for (const hdu of listed.hdus.filter((other) => other.kind === "compressed-image")) {
    Deno.test(`compressed image ${hdu.name} decodes to what astropy makes of it, whole and by rows`, () => {
      using file = FitsFile.open(fixture(name));
      const expected = file.image(`${hdu.name}_EXPECTED`);
      const found = file.image(hdu.name);
      assert.deepEqual(found.shape, expected.shape);
      assert.equal(found.data.constructor, expected.data.constructor);
      // NaN compares by value: its bits are not prescribed.
      assert.deepEqual([...found.data], [...expected.data]);
      const last = expected.shape[0] - 1;
      for (const rows of [[last, 0], [1, 2]]) {
        assert.deepEqual([...file.image(hdu.name, rows).data], [
          ...file.image(`${hdu.name}_EXPECTED`, rows).data,
        ]);
      }
    });
  }
}

function changed(from: string, to: string, folder: string): FitsFile {
  const bytes = gunzipSync(readFileSync(fixture("tiles_integer.fits.gz")));
  const at = bytes.indexOf(from);
  assert.ok(at > 0 && from.length === to.length);
  bytes.write(to, at, "latin1");
  const path = join(folder, "x.fits.gz");
  writeFileSync(path, gzipSync(bytes));
  return FitsFile.open(path);
}

Deno.test("an unknown compression is named with what to do", () => {
  withFolder((folder) => {
    using file = changed("ZCMPTYPE= 'RICE_1  '", "ZCMPTYPE= 'PLIO_1  '", folder);
    assertInputError(() => file.image("RICE_1_U1"), /RICE_1_U1/, /PLIO_1, expected one of/, /funpack/);
  });
});

Deno.test("damaged tiles are a fault, not a wrong image", () => {
  withFolder((folder) => {
    using file = changed("ZCMPTYPE= 'RICE_1  '", "ZCMPTYPE= 'GZIP_1  '", folder);
    assertInputError(() => file.image("RICE_1_U1"), /tile 0/, /gzip data are damaged/);
  });
  withFolder((folder) => {
    using file = changed("ZCMPTYPE= 'GZIP_1  '", "ZCMPTYPE= 'NOCOMPRE'", folder);
    assertInputError(() => file.image("GZIP_1_U1"), /NOCOMPRE/);
  });
});

Deno.test("a compressed image is no table, a table no image", () => {
  using file = FitsFile.open(fixture("tiles_integer.fits.gz"));
  assertInputError(() => file.table("LINE"), /LINE/, /expected a binary table/);
  assertInputError(() => file.image(0), /holds no data, expected an image/);
  assert.equal(bytesView(file.image("LINE", [99]).data).length, 4);
});
