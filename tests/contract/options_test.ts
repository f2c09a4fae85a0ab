/** Every option of `fit` does what it says. */
import assert from "node:assert/strict";
import { FitsFile } from "../../core/io/fits_read.ts";
import { numberColumn } from "../../core/io/fits_table.ts";
import { done, ownFolder, refused, simulated } from "./command.ts";
import { type Answers, answers, rewrite } from "./spectra_files.ts";

const folder = ownFolder();
const coadd = `${folder}/coadd.fits`;
const spectra = `${folder}/spectra.fits`;
let serial = 0;

async function fitted(input: string, ...more: string[]): Promise<Answers & { folder: string }> {
  const out = `${folder}/out${serial++}`;
  await done(["fit", input, "--output-dir", out, "--workers", "1", "--quiet", ...more]);
  return { ...answers(out, input.slice(folder.length + 1)), folder: out };
}

let once: Promise<Answers> | null = null;

/** Answers without any option but --arms r. */
function plain(): Promise<Answers> {
  return once ??= simulated(coadd, 3).then(() => fitted(coadd, "--arms", "r"));
}

function truth(column: string): Float64Array {
  using file = FitsFile.open(coadd);
  return file.table("TRUTH").float64(column);
}

Deno.test("--arms fits these arms alone", async () => {
  await plain();
  const found = await fitted(coadd, "--arms", "Z,b");
  assert.equal(found.header.get("ARMS"), "b,z");
  const names = found.table.names.filter((name) => name.startsWith("CHISQ_") && !name.includes("_C_"));
  assert.deepEqual(names, ["CHISQ_TOT", "CHISQ_B", "CHISQ_Z"]);
  using models = FitsFile.open(`${found.folder}/rvmod_coadd.fits`);
  assert.equal(models.find("R_MODEL"), null);
  assert.deepEqual(models.hdu("B_MODEL").shape, [3, 2751]);
});

Deno.test("--min-sn leaves out rows whose best arm does not exceed it", async () => {
  await plain();
  const arms: Record<string, number[]> = { B: [3, 5.5, 1], R: [5, 2, 5.1], Z: [9, 9, 9] };
  const scored = rewrite(coadd, `${folder}/scored.fits`, {
    tables: {
      SCORES: (table) =>
        Object.entries(arms).reduce(
          (all, [arm, sn]) => all.with(numberColumn(`MEDIAN_COADD_SNR_${arm}`, Float32Array.from(sn))),
          table,
        ),
    },
  });
  assert.deepEqual((await fitted(scored, "--min-sn", "5", "--arms", "b,r")).rows, [1, 2]);
  const found = await fitted(scored, "--min-sn", "100", "--arms", "r");
  assert.deepEqual(found.rows, []);
  assert.equal(found.header.get("MINSN"), 100);
});

Deno.test("--npoly and --continuum change the continuum and stand in the header", async () => {
  const free = await plain();
  const few = await fitted(coadd, "--arms", "r", "--npoly", "4");
  const other = await fitted(coadd, "--arms", "r", "--continuum", "chebyshev");
  assert.deepEqual([free, few, other].map(({ header }) => [header.get("NPOLY"), header.get("CONTINUM")]), [
    [10, "rbf"],
    [4, "rbf"],
    [10, "chebyshev"],
  ]);
  const alone = [free, few, other].map(({ table }) => table.float64("CHISQ_C_R"));
  for (const row of [0, 1, 2]) {
    // Fewer coefficients fit worse; another basis of as many fits otherwise.
    assert.ok(alone[1][row] > alone[0][row]);
    assert.notEqual(alone[2][row], alone[0][row]);
    const v = [free, few, other].map(({ table }) => table.float64("VRAD")[row]);
    const error = free.table.float64("VRAD_ERR")[row];
    for (const x of v) assert.ok(Math.abs(x - truth("VRAD")[row]) < 6 * error, `${v} ± ${error}`);
  }
});

Deno.test("--rv-only gives velocity and template, no parameters", async () => {
  await plain();
  const { table, header } = await fitted(coadd, "--arms", "r", "--rv-only");
  assert.equal(header.get("RVONLY"), true);
  for (const name of ["TEFF", "LOGG", "FEH", "ALPHAFE", "TEFF_ERR"]) {
    assert.ok(table.float64(name).every(Number.isNaN), `${name} ${table.float64(name)}`);
  }
  assert.ok(table.int32("TEMPLATE").every((template) => template >= 0));
  table.float64("VRAD").forEach((v, row) => assert.ok(Math.abs(v - truth("VRAD")[row]) < 10, `${v}`));
});

Deno.test("--fix holds parameters, velocity and rotation; they have no error", async () => {
  const free = await plain();
  const { table, header } = await fitted(coadd, "--arms", "r", "--fix", "FeH=-1", "--fix", "vsini=20");
  assert.deepEqual([...table.float64("FEH")], [-1, -1, -1]);
  assert.deepEqual([...table.float64("VSINI")], [20, 20, 20]);
  assert.ok(table.float64("FEH_ERR").every(Number.isNaN));
  assert.ok(table.float64("VSINI_ERR").every(Number.isNaN));
  assert.ok(table.float64("TEFF_ERR").every((error) => error > 0));
  assert.deepEqual([header.get("FIX1"), header.get("FIX2")], ["feh=-1", "vsini=20"]);
  table.float64("M2LNL").forEach((x, row) => assert.ok(x >= free.table.float64("M2LNL")[row] - 1e-6));

  const still = await fitted(coadd, "--arms", "r", "--fix", "vrad=12.5");
  assert.deepEqual([...still.table.float64("VRAD")], [12.5, 12.5, 12.5]);
});

