/** `twinspec losscone` as users start it: tables of days in, killed, interrupted and resumed, refused, seen by astropy. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readNpz } from "../../core/io/npy.ts";
import { editLines } from "../losscone/table_files.ts";
import { begun, done, ownFolder, refused, type Said, said } from "./command.ts";
import { wholeRecord } from "./whole_records.ts";

/** More than a day of 80 s, so that there are two tables. */
const SWEEPS = 1400;
const folder = ownFolder();
const month = `${folder}/month`;

let calm: Promise<ReturnType<typeof answers>> | null = null;

function request(out: string): string[] {
  const fit = ["losscone", "fit", month, "--ephemeris", `${month}/ephemeris.csv`, "--u-spacecraft", "-20"];
  return [...fit, "--out", `${out}/fit.npz`, "--workers", "1", "--batch", "16"];
}

function answers(out: string) {
  const all = readNpz(`${out}/fit.npz`);
  all.delete("provenance");
  return all;
}

/** What a run that was never disturbed says. */
function undisturbed() {
  return calm ??= (async () => {
    await done([
      "losscone",
      "simulate",
      "--out",
      month,
      "--sweeps",
      String(SWEEPS),
      "--seed",
      "4",
      "--mixed",
      "--quiet",
    ]);
    assert.deepEqual(readdirSync(month).sort(), [
      "3D990429.TAB",
      "3D990430.TAB",
      "ephemeris.csv",
      "theta.tab",
    ]);
    mkdirSync(`${folder}/calm`);
    await done(request(`${folder}/calm`));
    return answers(`${folder}/calm`);
  })();
}

/** Starts a fit and sends it a signal when its journal holds sweeps. */
async function struck(out: string, signal: Deno.Signal): Promise<Said> {
  mkdirSync(out);
  const child = begun(request(out));
  const ended = child.output();
  await wholeRecord(`${out}/fit.npz.journal`);
  child.kill(signal);
  const all = said(await ended);
  assert.equal(existsSync(`${out}/fit.npz`), false, "the signal came too late");
  return all;
}

async function assertResumes(out: string): Promise<void> {
  const { err } = await done(request(out));
  const before = Number(new RegExp(`${SWEEPS} sweeps, (\\d+) of them done before`).exec(err)?.[1]);
  assert.ok(before >= 16 && before < SWEEPS, err);
  assert.deepEqual(readdirSync(out).sort(), ["fit.fits", "fit.npz"]);
  const all = answers(out);
  assert.deepEqual(
    all.get("spec_spec_no")!.data,
    BigInt64Array.from({ length: SWEEPS }, (_, i) => BigInt(i)),
  );
  assert.deepEqual(all, await undisturbed());
}

Deno.test("kill −9 in the middle of days of tables: the same command completes them, nothing lost or twice", async () => {
  await undisturbed();
  await struck(`${folder}/killed`, "SIGKILL");
  await assertResumes(`${folder}/killed`);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`losscone fit, ${signal}: exit 130, says how to go on; the same command completes it`, async () => {
    await undisturbed();
    const out = `${folder}/${signal}`;
    const { code, out: printed, err } = await struck(out, signal);
    assert.equal(code, 130, err);
    assert.match(err, /Interrupted with \d+ of 1400 sweeps done; .* the same command goes on from there/);
    assert.doesNotMatch(printed + err, /\.ts:\d|error:/);
    assert.deepEqual(readdirSync(out), ["fit.npz.journal"]);
    await assertResumes(out);
  });
}

Deno.test("losscone fit: a second run on the same output is refused while the first one works", async () => {
  await undisturbed();
  const out = `${folder}/busy`;
  mkdirSync(out);
  const child = begun(request(out));
  const ended = child.output();
  const lock = `${out}/fit.npz.lock`;
  while (!(existsSync(lock) && statSync(lock).size > 0)) await new Promise((next) => setTimeout(next, 1));
  child.kill("SIGSTOP");
  await refused(out, [...request(out), "--quiet"], /fit\.npz: process \d+ on .* is writing it/);
  child.kill("SIGCONT");
  assert.equal((await ended).code, 0);
});

