/** Damaged spectra and selected rows: what is fitted, what is flagged in place, what is absent. */
import assert from "node:assert/strict";
import { numberColumn, stringColumn, type Table } from "../../core/io/fits_table.ts";
import { done, ownFolder, simulated } from "./command.ts";
import { type Answers, answers, inRow, numbersOf, rewrite } from "./spectra_files.ts";

const STARS = 5;
const ALL = [0, 1, 2, 3, 4];
/** Row that is damaged. */
const SICK = 2;
const HEALTHY = ALL.filter((row) => row !== SICK);
const PARTS = ["B", "R", "Z"];

const folder = ownFolder();
const out = `${folder}/out`;
const whole = `${folder}/whole.fits`;

function pixels(part: string, change: (values: Float32Array | Int32Array) => void, arms = PARTS) {
  return Object.fromEntries(arms.map((arm) => [`${arm}_${part}`, inRow(SICK, change)]));
}

function fill(first: number, last: number, value: number) {
  return (values: Float32Array | Int32Array) => void values.fill(value, first, last);
}

const types = (kinds: readonly string[]) => (table: Table) => table.with(stringColumn("OBJTYPE", kinds));

/** Files made from one: all of them are fitted by one command. */
const files = {
  masked: { images: pixels("MASK", fill(100, 120, 1)) },
  noWeight: { images: pixels("IVAR", fill(100, 120, 0)) },
  nanWeight: { images: pixels("IVAR", fill(100, 120, NaN)) },
  infiniteWeight: { images: pixels("IVAR", fill(100, 120, Infinity)) },
  negativeWeight: { images: pixels("IVAR", fill(100, 120, -1)) },
  nanFlux: { images: pixels("FLUX", fill(100, 120, NaN)) },
  infiniteFlux: { images: pixels("FLUX", fill(100, 120, -Infinity)) },
  allMasked: { images: pixels("MASK", (values) => void values.fill(1)) },
  allNoWeight: { images: pixels("IVAR", (values) => void values.fill(0)) },
  allNan: { images: pixels("FLUX", (values) => void values.fill(NaN)) },
  deadArm: { images: pixels("IVAR", (values) => void values.fill(0), ["Z"]) },
  twins: {
    tables: {
      FIBERMAP: (table: Table) => {
        const ids = table.int64("TARGETID").slice();
        ids[3] = ids[0];
        return table.with(numberColumn("TARGETID", ids));
      },
    },
  },
  others: {
    tables: {
      FIBERMAP: (table: Table) =>
        types(["SKY", "TGT", "BAD", "TGT", "TGT"])(table).with(
          // 2: broken; 8: restricted range, harmless.
          numberColumn("COADD_FIBERSTATUS", Int32Array.of(0, 2, 0, 8, 0)),
        ),
    },
  },
  skyOnly: { tables: { FIBERMAP: types(["SKY", "SKY", "SKY", "SKY", "SKY"]) } },
};

type Name = keyof typeof files;
let fitted: Promise<void> | null = null;

/** Answers to one of the files; "whole" = the undamaged one. */
async function answersTo(name: Name | "whole"): Promise<Answers> {
  fitted ??= (async () => {
    await simulated(whole, STARS);
    const paths = Object.entries(files).map(([name, edit]) => rewrite(whole, `${folder}/${name}.fits`, edit));
    await done(["fit", whole, ...paths, "--output-dir", out, "--workers", "1"]);
  })();
  await fitted;
  return answers(out, `${name}.fits`);
}

for (
  const name of [
    "masked",
    "noWeight",
    "nanWeight",
    "infiniteWeight",
    "negativeWeight",
    "nanFlux",
    "infiniteFlux",
  ] as const
) {
  Deno.test(`${name}: the star is fitted without those pixels, the others are as they were`, async () => {
    const [intact, masked, found] = [
      await answersTo("whole"),
      await answersTo("masked"),
      await answersTo(name),
    ];
    assert.deepEqual(found.rows, ALL);
    assert.deepEqual(numbersOf(found, HEALTHY), numbersOf(intact, HEALTHY));
    const npix = found.table.float64("NPIX_TOT");
    assert.equal(npix[SICK], masked.table.float64("NPIX_TOT")[SICK]);
    assert.ok(npix[SICK] < intact.table.float64("NPIX_TOT")[SICK] - 40);
    assert.equal(found.warn[SICK] & 32, 0);
    if (name.endsWith("Weight")) return assert.deepEqual(numbersOf(found, ALL), numbersOf(masked, ALL));
    // The flux under a mask takes part in the median that sets the scale of what "no weight" is.
    const v = found.table.float64("VRAD")[SICK], expected = masked.table.float64("VRAD")[SICK];
    assert.ok(Math.abs(v - expected) < 0.01, `${v} and ${expected} km/s`);
  });
}

