/** What the commands say, and where: results on stdout, messages on stderr, progress on a terminal alone. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { done, ownFolder, PERMISSIONS, refused, simulated, twinspec } from "./command.ts";

const folder = ownFolder();
const coadd = `${folder}/coadd.fits`;
const made = simulated(coadd, 3);
const FAST = ["--arms", "r", "--workers", "1", "--targetid", "1000001,1000002"];
let serial = 0;

function request(...more: string[]): string[] {
  return ["fit", coadd, "--output-dir", `${folder}/out${serial++}`, ...FAST, ...more];
}

Deno.test("fit: the table goes to stdout, everything else to stderr, no progress without a terminal", async () => {
  await made;
  const { out, err } = await done(request());
  assert.match(out, /^TARGETID +VRAD km\/s.*\n +1000001 .*\n +1000002 .*\n$/);
  assert.match(err, /^twinspec \d\S+ · .*, 1 worker, batch 64 · library builtin · 2 stars\n/);
  assert.match(err, /written: .*rvtab_coadd\.fits, .*rvmod_coadd\.fits\n$/);
  assert.ok(!["█", "░", "\r", "\x1b"].some((sign) => (out + err).includes(sign)));
});

Deno.test("--json: one valid JSON document on stdout and nothing else", async () => {
  await made;
  const { out } = await done(request("--json"));
  const document = JSON.parse(out);
  assert.equal(document.exitCode, 0);
  assert.deepEqual(document.files.map((file: { input: string }) => file.input), [coadd]);
  assert.deepEqual(
    document.files[0].stars.map((star: { targetid: string }) => star.targetid),
    ["1000001", "1000002"],
  );
  for (const key of ["vrad", "vradErr", "vradErrMarginal", "teff", "teffErr", "m2lnl", "warn"]) {
    assert.equal(typeof document.files[0].stars[0][key], "number", key);
  }
  for (
    const args of [["simulate", "--out", `${folder}/s.fits`, "--stars", "1"], ["templates", "info", "LIB"]]
  ) {
    const library = fileURLToPath(new URL("../../build/library/builtin.fits", import.meta.url));
    const { out: other } = await done([...args.map((word) => word === "LIB" ? library : word), "--json"]);
    assert.equal(typeof JSON.parse(other), "object");
  }
});

Deno.test("--quiet: nothing at all on success", async () => {
  await made;
  assert.deepEqual(await done(request("--quiet")), { code: 0, out: "", err: "" });
  const args = ["simulate", "--out", `${folder}/quiet.fits`, "--stars", "1", "--quiet"];
  assert.deepEqual(await done(args), { code: 0, out: "", err: "" });
});

Deno.test("--log-level: debug tells the stages, error hides what is no error", async () => {
  await made;
  assert.match((await done(request("--log-level", "debug"))).err, /debug: .*read \d.*optimiser/);
  assert.equal((await done(request("--log-level", "error"))).err, "");
});

const script = spawnSync("script", ["--version"], { encoding: "utf8" });
const terminals = script.status === 0 && /util-linux/.test(script.stdout);
Deno.test({
  name: terminals
    ? "a terminal gets a line of progress"
    : "SKIP progress on a terminal (no script of util-linux)",
  ignore: !terminals,
  async fn() {
    await made;
    const main = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
    const line = (more: string[]) => {
      const words = [Deno.execPath(), "run", ...PERMISSIONS, main, ...request(...more)];
      const { stdout } = spawnSync("script", ["-qec", words.join(" "), "/dev/null"], { encoding: "utf8" });
      return stdout;
    };
    const said = line([]);
    assert.ok(said.includes("\r\x1b[2K"));
    assert.match(said, /[█░]{24} \d\/2 stars/);
    assert.doesNotMatch(line(["--quiet"]), /[█░]/);
  },
});

Deno.test("completions for every shell; the one of bash is valid and proposes options", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { out } = await done(["completion", shell]);
    assert.match(out, /twinspec/);
    if (shell === "bash") assert.equal(spawnSync("bash", ["-n"], { input: out }).status, 0);
  }
  assert.match((await done(["completion", "bash", "fit", "--skip"])).out, /--skip-existing/);
});

Deno.test("--help and --version go to stdout and exit 0", async () => {
  const { out, err } = await done(["fit", "--help"]);
  assert.match(out, /Usage: twinspec fit/);
  assert.equal(err, "");
  assert.match((await done(["--version"])).out, /^\d+\.\d+\.\d+\n$/);
  const none = await twinspec([]);
  assert.deepEqual([none.code, none.out], [2, ""]);
});

Deno.test("paths are resolved against INIT_CWD, or else against the working directory", async () => {
  await made;
  const elsewhere = `${folder}/elsewhere`;
  mkdirSync(elsewhere);
  const env = { INIT_CWD: elsewhere };
  const { err } = await done(["fit", "../coadd.fits", "--output-dir", "mine", ...FAST], { env });
  assert.match(err, /written: mine\/rvtab_coadd\.fits, mine\/rvmod_coadd\.fits/);
  assert.ok(existsSync(`${elsewhere}/mine/rvtab_coadd.fits`));
  await done(["plot", "mine/rvtab_coadd.fits", "--targetid", "1000001", "--out", "star.svg"], { env });
  assert.ok(existsSync(`${elsewhere}/star.svg`));
  await done(["fit", "../coadd.fits", "--output-dir", "yours", "--quiet", ...FAST], { cwd: elsewhere });
  assert.ok(existsSync(`${elsewhere}/yours/rvtab_coadd.fits`));
  await refused(folder, ["fit", "coadd-of-nowhere.fits"], /coadd-of-nowhere\.fits: cannot be opened/);
});
