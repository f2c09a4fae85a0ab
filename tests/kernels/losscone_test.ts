import assert from "node:assert/strict";
import { lossconeChisq, lossconeModel } from "../../core/kernels/losscone.ts";
import { dataTest } from "../shared_data.ts";
import { slowChisq, slowModel } from "../reference/losscone.ts";
import { random, uniform } from "../reference/random.ts";
import { assertClose, call } from "./harness.ts";
import { oracle } from "./oracle.ts";

const CONSTANTS = Float64Array.of(15, 7.5, 0.05, -2000, 20, 0.3, 1.1, 0, 5, 1);
const R = 15, P = 88;
/** Cells as near as this to the edge of the cone may lie on either side of it. */
const TIE = 1e-12;

const repeated = (values: ArrayLike<number>, times: number) =>
  Float64Array.from({ length: times * values.length }, (_, i) => values[i % values.length]!);

/** Cells of a sweep that are ties for (U, b), V by row. */
function ties(
  energy: ArrayLike<number>,
  V: (row: number) => number,
  pitch: ArrayLike<number>,
  [U, b]: readonly number[],
): number[] {
  return Array.from({ length: R * P }, (_, i) => i).filter((i) => {
    const row = Math.floor(i / P);
    const x = Math.min(Math.max(b! * (1 + U! / Math.max(energy[row]! - V(row), 1e-12)), 0), 1);
    return Math.abs(Math.sin(pitch[i]! * Math.PI / 180) ** 2 - x) < TIE;
  });
}

dataTest("losscone_model reproduces the reference's models", ["losscone/kernels/forward.npz"], (path) => {
  const data = oracle(path), params = data("params"), energy = data("energy");
  let flipped = 0;
  for (const grid of ["linear", "instrument"]) {
    const pitch = data(`pitch_${grid}`), expected = data(`model_${grid}`);
    for (let k = 0; k < 32; k++) {
      // U, b, A, w, s, g, V
      const [U, b, A, w, s, g, V] = params.subarray(7 * k, 7 * k + 7);
      const constants = CONSTANTS.slice();
      constants.set([w!, s!, g!]);
      const { model } = call(lossconeModel, { B: 1, R, P }, {
        energy,
        potential: new Float64Array(R).fill(V!),
        pitch,
        parameters: Float64Array.of(U!, b!, A!),
        constants,
      });
      const loose = new Set(ties(energy, () => V!, pitch, [U!, b!]));
      for (let i = 0; i < R * P; i++) {
        const wanted = expected[k * R * P + i]!;
        const close = Math.abs(model![i]! - wanted) <= 1e-12 * Math.abs(wanted);
        if (!close && loose.has(i)) flipped++;
        else assert.ok(close, `set ${k}, ${grid}, cell ${i}: ${model![i]} against ${wanted}`);
      }
    }
  }
  assert.ok(flipped < 10, `${flipped} ties on the other side`);
});

dataTest(
  "losscone_model with a potential of its own in every row",
  ["losscone/kernels/forward.npz"],
  (path) => {
    const data = oracle(path), params = data("params"), energy = data("energy");
    const potential = data("perrow_usc"), expected = data("perrow_model");
    const cases = [data("pitch_linear"), data("pitch_instrument")].map((pitch) =>
      Array.from({ length: 4 }, (_, k) => {
        const [U, b, A, w, s, g] = params.subarray(7 * k, 7 * k + 7);
        const constants = CONSTANTS.slice();
        constants.set([w!, s!, g!]);
        const { model } = call(lossconeModel, { B: 1, R, P }, {
          energy,
          potential,
          pitch,
          parameters: Float64Array.of(U!, b!, A!),
          constants,
        });
        const loose = new Set(ties(energy, (r) => potential[r]!, pitch, [U!, b!]));
        return Array.from(
          model!,
          (value, i) => loose.has(i) ? 0 : Math.abs(value / expected[k * R * P + i]! - 1),
        )
          .reduce((a, b) => Math.max(a, b));
      })
    );
    // which of the two pitch grids the file has used is not said
    assert.ok(cases.some((worst) => worst.every((w) => w <= 1e-12)), JSON.stringify(cases));
  },
);

