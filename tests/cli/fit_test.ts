/** The commands end to end, on a few simulated stars and the built-in library. */
import assert from "node:assert/strict";
import { FitsFile } from "../../core/io/fits_read.ts";
import { builtinLibraryPath } from "../../core/templates/builtin_path.ts";
import { inFolder, standingIn, twinspec } from "./run_cli.ts";

const STARS = 4;

/** A folder with simulated spectra in coadd.fits, removed when the tests of this file are done. */
const folder = Deno.makeTempDirSync({ prefix: "twinspec-cli-" });
const coadd = `${folder}/coadd.fits`;
let made = false;

async function spectra(): Promise<string> {
  if (made) return coadd;
  const { code, err } = await twinspec(
    "simulate",
    "--out",
    coadd,
    "--stars",
    String(STARS),
    "--seed",
    "7",
    "--margin",
    "0.1",
  );
  assert.equal(code, 0, err);
  made = true;
  return coadd;
}

Deno.test.afterAll(() => Deno.removeSync(folder, { recursive: true }));

Deno.test("simulate writes spectra and truth, and does not overwrite unasked", async () => {
  await spectra();
  using file = FitsFile.open(coadd);
  assert.equal(file.table("TRUTH").rows, STARS);
  const again = await twinspec("simulate", "--out", coadd, "--stars", "1");
  assert.equal(again.code, 2);
  assert.match(again.err, /is there already; give --overwrite/);
});

Deno.test("simulate: S/N limits the wrong way round are bad usage", async () => {
  const { code, err } = await twinspec(
    "simulate",
    "--out",
    `${folder}/x.fits`,
    "--sn-min",
    "50",
    "--sn-max",
    "20",
  );
  assert.equal(code, 2);
  assert.match(err, /--sn-max 20 is below --sn-min 50/);
});

Deno.test("fit prints header and table, writes both files, and plot draws from them", async () => {
  const out = `${folder}/out`;
  const said = await twinspec("fit", await spectra(), "--output-dir", out, "--workers", "1");
  assert.equal(said.code, 0, said.err);
  assert.match(said.err, /^twinspec \d.* · .*, 1 worker, batch 64 · library builtin · 4 stars$/m);
  const lines = said.out.trimEnd().split("\n");
  assert.match(lines[0], /TARGETID +VRAD km\/s +TEFF +LOGG +FEH +ALPHAFE +VSINI km\/s +WARN/);
  assert.equal(lines.length, 1 + STARS);
  assert.match(lines[1], /^ *1000001 /);
  using table = FitsFile.open(`${out}/rvtab_coadd.fits`);
  using truth = FitsFile.open(coadd);
  const v = table.table("RVTAB").float64("VRAD"), wanted = truth.table("TRUTH").float64("VRAD");
  v.forEach((x, i) => assert.ok(Math.abs(x - wanted[i]) < 5, `star ${i}: ${x} for ${wanted[i]} km/s`));

  const again = await twinspec("fit", coadd, "--output-dir", out, "--workers", "1");
  assert.equal(again.code, 2);
  assert.equal(again.err.trimEnd().split("\n").length, 1, again.err);
  const skipped = await twinspec("fit", coadd, "--output-dir", out, "--workers", "1", "--skip-existing");
  assert.equal(skipped.code, 0, skipped.err);
  assert.match(skipped.err, /left alone/);

  const tab = `${out}/rvtab_coadd.fits`, svg = `${folder}/star.svg`;
  const drawn = await twinspec("plot", tab, "--targetid", "1000002", "--out", svg);
  assert.equal(drawn.code, 0, drawn.err);
  const picture = Deno.readTextFileSync(svg);
  assert.match(picture, /TARGETID 1000002/);
  assert.match(picture, /V = .* ± .* km\/s/);
  assert.match(picture, /residual \/ σ/);
  const absent = await twinspec("plot", tab, "--targetid", "5", "--out", svg);
  assert.equal(absent.code, 2);
  assert.match(absent.err, /no fitted star has TARGETID 5/);
  const which = await twinspec("plot", tab, "--out", svg);
  assert.equal(which.code, 2);
  assert.match(which.err, /holds 4 stars; say which one with --targetid or --row/);
});

Deno.test("plot shows spectra without a fit, as PNG", async () => {
  const png = `${folder}/raw.png`;
  const { code, err } = await twinspec("plot", await spectra(), "--row", "3", "--out", png);
  assert.equal(code, 0, err);
  assert.deepEqual([...Deno.readFileSync(png).slice(1, 4)], [0x50, 0x4e, 0x47]);
});

Deno.test("plot refuses other formats", async () => {
  const { code, err } = await twinspec("plot", await spectra(), "--row", "3", "--out", `${folder}/raw.pdf`);
  assert.equal(code, 2);
  assert.match(err, /must end in \.svg or \.png/);
});

Deno.test("fit --json writes one JSON document to stdout, messages to stderr", async () => {
  const { code, out, err } = await twinspec(
    "fit",
    await spectra(),
    "--output-dir",
    `${folder}/json`,
    "--workers",
    "1",
    "--targetid",
    "1000001,1000003",
    "--json",
  );
  assert.equal(code, 0, err);
  const document = JSON.parse(out);
  assert.equal(document.exitCode, 0);
  assert.equal(document.files.length, 1);
  assert.deepEqual(document.files[0].stars.map((star: { targetid: string }) => star.targetid), [
    "1000001",
    "1000003",
  ]);
  assert.deepEqual(document.files[0].failed, []);
  for (
    const key of ["vrad", "vradErr", "vsini", "teff", "teffErr", "logg", "feh", "alpha", "warn", "m2lnl"]
  ) {
    assert.equal(typeof document.files[0].stars[0][key], "number", key);
  }
});

