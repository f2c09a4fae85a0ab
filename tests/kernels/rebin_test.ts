import assert from "node:assert/strict";
import { npyFloat64, readNpz } from "../../core/io/npy.ts";
import { rebinApply, rebinLog, rebinSigma, rebinWeights, rebinWidth } from "../../core/kernels/rebin.ts";
import { random, uniform } from "../reference/random.ts";
import { pixelEdges, pixelWidths, slowWeights } from "../reference/rebin.ts";
import { dataTest } from "../shared_data.ts";
import { assertClose, call } from "./harness.ts";

const ORACLE = "stellar/kernels/rebinner.npz";

function weightsOf(lam0: Float64Array, lam1: Float64Array, sigma: Float64Array) {
  const N = lam0.length, M = lam1.length, W = rebinWidth(lam0, lam1, sigma);
  const { start, weights } = call(rebinWeights, { N, M, W }, { lam0, lam1, sigma });
  return { N, M, W, start: start as unknown as Int32Array, weights };
}

/** Grid with uneven steps. */
function uneven(n: number, from: number, step: number, next: () => number): Float64Array {
  let at = from;
  return Float64Array.from({ length: n }, () => at += step * (0.5 + next()));
}

for (
  const [what, sigma, step0, step1] of [
    ["a wide line", 0.66, 0.05, 0.4],
    ["a line narrower than input steps", 0.02, 0.3, 0.5],
    ["pixels finer than the input", 0.3, 0.5, 0.1],
    ["a line of many pixels", 3, 0.2, 0.4],
    ["pixels alone, σ = 0", 0, 0.1, 0.7],
    ["pixels alone within input steps, σ = 0", 0, 0.7, 0.2],
  ] as const
) {
  Deno.test(`rebin_weights agree with quadrature: ${what}`, () => {
    const next = random(4);
    const lam0 = uneven(200, 10, step0, next);
    // from beyond one end to beyond the other; near 0 Å, where the rounding of wavelengths does not count
    const lam1 = uneven(Math.ceil(220 * step0 / step1) + 4, 10 - 2 * step1 - 5 * step0, step1, next);
    const widths = Float64Array.from(lam1, (_, j) => sigma * (1 + 0.002 * j));
    const { M, N, W, start, weights } = weightsOf(lam0, lam1, widths);
    const edges = pixelEdges(lam1), pixels = pixelWidths(lam1);
    for (let j = 0; j < M; j++) {
      const expected = slowWeights(lam0, lam1[j], edges[j], edges[j + 1], widths[j], pixels[j]);
      const found = new Float64Array(N);
      for (let k = 0; k < W && start[j] + k < N; k++) found[start[j] + k] = weights[j * W + k];
      assertClose(found, expected, 2e-13, `pixel ${j}`, 1);
    }
  });
}

Deno.test("rebin_weights: a straight line stays straight, rows inside the input sum to 1 within the cut at 5σ", () => {
  const lam0 = Float64Array.from({ length: 600 }, (_, i) => 4000 + 0.1 * i);
  const lam1 = Float64Array.from({ length: 60 }, (_, j) => 4015 + 0.5 * j);
  for (const width of [0, 0.5]) {
    const { N, M, W, start, weights } = weightsOf(lam0, lam1, new Float64Array(60).fill(width));
    const flux = Float64Array.from([...lam0.map(() => 1), ...lam0.map((v) => v - 4000)]);
    const { out } = call(rebinApply, { T: 2, N, M, W }, { start, weights, flux });
    for (let j = 0; j < M; j++) {
      assert.ok(Math.abs(out[j] - 1) < (width === 0 ? 1e-14 : 7e-7));
      assert.ok(Math.abs(out[M + j] / (lam1[j] - 4000) - out[j]) < (width === 0 ? 1e-13 : 1e-7));
    }
  }
});

