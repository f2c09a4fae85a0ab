import assert from "node:assert/strict";
import { lossconeChisq, lossconeModel } from "../../core/kernels/losscone.ts";
import { dataTest } from "../shared_data.ts";
import { slowChisq, slowModel } from "../reference/losscone.ts";
import { random, uniform } from "../reference/random.ts";
import { assertClose, call } from "./harness.ts";
import { eitherSide, ties } from "./losscone_ties.ts";
import { oracle } from "./oracle.ts";

const CONSTANTS = Float64Array.of(15, 7.5, 0.05, -2000, 20, 0.3, 1.1, 0, 5, 1);
const R = 15, P = 88;
const METHODS = [[0, "halekas", "chi2_halekas"], [1, "lillis", "chi2_lillis_reduced"]] as const;

/** Ties of the oracle that the kernel puts on the other side of the edge, which the specification allows. */
const MOVED: readonly string[] = [];

/** Cost of one cell. */
const costOf = (method: number, d: number, m: number) =>
  (method === 0 ? Math.log(d + 1e-6) - Math.log(m + 1e-6) : d - m) ** 2;

const repeated = (values: ArrayLike<number>, times: number) =>
  Float64Array.from({ length: times * values.length }, (_, i) => values[i % values.length]!);

/** One sweep at parameter sets (U, b, A) that share w, s, g. */
interface Sets {
  readonly energy: Float64Array;
  readonly pitch: Float64Array;
  /** V, by row. */
  readonly potential: Float64Array;
  readonly sets: readonly (readonly number[])[];
  readonly constants: readonly number[];
}

/** Models of all sets, and of each the cells that tie with what they hold on the other side of the edge. */
function modelsOf({ energy, pitch, potential, sets, constants: [w, s, g] }: Sets) {
  const B = sets.length;
  const run = (background: number) => {
    const constants = CONSTANTS.slice();
    constants.set([w!, s!, background]);
    return call(lossconeModel, { B, R, P }, {
      energy: repeated(energy, B),
      potential: repeated(potential, B),
      pitch: repeated(pitch, B),
      parameters: Float64Array.from(sets.flat()),
      constants,
    }).model!;
  };
  const models = run(g!), brighter = run(g! + 0.25);
  return sets.map(([U, b], k) => {
    const model = models.subarray(k * R * P, (k + 1) * R * P);
    const tied = ties({ energy, pitch, potential: (r) => potential[r]! }, U!, b!);
    // a cell is in the cone where it is as bright as the background says
    const moved = new Map(tied.map((i) => {
      const inCone = brighter[k * R * P + i] !== model[i];
      return [i, model[i]! + (inCone ? 1 - g! : g! - 1)] as const;
    }));
    return { model, moved };
  });
}

/** Says on the console what tied. */
function sayTies(name: string, tied: number, moves: readonly string[]): void {
  console.log(`${name}: ${tied} cells tie, ${moves.length} are on the other side ${moves.join("; ")}`);
}

/** Compares cell by cell: whatever disagrees must be a tie and be right on its other side. How many tie, which moved. */
function compareModels(name: string, sweep: Sets, expected: Float64Array): { tied: number; moves: string[] } {
  const moves: string[] = [];
  let tied = 0;
  modelsOf(sweep).forEach(({ model, moved }, k) => {
    tied += moved.size;
    for (let i = 0; i < R * P; i++) {
      const wanted = expected[k * R * P + i]!, where = `${name}, set ${k}, cell ${i}`;
      const close = (value: number | undefined) => Math.abs(value! - wanted) <= 1e-12 * Math.abs(wanted);
      if (close(model[i])) continue;
      assert.ok(
        close(moved.get(i)),
        `${where}: ${model[i]} against ${wanted}; ties of the set: ${[...moved.keys()].join(" ")}`,
      );
      moves.push(where);
    }
  });
  return { tied, moves };
}

dataTest("losscone_model reproduces the reference's models", ["losscone/kernels/forward.npz"], (path) => {
  const data = oracle(path), params = data("params"), energy = data("energy"), n = params.length / 7;
  assert.equal(n, 32);
  for (const grid of ["linear", "instrument"]) {
    const pitch = data(`pitch_${grid}`), expected = data(`model_${grid}`);
    const moves: string[] = [];
    let tied = 0;
    for (let k = 0; k < n; k++) {
      // U, b, A, w, s, g, V
      const [U, b, A, w, s, g] = params.subarray(7 * k, 7 * k + 6);
      const potential = new Float64Array(R).fill(params[7 * k + 6]!);
      const wanted = expected.subarray(k * R * P, (k + 1) * R * P);
      const found = compareModels(`${grid} ${k}`, {
        energy,
        pitch,
        potential,
        sets: [[U!, b!, A!]],
        constants: [w!, s!, g!],
      }, wanted);
      tied += found.tied;
      moves.push(...found.moves);
    }
    sayTies(`forward, ${grid} pitch`, tied, moves);
    assert.deepEqual(moves, MOVED);
    // the linear grid has a cell at 180° in every row, on the edge wherever the cone is shut
    assert.equal(tied > 0, grid === "linear");
  }
});

dataTest(
  "losscone_model with a potential of its own in every row",
  ["losscone/kernels/forward.npz"],
  (path) => {
    const data = oracle(path), params = data("params"), potential = data("perrow_usc");
    const expected = data("perrow_model");
    const sweep = { energy: data("energy"), potential };
    assert.equal(expected.length, 4 * R * P);
    let tied = 0;
    const moves: string[] = [];
    for (let k = 0; k < 4; k++) {
      const [U, b, A, w, s, g] = params.subarray(7 * k, 7 * k + 6);
      const own = { ...sweep, sets: [[U!, b!, A!]], constants: [w!, s!, g!] };
      const wanted = expected.subarray(k * R * P, (k + 1) * R * P);
      // the file does not say which of its two pitch grids these are on; on the linear one hundreds of cells differ
      const found = compareModels(`row by row ${k}`, { ...own, pitch: data("pitch_instrument") }, wanted);
      assert.throws(() => compareModels("other grid", { ...own, pitch: data("pitch_linear") }, wanted));
      tied += found.tied;
      moves.push(...found.moves);
    }
    sayTies("forward, potential by row", tied, moves);
    assert.deepEqual(moves, MOVED);
  },
);

