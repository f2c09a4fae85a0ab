/** Inputs of one name in one run: outputs never meet, and are found again. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { contents, done, ownFolder, refused, simulated } from "./command.ts";
import { answers } from "./spectra_files.ts";

const folder = ownFolder();

Deno.test("two inputs of one name never overwrite each other; --skip-existing then skips both", async () => {
  const inputs = ["night1", "night2"].map((night) => `${folder}/${night}/coadd-a.fits`);
  mkdirSync(`${folder}/night1`);
  mkdirSync(`${folder}/night2`);
  await simulated(inputs[0], 2);
  await simulated(inputs[1], 3);
  const out = `${folder}/out`;
  const args = ["fit", ...inputs, "--output-dir", out, "--arms", "b", "--workers", "1"];
  await done(args);
  assert.deepEqual(readdirSync(out, { recursive: true, encoding: "utf8" }).sort(), [
    "night1",
    "night1/rvmod_coadd-a.fits",
    "night1/rvtab_coadd-a.fits",
    "night2",
    "night2/rvmod_coadd-a.fits",
    "night2/rvtab_coadd-a.fits",
  ]);
  assert.deepEqual(answers(`${out}/night1`, "coadd-a.fits").rows, [0, 1]);
  assert.deepEqual(answers(`${out}/night2`, "coadd-a.fits").rows, [0, 1, 2]);
  assert.equal(answers(`${out}/night2`, "coadd-a.fits").header.get("IN_FILE"), inputs[1]);

  await refused(folder, args, /night1\/rvtab_coadd-a\.fits: exists already/);
  const before = contents(out);
  const { err } = await done([...args, "--skip-existing"]);
  assert.equal(err.match(/left alone/g)?.length, 2, err);
  assert.deepEqual(contents(out), before);

  // Each alone has a name of its own in the folder, which must not be taken for the other's.
  const flat = `${folder}/flat`;
  await done(["fit", inputs[0], "--output-dir", flat, "--arms", "b"]);
  await refused(
    folder,
    ["fit", inputs[1], "--output-dir", flat, "--arms", "b", "--skip-existing"],
    /was made from .*night1\/coadd-a\.fits, not from .*night2\/coadd-a\.fits/,
  );

  // The same file twice, and packed beside plain.
  const twice = await done(["fit", inputs[0], inputs[0], "--output-dir", `${folder}/twice`, "--arms", "b"]);
  assert.match(twice.err, /given twice: it is fitted once/);
  Deno.copyFileSync(inputs[0], `${folder}/night1/coadd-a.fits.gz`);
  await done([
    "fit",
    inputs[0],
    `${inputs[0]}.gz`,
    "--output-dir",
    `${folder}/both`,
    "--arms",
    "b",
    "--quiet",
  ]);
  const names = readdirSync(`${folder}/both`, { recursive: true, encoding: "utf8" });
  assert.equal(names.filter((name) => /rvtab_.*fits$/.test(name)).length, 2, names.join());
});
