import assert from "node:assert/strict";
import { ccfScan, ccfSpread } from "../../core/kernels/ccf.ts";
import { fourierTwiddles, rfft } from "../../core/kernels/fourier.ts";
import { interpolateArm, slowScan, slowSpread } from "../reference/ccf.ts";
import { random, uniform } from "../reference/random.ts";
import { dataTest } from "../shared_data.ts";
import { assertClose, call } from "./harness.ts";
import { oracle } from "./oracle.ts";

const ORACLE = "stellar/kernels/ccf.npz";
const ARMS = "stellar/kernels/getchisq.npz";
/** Grid of the oracle's arm r (its ccfconf_r): 8192 points uniform in ln λ. */
const N_R = 8192, LOG0 = 8.641179171197228, LOG1 = 8.951569643018821;
const STEP_R = (LOG1 - LOG0) / (N_R - 1);

function scan(
  N: number,
  L: number,
  templates: Float64Array,
  dw: Float64Array,
  w: Float64Array,
): Record<string, Float64Array> {
  const T = templates.length / N, B = dw.length / N;
  const twiddles = call(fourierTwiddles, { N }, {}).twiddles;
  const spectra = (x: Float64Array) => call(rfft, { B: x.length / N, N }, { twiddles, x }).out;
  return call(ccfScan, { B, T, N, L }, {
    twiddles,
    tm: spectra(templates),
    tm2: spectra(templates.map((v) => v * v)),
    fd: spectra(dw),
    fw: spectra(w),
  });
}

function checkAgainstSums(N: number, L: number, T: number, B: number): void {
  const next = random(N + L + T);
  const templates = uniform(T * N, next), dw = uniform(B * N, next), w = uniform(B * N, next, 0, 2);
  const out = scan(N, L, templates, dw, w);
  const lags = 2 * L + 1;
  for (let b = 0; b < B; b++) {
    const all = Array.from(
      { length: T },
      (_, t) =>
        slowScan(
          templates.subarray(t * N, (t + 1) * N),
          dw.subarray(b * N, (b + 1) * N),
          w.subarray(b * N, (b + 1) * N),
          L,
        ),
    );
    const scale = Math.max(...all.flatMap((x) => [...x].map(Math.abs)));
    const envelope = Array.from({ length: lags }, (_, i) => Math.min(...all.map((x) => x[i])));
    assertClose(out.envelope.subarray(b * lags, (b + 1) * lags), envelope, 1e-13, "envelope", scale);
    assertClose(
      out.lowest.subarray(b * T, (b + 1) * T),
      all.map((x) => Math.min(...x)),
      1e-13,
      "lowest",
      scale,
    );
    for (let i = 0; i < lags; i++) {
      const t = out.envelope_template[b * lags + i];
      assert.ok(Math.abs(all[t][i] - envelope[i]) < 1e-12 * scale, `template ${t} at lag ${i - L}`);
    }
    for (let t = 0; t < T; t++) {
      const lag = out.lowest_lag[b * T + t];
      assert.ok(
        Math.abs(all[t][lag + L] - Math.min(...all[t])) < 1e-12 * scale,
        `lag ${lag} of template ${t}`,
      );
    }
  }
}

for (
  const [N, L, T, B] of [[64, 3, 5, 2], [64, 31, 2, 1], [256, 0, 1, 2], [512, 100, 3, 2], [1024, 55, 4, 1], [
    2048,
    15,
    2,
    1,
  ]]
) {
  Deno.test(`ccf_scan agrees with direct sums, N = ${N}, L = ${L}, ${T} templates, ${B} spectra`, () => {
    checkAgainstSums(N, L, T, B);
  });
}

Deno.test("ccf_scan: a redshifted template is found at a positive lag", () => {
  const N = 256, L = 20;
  const template = Float64Array.from({ length: N }, (_, j) => -Math.exp(-0.5 * ((j - 100) / 3) ** 2));
  const other = Float64Array.from({ length: N }, (_, j) => -Math.exp(-0.5 * ((j - 100) / 9) ** 2));
  // data: the template at 7 grid points more, and at 12 less
  const rows = [7, -12].map((lag) => Array.from({ length: N }, (_, j) => template[(j - lag + N) % N]));
  const w = new Float64Array(2 * N).fill(4);
  const dw = Float64Array.from(rows.flat(), (v) => 4 * v);
  const out = scan(N, L, Float64Array.from([...other, ...template]), dw, w);
  assert.deepEqual([out.lowest_lag[1], out.lowest_lag[3]], [7, -12]);
  assert.equal(out.envelope_template[7 + L], 1);
  const energy = rows[0].reduce((sum, v) => sum + 4 * v * v, 0);
  assert.ok(Math.abs(out.lowest[1] + energy) < 1e-12 * energy, "χ² = 0 at a perfect match");
});

