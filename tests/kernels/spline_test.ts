import assert from "node:assert/strict";
import { splineBuild, splineEvaluate, splineFactor } from "../../core/kernels/spline.ts";
import { slowSpline, slowSplineValue } from "../reference/spline.ts";
import { random, uniform } from "../reference/random.ts";
import { dataTest } from "../shared_data.ts";
import { assertClose, call } from "./harness.ts";
import { oracle } from "./oracle.ts";

function spline(x: Float64Array, y: Float64Array, xe: Float64Array, velocity: Float64Array, LOG: number) {
  const N = x.length, B = velocity.length;
  const { factor } = call(splineFactor, { N }, { x });
  const { z } = call(splineBuild, { B, N }, { factor: factor!, y });
  const { out } = call(splineEvaluate, { B, N, P: xe.length, LOG }, { x, y, z: z!, xe, velocity });
  return { z: z!, out: out! };
}

for (const N of [2, 3, 5, 64]) {
  Deno.test(`spline agrees with a dense solve, ${N} knots`, () => {
    const next = random(N);
    const x = Float64Array.from({ length: N }, (_, i) => 4000 * Math.exp(1e-4 * i));
    const B = 3;
    const y = uniform(B * N, next);
    const xe = uniform(40, next, x[0]! + 1e-9, x[N - 1]! - 1e-9);
    const { z, out } = spline(x, y, xe, new Float64Array(B), 1);
    for (let b = 0; b < B; b++) {
      const yb = y.subarray(b * N, (b + 1) * N);
      const expected = slowSpline(x, yb);
      assertClose(z.subarray(b * N, (b + 1) * N), expected, 1e-12, "z");
      const values = xe.map((point) => slowSplineValue(x, yb, expected, point));
      // x − x_i loses 1e-12 of the interval where knots are 1e-4 apart
      assertClose(out.subarray(b * 40, (b + 1) * 40), values, 1e-11, "values");
    }
  });
}

Deno.test("spline is NaN outside its knots and right at the last one", () => {
  const x = Float64Array.of(1, 2, 3, 4), y = Float64Array.of(5, 7, 6, 0.73);
  const { out } = spline(x, y, Float64Array.of(0.999, 1, 4 - 4e-16, 4, 4.001), new Float64Array(1), 0);
  assert.ok(Number.isNaN(out[0]) && Number.isNaN(out[4]));
  assertClose(out.subarray(1, 4), [5, 0.73, 0.73], 1e-14);
});

Deno.test("spline of a NaN leaves the other batch rows untouched", () => {
  const N = 20, x = Float64Array.from({ length: N }, (_, i) => 100 + i);
  const next = random(3);
  const y = uniform(2 * N, next);
  const xe = uniform(9, next, 101, 118);
  const clean = spline(x, y, xe, new Float64Array(2), 0).out;
  y[7] = NaN;
  const dirty = spline(x, y, xe, new Float64Array(2), 0).out;
  assert.deepEqual(dirty.subarray(9), clean.subarray(9));
});

Deno.test("spline of an empty batch does nothing", () => {
  const x = Float64Array.of(1, 2, 3);
  assert.equal(spline(x, new Float64Array(0), x, new Float64Array(0), 0).out.length, 0);
});

for (const name of ["log", "lin", "small"]) {
  dataTest(`spline reproduces the ${name} oracle`, ["stellar/kernels/spline.npz"], (path) => {
    const get = oracle(path);
    const [x, y, xe] = [get(`${name}_x`), get(`${name}_y`), get(`${name}_xe`)];
    const { z, out } = spline(x, y, xe, new Float64Array(1), name === "log" ? 1 : 0);
    const h = x.subarray(0, -1).map((value, i) => x[i + 1]! - value);
    assertClose(h.map((value, i) => z[i + 1]! / value), get(`${name}_A`), 1e-12, "A");
    assertClose(h.map((value, i) => y[i + 1]! / value - z[i + 1]! * value), get(`${name}_C`), 1e-12, "C");
    assertClose(out, get(`${name}_ye`), 1e-12, "values");
  });
}

dataTest(
  "spline at Doppler-shifted wavelengths reproduces the oracle",
  ["stellar/kernels/evalrv.npz"],
  (path) => {
    const get = oracle(path);
    const x = get("templ_lam"), templ = get("templ"), velocity = get("vel");
    const y = new Float64Array(velocity.length * x.length);
    velocity.forEach((_, b) => y.set(templ, b * x.length));
    assertClose(spline(x, y, get("obs_lam"), velocity, 1).out, get("out"), 1e-12);
  },
);
