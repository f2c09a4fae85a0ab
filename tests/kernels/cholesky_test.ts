import assert from "node:assert/strict";
import { choleskySolve } from "../../core/kernels/cholesky.ts";
import { solveSystem } from "../reference/cholesky.ts";
import { random, uniform } from "../reference/random.ts";
import { assertClose, call } from "./harness.ts";

/** B well-conditioned systems M Mᵀ + 1, garbage above the diagonal. */
function systems(B: number, K: number, seed: number) {
  const next = random(seed);
  const n = new Float64Array(B * K * K);
  for (let s = 0; s < B; s++) {
    const m = uniform(K * K, next);
    for (let i = 0; i < K; i++) {
      for (let j = 0; j < K; j++) {
        let sum = i === j ? 1 : 0;
        for (let k = 0; k < K; k++) sum += m[i * K + k] * m[j * K + k];
        n[(s * K + i) * K + j] = j <= i ? sum : -777;
      }
    }
  }
  return { n, b: uniform(B * K, next) };
}

for (const K of [1, 2, 3, 10, 15, 32]) {
  Deno.test(`cholesky_solve agrees with the slow reference, K = ${K}`, () => {
    const B = 5;
    const { n, b } = systems(B, K, K);
    const out = call(choleskySolve, { B, K }, { n, b });
    for (let s = 0; s < B; s++) {
      const expected = solveSystem(K, n.subarray(s * K * K), b.subarray(s * K));
      assertClose(out.l.subarray(s * K * K, (s + 1) * K * K), expected.l, 1e-13, "l");
      assertClose(out.a.subarray(s * K, (s + 1) * K), expected.a, 1e-12, "a");
      assertClose([out.logdet[s]], [expected.logdet], 1e-13, "logdet", 1 + Math.abs(expected.logdet));
    }
  });
}

Deno.test("cholesky_solve of an ill-conditioned matrix leaves a small residual", () => {
  // Hilbert matrix of 6: cond 1.5e7
  const K = 6;
  const n = Float64Array.from({ length: K * K }, (_, i) => 1 / (Math.floor(i / K) + i % K + 1));
  const b = new Float64Array(K).fill(1);
  const { a } = call(choleskySolve, { B: 1, K }, { n, b });
  for (let i = 0; i < K; i++) {
    let sum = 0;
    for (let j = 0; j < K; j++) sum += n[i * K + j] * a[j];
    assert.ok(Math.abs(sum - 1) < 1e-11, `residual ${sum - 1}`);
  }
});

Deno.test("cholesky_solve makes NaN of what is not positive definite, and of that system only", () => {
  const B = 6, K = 7;
  const { n, b } = systems(B, K, 3);
  const whole = call(choleskySolve, { B, K }, { n, b });
  const broken = n.slice();
  broken[1 * K * K + 3 * K + 3] = -1; // negative pivot
  broken[2 * K * K + 2 * K + 1] = NaN;
  broken.fill(0, 3 * K * K, 4 * K * K); // zero pivot
  broken[4 * K * K + 6 * K + 6] = Infinity;
  const out = call(choleskySolve, { B, K }, { n: broken, b });
  for (let s = 0; s < B; s++) {
    const good = s === 0 || s === 5;
    for (const [name, size] of [["l", K * K], ["a", K], ["logdet", 1]] as const) {
      const part = out[name].subarray(s * size, (s + 1) * size);
      if (good) assert.deepEqual(part, whole[name].subarray(s * size, (s + 1) * size));
      else assert.ok(part.every(Number.isNaN), `${name} of system ${s}`);
    }
  }
});

Deno.test("cholesky_solve: empty batch, bit-identical on repeat", () => {
  assert.equal(
    call(choleskySolve, { B: 0, K: 4 }, { n: new Float64Array(0), b: new Float64Array(0) }).a.length,
    0,
  );
  const inputs = systems(4, 10, 9);
  assert.deepEqual(
    call(choleskySolve, { B: 4, K: 10 }, inputs),
    call(choleskySolve, { B: 4, K: 10 }, inputs),
  );
});
