/** The same answers to the last bit, however the work is divided and whatever the container of the input. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { done, ownFolder, simulated } from "./command.ts";
import { answers, numbersOf, rewrite, sums } from "./spectra_files.ts";

const STARS = 8;
const ALL = Array.from({ length: STARS }, (_, row) => row);
const folder = ownFolder();
const plain = `${folder}/coadd.fits`;

async function fit(input: string | string[], out: string, ...more: string[]): Promise<string> {
  await done([
    "fit",
    ...[input].flat(),
    "--output-dir",
    `${folder}/${out}`,
    "--arms",
    "r",
    "--quiet",
    ...more,
  ]);
  return `${folder}/${out}`;
}

let first: Promise<string> | null = null;

/** Output of one worker and one batch. */
function alone(): Promise<string> {
  return first ??= simulated(plain, STARS).then(() => fit(plain, "alone", "--workers", "1"));
}

async function assertSame(out: string, name = "coadd.fits"): Promise<void> {
  for (const kind of ["rvtab", "rvmod"]) {
    const expected = sums(`${await alone()}/${kind}_coadd.fits`);
    assert.ok(Object.keys(expected).length >= 4);
    assert.deepEqual(sums(`${out}/${kind}_${name}`), expected, kind);
  }
}

Deno.test("another number of workers and another size of batches: equal DATASUMs", async () => {
  await alone();
  await assertSame(await fit(plain, "divided", "--workers", "3", "--batch", "2"));
  await assertSame(await fit(plain, "single", "--workers", "1", "--batch", "1"));
});

Deno.test("run again: equal DATASUMs", async () => {
  await alone();
  await assertSame(await fit(plain, "again", "--workers", "1"));
});

Deno.test("packed and plain input, told by content and not by name: equal DATASUMs", async () => {
  await alone();
  const packed = `${folder}/packed.fits.gz`, disguised = `${folder}/disguised.fits`;
  writeFileSync(packed, gzipSync(readFileSync(plain), { level: 1 }));
  Deno.copyFileSync(packed, disguised);
  const out = await fit([packed, disguised], "packed");
  await assertSame(out, "packed.fits");
  await assertSame(out, "disguised.fits");
});

Deno.test("rows the other way round: the same answers the other way round", async () => {
  await alone();
  const backward = ALL.toReversed();
  const reversed = rewrite(plain, `${folder}/reversed.fits`, { rows: backward });
  const found = answers(await fit(reversed, "reversed", "--workers", "2", "--batch", "4"), "reversed.fits");
  assert.deepEqual(found.rows, ALL);
  assert.deepEqual(numbersOf(found, ALL), numbersOf(answers(await alone(), "coadd.fits"), backward));
});
