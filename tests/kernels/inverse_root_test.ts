import assert from "node:assert/strict";
import { bandedCholesky } from "../../core/kernels/banded.ts";
import {
  decorrelateBlock,
  fibreCovariance,
  inverseRoot,
  ROOT_METHOD,
} from "../../core/kernels/inverse_root.ts";
import { random, uniform } from "../reference/random.ts";
import { slowInverseRoot } from "../reference/inverse_root.ts";
import { dataTest } from "../shared_data.ts";
import { assertClose, call } from "./harness.ts";
import { patchOracle } from "./patch_oracle.ts";

/** U diag(values) Uᵀ of a random rotation U: a matrix whose root is known. */
function withSpectrum(values: readonly number[], seed: number): { c: Float64Array; root: Float64Array } {
  const n = values.length, next = random(seed);
  const u = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j): number => i === j ? 1 : 0));
  for (let turn = 0; turn < 12 * n; turn++) {
    const p = Math.floor(next() * n), q = (p + 1 + Math.floor(next() * (n - 1))) % n;
    if (p === q) continue;
    const angle = 6 * next(), [c, s] = [Math.cos(angle), Math.sin(angle)];
    for (let k = 0; k < n; k++) {
      const [x, y] = [u[p]![k]!, u[q]![k]!];
      [u[p]![k], u[q]![k]] = [c * x - s * y, s * x + c * y];
    }
  }
  const made = (f: (v: number) => number) =>
    Float64Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      return u.reduce((sum, row, k) => sum + f(values[k]!) * row[i]! * row[j]!, 0);
    });
  return { c: made((v) => v), root: made((v) => 1 / Math.sqrt(v)) };
}

const spread = (n: number, decades: number) =>
  Array.from({ length: n }, (_, k) => 10 ** (-decades * k / Math.max(1, n - 1)));

for (
  const [n, decades, method, tolerance] of [
    [1, 0, ROOT_METHOD.PRODUCTS, 1e-15],
    [2, 1, ROOT_METHOD.PRODUCTS, 1e-14],
    [3, 2, ROOT_METHOD.PRODUCTS, 1e-13],
    [5, 3, ROOT_METHOD.PRODUCTS, 1e-12],
    [74, 3, ROOT_METHOD.PRODUCTS, 1e-12],
    [31, 5, ROOT_METHOD.PRODUCTS, 1e-11],
    [31, 7, ROOT_METHOD.EIGEN, 1e-9],
    [12, 10, ROOT_METHOD.EIGEN, 1e-6],
  ] as const
) {
  Deno.test(`inverse_root of ${n} rows whose eigenvalues cover ${decades} decades`, () => {
    for (const size of [1, 1e-7, 1e9]) {
      const { c, root } = withSpectrum(spread(n, decades).map((v) => v * size), n);
      const found = call(inverseRoot, { B: 1, N: n }, { c });
      assert.equal(found.method[0], method);
      // the matrix itself is known to cond ε, more is not to be had
      assertClose(found.q, root, tolerance, "C^(−1/2)");
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < i; j++) assert.equal(found.q[i * n + j], found.q[j * n + i], `${i}, ${j}`);
      }
    }
  });
}

Deno.test("inverse_root: rows over six decades keep the digits of each, which only the eigen-solver can", () => {
  const n = 20, next = random(4);
  const { c } = withSpectrum(spread(n, 1), 9);
  const scale = Array.from({ length: n }, () => 10 ** (6 * (next() - 0.5)));
  const scaled = c.map((v, at) => v * scale[Math.floor(at / n)]! * scale[at % n]!);
  const { q, method } = call(inverseRoot, { B: 1, N: n }, { c: scaled });
  assert.equal(method[0], ROOT_METHOD.EIGEN);
  // Q C Q = 1
  const rows = (a: Float64Array) => Array.from({ length: n }, (_, i) => [...a.subarray(i * n, (i + 1) * n)]);
  const times = (a: number[][], b: number[][]) =>
    a.map((row) => b[0]!.map((_, j) => row.reduce((sum, v, k) => sum + v * b[k]![j]!, 0)));
  const one = times(times(rows(q), rows(scaled)), rows(q)).flat();
  // the product takes away √cond digits
  assertClose(one, one.map((_, at) => at % (n + 1) === 0 ? 1 : 0), 1e-8, "Q C Q");
  assertClose(q, slowInverseRoot(rows(scaled)).flat(), 1e-9, "against two-sided Jacobi");
});