Deno.test("ccf_scan: empty batches, NaN stays in its row, bit-identical on repeat", () => {
  const N = 64, L = 5;
  const next = random(8);
  const templates = uniform(3 * N, next), dw = uniform(3 * N, next), w = uniform(3 * N, next, 0, 1);
  const none = new Float64Array(0);
  assert.equal(scan(N, L, templates, none, none).envelope.length, 0);
  assert.equal(scan(N, L, none, dw, w).lowest.length, 0);
  const whole = scan(N, L, templates, dw, w);
  assert.deepEqual(scan(N, L, templates, dw, w), whole);
  assert.ok(scan(N, 32, templates, dw, w).envelope.every(Number.isNaN), "more lags than grid points");
  dw[N + 3] = NaN;
  const out = scan(N, L, templates, dw, w);
  for (const b of [0, 2]) {
    assert.deepEqual(
      out.envelope.subarray(b * 11, b * 11 + 11),
      whole.envelope.subarray(b * 11, b * 11 + 11),
    );
  }
  assert.ok(out.envelope.subarray(11, 22).every(Number.isNaN));
  assert.ok(Number.isNaN(out.lowest[3]));
});

Deno.test("ccf_spread agrees with a gather, adds to what is there, skips what is unusable", () => {
  const B = 3, P = 97, G = 60, FIRST = 4, LAST = 90;
  const next = random(11);
  const y = uniform(B * P, next, -5, 50),
    s = uniform(B * P, next, 0.1, 4),
    continuum = uniform(B * P, next, 0.5, 9);
  for (let i = 0; i < B * P; i += 7) s[i] = 0;
  for (let i = 3; i < B * P; i += 11) continuum[i] = -1;
  continuum[50] = NaN;
  // two pixels a cell on the left, cells left out on the right, both ends off the grid
  const index = Int32Array.from({ length: P }, (_, p) => Math.floor(-2 + 0.004 * p * p + 0.3 * p));
  const fraction = uniform(P, next, 0, 1);
  fraction[10] = 0;
  const dw = uniform(B * G, next), w = uniform(B * G, next);
  const star = Int32Array.of(2, 0, 1);
  const out = call(ccfSpread, { B, S: 3, P, G, FIRST, LAST }, {
    y,
    s,
    continuum,
    index,
    fraction,
    star,
    dw,
    w,
  });
  for (let spectrum = 0; spectrum < B; spectrum++) {
    const b = star[spectrum]!;
    const row = (a: Float64Array) => a.subarray(spectrum * P, (spectrum + 1) * P);
    const added = slowSpread(G, [FIRST, LAST], row(y), row(s), row(continuum), index, fraction);
    for (const name of ["dw", "w"] as const) {
      const before = (name === "dw" ? dw : w).subarray(b * G, (b + 1) * G);
      const expected = added[name].map((v, g) => v + before[g]);
      assertClose(out[name].subarray(b * G, (b + 1) * G), expected, 1e-14, name);
    }
  }
});

Deno.test("ccf_spread: empty batch; a NaN flux stays in its row", () => {
  const none = new Float64Array(0);
  const index = Int32Array.from([0, 1]), fraction = Float64Array.of(0.5, 0.5);
  const sizes = { S: 2, P: 2, G: 4, FIRST: 0, LAST: 2 };
  const empty = {
    y: none,
    s: none,
    continuum: none,
    index,
    fraction,
    star: new Int32Array(0),
    dw: none,
    w: none,
  };
  assert.equal(call(ccfSpread, { B: 0, ...sizes, S: 0 }, empty).w.length, 0);
  const ones = new Float64Array(4).fill(1);
  const out = call(ccfSpread, { B: 2, ...sizes }, {
    y: Float64Array.of(NaN, 1, 3, 1),
    s: ones,
    continuum: ones,
    index,
    fraction,
    star: Int32Array.of(0, 1),
    dw: new Float64Array(8),
    w: new Float64Array(8),
  });
  assert.deepEqual([...out.dw], [NaN, NaN, 0, 0, 1, 1, 0, 0]);
  assert.deepEqual([...out.w], [0.5, 1, 0.5, 0, 0.5, 1, 0.5, 0]);
});

