import assert from "node:assert/strict";
import { lossconeNormalise, lossconePitch, lossconeTables } from "../../core/kernels/losscone_prepare.ts";
import type { SweepBatch } from "../../core/losscone/sweep.ts";
import { dataTest } from "../shared_data.ts";
import { assertClose, call } from "./harness.ts";
import { oracle } from "./oracle.ts";
import { sharedSweeps } from "../losscone/data.ts";

const R = 15, P = 88, CELLS = R * P;
/** Inputs of losscone_pitch. */
const sky = ({ theta, phi, field, polarity }: SweepBatch) => ({ theta, phi, field, polarity });

/** Name, RATIO2, HIGHEST. */
const MODES = [["ratio_mean", 0, 0], ["ratio_max", 0, 1], ["ratio2_mean", 1, 0], [
  "ratio2_max",
  1,
  1,
]] as const;

/** Asserts that every value is within `relative` of its own size, NaN where NaN is expected. */
function assertEachClose(actual: Float64Array, expected: Float64Array, relative: number, what: string): void {
  expected.forEach((v, i) => assertClose([actual[i]!], [v], relative, `${what}, cell ${i}`));
}

const CONSTANTS = Float64Array.of(15, 7.5, 0.05, -2000, 20, 0.3, 1.1, 0, 5, 1);
const INPUTS = "losscone/spectra_inputs.npz", OUTPUTS = "losscone/spectra_outputs.npz";

dataTest("losscone_pitch reproduces the reference's angles, fill azimuths taken for numbers", [
  INPUTS,
  OUTPUTS,
], (inputs, outputs) => {
  const { batch } = sharedSweeps(inputs);
  const { pitch } = call(lossconePitch, { B: batch.count, R, P, FILL: 1 }, sky(batch));
  const expected = oracle(outputs)("pitch_angle_deg");
  // acos turns an ulp of the cosine into 1e-8 radian at its ends
  assertClose(pitch!, expected, 1e-8, "pitch");
});

dataTest("by default a fill azimuth is no pitch", [INPUTS], (inputs) => {
  const { batch } = sharedSweeps(inputs);
  const { pitch } = call(lossconePitch, { B: batch.count, R, P, FILL: 0 }, sky(batch));
  const fills = Array.from(batch.phi.keys()).filter((i) => batch.phi[i]! >= 998);
  assert.ok(fills.length > 50);
  for (const i of fills) assert.ok(Number.isNaN(pitch![i]!));
});

dataTest("losscone_normalise reproduces the reference's four normalisations", [
  "losscone/kernels/chi2.npz",
], (path) => {
  const data = oracle(path), numbers = data("spec_index"), sweeps = data("norm_spec_index");
  const energy = new Float64Array(R).fill(100), potential = new Float64Array(R);
  assert.equal(sweeps.length, 4);
  let compared = 0;
  for (const [name, RATIO2, HIGHEST] of MODES) {
    sweeps.forEach((number, k) => {
      // norm2d of the chi-squares is the same sweeps' flux over the mean of its row: normalising it again gives what
      // normalising the flux gives
      const e = numbers.indexOf(number), cells = [e * CELLS, (e + 1) * CELLS] as const;
      const flux = data("norm2d").slice(...cells), pitch = data("pitch").slice(...cells);
      const { norm } = call(lossconeNormalise, { B: 1, R, P, METHOD: 0, RATIO2, HIGHEST, FILL: 1 }, {
        ...{ energy, potential, flux, pitch },
      });
      // NaN cells agree as well
      const wanted = data(`norm_${name}`).slice(k * CELLS, (k + 1) * CELLS);
      assertEachClose(norm!, wanted, 1e-12, `${name}, sweep ${number}`);
      compared++;
    });
  }
  assert.equal(compared, 16);
});

dataTest("losscone_normalise divides the flux itself as the reference does", [
  INPUTS,
  OUTPUTS,
  "losscone/kernels/chi2.npz",
], (inputs, outputs, kernels) => {
  const { batch } = sharedSweeps(inputs), data = oracle(kernels);
  const { energy, uSpacecraft: potential, flux, count: B } = batch;
  const pitch = oracle(outputs)("pitch_angle_deg"), known = data("pitch"), wanted = data("norm2d");
  const { norm } = call(lossconeNormalise, { B, R, P, METHOD: 0, RATIO2: 0, HIGHEST: 0, FILL: 1 }, {
    ...{ energy, potential, flux, pitch },
  });
  // the file numbers sweeps of a longer list; ours have the same angles, which differ from sweep to sweep
  const compared = Array.from({ length: B }, (_, e) => e).flatMap((e) => {
    const own = pitch.subarray(e * CELLS, (e + 1) * CELLS);
    if (own.some(Number.isNaN)) return [];
    const k = Array.from({ length: known.length / CELLS }, (_, k) => k).find((k) =>
      own.every((alpha, c) => alpha === known[k * CELLS + c])
    );
    if (k === undefined) return [];
    const mine = norm!.slice(e * CELLS, (e + 1) * CELLS);
    assertEachClose(mine, wanted.slice(k * CELLS, (k + 1) * CELLS), 1e-12, `sweep ${e}`);
    return [e];
  });
  assert.deepEqual(compared, [0, 1, 10, 45, 60, 75, 79, 85, 87]);
});