Deno.test("inverse_root: matrices without a root are NaN and flagged, and the others as alone", () => {
  const n = 7, good = withSpectrum(spread(n, 2), 3).c;
  const sick = (at: number, value: number) => good.map((v, i) => i === at ? value : v);
  const kinds = [
    good,
    sick(3 * n + 3, -1),
    sick(5 * n + 2, NaN),
    sick(2 * n + 2, Infinity),
    new Float64Array(n * n),
    good,
  ];
  const c = Float64Array.from(kinds.flatMap((m) => [...m]));
  const found = call(inverseRoot, { B: kinds.length, N: n }, { c });
  assert.deepEqual([...found.method], [1, 0, 0, 0, 0, 1]);
  const alone = call(inverseRoot, { B: 1, N: n }, { c: good });
  kinds.forEach((kind, b) => {
    const own = found.q.subarray(b * n * n, (b + 1) * n * n);
    if (kind === good) assert.deepEqual(own, alone.q);
    else assert.ok(own.every(Number.isNaN), `${b}`);
  });
});

Deno.test("decorrelate_block: rows of R sum to 1, columns are stored, fibres as asked for", () => {
  const [P, F, L, ND] = [2, 3, 6, 2], next = random(2);
  const q = uniform(2 * L * L, next).map((v) => 2 + v), x = uniform(P * L * F, next);
  const item = Int32Array.of(4, 2);
  const found = call(decorrelateBlock, { B: 2, P, F, L, M: 4, FIRST: 1, ND }, { q, x, item });
  item.forEach((which, b) => {
    const [system, f] = [Math.floor(which / F), which % F];
    for (let w = 0; w < 4; w++) {
      const bin = 1 + w, row = q.subarray((b * L + bin) * L, (b * L + bin + 1) * L);
      const sum = row.reduce((a, v) => a + v, 0);
      const flux = row.reduce((a, v, j) => a + v / sum * x[(system * L + j) * F + f]!, 0);
      assertClose([found.flux[b * 4 + w]!, found.ivar[b * 4 + w]!], [flux, sum * sum], 1e-13);
      for (let k = 0; k <= 2 * ND; k++) {
        const i = bin - ND + k;
        const other = q.subarray((b * L + i) * L, (b * L + i + 1) * L);
        const expected = i < 0 || i >= L ? 0 : other[bin]! / other.reduce((a, v) => a + v, 0);
        assertClose([found.resolution[(b * (2 * ND + 1) + k) * 4 + w]!], [expected], 1e-14, `${w}, ${k}`, 1);
      }
    }
  });
});

for (
  const [name, cov, flux, ivar, r] of [
    ["typical", 1e-12, 1e-8, 1e-9, 1e-9],
    // cond(K) is 5e8 there
    ["masked", 1e-7, 1e-5, 1e-6, 1e-6],
    ["tiny", 1e-12, 1e-8, 1e-9, 1e-9],
  ] as const
) {
  const needs = [`extraction/kernels/ex2d_patch_${name}.npz`];
  dataTest(`covariances of single fibres, and their inverse roots, of the ${name} patch`, needs, (path) => {
    const { member, dims, unknowns } = patchOracle(path!);
    const F = dims.F!, L = dims.L!, n = F * L, H = unknowns.halfBandwidth;
    const icov = member("icov_lower"), blocks = member("cov_blocks");
    const k = (i: number, j: number) => icov[Math.max(i, j) * n + Math.min(i, j)]!;
    const band = new Float64Array(n * (H + 1));
    for (let i = 0; i < n; i++) {
      for (let j = Math.max(0, i - H); j <= i; j++) {
        band[i * (H + 1) + H - i + j] = k(unknowns.fibreMajor(i), unknowns.fibreMajor(j));
      }
    }
    const { l } = call(bandedCholesky, { B: 1, N: n, H }, { band });
    const item = Int32Array.from({ length: F }, (_, f) => f);
    const { c } = call(fibreCovariance, { B: F, P: 1, F, L, H }, { l, item });
    assertClose(c, blocks, cov, "C");
    const { q, method } = call(inverseRoot, { B: F, N: L }, { c });
    const x = unknowns.fromFibreMajor(member("xflux"));
    const ND = L - 1;
    const found = call(decorrelateBlock, { B: F, P: 1, F, L, M: L, FIRST: 0, ND }, { q, x, item });
    const sigma = (values: Float64Array) => values.map((v, i) => v * Math.sqrt(member("fluxivar")[i]!));
    assertClose(sigma(found.flux), sigma(member("flux")), flux, "flux in σ", 1);
    const ratio = found.ivar.map((v, i) => v / member("fluxivar")[i]!);
    assertClose(ratio, new Float64Array(F * L).fill(1), ivar, "ivar");
    const R = member("R_blocks");
    for (let f = 0; f < F; f++) {
      const own = Float64Array.from(
        { length: L * L },
        (_, at) => found.resolution[(f * (2 * L - 1) + Math.floor(at / L) - at % L + ND) * L + at % L]!,
      );
      assertClose(own, R.subarray(f * L * L, (f + 1) * L * L), r, `R of fibre ${f}`, 1);
    }
    // the block without data is not for products
    if (name === "masked") {
      assert.ok(method.includes(ROOT_METHOD.EIGEN) && method.includes(ROOT_METHOD.PRODUCTS));
    } else assert.ok(method.every((how) => how === ROOT_METHOD.PRODUCTS));
  });
}
