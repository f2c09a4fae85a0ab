import assert from "node:assert/strict";
import { lossconeModel } from "../../core/kernels/losscone.ts";
import { lossconeTables } from "../../core/kernels/losscone_prepare.ts";
import { lossconeEvaluate, lossconeSearch } from "../../core/kernels/losscone_search.ts";
import { random } from "../reference/random.ts";
import { call } from "./harness.ts";

const R = 15, P = 88;

interface Drawn {
  readonly METHOD: number;
  readonly truth: readonly number[];
  readonly noise: number;
  readonly V?: number;
  readonly constants?: Float64Array;
  readonly seed?: number;
}

const CONSTANTS = Float64Array.of(15, 7.5, 0.05, -2000, 20, 0.3, 1.1, 0, 5, 0.99);

/** Tables of one sweep as the model has it, with noise of the logarithm. */
function tables({ METHOD, truth, noise, V = -10, constants = CONSTANTS, seed = 1 }: Drawn) {
  const next = random(seed), n = R * P;
  const energy = Float64Array.from({ length: R }, (_, r) => 20000 * (40 / 20000) ** (r / (R - 1)));
  const potential = new Float64Array(R).fill(V);
  const pitch = Float64Array.from({ length: n }, () => Math.acos(1 - 2 * next()) * 180 / Math.PI);
  const rows = { energy, potential };
  const { model } = call(lossconeModel, { B: 1, R, P }, {
    ...rows,
    pitch,
    parameters: Float64Array.from(truth),
    constants,
  });
  const norm = model!.map((v) => v * Math.exp(noise * (next() + next() + next() - 1.5)));
  const inputs = { pitch, norm, mask: new Uint8Array(n).fill(1), constants };
  return { ...rows, ...call(lossconeTables, { B: 1, R, P, METHOD }, inputs), constants };
}

const search = (METHOD: number, inputs: ReturnType<typeof tables>, MOST = 1 << 20) =>
  call(lossconeSearch, { B: 1, R, P, METHOD, I: 8, MOST }, inputs);

const evaluate = (METHOD: number, inputs: ReturnType<typeof tables>, points: Float64Array) =>
  call(lossconeEvaluate, { B: 1, R, P, METHOD, S: points.length / 3 }, { ...inputs, points }).chi2!;

for (const METHOD of [0, 1]) {
  Deno.test(`losscone_search finds nothing that a dense grid beats, method ${METHOD}`, () => {
    const next = random(9);
    for (let k = 0; k < 6; k++) {
      const truth = [-20 * 40 ** next(), 0.35 + 0.7 * next(), k % 2 === 0 ? 0 : 4 * next()];
      const inputs = tables({ METHOD, truth, noise: 0.2 + 0.4 * next(), seed: k + 1 });
      const { fit, state } = search(METHOD, inputs);
      assert.equal(state![0], 1);
      const points: number[] = [];
      for (let i = 0; i < 100; i++) {
        // around the answer, and everywhere
        const U = k % 3 === 0 ? fit![0]! * (0.9 + 0.2 * next()) : -2000 + 2020 * next();
        for (let j = 0; j < 60; j++) points.push(U, 0.3 + 0.8 * next(), j % 2 === 0 ? fit![2]! : 5 * next());
      }
      points.push(...truth);
      const least = Math.min(...evaluate(METHOD, inputs, Float64Array.from(points)));
      assert.ok(fit![3]! <= least * (1 + 2.1e-4), `${truth}: ${fit![3]} against ${least}`);
      const own = evaluate(METHOD, inputs, fit!.subarray(0, 3))[0]!;
      assert.ok(Math.abs(own / fit![3]! - 1) < 1e-12);
    }
  });
}

Deno.test("losscone_search without noise: the plateau holds the truth and every U of it is as good", () => {
  const truth = [-120, 0.7, 0];
  const inputs = tables({ METHOD: 0, truth, noise: 1e-3 });
  const { fit, plateau } = search(0, inputs);
  assert.ok(plateau![0]! <= -120 && -120 <= plateau![1]!);
  assert.ok(plateau![1]! - plateau![0]! < 20);
  assert.ok(plateau![0]! <= fit![0]! && fit![0]! <= plateau![1]!);
  assert.ok(Number.isNaN(plateau![2]!));
});

Deno.test("losscone_search: the amplitude of a beam is found, within its bounds, and free where no beam is seen", () => {
  const strong = search(0, tables({ METHOD: 0, truth: [-87, 0.8, 2.5], noise: 0.05 }));
  assert.ok(Math.abs(strong.fit![2]! - 2.5) < 0.3 && Math.abs(strong.fit![0]! + 87) < 2);
  const bound = CONSTANTS.slice();
  bound[8] = 1;
  const capped = search(0, tables({ METHOD: 0, truth: [-87, 0.8, 2.5], noise: 0.05, constants: bound }));
  assert.ok(capped.fit![2]! <= 1);
  const none = CONSTANTS.slice();
  none[8] = 0;
  assert.equal(
    search(0, tables({ METHOD: 0, truth: [-87, 0.8, 0], noise: 0.05, constants: none })).fit![2],
    0,
  );
});

Deno.test("losscone_search: a wider Δ never makes the confidence set smaller; MOST that does not suffice is told", () => {
  const wide = CONSTANTS.slice();
  wide[9] = 400;
  const truth = [-60, 0.6, 1], noise = 0.5;
  const narrow = search(0, tables({ METHOD: 0, truth, noise })).confidence!;
  const broad = search(0, tables({ METHOD: 0, truth, noise, constants: wide })).confidence!;
  for (let i = 0; i < 16 && !Number.isNaN(narrow[i]!); i += 2) {
    const held = [0, 2, 4, 6, 8, 10, 12, 14].some((k) =>
      broad[k]! <= narrow[i]! && narrow[i + 1]! <= broad[k + 1]!
    );
    assert.ok(held, `${narrow[i]} … ${narrow[i + 1]} not in ${broad}`);
  }
  assert.equal(search(0, tables({ METHOD: 0, truth, noise }), 5).state![0], -1);
});

Deno.test("losscone_search: no cells, too few cells", () => {
  const inputs = tables({ METHOD: 1, truth: [-60, 0.6, 1], noise: 0.5 });
  const empty = { ...inputs, cells: new Int32Array(R) } as unknown as ReturnType<typeof tables>;
  for (const METHOD of [0, 1]) {
    const out = search(METHOD, empty);
    assert.equal(out.state![0], 0);
    assert.ok([out.fit!, out.plateau!, out.confidence!].every((values) => values.every(Number.isNaN)));
  }
  const few = new Int32Array(R);
  few[3] = 4;
  const out = search(1, { ...inputs, cells: few } as unknown as ReturnType<typeof tables>);
  assert.equal(out.state![0], 0);
});
