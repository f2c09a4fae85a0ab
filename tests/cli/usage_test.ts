import assert from "node:assert/strict";
import { twinspec } from "./run_cli.ts";

/** Wrong usage and what must be said of it. */
const WRONG: readonly (readonly [args: string, said: RegExp])[] = [
  ["", /No command given; see twinspec --help/],
  ["fti a", /Unknown command fti; did you mean fit\?/],
  ["fitt", /Unknown command fitt; did you mean fit\?/],
  ["fit", /No FILE to fit was given/],
  ["fit a --min-s 3", /Unknown option --min-s; did you mean --min-sn\?/],
  ["fit a --resolution", /Unknown option --resolution; did you mean --resolution-matrix\?/],
  ["fit a --bogus=3", /Unknown option --bogus$/],
  ["fit a --fix teff", /--fix.*NAME=VALUE.*"teff"/],
  ["fit a --fix teff=x", /--fix.*NAME=VALUE.*"teff=x"/],
  ["fit a --fix teff=", /--fix.*NAME=VALUE.*"teff="/],
  ["fit a --prior feh=1", /--prior.*NAME=MEAN,SIGMA.*"feh=1"/],
  ["fit a --prior feh=1,0", /--prior.*above 0.*"feh=1,0"/],
  ["fit a --prior feh=1,2,3", /--prior.*"feh=1,2,3"/],
  ["fit a --npoly 0", /--npoly.*1 … 30.*"0"/],
  ["fit a --npoly 2.5", /--npoly.*"2.5"/],
  ["fit a --npoly 3 --npoly 4", /--npoly.*multiple times/],
  ["fit a --continuum spline", /--continuum.*"rbf" and "chebyshev".*"spline"/],
  ["fit a --target gpu", /--target.*auto, wasm, cuda.*"gpu"/],
  ["fit a --targetid 1e3", /--targetid.*"1e3"/],
  ["fit a --targetid 9223372036854775808", /--targetid.*"9223372036854775808"/],
  ["fit a --arms b,,r", /--arms.*"b,,r"/],
  ["fit a --workers 0", /--workers.*1 … 1024.*"0"/],
  ["fit a --batch -1", /--batch.*"-1"/],
  ["fit a --max-vel nan", /--max-vel.*"nan"/],
  ["fit a --min-sn", /--min-sn.*requires/],
  ["fit a --joint-by NIGHT", /--joint-by.*"TARGETID".*"NIGHT"/],
  ["fit a --log-level loud", /--log-level.*"loud"/],
  ["simulate --stars 3", /Missing option.*--out/],
  ["simulate --out x --stars -3", /--stars.*"-3"/],
  ["simulate --out x --margin 0.5", /--margin.*0 … 0.49.*"0.5"/],
  ["templates", /"templates" is not complete; see twinspec templates --help/],
  ["templates imprt x", /did you mean import\?/],
  ["templates import x", /Missing option.*--out/],
  ["plot x", /Missing option.*--out/],
  ["plot x --out a.png --row -1", /--row.*"-1"/],
];

for (const [args, said] of WRONG) {
  Deno.test(`usage: twinspec ${args} → exit 2 and one line`, async () => {
    const { code, out, err } = await twinspec(...args.split(" ").filter((word) => word !== ""));
    assert.equal(code, 2);
    assert.equal(out, "");
    assert.match(err.trimEnd(), said);
    assert.equal(err.trimEnd().split("\n").length, 1, err);
    assert.match(err, /^error: /);
    assert.doesNotMatch(err, /\bat .*\.ts:/);
  });
}

Deno.test("usage: --help and --version go to stdout and exit 0", async () => {
  const version = await twinspec("--version");
  assert.deepEqual([version.code, version.err], [0, ""]);
  assert.match(version.out, /^\d+\.\d+\.\d+\n$/);
  for (const args of [["--help"], ["help"], ["fit", "--help"], ["help", "fit"], ["simulate", "--help"]]) {
    const help = await twinspec(...args);
    assert.deepEqual([help.code, help.err], [0, ""], args.join(" "));
    assert.match(help.out, /Usage: twinspec/);
  }
});

Deno.test("usage: fit --help names every option of the contract, their defaults and examples", async () => {
  const { out } = await twinspec("fit", "--help");
  const contract = [
    "--library PATH",
    "--output-dir DIR",
    "--arms ARM",
    "--resolution-matrix",
    "--band-limit",
    "--npoly N",
    "--continuum BASIS",
    "--min-sn X",
    "--targetid N",
    "--target TARGET",
    "--workers N",
    "--batch N",
    "--rv-only",
    "--fix NAME=VALUE",
    "--prior NAME=MEAN,SIGMA",
    "--max-vel KM_S",
    "--joint-by",
    "--plot",
    "--overwrite",
    "--skip-existing",
    "--json",
    "--quiet",
    "--log-level LEVEL",
  ];
  for (const option of contract) assert.ok(out.includes(option), `${option} is not in the help`);
  assert.match(out, /Continuum coefficients per arm\. \["?10"?\]/);
  assert.match(out, /Examples:[\s\S]*twinspec fit/);
});

Deno.test("usage: every command has an example in its help", async () => {
  for (const command of [["fit"], ["simulate"], ["plot"], ["templates", "import"], ["templates", "info"]]) {
    const { out } = await twinspec(...command, "--help");
    assert.match(out, new RegExp(`Examples?:[\\s\\S]*twinspec ${command.join(" ")}`));
  }
});