Deno.test("rebin_apply and rebin_log agree with plain sums; NaN stays in its row; bit-identical; empty batch", () => {
  const next = random(2);
  const lam0 = uneven(301, 5000, 0.1, next), lam1 = uneven(50, 5002, 0.5, next);
  const { N, M, W, start, weights } = weightsOf(lam0, lam1, new Float64Array(50).fill(0.4));
  const T = 5;
  const flux = uniform(T * N, next, -3, 3);
  const log = Float32Array.from(flux);
  const sizes = { T, N, M, W };
  const linear = call(rebinApply, sizes, { start, weights, flux }).out;
  const photons = call(rebinLog, sizes, { lam0, lam1, start, weights, flux: log }).out;
  for (let t = 0; t < T; t++) {
    for (let j = 0; j < M; j++) {
      let sum = 0, sumLog = 0;
      for (let k = 0; k < W && start[j] + k < N; k++) {
        const i = start[j] + k;
        sum += weights[j * W + k] * flux[t * N + i];
        sumLog += weights[j * W + k] * Math.exp(log[t * N + i]) * lam0[i];
      }
      assert.ok(Math.abs(linear[t * M + j] - sum) < 1e-13);
      assert.ok(Math.abs(photons[t * M + j] - Math.log(sumLog / lam1[j])) < 3e-7);
    }
  }
  assert.deepEqual(call(rebinApply, sizes, { start, weights, flux }).out, linear);
  flux[2 * N + 100] = NaN;
  log[2 * N + 100] = NaN;
  const broken = call(rebinApply, sizes, { start, weights, flux }).out;
  const brokenLog = call(rebinLog, sizes, { lam0, lam1, start, weights, flux: log }).out;
  assert.ok(broken.some(Number.isNaN) && brokenLog.some(Number.isNaN));
  for (let i = 0; i < T * M; i++) {
    if (Math.floor(i / M) === 2) continue;
    assert.equal(broken[i], linear[i]);
    assert.equal(brokenLog[i], photons[i]);
  }
  const none = { start, weights, flux: new Float64Array(0) };
  assert.equal(call(rebinApply, { ...sizes, T: 0 }, none).out.length, 0);
});

Deno.test("rebin_weights: NaN σ makes NaN weights of its pixel only; no pixels", () => {
  const lam0 = Float64Array.from({ length: 50 }, (_, i) => i + 1), lam1 = Float64Array.of(10, 12, 14, 16);
  const sizes = { N: 50, M: 4, W: 20 };
  const good = call(rebinWeights, sizes, { lam0, lam1, sigma: Float64Array.of(1, 1, 1, 1) }).weights;
  const bad = call(rebinWeights, sizes, { lam0, lam1, sigma: Float64Array.of(1, NaN, 1, 1) }).weights;
  assert.ok(bad.subarray(20, 40).some(Number.isNaN));
  assert.deepEqual([...bad.subarray(0, 20), ...bad.subarray(40)], [
    ...good.subarray(0, 20),
    ...good.subarray(40),
  ]);
  const none = new Float64Array(0);
  assert.equal(
    call(rebinWeights, { N: 50, M: 0, W: 3 }, { lam0, lam1: none, sigma: none }).weights.length,
    0,
  );
});

// The edges of its pixels are rounded to ε 5000 Å, 2.3e-12 of a pixel: only with the oracle's pixel widths, from the
// centres and not from the edges, does it come back.
dataTest(
  "rebin_weights and rebin_apply give the oracle's spectra and row sums, and quadrature's, to 1e-12",
  [ORACLE],
  (path) => {
    const file = readNpz(path);
    const array = (name: string) => npyFloat64(file.get(name)!, name);
    const vacuum = array("lam0"), lam1 = array("lam1"), flux = array("flux0");
    const sigma = lam1.map((lam) => rebinSigma(lam, lam / 1.55, 1e5));
    const air = vacuum.map((v) => v / (1 + 2.735182e-4 + 131.4182 / v ** 2 + 2.76249e8 / v ** 4));
    for (const [lam0, name] of [[vacuum, "out"], [air, "out_air"]] as const) {
      const { N, M, W, start, weights } = weightsOf(lam0, lam1, sigma);
      const both = Float64Array.from([...flux, ...flux.map(() => 1)]);
      const { out } = call(rebinApply, { T: 2, N, M, W }, { start, weights, flux: both });
      const edges = pixelEdges(lam1), pixels = pixelWidths(lam1);
      const slow = Float64Array.from(lam1, (at, j) => {
        const row = slowWeights(lam0, at, edges[j], edges[j + 1], sigma[j], pixels[j]);
        return row.reduce((sum, w, i) => sum + w * flux[i], 0);
      });
      assertClose(out.subarray(0, M), slow, 1e-12, `${name} by quadrature`);
      assertClose(out.subarray(0, M), array(name), 1e-12, name);
      if (name === "out") assertClose(out.subarray(M), array("row_sums"), 1e-12, "row_sums");
    }
  },
);
