import assert from "node:assert/strict";
import { rotate, rotationWeights } from "../../core/kernels/rotation.ts";
import { slowRotate, slowRotationWeight } from "../reference/rotation.ts";
import { random, uniform } from "../reference/random.ts";
import { dataTest } from "../shared_data.ts";
import { assertClose, call } from "./harness.ts";
import { oracle } from "./oracle.ts";

const halfWidth = (R: number) => Math.ceil(R + 1);

function weights(R: number, H = halfWidth(R), eps = 0.6) {
  return call(rotationWeights, { B: 1, H }, { R: Float64Array.of(R), eps: Float64Array.of(eps) });
}

Deno.test("rotation weights agree with quadrature", () => {
  for (const R of [0.1, 0.99, 1, 2.5, 9.3]) {
    const { w } = weights(R);
    const expected = Array.from({ length: halfWidth(R) + 1 }, (_, k) => slowRotationWeight(k, R, 0.6));
    assertClose(w!, expected, 1e-8, `R = ${R}`); // the quadrature's own error
  }
});

Deno.test("rotation weights sum to one", () => {
  for (const R of [0, 1e-12, 0.4, 3, 71.7]) {
    const { w, dw } = weights(R);
    assert.ok(Math.abs(2 * w!.reduce((a, b) => a + b) - w![0]! - 1) < 1e-14);
    assert.ok(Math.abs(2 * dw!.reduce((a, b) => a + b) - dw![0]!) < 1e-12);
  }
});

Deno.test("rotation weight derivatives agree with differences, also across R = 0", () => {
  for (const R of [0, 0.3, 1.7, 12.2]) {
    const h = 1e-5, H = halfWidth(R + h);
    const { dw } = weights(R, H);
    const above = weights(R + h, H).w!, below = weights(R - h, H).w!;
    assertClose(dw!, above.map((value, k) => (value - below[k]!) / (2 * h)), 3e-8, `R = ${R}`); // rounding / h
  }
});

Deno.test("rotation without rotation is the identity to the bit", () => {
  const y = uniform(50, random(1));
  const { w } = weights(0);
  assert.deepEqual(call(rotate, { B: 1, N: 50, H: 1 }, { y, w: w! }).out, y);
});

for (const [N, H] of [[1, 3], [7, 3], [8, 1], [64, 20], [200, 9]] as const) {
  Deno.test(`rotate agrees with the sum, ${N} pixels, half-width ${H}`, () => {
    const next = random(N + H);
    const y = uniform(2 * N, next), w = uniform(2 * (H + 1), next);
    const { out } = call(rotate, { B: 2, N, H }, { y, w });
    for (const b of [0, 1]) {
      assertClose(
        out!.subarray(b * N, (b + 1) * N),
        slowRotate(y.subarray(b * N, (b + 1) * N), w.subarray(b * (H + 1), (b + 1) * (H + 1))),
        1e-14,
      );
    }
  });
}

dataTest("rotation kernels reproduce the oracle", ["stellar/kernels/vsini.npz"], (path) => {
  const get = oracle(path);
  get("kernel_R").forEach((R, i) => {
    const full = get(`kernel_${i}`);
    const H = (full.length - 1) / 2;
    assertClose(weights(R, H).w!, full.subarray(H), 1e-12, `R = ${R}`);
  });
  const other = get("kernel_eps03_R7.3"), H = (other.length - 1) / 2;
  assertClose(weights(7.3, H, 0.3).w!, other.subarray(H), 1e-12, "ε = 0.3");
});

dataTest(
  "rotated spectra reproduce the oracle to their darkened ends",
  ["stellar/kernels/vsini.npz"],
  (path) => {
    const get = oracle(path);
    const lam = get("templ_lam"), templ = get("templ");
    const step = Math.log(lam[1]! / lam[0]!);
    const R = get("vsini").map((v) => v / 299792.458 / step);
    const B = R.length, N = lam.length, H = halfWidth(Math.max(...R));
    const { w } = call(rotationWeights, { B, H }, { R, eps: new Float64Array(B).fill(0.6) });
    const y = new Float64Array(B * N);
    for (let b = 0; b < B; b++) y.set(templ, b * N);
    assertClose(call(rotate, { B, N, H }, { y, w: w! }).out!, get("out"), 1e-12);
  },
);