Deno.test("--prior draws a parameter to its mean", async () => {
  await plain();
  const { table, header } = await fitted(coadd, "--arms", "r", "--prior", "logg=3,0.0005");
  table.float64("LOGG").forEach((logg) => assert.ok(Math.abs(logg - 3) < 0.01, `${logg}`));
  assert.equal(header.get("PRIOR1"), "logg=3,0.0005");
});

Deno.test("--max-vel bounds the search, and a velocity at its end is flagged", async () => {
  await plain();
  const { table, warn, header } = await fitted(coadd, "--arms", "r", "--max-vel", "50");
  assert.equal(header.get("MAXVEL"), 50);
  const v = table.float64("VRAD");
  truth("VRAD").forEach((expected, row) => {
    assert.ok(Math.abs(v[row]) <= 50, `${v[row]}`);
    assert.equal(warn[row] & 2, 50 - Math.abs(v[row]) < 5 ? 2 : 0);
    if (Math.abs(expected) < 40) assert.ok(Math.abs(v[row] - expected) < 10);
  });
  assert.ok(
    truth("VRAD").some((expected) => Math.abs(expected) > 60),
    "no star outside: choose another seed",
  );
});

Deno.test("--resolution-matrix uses the matrices of the data, and needs them", async () => {
  const free = await plain();
  const { table, header } = await fitted(coadd, "--arms", "r", "--resolution-matrix");
  assert.equal(header.get("RESMAT"), true);
  assert.notDeepEqual(table.float64("M2LNL"), free.table.float64("M2LNL"));
  table.float64("VRAD").forEach((v, row) => {
    const error = table.float64("VRAD_ERR")[row];
    assert.ok(Math.abs(v - truth("VRAD")[row]) < 6 * error, `${v} ± ${error}`);
  });
  const without = rewrite(coadd, `${folder}/no-matrix.fits`, { without: ["R_RESOLUTION"] });
  await refused(
    folder,
    ["fit", without, "--resolution-matrix", "--output-dir", `${folder}/never`],
    /arm r has no resolution matrix; run without --resolution-matrix/,
  );
  assert.deepEqual((await fitted(without, "--resolution-matrix", "--arms", "b")).rows, [0, 1, 2]);
});

Deno.test("--band-limit changes fits with the resolution matrix a little, and is refused without it", async () => {
  const plainly = await fitted(coadd, "--arms", "r", "--resolution-matrix");
  const { table, header } = await fitted(coadd, "--arms", "r", "--resolution-matrix", "--band-limit");
  assert.deepEqual([plainly.header.get("BANDLIM"), header.get("BANDLIM")], [false, true]);
  assert.notDeepEqual(table.float64("M2LNL"), plainly.table.float64("M2LNL"));
  table.float64("VRAD").forEach((v, row) => {
    const error = table.float64("VRAD_ERR")[row];
    assert.ok(Math.abs(v - plainly.table.float64("VRAD")[row]) < 0.3 * error, `row ${row}: ${v} ± ${error}`);
  });
  await refused(
    folder,
    ["fit", coadd, "--band-limit", "--output-dir", `${folder}/never`],
    /--band-limit belongs to --resolution-matrix: give both or neither/,
  );
});

Deno.test("exposures of a spectra file are fitted one by one, or joined by TARGETID", async () => {
  const free = await plain();
  rewrite(coadd, spectra, {
    // Star 0 twice, star 1 three times, star 2 once.
    rows: [0, 1, 0, 1, 2, 1],
    without: ["SCORES", "EXP_FIBERMAP", "TRUTH"],
    tables: {
      FIBERMAP: (table) => {
        const names = table.names.filter((name) => !name.startsWith("COADD_"));
        return table.select(names)
          .with(numberColumn("FIBERSTATUS", new Int32Array(6)))
          .with(numberColumn("EXPID", Int32Array.of(100, 100, 101, 101, 101, 102)));
      },
    },
  });
  const single = await fitted(spectra, "--arms", "r");
  assert.deepEqual(single.rows, [0, 1, 2, 3, 4, 5]);
  const v = single.table.float64("VRAD"), error = single.table.float64("VRAD_ERR");
  assert.deepEqual([v[0], v[1]], [v[2], v[3]]);
  assert.deepEqual([...single.table.int32("EXPID")], [100, 100, 101, 101, 101, 102]);

  const joint = await fitted(spectra, "--arms", "r", "--joint-by", "TARGETID");
  assert.equal(joint.header.get("JOINTBY"), "TARGETID");
  assert.deepEqual(joint.rows, [0, 1, 4]);
  assert.deepEqual([...joint.table.int64("NROWS")].map(Number), [2, 3, 1]);
  assert.deepEqual(joint.table.int64("TARGETID"), free.table.int64("TARGETID"));
  const npix = joint.table.float64("NPIX_TOT"), one = free.table.float64("NPIX_TOT");
  joint.table.float64("VRAD_ERR").forEach((joined, star) => {
    const row = joint.rows[star], exposures = [2, 3, 1][star];
    // The same exposure n times: the same answer, its error 1/√n.
    assert.ok(Math.abs(joint.table.float64("VRAD")[star] - v[row]) < 0.05 * error[row]);
    assert.ok(Math.abs(joined * Math.sqrt(exposures) / error[row] - 1) < 0.03, `${joined} ${error[row]}`);
    assert.equal(npix[star], exposures * one[star]);
  });
  // A model for every exposure.
  assert.deepEqual(joint.models[0].shape, [6, 2326]);
  using models = FitsFile.open(`${joint.folder}/rvmod_spectra.fits`);
  assert.deepEqual([...models.table("ROWS").int64("ROW")].map(Number), [0, 2, 1, 3, 5, 4]);
  assert.deepEqual([...models.table("ROWS").int64("STAR")].map(Number), [0, 0, 1, 1, 1, 2]);
});
