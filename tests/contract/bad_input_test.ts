/** Inputs that cannot be fitted: exit 2, one sentence that names file and place, nothing written. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { numberColumn } from "../../core/io/fits_table.ts";
import { ownFolder, refused, simulated } from "./command.ts";
import { rewrite } from "./spectra_files.ts";

const folder = ownFolder();
const whole = `${folder}/coadd.fits`;
const made = simulated(whole, 2);

/** A damaged file and what is said of it. */
const CASES: readonly (readonly [what: string, name: string, make: (path: string) => unknown, RegExp[]])[] = [
  ["a missing file", "missing.fits", () => {}, [/cannot be opened: no such file/]],
  ["a folder", "folder.fits", (path) => Deno.mkdirSync(path), [/is a folder, expected a file/]],
  ["an empty file", "empty.fits", (path) => writeFileSync(path, ""), [/is empty, expected a FITS file/]],
  ["a text file", "text.fits", (path) => writeFileSync(path, "TARGETID,Z\n".repeat(500)), [
    /is not a FITS file/,
  ]],
  ["a packed text file", "text.fits.gz", (path) => writeFileSync(path, gzipSync("TARGETID,Z\n")), [
    /is not a FITS file/,
  ]],
  ["a truncated file", "cut.fits", (path) => writeFileSync(path, readFileSync(whole).subarray(0, 400_000)), [
    /cut off: HDU \d+ \(R_FLUX\) ends at byte \d+, found 400000 bytes; copy the file again/,
  ]],
  [
    "truncated gzip data",
    "cut.fits.gz",
    (path) => writeFileSync(path, gzipSync(readFileSync(whole), { level: 1 }).subarray(0, 300_000)),
    [/gzip data are cut off after 300000 compressed bytes/, /copy the file again/],
  ],
  ["damaged gzip data", "damaged.fits.gz", (path) => {
    const packed = gzipSync(readFileSync(whole), { level: 0 });
    packed[packed.length >> 1] ^= 1;
    writeFileSync(path, packed);
  }, [/gzip data are damaged/, /copy the file again/]],
  ["a missing HDU", "no-ivar.fits", (path) => rewrite(whole, path, { without: ["R_IVAR"] }), [
    /arm r has no HDU R_IVAR/,
  ]],
  ["no FIBERMAP", "no-fibermap.fits", (path) => rewrite(whole, path, { without: ["FIBERMAP"] }), [
    /has no HDU FIBERMAP/,
  ]],
  [
    "no arm",
    "no-arm.fits",
    (path) =>
      rewrite(whole, path, {
        without: ["B", "R", "Z"].flatMap((arm) =>
          ["WAVELENGTH", "FLUX", "IVAR", "MASK"].map((part) => `${arm}_${part}`)
        ),
      }),
    [/holds no spectra of a known kind/, /its HDUs are /],
  ],
  [
    "a missing column",
    "no-targetid.fits",
    (path) =>
      rewrite(whole, path, {
        tables: { FIBERMAP: (table) => table.select(table.names.filter((name) => name !== "TARGETID")) },
      }),
    [/\[1, FIBERMAP\]: has no column TARGETID; its columns are/],
  ],
  ["a column of the wrong type", "real-targetid.fits", (path) =>
    rewrite(whole, path, {
      tables: { FIBERMAP: (table) => table.with(numberColumn("TARGETID", table.float64("TARGETID"))) },
    }), [/FIBERMAP\]: column TARGETID holds float64, expected integers/]],
  ["flux and ivar of different shapes", "shape.fits", (path) =>
    rewrite(whole, path, {
      images: { R_IVAR: ({ data }) => ({ data: data.slice(0, 2326), shape: [1, 2326] }) },
    }), [/R_IVAR\]: has shape \(1, 2326\), which does not fit R_FLUX of shape \(2, 2326\)/]],
  ["more spectra than FIBERMAP has rows", "rows.fits", (path) =>
    rewrite(whole, path, {
      tables: { FIBERMAP: (table) => table.take([0]) },
    }), [/B_FLUX\]: has shape \(2, 2751\), but FIBERMAP has 1 rows/]],
  ["a resolution matrix of another length", "matrix.fits", (path) =>
    rewrite(whole, path, {
      images: { B_RESOLUTION: ({ data }) => ({ data: data.slice(0, 2 * 11 * 2000), shape: [2, 11, 2000] }) },
    }), [/B_RESOLUTION\]: has shape \(2, 11, 2000\), which does not fit B_FLUX of shape \(2, 2751\)/]],
  ["wavelengths that fall", "falling.fits", (path) =>
    rewrite(whole, path, {
      images: { Z_WAVELENGTH: ({ data, shape }) => ({ data: data.slice().reverse(), shape }) },
    }), [/Z_WAVELENGTH\]/, /increas/]],
  [
    "a wavelength that is no number",
    "nan-lam.fits",
    (path) => rewrite(whole, path, { images: { B_WAVELENGTH: ({ data }) => void (data[7] = NaN) } }),
    [
      /B_WAVELENGTH\]/,
    ],
  ],
];

for (const [what, name, make, patterns] of CASES) {
  Deno.test(`${what} is refused in one sentence`, async () => {
    await made;
    const path = `${folder}/${name}`;
    make(path);
    await refused(
      folder,
      ["fit", path, "--output-dir", `${folder}/out`],
      new RegExp(`^error: ${path.replaceAll(".", "\\.")}`),
      ...patterns,
    );
    rmSync(path, { recursive: true, force: true });
  });
}

Deno.test("a bad file among good ones is found before any work", async () => {
  await made;
  const bad = `${folder}/bad.fits`;
  rewrite(whole, bad, { without: ["Z_MASK"] });
  await refused(
    folder,
    ["fit", whole, bad, "--output-dir", `${folder}/out`],
    /bad\.fits: arm z has no HDU Z_MASK/,
  );
});
