import assert from "node:assert/strict";
import { interpolate } from "../../core/kernels/interpolate.ts";
import { slowInterpolate } from "../reference/interpolate.ts";
import { random, uniform } from "../reference/random.ts";
import { assertClose, call } from "./harness.ts";

for (const [D, N] of [[0, 5], [1, 64], [2, 65], [3, 63], [4, 129], [5, 7]] as const) {
  Deno.test(`interpolate agrees with the definition, ${D} axes, ${N} pixels`, () => {
    const next = random(D + N);
    const T = 40, E = 3, C = 1 << D;
    const templates = Float32Array.from(uniform(T * N, next, -2, 2));
    const corners = Int32Array.from({ length: E * C }, () => Math.floor(next() * T));
    const t = uniform(E * D, next, -0.2, 1.2);
    const { out } = call(interpolate, { E, T, N, D, C }, { templates, corners, t });
    for (let e = 0; e < E; e++) {
      const expected = slowInterpolate(
        templates,
        N,
        corners.subarray(e * C, (e + 1) * C),
        t.subarray(e * D, (e + 1) * D),
      );
      expected.forEach((column, c) => {
        const from = (e * (D + 1) + c) * N;
        assertClose(out!.subarray(from, from + N), column, 1e-14, `column ${c}`);
      });
    }
  });
}

Deno.test("interpolate at the last pixel of the last template stays inside the library", () => {
  const N = 3, templates = Float32Array.of(0, 0, 0, 1, 2, 3);
  const { out } = call(interpolate, { E: 1, T: 2, N, D: 0, C: 1 }, {
    templates,
    corners: Int32Array.of(1),
    t: new Float64Array(0),
  });
  assertClose(out!, [Math.E, Math.E ** 2, Math.E ** 3], 1e-15);
});

Deno.test("interpolate gives NaN for a NaN fraction in its own row only", () => {
  const templates = Float32Array.of(0, 0, 1, 1);
  const { out } = call(interpolate, { E: 2, T: 2, N: 2, D: 1, C: 2 }, {
    templates,
    corners: Int32Array.of(0, 1, 0, 1),
    t: Float64Array.of(NaN, 0.5),
  });
  assert.ok(out!.subarray(0, 4).every(Number.isNaN));
  assertClose(out!.subarray(4), [0, 0, 0, 0].map(() => Math.exp(0.5)), 1e-15);
});

Deno.test("interpolate saturates instead of overflowing", () => {
  const { out } = call(interpolate, { E: 1, T: 1, N: 2, D: 0, C: 1 }, {
    templates: Float32Array.of(1e4, -1e4),
    corners: Int32Array.of(0),
    t: new Float64Array(0),
  });
  assertClose(out!, [Math.exp(700), Math.exp(-700)], 1e-13);
});
