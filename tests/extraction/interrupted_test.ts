/** Extractions that end early: what is done is kept, the same command completes it, bit by bit as if nothing had been. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { begun, done, ownFolder, refused, type Said, said } from "../contract/command.ts";
import { GRID_TEXT, readFrame, type Scene, writeScene } from "./scene_fixture.ts";
import { wholeRecord } from "../contract/whole_records.ts";

const FIBRES = 100, BUNDLE = 2, BUNDLES = FIBRES / BUNDLE;
const OUTPUTS = ["frame.fits", "model.fits"];
const folder = ownFolder();

let made: Scene | null = null;
let calm: Promise<Uint8Array[]> | null = null;

const scene = () => made ??= writeScene(folder, { fibres: FIBRES, columns: 760 });

/** Outputs are named relative to the folder of the run, so that all runs have the same command line in their header. */
function request(...more: string[]): string[] {
  const { image, psf } = scene();
  return [
    ...["extract", "-i", image, "-p", psf, "-o", "frame.fits", "-m", "model.fits", "-w", GRID_TEXT],
    ...["--bundlesize", String(BUNDLE), "--target", "wasm", "--workers", "1", ...more],
  ];
}

function own(name: string): string {
  const path = `${folder}/${name}`;
  mkdirSync(path);
  return path;
}

const outputs = (out: string) => OUTPUTS.map((name) => readFileSync(`${out}/${name}`));

/** Files of a run that was never disturbed. */
function undisturbed(): Promise<Uint8Array[]> {
  return calm ??= (async () => {
    const out = own("calm");
    await done(request(), { cwd: out });
    const { ivar, fibres } = readFrame(`${out}/frame.fits`);
    assert.equal(fibres, FIBRES);
    assert.ok(ivar.every((v) => v > 0));
    return outputs(out);
  })();
}

/** Starts an extraction and sends it a signal when its journal holds bundles. */
async function struck(out: string, signal: Deno.Signal): Promise<Said> {
  const child = begun(request(), { cwd: out });
  const ended = child.output();
  await wholeRecord(`${out}/frame.fits.journal`);
  child.kill(signal);
  const all = said(await ended);
  assert.equal(existsSync(`${out}/frame.fits`), false, "the signal came too late");
  return all;
}

/** Runs the same command again: it goes on, and ends as if nothing had been. */
async function assertResumes(out: string): Promise<void> {
  const { err } = await done(request(), { cwd: out });
  const before = Number(new RegExp(`${BUNDLES} bundles, (\\d+) of them done before`).exec(err)?.[1]);
  assert.ok(before >= 1 && before < BUNDLES, err);
  assert.deepEqual(readdirSync(out).sort(), OUTPUTS);
  const [expected, found] = [await undisturbed(), outputs(out)];
  OUTPUTS.forEach((name, i) => assert.ok(found[i]!.every((byte, k) => byte === expected[i]![k]), name));
  assert.deepEqual(found.map(({ length }) => length), expected.map(({ length }) => length));
}

Deno.test("extract, kill −9 in the middle: the same command completes the frame, nothing twice", async () => {
  await undisturbed();
  const out = own("killed");
  await struck(out, "SIGKILL");
  // as if killed between the model and the frame
  writeFileSync(`${out}/model.fits`, "a model that is there already");
  writeFileSync(`${out}/frame.fits.tmp-1-0`, "half a frame");
  await assertResumes(out);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`extract, ${signal}: exit 130, says how to go on; the same command completes the frame`, async () => {
    await undisturbed();
    const out = own(signal);
    const { code, out: printed, err } = await struck(out, signal);
    assert.equal(code, 130, err);
    const said = new RegExp(
      `Interrupted with (\\d+) of ${BUNDLES} bundles done; .* the same command goes on from there`,
    );
    assert.ok(Number(said.exec(err)?.[1]) >= 1, err);
    assert.doesNotMatch(printed + err, /\.ts:\d|error:/);
    assert.deepEqual(readdirSync(out), ["frame.fits.journal"]);
    await assertResumes(out);
  });
}

Deno.test("extract: a journal of other options is not gone on from", async () => {
  await undisturbed();
  const out = own("other");
  await struck(out, "SIGINT");
  const { err } = await done(request("--regularize", "0.001"), { cwd: out });
  assert.match(err, /other options, input or library: starting anew/);
  assert.doesNotMatch(err, /done before/);
  assert.deepEqual(readdirSync(out).sort(), OUTPUTS);
});

Deno.test("extract: a second run on the same frame is refused while the first one works", async () => {
  await undisturbed();
  const out = own("busy");
  const child = begun(request(), { cwd: out });
  const ended = child.output();
  const lock = `${out}/frame.fits.lock`;
  const journal = `${out}/frame.fits.journal`;
  const named = () => existsSync(lock) && statSync(lock).size > 0 && existsSync(journal);
  while (!named()) await new Promise((next) => setTimeout(next, 1));
  child.kill("SIGSTOP");
  const { image, psf } = scene();
  const absolute = ["extract", "-i", image, "-p", psf, "-o", `${out}/frame.fits`];
  await refused(
    out,
    [...absolute, "-w", GRID_TEXT],
    /frame\.fits: process \d+ on .* is writing it; wait until/,
  );
  child.kill("SIGCONT");
  assert.equal((await ended).code, 0);
  assert.deepEqual(readdirSync(out).sort(), OUTPUTS);
});
