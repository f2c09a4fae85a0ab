/** Targets as users ask for them: the same answers on the emulated device, and one sentence where a target is absent. */
import assert from "node:assert/strict";
import { listDevices } from "../../gpu/devices.ts";
import { emulatedTest } from "../gpu/emulated.ts";
import { contents, done, ownFolder, simulated, twinspec } from "./command.ts";
import { type Answers, answers } from "./spectra_files.ts";

const folder = ownFolder();
const spectra = `${folder}/coadd.fits`;
const noCuda = !listDevices().some((row) => row.kind === "cuda" && row.usable);

async function fitted(target: string, ...more: string[]): Promise<Answers> {
  const out = `${folder}/${target}${more.join("")}`;
  await done(["fit", spectra, "--output-dir", out, "--target", target, "--quiet", ...more]);
  return answers(out, "coadd.fits");
}

/** Column of an answer, its error's column: differences are in units of the error. */
const ERRORS = [
  ["VRAD", "VRAD_ERR"],
  ["VSINI", "VSINI_ERR"],
  ["TEFF", "TEFF_ERR"],
  ["LOGG", "LOGG_ERR"],
  ["FEH", "FEH_ERR"],
  ["ALPHAFE", "ALPHAFE_ERR"],
] as const;

for (const more of [[], ["--resolution-matrix"]]) {
  emulatedTest(
    `fit --target emulated gives the answers of wasm${more.map((option) => `, ${option}`).join("")}`,
    async () => {
      await simulated(spectra, 3, "--overwrite");
      const wasm = await fitted("wasm", ...more), emulated = await fitted("emulated", ...more);
      assert.deepEqual(emulated.rows, [0, 1, 2]);
      assert.deepEqual(emulated.rows, wasm.rows);
      assert.deepEqual(emulated.warn, wasm.warn);
      const column = ({ table }: Answers, name: string) => [...table.float64(name)];
      const likelihoods = column(wasm, "M2LNL");
      column(emulated, "M2LNL").forEach((value, star) => {
        assert.ok(Math.abs(value - likelihoods[star]!) <= 1e-6, `M2LNL of star ${star}: ${value}`);
      });
      for (const [name, error] of ERRORS) {
        const expected = column(wasm, name), sigma = column(wasm, error);
        column(emulated, name).forEach((value, star) => {
          const off = Math.abs(value - expected[star]!) / sigma[star]!;
          assert.ok(off <= 1e-3, `${name} of star ${star}: ${off} σ`);
        });
      }
    },
  );
}

emulatedTest("fit --target emulated says in its header line and in --json where it ran", async () => {
  await simulated(spectra, 3, "--overwrite");
  const { out, err } = await done([
    ...["fit", spectra, "--output-dir", `${folder}/said`, "--target", "emulated"],
    ...["--arms", "r", "--json"],
  ]);
  assert.match(JSON.parse(out).target, /emulated device \(tests only\)/);
  assert.match(err, /emulated device \(tests only\)/);
});

const absent = noCuda ? Deno.test : Deno.test.ignore;

absent("fit and parity --target cuda without a device: exit 3, one sentence, nothing written", async () => {
  await simulated(spectra, 3, "--overwrite");
  const before = contents(folder);
  for (
    const args of [
      ["fit", spectra, "--output-dir", `${folder}`, "--target", "cuda"],
      ["fit", spectra, "--output-dir", `${folder}`, "--target", "cuda:0,2", "--json"],
      ["parity", "--target", "cuda", "--cases", "1"],
    ]
  ) {
    const { code, out, err } = await twinspec(args);
    const what = `twinspec ${args.join(" ")}\n${out}${err}`;
    assert.equal(code, 3, what);
    assert.equal(out, "", what);
    assert.match(err, /^error: [^\n]+\n$/, what);
    assert.doesNotMatch(err, /\.ts:\d|fault of twinspec|undefined/, what);
    assert.deepEqual(contents(folder), before, `something was written: ${what}`);
  }
});

Deno.test("devices --json: a row a target, WASM usable, a reason where one is not", async () => {
  const { out } = await done(["devices", "--json"]);
  const rows = JSON.parse(out) as Record<string, unknown>[];
  assert.equal(rows.find((row) => row["target"] === "wasm")!["usable"], true);
  assert.deepEqual(new Set(rows.map((row) => row["kind"])), new Set(["wasm", "cuda", "emulated"]));
  for (const row of rows) {
    assert.equal(typeof row["name"], "string");
    assert.equal(row["usable"], row["reason"] === null, JSON.stringify(row));
    if (row["reason"] !== null) assert.match(String(row["reason"]), /^[^\n]+$/);
  }
});

Deno.test("a target there is not is bad usage", async () => {
  const { code, err } = await twinspec(["fit", spectra, "--target", "gpu"]);
  assert.equal(code, 2, err);
});