dataTest(
  "masks and counts of valid cells are the reference's, where fills are numbers",
  [INPUTS, OUTPUTS],
  (inputs, outputs) => {
    const { batch, group } = sharedSweeps(inputs), data = oracle(outputs);
    for (const [METHOD, name] of [[0, "halekas"], [1, "lillis"]] as const) {
      const { pitch } = call(lossconePitch, { B: batch.count, R, P, FILL: 1 }, sky(batch));
      const { valid } = call(lossconeNormalise, {
        B: batch.count,
        R,
        P,
        METHOD,
        RATIO2: 0,
        HIGHEST: 0,
        FILL: 1,
      }, {
        energy: batch.energy,
        potential: batch.uSpacecraft,
        flux: batch.flux,
        pitch: pitch!,
      });
      const expected = data(`${name}_n_valid_bins`);
      for (let e = 0; e < batch.count; e++) {
        // the reference counts no cells of a sweep that it does not fit
        if (METHOD === 1 && valid![e]! < 5) assert.equal(expected[e], 0);
        else assert.equal(valid![e], expected[e], `${name}, sweep ${e} of group ${group[e]}`);
      }
    }
  },
);

/** One row: flux by pitch. */
function row(
  pitch: number[],
  flux: number[],
  modes: Partial<Record<"METHOD" | "RATIO2" | "HIGHEST" | "FILL", number>> = {},
) {
  return call(lossconeNormalise, {
    B: 1,
    R: 1,
    P: pitch.length,
    METHOD: 0,
    RATIO2: 0,
    HIGHEST: 0,
    FILL: 0,
    ...modes,
  }, {
    energy: Float64Array.of(100),
    potential: Float64Array.of(10),
    flux: Float64Array.from(flux),
    pitch: Float64Array.from(pitch),
  });
}

Deno.test("losscone_normalise: mean, largest, partners, rows without incident flux", () => {
  const pitch = [10, 40, 80, 100, 150, 170], flux = [2, 4, 6, 3, 1, 0];
  assert.deepEqual(Array.from(row(pitch, flux).norm!), [0.5, 1, 1.5, 0.75, 0.25, 0]);
  assert.deepEqual(Array.from(row(pitch, flux).mask!), [1, 1, 1, 1, 1, 0]);
  assertClose(row(pitch, flux, { HIGHEST: 1 }).norm!, [1 / 3, 2 / 3, 1, 0.5, 1 / 6, 0], 1e-15);
  // 100 lies opposite to 80, 150 to 40 (30 is as near to 10 and 40 by 20 and 10); 80 is nearest to 90, first on ties
  assert.deepEqual(Array.from(row(pitch, flux, { RATIO2: 1 }).norm!), [1, 1, 1, 0.5, 0.25, NaN]);
  assert.ok(row([100, 120, 170], [1, 1, 1]).norm!.every(Number.isNaN));
  assert.ok(row([10, 20, 30], [1, 1, 1], { RATIO2: 1 }).norm!.every(Number.isNaN));
});

Deno.test("losscone_normalise: fills are missing data, or numbers as in the reference", () => {
  const pitch = [10, 40, 120, 150], flux = [2, 9.999e-99, 9.999e-99, -9.99e-99];
  assert.deepEqual(Array.from(row(pitch, flux).norm!), [1, NaN, NaN, NaN]);
  const asNumbers = row(pitch, flux, { FILL: 1 });
  // half the mean: the fill is one of two incident cells
  assert.deepEqual(Array.from(asNumbers.mask!), [1, 1, 1, 0]);
  assert.equal(asNumbers.norm![0], 2);
});

Deno.test("losscone_normalise: a row below the spacecraft potential, or with NaN in it, has no valid cell", () => {
  for (const [E, V] of [[5, 10], [NaN, 10], [100, NaN]] as const) {
    const { mask, valid } = call(lossconeNormalise, {
      B: 1,
      R: 1,
      P: 3,
      METHOD: 0,
      RATIO2: 0,
      HIGHEST: 0,
      FILL: 0,
    }, {
      energy: Float64Array.of(E),
      potential: Float64Array.of(V),
      flux: Float64Array.of(1, 1, 1),
      pitch: Float64Array.of(20, 100, 150),
    });
    assert.deepEqual([...mask!, ...valid!], [0, 0, 0, 0]);
  }
});

Deno.test("losscone_normalise: Lillis keeps reflected cells between 0.07 and 0.79 of the largest incident flux", () => {
  const { mask } = row([10, 20, 100, 110, 120, 130], [10, 5, 7.9, 7.8, 0.7, 0.71], { METHOD: 1 });
  assert.deepEqual(Array.from(mask!), [0, 1, 0, 1, 0, 1]);
});

Deno.test("losscone_tables: order by falling pitch, equal pitches in the order of cells, prefix sums of the cost", () => {
  const out = call(lossconeTables, { B: 1, R: 1, P: 5, METHOD: 1 }, {
    pitch: Float64Array.of(150, 30, 170, 150, NaN),
    norm: Float64Array.of(0.2, 1.1, 0.05, 0.9, 1),
    mask: Uint8Array.of(1, 1, 1, 1, 0),
    constants: CONSTANTS,
  });
  assert.deepEqual(Array.from(out.y!), [0.05, 0.2, 0.9, 1.1, 0]);
  assertClose(out.sine!, [Math.sin(Math.PI / 18) ** 2, 0.25, 0.25, 2, 2], 1e-14);
  assert.equal(out.cells![0], 4);
  const cost = (i: number) =>
    [0.05, 0.2, 0.9, 1.1].reduce((sum, v, j) => sum + (v - (j < i ? 0.05 : 1)) ** 2, 0);
  assertClose(out.prefix!.subarray(0, 5), [0, 1, 2, 3, 4].map(cost), 1e-14);
});

Deno.test("losscone_prepare kernels: empty batch", () => {
  const none = new Float64Array(0);
  assert.equal(
    call(lossconePitch, { B: 0, R, P, FILL: 0 }, {
      theta: new Float64Array(P),
      phi: none,
      field: none,
      polarity: none,
    }).pitch!.length,
    0,
  );
});