Deno.test("fit --quiet says nothing when all is well", async () => {
  const { code, out, err } = await twinspec(
    "fit",
    await spectra(),
    "--output-dir",
    `${folder}/quiet`,
    "--workers",
    "1",
    "--targetid",
    "1000001",
    "--quiet",
  );
  assert.deepEqual([code, out, err], [0, "", ""]);
});

Deno.test("fit --fix holds a parameter, --arms chooses arms, --plot draws", async () => {
  const out = `${folder}/fixed`;
  const args = [
    "--output-dir",
    out,
    "--workers",
    "1",
    "--targetid",
    "1000002",
    "--fix",
    "alpha=0.2",
    "--arms",
    "b,r",
  ];
  const { code, err } = await twinspec("fit", await spectra(), ...args, "--plot");
  assert.equal(code, 0, err);
  using table = FitsFile.open(`${out}/rvtab_coadd.fits`);
  const answers = table.table("RVTAB");
  assert.deepEqual([...answers.float64("ALPHAFE")], [0.2]);
  assert.ok(answers.has("CHISQ_B") && answers.has("CHISQ_R"));
  assert.equal(table.hdu(0).header.get("ARMS"), "b,r");
  assert.deepEqual([...Deno.readFileSync(`${out}/fig_coadd_1000002_1.png`).slice(1, 4)], [0x50, 0x4e, 0x47]);
});

for (
  const [args, said] of [
    [
      "--fix tef=5000",
      /--fix: unknown parameter tef; did you mean teff\? \(known: vrad, vsini, teff, logg, feh, alpha\)/,
    ],
    ["--prior mass=1,1", /--prior: unknown parameter mass \(known: /],
    ["--fix feh=0 --fix feh=-1", /--fix: feh is given twice/],
    ["--fix feh=0 --prior feh=0,1", /feh has both --fix and --prior/],
    ["--overwrite --skip-existing", /contradict/],
    ["--library nowhere.fits", /nowhere\.fits/],
    ["--arms x", /has no arm x/],
  ] as const
) {
  Deno.test(`fit ${args} → exit 2 and one sentence`, async () => {
    const { code, out, err } = await twinspec(
      "fit",
      await spectra(),
      "--output-dir",
      `${folder}/no`,
      ...args.split(" "),
    );
    assert.equal(code, 2);
    assert.equal(out, "");
    assert.match(err, said);
    assert.equal(err.trimEnd().split("\n").length, 1, err);
  });
}

Deno.test("fit of a missing file is exit 2 and one sentence", async () => {
  const { code, err } = await twinspec("fit", `${folder}/none.fits`, "--output-dir", `${folder}/none`);
  assert.equal(code, 2);
  assert.match(err, /^error: .*none\.fits.*no such file/);
  assert.equal(err.trimEnd().split("\n").length, 1, err);
});

Deno.test("an aborted fit exits 130 and says how to go on", async () => {
  const { main } = await import("../../cli/main.ts");
  let err = "";
  const abort = new AbortController();
  abort.abort(new DOMException("interrupted", "AbortError"));
  const args = ["fit", await spectra(), "--output-dir", `${folder}/abort`, "--workers", "1"];
  const code = await main(args, { out() {}, err: (text) => err += text, interactive: false }, abort.signal);
  assert.equal(code, 130);
  assert.match(err, /the same command goes on/);
});

Deno.test("paths are those of the user: INIT_CWD", async () => {
  await spectra();
  await inFolder(async (elsewhere) => {
    await standingIn(elsewhere, async () => {
      const drawn = await twinspec("plot", coadd, "--row", "0", "--out", "here.svg");
      assert.equal(drawn.code, 0, drawn.err);
      assert.match(drawn.err, /: here\.svg\n$/);
      assert.ok(Deno.statSync(`${elsewhere}/here.svg`).isFile);
    });
    await standingIn(folder, async () => {
      const seen = await twinspec("plot", "coadd.fits", "--row", "0", "--out", `${elsewhere}/there.svg`);
      assert.equal(seen.code, 0, seen.err);
    });
  });
});

Deno.test("templates info describes the built-in library, as text and as JSON", async () => {
  const text = await twinspec("templates", "info", builtinLibraryPath());
  assert.equal(text.code, 0);
  assert.match(text.out, /library +builtin[\s\S]*teff[\s\S]*log10 K/);
  const json = await twinspec("templates", "info", builtinLibraryPath(), "--json");
  const { axes } = JSON.parse(json.out);
  assert.deepEqual(axes.map((axis: { name: string }) => axis.name), ["teff", "logg", "feh", "alpha"]);
  const wrong = await twinspec("templates", "info", await spectra());
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /not a template library/);
});

Deno.test("the program itself: one process, exit codes and streams as in-process", async () => {
  const script = new URL("../../cli/main.ts", import.meta.url).pathname;
  const run = (...args: string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--allow-read",
        "--allow-write",
        "--allow-env",
        "--allow-sys",
        "--allow-ffi",
        script,
        ...args,
      ],
      env: { INIT_CWD: folder },
    }).output();
  const drawn = await run("plot", "coadd.fits", "--row", "0", "--out", "own.png");
  const text = new TextDecoder();
  assert.equal(drawn.code, 0, text.decode(drawn.stderr));
  assert.ok(Deno.statSync(`${folder}/own.png`).isFile);
  const wrong = await run("fit", "nowhere.fits");
  assert.equal(wrong.code, 2);
  assert.equal(text.decode(wrong.stdout), "");
  assert.equal(text.decode(wrong.stderr).trimEnd().split("\n").length, 1);
});
