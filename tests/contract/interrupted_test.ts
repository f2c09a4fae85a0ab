/** Runs that end early: what is done is kept, the same command completes it, nothing is lost, twice or left over. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync } from "node:fs";
import { begun, done, ownFolder, refused, type Said, said, simulated, twinspec } from "./command.ts";
import { answers, sums } from "./spectra_files.ts";
import { wholeRecord } from "./whole_records.ts";

const STARS = 30;
const folder = ownFolder();
const input = `${folder}/coadd.fits`;
const RESULTS = ["rvmod_coadd.fits", "rvtab_coadd.fits"];

let calm: Promise<Record<string, string>[]> | null = null;

function request(out: string): string[] {
  return ["fit", input, "--output-dir", out, "--workers", "1", "--batch", "2", "--arms", "r"];
}

/** DATASUMs of a run that was never disturbed. */
function undisturbed(): Promise<Record<string, string>[]> {
  return calm ??= (async () => {
    await simulated(input, STARS);
    await done(request(`${folder}/calm`));
    return RESULTS.map((name) => sums(`${folder}/calm/${name}`));
  })();
}

/** Starts a fit and sends it a signal when its journal holds stars. */
async function struck(out: string, signal: Deno.Signal): Promise<Said> {
  const child = begun(request(out));
  const ended = child.output();
  await wholeRecord(`${out}/rvtab_coadd.fits.journal`);
  child.kill(signal);
  const all = said(await ended);
  assert.equal(existsSync(`${out}/rvtab_coadd.fits`), false, "the signal came too late");
  return all;
}

/** Runs the same command again: it goes on, and ends as if nothing had been. */
async function assertResumes(out: string): Promise<void> {
  const { err } = await done(request(out));
  const before = Number(/30 stars, (\d+) of them done before/.exec(err)?.[1]);
  assert.ok(before >= 2 && before < STARS && before % 2 === 0, err);
  assert.deepEqual(readdirSync(out).sort(), RESULTS);
  assert.deepEqual(answers(out, "coadd.fits").rows, Array.from({ length: STARS }, (_, row) => row));
  assert.deepEqual(RESULTS.map((name) => sums(`${out}/${name}`)), await undisturbed());
}

Deno.test("kill −9 in the middle: the same command completes the run, nothing twice", async () => {
  await undisturbed();
  const out = `${folder}/killed`;
  await struck(out, "SIGKILL");
  Deno.writeTextFileSync(`${out}/rvtab_coadd.fits.tmp-1-0`, "as if killed while it wrote the tables");
  await assertResumes(out);
});

Deno.test({
  name: "a disk that fills: exit 2, one sentence, no output; the same command completes the run",
  ignore: Deno.build.os === "windows",
  async fn() {
    await undisturbed();
    const out = `${folder}/full`;
    // No file may grow beyond 100 blocks of 1 KiB: room for some stars.
    const { code, err } = await twinspec(request(out), { before: "trap '' XFSZ; ulimit -f 100;" });
    assert.equal(code, 2, err);
    assert.match(
      err,
      /\nerror: [^\n]*: the journal cannot be used: File too large[^\n]*\n$/,
    );
    assert.deepEqual(readdirSync(out), ["rvtab_coadd.fits.journal"]);
    await assertResumes(out);
  },
});

Deno.test("a second run on the same output is refused while the first one works", async () => {
  await undisturbed();
  const out = `${folder}/busy`;
  const child = begun(request(out));
  const ended = child.output();
  const lock = `${out}/rvtab_coadd.fits.lock`;
  const named = () => existsSync(lock) && statSync(lock).size > 0;
  while (!named()) await new Promise((next) => setTimeout(next, 1));
  child.kill("SIGSTOP");
  await refused(out, request(out), /rvtab_coadd\.fits: process \d+ on .* is writing it; wait until it ends/);
  child.kill("SIGCONT");
  assert.equal((await ended).code, 0);
  assert.deepEqual(readdirSync(out).sort(), RESULTS);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`${signal}: exit 130, says how to go on; the same command completes the run`, async () => {
    await undisturbed();
    const out = `${folder}/${signal}`;
    const { code, out: printed, err } = await struck(out, signal);
    assert.equal(code, 130, err);
    assert.match(err, /Interrupted with \d+ of 30 stars done; .* the same command goes on from there/);
    assert.doesNotMatch(printed + err, /\.ts:\d|error:/);
    assert.deepEqual(readdirSync(out), ["rvtab_coadd.fits.journal"]);
    await assertResumes(out);
  });
}

Deno.test("other options do not go on from the journal", async () => {
  await undisturbed();
  const out = `${folder}/other`;
  await struck(out, "SIGINT");
  const { err } = await done([...request(out), "--npoly", "5"]);
  assert.match(err, /other options, input or library: starting anew/);
  assert.doesNotMatch(err, /done before/);
  assert.deepEqual(readdirSync(out).sort(), RESULTS);
});

Deno.test("simulate: SIGINT ends it with 130 and leaves nothing", async () => {
  const own = `${folder}/simulate`;
  Deno.mkdirSync(own);
  const child = begun(["simulate", "--out", `${own}/x.fits`, "--stars", "100000"]);
  const ended = child.output();
  while (readdirSync(own).length === 0) await new Promise((next) => setTimeout(next, 1));
  child.kill("SIGINT");
  const { code, err } = said(await ended);
  assert.equal(code, 130, err);
  assert.match(err, /Interrupted/);
  assert.deepEqual(readdirSync(own), []);
});
