import assert from "node:assert/strict";
import { normalEquations, weakPrior } from "../../core/kernels/normal_equations.ts";
import { dataTest } from "../shared_data.ts";
import { assertClose, call } from "./harness.ts";
import { patchOracle } from "./patch_oracle.ts";

for (const name of ["tiny", "typical", "masked"]) {
  dataTest(`normal_equations and weak_prior reproduce the reference's ${name} patch`, [
    `extraction/kernels/ex2d_patch_${name}.npz`,
  ], (path) => {
    const { dims, inputs, member, unknowns } = patchOracle(path!);
    const { F, L } = dims as { F: number; L: number };
    const n = F * L;
    for (const H of [unknowns.halfBandwidth, unknowns.halfBandwidth + 20]) {
      const out = call(normalEquations, { ...dims, H }, inputs);
      assertClose(out.y!, unknowns.fromFibreMajor(member("y")), 1e-13, "y");
      assertClose(out.fw!, unknowns.fromFibreMajor(member("fluxweight")), 1e-13, "fw");
      const { band, weak } = call(weakPrior, { B: 1, F, L, H }, {
        fw: out.fw!,
        regularize: Float64Array.of(0),
        band: out.band!,
      });
      const expected = member("icov_lower"), found = new Float64Array(n * n);
      for (let m = 0; m < n; m++) {
        for (let k = 0; k <= H; k++) {
          const j = m - H + k;
          if (j < 0) {
            assert.equal(band![m * (H + 1) + k], 0);
            continue;
          }
          const [a, b] = [unknowns.fibreMajor(m), unknowns.fibreMajor(j)];
          found[Math.max(a, b) * n + Math.min(a, b)] = band![m * (H + 1) + k]!;
        }
      }
      assertClose(found, expected, 1e-13, "K, of the largest");
      // relative to √(K_ii K_jj), the size that K_ij could have
      for (let i = 0; i < n; i++) {
        for (let j = 0; j <= i; j++) {
          const size = Math.sqrt(expected[i * n + i]! * expected[j * n + j]!);
          const error = Math.abs(found[i * n + j]! - expected[i * n + j]!);
          assert.ok(error <= 1e-13 * size, `K[${i}, ${j}]: ${found[i * n + j]}`);
        }
      }
      const most = Math.max(...member("fluxweight"));
      const few = [...unknowns.fromFibreMajor(member("fluxweight"))].map((v) => v < 1e-4 * most ? 1 : 0);
      assert.deepEqual([...weak!], few);
    }
  });
}