Deno.test("losscone: bad input and usage, each in one sentence that says where", async () => {
  await undisturbed();
  const own = `${folder}/bad`;
  mkdirSync(own);
  const table = `${own}/3D990430.TAB`;
  copyFileSync(`${month}/3D990430.TAB`, table);
  const fit = ["losscone", "fit", table, "--out", `${own}/x.npz`, "--polarity", "-1", "--quiet"];
  await refused(own, fit, /3D990430\.TAB: theta\.tab, the elevations .* --theta FILE/);
  const theta = ["--theta", `${month}/theta.tab`];
  const other = `${own}/angles`;
  Deno.writeTextFileSync(other, readFileSync(`${month}/theta.tab`, "utf8").replace("11.25", "11.5"));
  await refused(own, [...fit, "--theta", other], /angles: theta of cell 0 is 11\.5; the instrument's/);
  await refused(own, [...fit, ...theta, "--year", "2001"], /is not of --year 2001/);
  await refused(
    own,
    [...fit, ...theta, "--u-spacecraft", "3", "--spacecraft-potential", "fit"],
    /contradict/,
  );
  await refused(own, [...fit, ...theta, "--ephemeris", `${month}/ephemeris.csv`], /--polarity contradict/);
  editLines(table, (lines) => lines.map((line, i) => i === 41 ? line + " 7" : line));
  await refused(own, [...fit, ...theta], /3D990430\.TAB: line 42 has 184 columns, expected 183/);
  const prepared = `${own}/s.npz`;
  await done(["losscone", "simulate", "--out", prepared, "--sweeps", "2", "--quiet"]);
  await refused(own, ["losscone", "simulate", "--out", prepared, "--sweeps", "2"], /is there already/);
  await refused(own, ["losscone", "simulate", "--out", `${own}/s.fits`], /must be NAME\.npz, a table/);
  const plot = ["losscone", "plot", prepared, "--out", `${own}/p.png`, "--sweep"];
  await refused(own, [...plot, "9"], /s\.npz: has no sweep 9; its 2 sweeps are numbered 0 … 1/);
  await refused(own, ["losscone", "fit", prepared, "--out", `${own}/x.txt`], /must end in \.npz/);
});

Deno.test("losscone: table on the screen, document, pictures, months of a folder", async () => {
  const own = `${folder}/screen`;
  mkdirSync(own);
  const sweeps = `${own}/s.npz`;
  await done(["losscone", "simulate", "--out", sweeps, "--sweeps", "3", "--seed", "1", "--quiet"]);
  const fit = ["losscone", "fit", sweeps, "--out", `${own}/f.npz`, "--overwrite"];
  const { out } = await done([...fit, "--plot", `${own}/figures`]);
  assert.match(out, /^SWEEP +UTC +U V +68 % SET V +BS\/BM/);
  assert.match(out, /3 of 3 sweeps have an answer/);
  assert.deepEqual(readdirSync(`${own}/figures`).sort(), ["f_0.png", "f_1.png", "f_2.png"]);
  for (const name of readdirSync(`${own}/figures`)) {
    assert.ok(statSync(`${own}/figures/${name}`).size > 20_000);
  }
  const { out: text } = await done([...fit, "--json"]);
  const document = JSON.parse(text);
  assert.equal(document.exitCode, 0);
  assert.equal(document.firstSweeps.length, 3);
  assert.equal(document.firstSweeps[1].fit.reason, "fitted");
  await done(["losscone", "plot", sweeps, "--sweep", "1", "--out", `${own}/p.svg`, "--quiet"]);
  const svg = readFileSync(`${own}/p.svg`, "utf8");
  assert.match(svg, /Data.*Model.*Bs\/Bm/s);
  assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
  const { out: kappa } = await done(["losscone", "kappa", sweeps, "--out", `${own}/k.npz`]);
  assert.match(kappa, /^SWEEP +UTC +KAPPA +T eV/);
  rmSync(own, { recursive: true });
});

const python = "/usr/bin/python3";
const present = spawnSync(python, ["-c", "import astropy, numpy"]).status === 0;

Deno.test({
  name: present
    ? "losscone fit: astropy verifies the tables, numpy loads the arrays"
    : `SKIP loss-cone outputs in astropy (${python} has none)`,
  ignore: !present,
  async fn() {
    await undisturbed();
    const script = fileURLToPath(new URL("../interop/astropy_check.py", import.meta.url));
    const checked = spawnSync(python, [script, `${folder}/calm/fit.fits`], { encoding: "utf8" });
    assert.equal(checked.status, 0, checked.stderr);
    const program = "import sys, numpy as np; d = np.load(sys.argv[1]); n = len(d['spec_spec_no'])\n" +
      "assert d['rows_utc'].dtype == '<U64' and d['rows_spacecraft_in_sun'].dtype == bool\n" +
      "assert (np.repeat(d['spec_spec_no'], d['spec_row_count']) == d['rows_spec_no']).all()\n" +
      "assert d['spec_plateau_offsets'][-1] == len(d['spec_plateau_low'])\nprint(n)";
    const loaded = spawnSync(python, ["-c", program, `${folder}/calm/fit.npz`], { encoding: "utf8" });
    assert.equal(loaded.stdout.trim(), String(SWEEPS), loaded.stderr);
  },
});
