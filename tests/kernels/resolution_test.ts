import assert from "node:assert/strict";
import {
  gaussianReach,
  lsfInverse,
  resolutionApply,
  resolutionDeconvolve,
  resolutionGaussian,
  rowCentring,
} from "../../core/kernels/resolution.ts";
import { random, uniform } from "../reference/random.ts";
import { slowDeconvolve } from "../reference/resolution.ts";
import { dataTest } from "../shared_data.ts";
import { assertClose, call } from "./harness.ts";
import { type Oracle, oracle } from "./oracle.ts";

/** σ of rows, pixels. */
const SPREAD = 0.85;
const ORACLE = "stellar/kernels/resolution.npz";

/** B stored matrices with Gaussian-like rows and noise. */
function stored(B: number, W: number, P: number, seed: number): Float32Array {
  const next = random(seed), w = (W - 1) / 2;
  return Float32Array.from(
    { length: B * W * P },
    (_, i) => Math.exp(-0.5 * ((Math.floor(i / P) % W - w) / 0.9) ** 2) * (0.44 + 0.02 * next()),
  );
}

/** What resolution_deconvolve takes besides the matrices, for a template of `sigma` pixels. */
function deconvolution(B: number, W: number, P: number, sigma: number, displacement = new Float64Array(B)) {
  const spread = new Float64Array(B).fill(SPREAD);
  const centring = new Float64Array(2 * B * W * W);
  spread.forEach((s, b) => centring.set(rowCentring(W, s, sigma), 2 * b * W * W));
  const lam = Float64Array.from({ length: P }, (_, i) => 4000 + 0.8 * i);
  return { inverse: lsfInverse(W, sigma), displacement, spread, centring, lam };
}

for (const [W, P] of [[11, 60], [11, 61], [5, 20], [3, 7], [1, 4], [11, 9], [7, 3], [13, 1]]) {
  Deno.test(`resolution_deconvolve agrees with row-by-row solutions, W = ${W}, P = ${P}`, () => {
    const B = 3, sigma = 0.6;
    const d = stored(B, W, P, W + P);
    for (const WRAP of [0, 1]) {
      const displacement = Float64Array.of(0, 2.5e-6, -5e-5);
      const inputs = { d, ...deconvolution(B, W, P, sigma, displacement) };
      const { rows } = call(resolutionDeconvolve, { B, W, P, WRAP }, inputs);
      for (let b = 0; b < B; b++) {
        const delta = inputs.lam.map((x) => displacement[b] * x);
        const own = d.subarray(b * W * P, (b + 1) * W * P);
        const expected = slowDeconvolve(W, P, own, sigma, WRAP === 1, { delta, spread: SPREAD });
        assertClose(rows.subarray(b * P * W, (b + 1) * P * W), expected, 1e-12, `matrix ${b}`);
      }
    }
  });
}

Deno.test("resolution_deconvolve with σ = 0 gives the stored rows back", () => {
  const W = 5, P = 12;
  const d = new Float32Array(W * P).fill(0.2);
  const { rows } = call(resolutionDeconvolve, { B: 1, W, P, WRAP: 0 }, { d, ...deconvolution(1, W, P, 0) });
  assert.deepEqual(rows.subarray(5 * W, 6 * W), new Float64Array(W).fill(d[0]));
  for (let i = 0; i < P; i++) {
    const sum = rows.subarray(i * W, (i + 1) * W).reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(sum - 1) < 1e-7, `row ${i} sums to ${sum}`);
  }
});

Deno.test("resolution_deconvolve: dead fibres and dead edge rows give zeros, NaN stays in its spectrum", () => {
  const B = 4, W = 11, P = 40;
  const rest = deconvolution(B, W, P, 0.625);
  const sizes = { B, W, P, WRAP: 0 };
  const d = stored(B, W, P, 1);
  const whole = call(resolutionDeconvolve, sizes, { d, ...rest }).rows;
  assert.deepEqual(call(resolutionDeconvolve, sizes, { d, ...rest }).rows, whole);
  const size = W * P;
  d.fill(0, size, 2 * size);
  d[2 * size + 5 * P + 20] = NaN;
  // row 0 of the last matrix
  for (let k = 0; k < W; k++) if (k <= 5) d[3 * size + k * P + 5 - k] = 0;
  const rows = call(resolutionDeconvolve, sizes, { d, ...rest }).rows;
  assert.deepEqual(rows.subarray(0, size), whole.subarray(0, size));
  assert.ok(rows.subarray(size, 2 * size).every((v) => v === 0));
  assert.ok(rows.subarray(2 * size, 3 * size).some(Number.isNaN));
  assert.ok(rows.subarray(3 * size, 3 * size + W).every((v) => v === 0));
  assert.ok(rows.subarray(3 * size).every(Number.isFinite));
  const empty = { d: new Float32Array(0), ...deconvolution(0, W, P, 0.625) };
  const none = call(resolutionDeconvolve, { ...sizes, B: 0 }, empty);
  assert.equal(none.rows.length, 0);
});

