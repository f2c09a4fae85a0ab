import assert from "node:assert/strict";
import { closest } from "../../cli/closest.ts";
import { prettyUnit } from "../../cli/figure.ts";
import { duration, Progress } from "../../cli/progress.ts";
import { align, resultTable, warnNames, withError } from "../../cli/table.ts";
import { type Streams, Terminal, type TerminalOptions } from "../../cli/terminal.ts";
import type { StarResult } from "../../core/stellar/result.ts";

function star(vrad: number, warn = 0): StarResult {
  return {
    rows: [0],
    vrad,
    vradErr: 0.217,
    vradErrMarginal: 0.25,
    vradSkew: 0,
    vradKurt: 3,
    vradCcf: vrad,
    vsini: 12.34,
    vsiniErr: NaN,
    params: [5432.1, -0.5],
    paramErrs: [21.4, 0.03],
    covariance: [],
    m2lnl: 0,
    chisq: [],
    chisqContinuum: [],
    npix: 1,
    sn: [],
    warn,
    evaluations: 1,
    reason: "converged",
    template: -1,
  };
}

function terminal(options: Partial<TerminalOptions>, interactive = false) {
  const said = { out: "", err: "" };
  const streams: Streams = { out: (text) => said.out += text, err: (text) => said.err += text, interactive };
  return {
    said,
    terminal: new Terminal({ logLevel: "info", quiet: false, json: false, ...options }, streams),
  };
}

Deno.test("closest() finds neighbours and leaves strangers alone", () => {
  const known = ["vrad", "vsini", "teff", "logg", "feh", "alpha"];
  assert.equal(closest("tef", known), "teff");
  assert.equal(closest("tfef", known), "teff");
  assert.equal(closest("ALPHA", known), "alpha");
  assert.equal(closest("metallicity", known), null);
  assert.equal(closest("x", known), null);
});

Deno.test("align() puts numbers under each other", () => {
  assert.deepEqual(align([["A", "BB", "C"], ["10", "2", "left"]]), [" A  BB  C", "10   2  left"]);
});

Deno.test("withError() rounds both to the same digits", () => {
  assert.equal(withError(-12.345, 0.0671, 2), "−12.35 ±0.07");
  assert.equal(withError(5, NaN, 1), "5.0");
  assert.equal(withError(NaN, 1, 1), "–");
});

Deno.test("warnNames() names the bits", () => {
  assert.equal(warnNames(0), "");
  assert.equal(warnNames(1 | 128), "CHISQ LIBRARY_EDGE");
});

Deno.test("resultTable() has aligned columns of the library's parameters", () => {
  const lines = resultTable([star(12.3), star(-123.456, 32)], [39627000000012000n, 5n], ["teff", "feh"]);
  assert.match(lines[0], /TARGETID +VRAD km\/s +TEFF +FEH +VSINI km\/s +WARN/);
  assert.match(lines[1], /39627000000012000 +12\.30 ±0\.22 +5432 ±21 +−0\.50 ±0\.03 +12\.3$/);
  assert.match(lines[2], / 5 +−123\.46 ±0\.22 .* BAD_SPECTRUM$/);
  assert.equal(lines[1].indexOf("±"), lines[2].indexOf("±"));
});

Deno.test("resultTable() shows 20 of more than 40 stars and sums up", () => {
  const stars = Array.from({ length: 41 }, (_, i) => star(i, i === 0 ? 16 : 0));
  const lines = resultTable(stars, stars.map((_, i) => BigInt(i)), ["teff", "feh"]);
  assert.equal(lines.length, 22);
  assert.match(lines[21], /21 more.*40 of 41 without a warning.*0\.22 km\/s.*VSINI 1/);
  assert.equal(resultTable(stars.slice(1), [], ["teff"]).length, 41);
});

Deno.test("Progress tells rate and time left, not counting what was done before", () => {
  let now = 100;
  const { terminal: silent } = terminal({});
  const progress = new Progress(silent, "stars", () => now);
  progress.start(100, 40);
  now += 10;
  const line = progress.line(60, 100, 10);
  assert.match(line, /60\/100 stars · 2\.0\/s · 20 s left/);
});

Deno.test("Progress draws on a terminal only, and never with --quiet or --json", () => {
  for (
    const [options, interactive, drawn] of [
      [{}, true, true],
      [{}, false, false],
      [{ quiet: true }, true, false],
      [{ json: true }, true, false],
      [{ logLevel: "warning" }, true, false],
    ] as const
  ) {
    const { said, terminal: t } = terminal(options, interactive);
    const progress = new Progress(t, "stars");
    progress.start(10, 0);
    progress.stop();
    assert.equal(said.err.includes("0/10"), drawn, JSON.stringify(options));
    assert.equal(said.out, "");
  }
});

Deno.test("Terminal keeps to its level, and stdout to results", () => {
  const loud = terminal({ logLevel: "debug" }), calm = terminal({}), quiet = terminal({ quiet: true });
  for (const { terminal: t } of [loud, calm, quiet]) {
    t.log("debug", "d");
    t.log("info", "i");
    t.log("warning", "w");
    t.print("result");
    t.document({ a: 1 });
  }
  assert.equal(loud.said.err, "debug: d\ni\nwarning: w\n");
  assert.equal(calm.said.err, "i\nwarning: w\n");
  assert.equal(quiet.said.err, "warning: w\n");
  assert.deepEqual([calm.said.out, quiet.said.out], ["result\n", ""]);
});

Deno.test("Terminal writes JSON that any reader takes: no NaN, 64-bit integers as strings", () => {
  const { said, terminal: t } = terminal({ json: true });
  t.print("not this");
  t.document({ x: NaN, id: 39627000000012345n });
  assert.deepEqual(JSON.parse(said.out), { x: null, id: "39627000000012345" });
});

Deno.test("duration() is readable", () => {
  assert.deepEqual([0.4, 59.6, 61, 3725, NaN].map(duration), [
    "0 s",
    "1 min 00 s",
    "1 min 01 s",
    "1 h 02 min",
    "?",
  ]);
});

Deno.test("prettyUnit() writes units as people do", () => {
  assert.equal(prettyUnit("10**-17 erg/(s cm2 Angstrom)"), "10⁻¹⁷ erg/(s cm² Å)");
  assert.equal(prettyUnit("1E-17 erg/cm^2/s/Ang"), "10⁻¹⁷ erg/cm²/s/Å");
});