dataTest("losscone_chisq reproduces the reference's chi-squares", ["losscone/kernels/chi2.npz"], (path) => {
  const data = oracle(path), params = data("params"), n = 22;
  const energy = Float64Array.from({ length: R }, (_, i) => 20000 * (40 / 20000) ** (i / (R - 1)));
  const V = data("u_spacecraft"), norm = data("norm2d"), pitch = data("pitch");
  for (
    const [METHOD, name, values] of [[0, "halekas", "chi2_halekas"], [
      1,
      "lillis",
      "chi2_lillis_reduced",
    ]] as const
  ) {
    const bits = data(`${name}_mask`), expected = data(values);
    const mask = Uint8Array.from({ length: n * R * P }, (_, i) => bits[i >> 3]! >> (7 - (i & 7)) & 1);
    for (let e = 0; e < n; e++) {
      const own = pitch.slice(e * R * P, (e + 1) * R * P);
      const potential = new Float64Array(64 * R).fill(V[e]!);
      const { model } = call(lossconeModel, { B: 64, R, P }, {
        energy: repeated(energy, 64),
        potential,
        pitch: repeated(own, 64),
        parameters: params,
        constants: CONSTANTS,
      });
      const { chi2 } = call(lossconeChisq, { B: 64, R, P, METHOD }, {
        norm: repeated(norm.slice(e * R * P, (e + 1) * R * P), 64),
        mask: Uint8Array.from({ length: 64 * R * P }, (_, i) => mask[e * R * P + i % (R * P)]!),
        model: model!,
      });
      for (let k = 0; k < 64; k++) {
        const wanted = expected[64 * e + k]!;
        if (Number.isNaN(wanted)) assert.ok(Number.isNaN(chi2![k]!), `${name}, sweep ${e}, set ${k}`);
        else if (
          ties(energy, () => V[e]!, own, params.subarray(3 * k, 3 * k + 2) as unknown as number[]).length ===
            0
        ) {
          assertClose([chi2![k]!], [wanted], 1e-10, `${name}, sweep ${e}, set ${k}`);
        }
      }
    }
  }
});

Deno.test("losscone_model: background in the cone, 1 outside, beam near 180 degrees, NaN pitch in the cone", () => {
  const next = random(4), pitch = Float64Array.of(0, 89, 90, 100, 150, 179.9, 180, NaN);
  for (let k = 0; k < 30; k++) {
    const parameters = Float64Array.of(
      uniform(1, next, -300, 20)[0]!,
      uniform(1, next, 0.3, 1.1)[0]!,
      2 * (k % 2),
    );
    const energy = Float64Array.of(50 + 400 * next()), potential = Float64Array.of(-30 + 50 * next());
    const { model } = call(lossconeModel, { B: 1, R: 1, P: 8 }, {
      energy,
      potential,
      pitch,
      parameters,
      constants: CONSTANTS,
    });
    const expected = Array.from(
      pitch,
      (alpha) =>
        slowModel(energy[0]!, potential[0]!, alpha, Array.from(parameters), { w: 15, s: 7.5, g: 0.05 }),
    );
    assertClose(model!.subarray(0, 7), expected.slice(0, 7), 1e-14);
    if (parameters[2] === 0) assert.equal(model![7], 0.05);
  }
});

Deno.test("losscone_chisq: no cell, too few cells, masked NaN", () => {
  const norm = Float64Array.of(1, 0.5, NaN, 0.2, 0.3, 0.4), model = new Float64Array(6).fill(0.4);
  const chi2 = (METHOD: number, ...mask: number[]) =>
    call(lossconeChisq, { B: 1, R: 1, P: 6, METHOD }, { norm, model, mask: Uint8Array.from(mask) }).chi2![0]!;
  const pairs = (...cells: number[]) => cells.map((i) => [norm[i]!, 0.4] as const);
  assert.ok(Number.isNaN(chi2(0, 0, 0, 0, 0, 0, 0)));
  assertClose([chi2(0, 1, 0, 0, 0, 0, 0)], [slowChisq(0, pairs(0))], 1e-14);
  assert.ok(Number.isNaN(chi2(1, 1, 1, 0, 1, 1, 0)));
  assertClose([chi2(1, 1, 1, 0, 1, 1, 1)], [slowChisq(1, pairs(0, 1, 3, 4, 5))], 1e-14);
  assert.ok(Number.isNaN(chi2(0, 1, 1, 1, 1, 1, 1)), "a NaN that the mask lets through");
});

Deno.test("losscone kernels: empty batch, bit-identical on repeat", () => {
  assert.equal(
    call(lossconeChisq, { B: 0, R: 15, P: 88, METHOD: 0 }, {
      norm: new Float64Array(0),
      mask: new Uint8Array(0),
      model: new Float64Array(0),
    }).chi2!.length,
    0,
  );
});