for (const name of ["allMasked", "allNoWeight", "allNan"] as const) {
  Deno.test(`${name}: RVS_WARN 32 in its place, the others are as they were`, async () => {
    const [intact, found] = [await answersTo("whole"), await answersTo(name)];
    assert.deepEqual(found.rows, ALL);
    assert.deepEqual(found.warn.map((bits) => bits & 32), ALL.map((row) => row === SICK ? 32 : 0));
    assert.equal(found.warn[SICK], 32);
    assert.deepEqual(numbersOf(found, HEALTHY), numbersOf(intact, HEALTHY));
    for (const column of ["VRAD", "VRAD_ERR", "VSINI", "TEFF", "LOGG", "FEH", "ALPHAFE", "CHISQ_TOT"]) {
      assert.equal(found.table.float64(column)[SICK], NaN, column);
    }
    assert.equal(found.table.numbers("SUCCESS")[SICK], 0);
    assert.equal(found.table.int64("TARGETID")[SICK], intact.table.int64("TARGETID")[SICK]);
    for (const { data, shape } of found.models) {
      assert.ok(data.subarray(SICK * shape[1], (SICK + 1) * shape[1]).every((x) => x === 0));
    }
  });
}

Deno.test("a star without one arm is fitted in the others", async () => {
  const [intact, found] = [await answersTo("whole"), await answersTo("deadArm")];
  assert.equal(found.warn[SICK] & 32, 0);
  assert.equal(found.table.float64("CHISQ_Z")[SICK], NaN);
  const v = found.table.float64("VRAD"), error = found.table.float64("VRAD_ERR");
  assert.ok(Math.abs(v[SICK] - intact.table.float64("VRAD")[SICK]) < 5 * error[SICK]);
  assert.deepEqual(numbersOf(found, HEALTHY), numbersOf(intact, HEALTHY));
});

Deno.test("duplicate TARGETIDs: every row once, each with its own answer", async () => {
  const [intact, found] = [await answersTo("whole"), await answersTo("twins")];
  assert.deepEqual(found.rows, ALL);
  const ids = found.table.int64("TARGETID");
  assert.equal(ids[0], ids[3]);
  assert.deepEqual(found.table.float64("VRAD"), intact.table.float64("VRAD"));
});

Deno.test("SKY and BAD objects and bad fibres are absent; ROW is the row of the input", async () => {
  const [intact, found] = [await answersTo("whole"), await answersTo("others")];
  assert.deepEqual(found.rows, [3, 4]);
  assert.deepEqual(numbersOf(found, [0, 1]), numbersOf(intact, [3, 4]));
  assert.equal(found.fibermap.rows, 2);
  assert.deepEqual(found.models.map(({ shape }) => shape[0]), [2, 2, 2]);
});

/** Tables with every column and no row. */
function assertEmpty(found: Answers, like: Answers): void {
  assert.equal(found.table.rows, 0);
  assert.deepEqual(found.table.names, like.table.names);
  assert.deepEqual(found.fibermap.names, like.fibermap.names);
  assert.deepEqual(found.models.map(({ shape }) => shape), like.models.map(({ shape }) => [0, shape[1]]));
}

Deno.test("only sky: valid empty tables, exit 0", async () => {
  assertEmpty(await answersTo("skyOnly"), await answersTo("whole"));
});

Deno.test("--targetid selects rows; one that is not there gives valid empty tables, exit 0", async () => {
  const intact = await answersTo("whole");
  const one = `${folder}/one`, none = `${folder}/none`;
  const ids = intact.table.int64("TARGETID");
  await done(["fit", whole, "--output-dir", one, "--targetid", `${ids[3]},${ids[1]}`, "--targetid", "77"]);
  const found = answers(one, "whole.fits");
  assert.deepEqual(found.rows, [1, 3]);
  assert.deepEqual(numbersOf(found, [0, 1]), numbersOf(intact, [1, 3]));
  const { err } = await done(["fit", whole, "--output-dir", none, "--targetid", "77"]);
  assert.match(err, /0 stars/);
  assertEmpty(answers(none, "whole.fits"), intact);
});
