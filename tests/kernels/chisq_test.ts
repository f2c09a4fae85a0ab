import assert from "node:assert/strict";
import { chisq, chisqGradient } from "../../core/kernels/chisq.ts";
import { continuumBasis } from "../../core/stellar/continuum.ts";
import { slowChisq } from "../reference/chisq.ts";
import { random, uniform } from "../reference/random.ts";
import { dataTest } from "../shared_data.ts";
import { assertClose, call } from "./harness.ts";
import { oracle } from "./oracle.ts";

/** E spectra on n pixels with Q template columns. */
function scene(E: number, n: number, K: number, Q: number, seed: number) {
  const next = random(seed);
  const lam = Float64Array.from({ length: n }, (_, i) => 5000 + 0.8 * i);
  return {
    basis: continuumBasis(lam, K, "rbf"),
    y: uniform(E * n, next, 0, 9),
    s: uniform(E * n, next, 0.5, 2),
    T: uniform(E * n * Q, next, 0.3, 1.2),
    good: Uint8Array.from({ length: E * n }, () => next() < 0.9 ? 1 : 0),
  };
}

for (const [n, K] of [[20, 1], [127, 4], [128, 5], [129, 10], [400, 15]] as const) {
  Deno.test(`chisq agrees with the slow reference, ${n} pixels, ${K} coefficients`, () => {
    const E = 3;
    const { basis, y, s, T, good } = scene(E, n, K, 1, n + K);
    const out = call(chisq, { E, NP: n, K }, { basis, y, s, m: T, good });
    for (let e = 0; e < E; e++) {
      const part = (a: Float64Array) => a.subarray(e * n, (e + 1) * n);
      const slow = slowChisq(basis, K, part(y), part(s), part(T));
      assertClose([out.value![e]!], [slow.value], 1e-12, "value");
      assertClose([out.logdet![e]!], [slow.logdet], 1e-11, "logdet", 1 + Math.abs(slow.logdet));
      assertClose(out.coeff!.subarray(e * K, (e + 1) * K), slow.coeff, 1e-9, "coefficients");
      let masked = 0;
      part(y).forEach((d, i) => {
        if (good[e * n + i]) masked += (d - out.model![e * n + i]! * part(s)[i]!) ** 2;
      });
      assertClose([out.chi2good![e]!], [masked], 1e-12, "χ² over good pixels");
    }
  });
}

for (const [n, K, Q] of [[130, 3, 2], [257, 10, 8], [384, 7, 4]] as const) {
  Deno.test(`chisq_gradient agrees with differences of the slow reference, ${n} pixels, ${Q} columns`, () => {
    const { basis, y, s, T } = scene(1, n, K, Q, n);
    const out = call(chisqGradient, { E: 1, NP: n, K, Q }, { basis, y, s, T });
    const template = (step: number, q: number) =>
      Float64Array.from({ length: n }, (_, i) => T[i * Q]! + step * T[i * Q + q]!);
    const slow = slowChisq(basis, K, y, s, template(0, 0));
    assertClose([out.value![0]!], [slow.value], 1e-12, "value");
    for (let q = 1; q < Q; q++) {
      const h = 1e-5;
      const above = slowChisq(basis, K, y, s, template(h, q)).value;
      const below = slowChisq(basis, K, y, s, template(-h, q)).value;
      assertClose([out.gradient![q]!], [(above - below) / (2 * h)], 1e-6, `gradient ${q}`);
    }
    // curvature from its definition: 2 (G Gᵀ − X N⁻¹ Xᵀ) is twice the squared norm of G projected off the design
    for (let q = 1; q < Q; q++) {
      const G = Float64Array.from({ length: n }, (_, i) => {
        let c = 0;
        for (let k = 0; k < K; k++) c += slow.coeff[k]! * basis[k * n + i]!;
        return c * T[i * Q + q]! * s[i]!;
      });
      const projected = slowChisq(basis, K, G, s, template(0, 0)).chi2;
      assertClose([out.curvature![q * Q + q]!], [2 * projected], 1e-9, `curvature ${q}`);
    }
  });
}

Deno.test("chisq of a zero template is NaN and leaves the other spectra untouched", () => {
  const n = 50, K = 3;
  const { basis, y, s, T, good } = scene(2, n, K, 1, 5);
  const clean = call(chisq, { E: 2, NP: n, K }, { basis, y, s, m: T, good });
  T.fill(0, 0, n);
  const out = call(chisq, { E: 2, NP: n, K }, { basis, y, s, m: T, good });
  assert.ok(Number.isNaN(out.value![0]));
  assert.ok(out.coeff!.subarray(0, K).every(Number.isNaN), "no coefficients of a singular system");
  assert.equal(out.value![1], clean.value![1]);
});

Deno.test("chisq is the same to the bit alone and in a batch, and on repeat", () => {
  const n = 300, K = 10, Q = 8;
  const { basis, y, s, T } = scene(3, n, K, Q, 9);
  const all = call(chisqGradient, { E: 3, NP: n, K, Q }, { basis, y, s, T });
  const alone = call(chisqGradient, { E: 1, NP: n, K, Q }, {
    basis,
    y: y.slice(2 * n),
    s: s.slice(2 * n),
    T: T.slice(2 * n * Q),
  });
  assert.equal(alone.value![0], all.value![2]);
  assert.deepEqual(alone.curvature, all.curvature!.slice(2 * Q * Q));
});

dataTest("chisq reproduces the reference's likelihood, coefficients and basis", [
  "stellar/kernels/chisq0.npz",
], (path) => {
  const get = oracle(path);
  const lam = get("lam"), sigma = get("espec"), m = get("templ"), NP = lam.length;
  const y = get("spec").map((d, i) => d / sigma[i]!), s = sigma.map((v) => 1 / v);
  const constant = sigma.reduce((sum, v) => sum + 2 * Math.log(v), 0);
  const good = new Uint8Array(NP).fill(1);
  const [npoly, rbf, expected, svd] = [get("npoly"), get("rbf"), get("chisq_chol"), get("chisq_svd")];
  npoly.forEach((K, i) => {
    const kind = rbf[i] ? "rbf" : "chebyshev";
    const basis = continuumBasis(lam, K, kind);
    const name = `${K}_${kind === "rbf" ? "rbf" : "cheb"}`;
    if (K === 5 || K === 10) {
      const sampled = Float64Array.from(
        { length: K * 94 },
        (_, j) => basis[Math.floor(j / 94) * NP + 25 * (j % 94)]!,
      );
      assertClose(sampled, get(`basis_${name}`), 1e-14, `basis ${name}`);
    }
    const out = call(chisq, { E: 1, NP, K }, { basis, y, s, m, good });
    assertClose([out.value![0]! + constant], [expected[i]!], 1e-12, `−2 ln L ${name}`);
    assertClose([out.value![0]! + constant], [svd[i]!], 1e-12, `−2 ln L by SVD ${name}`);
    assertClose([out.logdet![0]!], get(`logdet_${name}`), 1e-12, `ln det ${name}`);
    // coefficients inherit the condition number of N: 2e4 at K = 10, more above
    assertClose(out.coeff!, get(`coeffs_${name}`), 1e-10, `coefficients ${name}`);
  });
});
