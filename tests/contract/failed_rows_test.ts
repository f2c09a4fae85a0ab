/**
 * Rows that fail for reasons outside the data: exit 1, told which, once. The fault is a fitter that throws, put in the
 * place of the real one by an import map.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { done, ownFolder, simulated, twinspec } from "./command.ts";
import { answers, numbersOf } from "./spectra_files.ts";

const folder = ownFolder();
const at = (path: string) => new URL(`../../${path}`, import.meta.url).href;

/** An import map that makes the fit of some rows throw. */
function faulty(rows: readonly number[], error: string): string {
  const stub = `${folder}/stub.ts`, map = `${folder}/map.json`;
  writeFileSync(
    stub,
    `import { makeFitter as make } from "${at("core/stellar/fitter.ts")}";
    export function makeFitter(target, job) {
      const fitter = make(target, job);
      const fit = (batch) => {
        const row = batch.rows.flat().find((row) => ${JSON.stringify(rows)}.includes(row));
        if (row !== undefined) throw new ${error}("row " + row + " is cursed");
        return fitter.fit(batch);
      };
      return { fit };
    }`,
  );
  const { imports } = JSON.parse(readFileSync(new URL("../../deno.json", import.meta.url), "utf8"));
  // A configuration names packages; an import map needs their subpaths too.
  const packages = Object.entries(imports as Record<string, string>).flatMap(([name, source]) => [
    [name, source],
    [`${name}/`, `${source.replace(/^npm:/, "npm:/")}/`],
  ]);
  const scopes = {
    [at("core/stellar/fit_station.ts")]: { [at("core/stellar/fitter.ts")]: new URL(`file://${stub}`).href },
  };
  writeFileSync(map, JSON.stringify({ imports: Object.fromEntries(packages), scopes }));
  return map;
}

Deno.test("rows that fail for reasons outside the data: exit 1, told which, once; the others are fitted", async () => {
  const input = await simulated(`${folder}/coadd.fits`, 5);
  const args = ["fit", input, "--arms", "r", "--workers", "1", "--output-dir"];
  await done([...args, `${folder}/well`, "--quiet"]);
  for (const error of ["Error", "RangeError"]) {
    const start = { deno: [`--import-map=${faulty([1, 3], error)}`, "--no-lock"] };
    const out = `${folder}/${error}`;
    const { code, err, out: table } = await twinspec([...args, out], start);
    assert.equal(code, 1, err);
    for (const row of [1, 3]) {
      const line = `error: .*coadd\\.fits: row ${row} could not be fitted: row ${row} is cursed\n`;
      assert.equal(err.match(new RegExp(line, "g"))?.length, 1, err);
      assert.equal(err.match(new RegExp(`row ${row} is cursed`, "g"))?.length, 1, err);
    }
    assert.match(err, /error: 2 rows could not be fitted for reasons outside the data\.\n$/);
    assert.equal(table.trimEnd().split("\n").length, 6);
    const [found, well] = [answers(out, "coadd.fits"), answers(`${folder}/well`, "coadd.fits")];
    assert.deepEqual(found.warn.map((bits) => bits & 32), [0, 32, 0, 32, 0]);
    assert.deepEqual(numbersOf(found, [0, 2, 4]), numbersOf(well, [0, 2, 4]));
  }
  const start = { deno: [`--import-map=${faulty([4], "Error")}`, "--no-lock"] };
  const { code, out } = await twinspec([...args, `${folder}/json`, "--json"], start);
  assert.equal(code, 1);
  const document = JSON.parse(out);
  assert.equal(document.exitCode, 1);
  assert.deepEqual(document.files[0].failed, [{ row: 4, why: "row 4 is cursed" }]);
});