for (const [W, P] of [[11, 40], [3, 5], [1, 3], [11, 4], [13, 1]]) {
  Deno.test(`resolution_apply agrees with plain sums, W = ${W}, P = ${P}; NaN stays in its spectrum`, () => {
    const B = 3, w = (W - 1) / 2;
    const next = random(W * P);
    const rows = uniform(B * P * W, next), vec = uniform(B * P, next);
    const { out } = call(resolutionApply, { B, W, P }, { rows, vec });
    const expected = Float64Array.from(vec, (_, at) => {
      const i = at % P, b = Math.floor(at / P);
      let sum = 0;
      for (let m = 0; m < W; m++) {
        const j = i + m - w;
        if (j >= 0 && j < P) sum += rows[at * W + m] * vec[b * P + j];
      }
      return sum;
    });
    assertClose(out, expected, 1e-14);
    vec[P] = NaN;
    const broken = call(resolutionApply, { B, W, P }, { rows, vec }).out;
    assert.ok(Number.isNaN(broken[P]));
    assert.deepEqual(broken.subarray(0, P), out.subarray(0, P));
    assert.deepEqual(broken.subarray(2 * P), out.subarray(2 * P));
    assert.equal(
      call(resolutionApply, { B: 0, W, P }, { rows: new Float64Array(0), vec: new Float64Array(0) }).out
        .length,
      0,
    );
  });
}

Deno.test("resolution_gaussian: rows of unit sum, the unit matrix for σ = 0, NaN stays in its row", () => {
  const P = 30, W = 9, B = 2;
  const lam = Float64Array.from({ length: P }, (_, i) => 5000 + 0.8 * i);
  const sigma = new Float64Array(B * P).fill(0.9);
  sigma.fill(0, P);
  sigma[3] = NaN;
  const { rows } = call(resolutionGaussian, { B, W, P }, { lam, sigma });
  for (let i = 0; i < B * P; i++) {
    const row = rows.subarray(i * W, (i + 1) * W);
    if (i === 3) assert.ok(row.every(Number.isNaN));
    else assert.ok(Math.abs(row.reduce((a, b) => a + b, 0) - 1) < 1e-15);
    if (i >= P) assert.deepEqual([...row], [0, 0, 0, 0, 1, 0, 0, 0, 0]);
  }
  const x = 0.8 / 0.9;
  assert.ok(Math.abs(rows[15 * W + 5] / rows[15 * W + 4] - Math.exp(-0.5 * x * x)) < 1e-12);
});

/** Row form of stored diagonals: data[k, j] is column j of row j − offset_k. */
function rowForm(read: Oracle, name: string): { rows: Float64Array; W: number; P: number } {
  const data = read(`${name}_data`), offsets = read(`${name}_offsets`);
  const W = offsets.length, P = data.length / W, w = (W - 1) / 2;
  const rows = new Float64Array(P * W);
  offsets.forEach((offset, k) => {
    for (let j = 0; j < P; j++) {
      const i = j - offset;
      if (i >= 0 && i < P) rows[i * W + offset + w] = data[k * P + j];
    }
  });
  return { rows, W, P };
}

dataTest(
  "resolution_deconvolve gives the reference's matrix: all of it with WRAP, all but the first w rows without",
  [ORACLE],
  (path) => {
    const read = oracle(path);
    const { rows: expected, W, P } = rowForm(read, "desi_dia");
    const d = Float32Array.from(read("desi_in"));
    const inputs = { d, ...deconvolution(1, W, P, 0.5 / 0.8) };
    const wrapped = call(resolutionDeconvolve, { B: 1, W, P, WRAP: 1 }, inputs).rows;
    assertClose(wrapped, expected, 1e-14, "with WRAP", 1);
    const clean = call(resolutionDeconvolve, { B: 1, W, P, WRAP: 0 }, inputs).rows;
    const first = 5 * W;
    assertClose(clean.subarray(first), expected.subarray(first), 1e-14, "without WRAP", 1);
    // the mirror image at the right edge is what the left edge of this symmetric matrix should be
    assertClose(clean.slice(0, first), expected.slice(-first).reverse(), 1e-6, "left edge", 1);
  },
);

dataTest(
  "resolution_deconvolve before edge scaling gives the reference's deconvolved rows away from the edges",
  [ORACLE],
  (path) => {
    const read = oracle(path);
    const W = 11, P = read("deconv_only").length / W;
    const { rows } = call(resolutionDeconvolve, { B: 1, W, P, WRAP: 1 }, {
      d: Float32Array.from(read("desi_in")),
      ...deconvolution(1, W, P, 0.625),
    });
    const data = read("deconv_only");
    for (let i = 5; i < P - 5; i++) {
      for (let m = 0; m < W; m++) {
        assert.ok(Math.abs(rows[i * W + m] - data[(W - 1 - m) * P + i + m - 5]) < 1e-14);
      }
    }
  },
);

dataTest("resolution_apply gives the reference's product", [ORACLE], (path) => {
  const read = oracle(path);
  const { rows, W, P } = rowForm(read, "desi_dia");
  assertClose(call(resolutionApply, { B: 1, W, P }, { rows, vec: read("vec") }).out, read("desi_out"), 1e-14);
});

for (const [name, sigmaOf] of [["R3000", (lam: number) => lam / 3000 / 2.35], ["w07", () => 0.7]] as const) {
  dataTest(`resolution_gaussian and resolution_apply give the reference's ${name}`, [ORACLE], (path) => {
    const read = oracle(path);
    const lam = read("crm_lam");
    const sigma = lam.map(sigmaOf);
    const expected = rowForm(read, name);
    const { W, P } = expected;
    assert.equal(2 * gaussianReach(lam, sigma) + 1, W);
    const { rows } = call(resolutionGaussian, { B: 1, W, P }, { lam, sigma });
    assertClose(rows, expected.rows, 1e-13, "matrix");
    assertClose(
      call(resolutionApply, { B: 1, W, P }, { rows, vec: read("crm_vec") }).out,
      read(`${name}_out`),
      1e-13,
    );
  });
}