dataTest("losscone_chisq reproduces the reference's chi-squares", ["losscone/kernels/chi2.npz"], (path) => {
  const data = oracle(path), params = data("params"), V = data("u_spacecraft"), n = V.length;
  const energy = Float64Array.from({ length: R }, (_, i) => 20000 * (40 / 20000) ** (i / (R - 1)));
  const norm = data("norm2d"), pitch = data("pitch");
  const sets = Array.from(
    { length: params.length / 3 },
    (_, k) => Array.from(params.subarray(3 * k, 3 * k + 3)),
  );
  const S = sets.length;
  assert.deepEqual([n, S], [22, 64]);
  const models = Array.from({ length: n }, (_, e) =>
    modelsOf({
      energy,
      pitch: pitch.slice(e * R * P, (e + 1) * R * P),
      potential: new Float64Array(R).fill(V[e]!),
      sets,
      constants: [...CONSTANTS.subarray(0, 3)],
    }));
  const joined = models.map((own) => {
    const all = new Float64Array(S * R * P);
    own.forEach(({ model }, k) => all.set(model, k * R * P));
    return all;
  });
  for (const [METHOD, name, values] of METHODS) {
    const bits = data(`${name}_mask`), expected = data(values);
    const mask = Uint8Array.from({ length: n * R * P }, (_, i) => bits[i >> 3]! >> (7 - (i & 7)) & 1);
    let compared = 0, none = 0, tied = 0;
    for (let e = 0; e < n; e++) {
      const cells = [e * R * P, (e + 1) * R * P] as const;
      const own = norm.slice(...cells), counted = mask.slice(...cells);
      const { chi2 } = call(lossconeChisq, { B: S, R, P, METHOD }, {
        norm: repeated(own, S),
        mask: Uint8Array.from({ length: S * R * P }, (_, i) => counted[i % (R * P)]!),
        model: joined[e]!,
      });
      models[e]!.forEach(({ model, moved }, k) => {
        const where = `${name}, sweep ${e}, set ${k}`, wanted = expected[S * e + k]!;
        compared++;
        if (Number.isNaN(wanted)) {
          none++;
          assert.ok(Number.isNaN(chi2![k]!), where);
          return;
        }
        const free = [...moved].filter(([i]) => counted[i] === 1);
        if (free.length > 0) tied++;
        const per = METHOD === 0 ? 1 : Math.max(counted.reduce((sum, one) => sum + one, 0) - 3, 1);
        const change = free.map(([i, other]) =>
          (costOf(METHOD, own[i]!, other) - costOf(METHOD, own[i]!, model[i]!)) / per
        );
        const sums = eitherSide(chi2![k]!, change);
        const best = sums.reduce((a, b) => Math.abs(b - wanted) < Math.abs(a - wanted) ? b : a);
        assertClose([best], [wanted], 1e-10, `${where}, ties ${free.map(([i]) => i).join(" ")}`);
      });
    }
    console.log(
      `${name}: ${compared} chi-squares, ${none} of them NaN, ${tied} with a tie among their cells`,
    );
    assert.deepEqual([compared, tied], [n * S, 0]);
    // sweeps without a valid cell, or with fewer than five
    const empty = Array.from({ length: n }, (_, e) => e).filter((e) => {
      const cells = mask.subarray(e * R * P, (e + 1) * R * P).reduce((sum, one) => sum + one, 0);
      return cells < (METHOD === 0 ? 1 : 5);
    });
    assert.equal(none, S * empty.length);
  }
});

Deno.test("ties: listed on the Moon's side only, each moved by 1 − g, sums over either side of each", () => {
  // sin²α of 150° and 135° are 1/4 and 1/2; b is x where U is 0
  const pitch = Float64Array.of(30, 100, 150, 150, 160, 90), energy = Float64Array.of(100);
  const at = (b: number) => ties({ energy, pitch, potential: () => 0 }, 0, b);
  assert.deepEqual(at(0.25), [2, 3]);
  assert.deepEqual(at(0.25 + 2e-12), []);
  assert.deepEqual(eitherSide(10, [1, 4]), [10, 11, 14, 15]);
  assert.throws(() => eitherSide(0, new Array(13).fill(1)), RangeError);
  const cells = new Float64Array(R * P).fill(30);
  cells.set([150, 100, 170]);
  const sweep = {
    energy: new Float64Array(R).fill(100),
    pitch: cells,
    potential: new Float64Array(R),
    sets: [[0, 0.25, 0]],
    constants: [15, 7.5, 0.05],
  };
  const [{ model, moved }] = modelsOf(sweep) as [ReturnType<typeof modelsOf>[number]];
  assert.deepEqual([...moved.keys()], [0]);
  assertClose([model[0]! + moved.get(0)!], [1.05], 1e-14);
  // a flip at the tie passes and is counted, the same elsewhere does not
  const flipped = model.slice();
  flipped[0] = moved.get(0)!;
  assert.deepEqual(compareModels("flip", sweep, flipped), {
    tied: 1,
    moves: ["flip, set 0, cell 0"],
  });
  flipped[1] = 0.05;
  assert.throws(() => compareModels("flip", sweep, flipped), /cell 1/);
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
