/** Requests that cannot be met, with a good input: exit 2, one sentence, nothing written, no work begun. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { libraryChecksum } from "../../core/templates/library_checksum.ts";
import { writeLibrary } from "../../core/templates/library_file.ts";
import { type ArmSpec, smallLibrary } from "../templates/small_library.ts";
import { contents, done, ownFolder, refused, simulated, twinspec } from "./command.ts";

const folder = ownFolder();
const coadd = `${folder}/coadd.fits`;
const made = simulated(coadd, 2);
const out = `${folder}/out`;

const SHARP = { kind: "sigma", angstrom: 0.5 } as const;

function library(name: string, arms: readonly ArmSpec[], labelled = true): string {
  const path = `${folder}/${name}.fits`;
  const all = { ...smallLibrary({ full: arms }), name };
  const none = { ...all, axes: [], params: new Float64Array(0), idgrid: new Int32Array(0) };
  const content = labelled
    ? all
    : { ...none, classes: Array.from({ length: all.templates }, () => "STAR-G") };
  writeLibrary(path, { ...content, checksum: libraryChecksum(content) });
  return path;
}

function fullFrom(from: number, to: number): ArmSpec {
  return { setup: "full", from, to, dlnlam: 1e-4, lsf: SHARP };
}

function request(...args: string[]): string[] {
  return ["fit", coadd, "--output-dir", out, ...args];
}

const REQUESTS: readonly (readonly [args: string, ...patterns: RegExp[]])[] = [
  ["--fix tef=5000", /--fix: unknown parameter tef; did you mean teff\?/, /known: vrad, vsini, teff, logg/],
  ["--prior metallicity=0,1", /--prior: unknown parameter metallicity \(known: vrad, vsini, teff/],
  ["--prior fe=0,1", /--prior: unknown parameter fe; did you mean feh\?/],
  ["--fix teff=3999", /--fix: teff=3999 is outside library builtin, 4000 … 8000/],
  ["--fix alpha=-3", /--fix: alpha=-3 is outside library builtin/],
  ["--fix vsini=-1", /--fix: vsini=-1 is outside .*0 … 500/],
  ["--fix vrad=1001", /--fix: vrad=1001 is outside the range of --max-vel, -1000 … 1000/],
  ["--fix vrad=200 --max-vel 100", /--fix: vrad=200 is outside the range of --max-vel, -100 … 100/],
  ["--fix feh=0 --fix feh=-1", /--fix: feh is given twice/],
  ["--fix feh=0 --prior feh=0,1", /feh has both --fix and --prior/],
  ["--rv-only --fix teff=5000", /--fix: unknown parameter teff \(known: vrad, vsini\)/],
  ["--arms b,x", /coadd\.fits: has no arm x; it has b, r, z/],
  ["--overwrite --skip-existing", /contradict each other; give one of them/],
  ["--library none.fits", /none\.fits: cannot be opened: no such file/],
  ["--no-such-option", /Unknown option --no-such-option/],
  ["--min-s 3", /Unknown option --min-s; did you mean --min-sn\?/],
  ["--npoly", /--npoly.*requires/],
  ["--npoly many", /--npoly.*"many"/],
];

for (const [args, ...patterns] of REQUESTS) {
  Deno.test(`fit ${args} is refused in one sentence`, async () => {
    await made;
    await refused(folder, request(...args.split(" ")), ...patterns);
  });
}

Deno.test("fit without an input is refused in one sentence", async () => {
  await made;
  await refused(folder, ["fit", "--output-dir", out], /No FILE to fit was given/);
});

Deno.test("a library that is no library is refused with the way to make one", async () => {
  await made;
  await refused(
    folder,
    request("--library", coadd),
    /not a template library; make one of it with .*templates import/,
  );
});

Deno.test("a library that does not cover ±max-vel is refused with the velocity it covers", async () => {
  await made;
  const path = library("narrow", [fullFrom(3594, 9900)]);
  await refused(
    folder,
    request("--library", path),
    /library narrow covers 3594\.0–98\d\d\.\d Å \(full\)/,
    /arm desi_b .* needs 3588\.0–58\d\d\.\d Å at ±1000 km\/s: lower --max-vel to 500 or less/,
  );
  const { code, err } = await twinspec(request("--library", path, "--max-vel", "500", "--quiet"));
  assert.equal(code, 0, err);
  Deno.removeSync(out, { recursive: true });
});

Deno.test("a library of another set-up is refused with what to do", async () => {
  await made;
  const path = library("infrared", [fullFrom(12000, 13000)]);
  await refused(
    folder,
    request("--library", path),
    /library infrared covers 12000\.0–12999\.4 Å/,
    /arm desi_b/,
    /leave the arm out with --arms, or name another library with --library/,
  );
});

Deno.test("a library without one arm is refused, and serves the others", async () => {
  await made;
  const path = library("two-arms", [fullFrom(3500, 7800)]);
  await refused(folder, request("--library", path), /arm desi_z/, /leave the arm out with --arms/);
  const { code, err } = await twinspec(request("--library", path, "--arms", "b,r", "--quiet"));
  assert.equal(code, 0, err);
  Deno.removeSync(out, { recursive: true });
});

Deno.test("a library less sharp than the data is refused with both widths", async () => {
  await made;
  const lsf = { kind: "resolution", R: 1000 } as const;
  const path = library("coarse", [{ ...fullFrom(3500, 10000), dlnlam: 2e-4, lsf }]);
  await refused(
    folder,
    request("--library", path),
    /library coarse is not sharp enough for arm desi_b/,
    /its FWHM at 4700 Å is 4\.70 Å/,
    /that of the data 1\.55 Å; name a sharper library with --library/,
  );
  await refused(folder, request("--library", path, "--resolution-matrix"), /leave out --resolution-matrix/);
});

Deno.test("a library without parameters is refused unless --rv-only is given", async () => {
  await made;
  const path = library("unlabelled", [fullFrom(3500, 10000)], false);
  await refused(
    folder,
    request("--library", path),
    /library unlabelled has no stellar parameters: add --rv-only/,
  );
  const { out: table } = await done(request("--library", path, "--rv-only"));
  assert.match(table, /VRAD km\/s +VSINI km\/s +TEMPLATE/);
  Deno.removeSync(out, { recursive: true });
});

Deno.test("a damaged library is refused", async () => {
  await made;
  const path = library("damaged", [fullFrom(3500, 10000)]);
  const bytes = readFileSync(path);
  bytes[bytes.length - 40_000] ^= 1;
  writeFileSync(path, bytes);
  await refused(folder, request("--library", path), /damaged\.fits\[\d+, SPEC1\]/);
});

Deno.test("existing output is refused before any work, kept or replaced as asked", async () => {
  await made;
  const other = `${folder}/other.fits`;
  Deno.copyFileSync(coadd, other);
  const args = ["--output-dir", out, "--arms", "r", "--targetid", "1000001"];
  await done(["fit", coadd, ...args]);
  await refused(
    folder,
    ["fit", other, coadd, ...args],
    /out\/rvtab_coadd\.fits: exists already; give --overwrite to replace it or --skip-existing to keep it/,
  );
  const before = contents(out);
  const skipped = await done(["fit", coadd, ...args, "--skip-existing"]);
  assert.match(skipped.err, /left alone/);
  assert.deepEqual(contents(out), before);
  await done(["fit", coadd, ...args, "--overwrite"]);
  assert.notDeepEqual(contents(out), before);

  Deno.removeSync(`${out}/rvtab_coadd.fits`);
  await refused(folder, ["fit", coadd, ...args], /rvmod_coadd\.fits: exists already/);
  Deno.removeSync(out, { recursive: true });
});

Deno.test("an output folder that cannot be written is refused before any work", async () => {
  await made;
  const file = `${folder}/a-file`;
  writeFileSync(file, "");
  const args = ["fit", coadd, "--output-dir"];
  await refused(folder, [...args, file], /a-file: the output folder cannot be written to/);
  await refused(folder, [...args, `${file}/below`], /a-file\/below: the output folder cannot be written to/);
  await refused(
    folder,
    [...args, "/proc/twinspec"],
    /\/proc\/twinspec/,
  );
  const closed = `${folder}/closed`;
  mkdirSync(closed, { mode: 0o500 });
  // Root may write anywhere.
  if (Deno.uid() !== 0) await refused(folder, [...args, closed], /closed: .*permission denied/);
});

Deno.test("simulate, templates and plot refuse in one sentence too", async () => {
  await made;
  await refused(folder, ["simulate", "--out", coadd], /coadd\.fits: is there already; give --overwrite/);
  await refused(
    folder,
    ["simulate", "--quiet", "--out", `${folder}/none/x.fits`],
    /none\/x\.fits: cannot be written/,
  );
  await refused(folder, ["templates", "info", coadd], /coadd\.fits: .*not a template library/);
  await refused(
    folder,
    ["templates", "import", coadd, "--out", `${folder}/l.fits`],
    /is not a source of templates/,
  );
  await refused(
    folder,
    ["templates", "import", `${folder}/none`, "--out", `${folder}/l.fits`],
    /no such file/,
  );
  await refused(folder, ["plot", coadd, "--out", `${folder}/a.png`], /holds 2 stars; say which one/);
  await refused(folder, ["plot", coadd, "--row", "9", "--out", `${folder}/a.png`], /row 9/);
});