Deno.test("ccf_spread adds the exposures of one star to one grid", () => {
  const sizes = { P: 2, G: 4, FIRST: 0, LAST: 2 };
  const inputs = {
    index: Int32Array.of(0, 1),
    fraction: Float64Array.of(0.5, 0.5),
    dw: new Float64Array(4),
    w: new Float64Array(4),
  };
  const ones = new Float64Array(4).fill(1);
  const out = call(ccfSpread, { B: 2, S: 1, ...sizes }, {
    ...inputs,
    y: Float64Array.of(2, 1, 3, 1),
    s: ones,
    continuum: ones,
    star: Int32Array.of(0, 0),
  });
  assert.deepEqual([...out.dw], [1.5, 1.5, 0, 0]);
  assert.deepEqual([...out.w], [1, 2, 1, 0]);
});

// The oracle's members one by one; the whole of it, best_ccf included, is in ccf_oracle_test.ts.

/** Arm r as it was fitted: λ, flux, 1/σ² with 0 where bad. */
function armR(path: string) {
  const read = oracle(path);
  const lam = read("sd_desi_r_lam"), flux = read("sd_desi_r_spec"), bad = read("sd_desi_r_badmask");
  const ivar = read("sd_desi_r_espec").map((e, i) => bad[i] ? 0 : 1 / (e * e));
  return { lam, flux, ivar };
}

dataTest(
  "oracle: proc_desi_r and proc_r_ivar follow from the data and continuum_r by linear interpolation, 1e-8",
  [
    ORACLE,
    ARMS,
  ],
  (path, arms) => {
    const read = oracle(path);
    const { lam, flux, ivar } = armR(arms);
    const grid = Float64Array.from({ length: N_R }, (_, i) => Math.exp(LOG0 + STEP_R * i));
    const found = interpolateArm(lam, flux, ivar, read("continuum_r"), grid);
    assertClose(found.flux, read("proc_desi_r"), 1e-8, "flux");
    assertClose(found.ivar, read("proc_r_ivar"), 1e-8, "ivar");
  },
);

dataTest(
  "oracle: ccf_scan of model_r_0 and model_r_1 on the processed arm r agrees with direct sums, 1e-12",
  [
    ORACLE,
  ],
  (path) => {
    const read = oracle(path);
    const w = read("proc_r_ivar"), L = 89;
    const dw = read("proc_desi_r").map((d, i) => d * w[i]);
    const models = [read("model_r_0"), read("model_r_1")];
    const out = scan(N_R, L, Float64Array.from([...models[0], ...models[1]]), dw, w);
    const sums = models.map((model) => slowScan(model, dw, w, L));
    const scale = Math.max(...sums.flatMap((x) => [...x].map(Math.abs)));
    assertClose(out.envelope, sums[0].map((v, i) => Math.min(v, sums[1][i])), 1e-12, "envelope", scale);
    for (const t of [0, 1]) {
      assert.equal(out.lowest_lag[t], sums[t].indexOf(Math.min(...sums[t])) - L, `lag of template ${t}`);
    }
  },
);

dataTest("oracle: ccf_spread and ccf_scan of model_r_1 − 1 put arm r within a grid step of best_vel", [
  ORACLE,
  ARMS,
], (
  path,
  arms,
) => {
  const read = oracle(path);
  const { lam, flux, ivar } = armR(arms);
  const P = lam.length, G = N_R, L = 89;
  const s = ivar.map(Math.sqrt);
  const place = lam.map((v) => (Math.log(v) - LOG0) / STEP_R);
  const { dw, w } = call(ccfSpread, { B: 1, S: 1, P, G, FIRST: 0, LAST: P }, {
    star: Int32Array.of(0),
    y: flux.map((v, i) => v * s[i]),
    s,
    continuum: read("continuum_r"),
    index: Int32Array.from(place, Math.floor),
    fraction: place.map((v) => v - Math.floor(v)),
    dw: new Float64Array(G),
    w: new Float64Array(G),
  });
  const out = scan(G, L, read("model_r_1").map((v) => v - 1), dw, w);
  const velocity = 299792.458 * Math.tanh(out.lowest_lag[0] * STEP_R);
  const step = 299792.458 * STEP_R;
  assert.ok(Math.abs(velocity - read("best_vel")[0]) < step, `${velocity} km/s`);
});
