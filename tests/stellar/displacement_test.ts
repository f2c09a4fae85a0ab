import assert from "node:assert/strict";
import { LIGHT } from "../../core/doppler.ts";
import { displacementOf, seenThrough, UNDISPLACED } from "../../core/stellar/displacement.ts";
import { makeFitter } from "../../core/stellar/fitter.ts";
import { SIMULATED_ARMS } from "../../core/stellar/simulate_arms.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { gaussian, integrated, matrices, throughMatrices } from "./displaced_matrices.ts";
import { simulatedJob, starAtNode, withoutNoise } from "./simulated_job.ts";

Deno.test("the displacement of a matrix is that of its rows, and their width is theirs", () => {
  for (const [profile, pixel] of [[gaussian, 0], [integrated, 1 / 12]] as const) {
    for (const velocity of [0.06, 1, -3]) {
      matrices(1, velocity, profile).forEach((matrix, a) => {
        const { lam, fwhm, ndiag } = SIMULATED_ARMS[a]!;
        const found = displacementOf(matrix, ndiag, lam);
        assert.ok(Math.abs(found.relative * LIGHT / velocity - 1) < 1e-3, `${found.relative * LIGHT} km/s`);
        const sigma = Math.min(1, Math.hypot(fwhm / (2 * Math.sqrt(2 * Math.LN2)) / 0.8, Math.sqrt(pixel)));
        assert.ok(Math.abs(found.spread / sigma - 1) < 0.01, `${found.spread}, not ${sigma}`);
      });
    }
  }
});

Deno.test("what scatters is no displacement; rows that are empty or no numbers do not count", () => {
  const { lam, ndiag } = SIMULATED_ARMS[0]!;
  const [still] = matrices(1, 0.03, gaussian), [moved] = matrices(1, 1, gaussian);
  assert.equal(displacementOf(still!, ndiag, lam), UNDISPLACED);
  assert.equal(displacementOf(new Float32Array(moved!.length), ndiag, lam), UNDISPLACED);
  assert.equal(displacementOf(moved!.map(() => NaN), ndiag, lam), UNDISPLACED);
  const broken = moved!.slice();
  // a dead stretch, and one of no numbers
  for (let k = 0; k < ndiag; k++) {
    broken.fill(0, k * lam.length + 500, k * lam.length + 900);
    broken.fill(NaN, k * lam.length + 1500, k * lam.length + 1600);
  }
  const { relative } = displacementOf(broken, ndiag, lam);
  assert.ok(Math.abs(relative * LIGHT - 1) < 0.01, `${relative * LIGHT} km/s`);
});

Deno.test("at most a quarter of a pixel is taken out of the rows", () => {
  const { lam, ndiag } = SIMULATED_ARMS[0]!;
  const [matrix] = matrices(1, 40, gaussian);
  const { relative } = displacementOf(matrix!, ndiag, lam);
  assert.ok(Math.abs(relative * lam[lam.length - 1]! / 0.8 - 0.25) < 1e-12);
});

Deno.test("a velocity through a displacement is that of the displaced wavelengths", () => {
  const rest = (velocity: number) => Math.sqrt((1 - velocity / LIGHT) / (1 + velocity / LIGHT));
  for (const velocity of [0, -300, 999]) {
    for (const relative of [1e-6, -4e-5]) {
      const seen = seenThrough({ relative, spread: 1 }, velocity);
      assert.ok(Math.abs(rest(seen) / (rest(velocity) * (1 + relative)) - 1) < 1e-15);
    }
  }
});

Deno.test("a displaced matrix changes nothing of its neighbours, and is the same alone to the bit", () => {
  const job = simulatedJob({ resolutionMatrix: true });
  const fitter = makeFitter(loadWasmTarget(), job);
  const truths = [186, 233, 391].map((node) => starAtNode(job, node, 80));
  const spectra = throughMatrices(job, truths, 0, gaussian);
  const shifts = [0, 1, -0.4];
  const each = shifts.map((shift) => matrices(1, shift, gaussian));
  const stored = SIMULATED_ARMS.map((_, a) => {
    const { length } = each[0]![a]!;
    const all = new Float32Array(shifts.length * length);
    each.forEach((one, k) => all.set(one[a]!, k * length));
    return all;
  });
  const together = fitter.fit(withoutNoise(job, truths, spectra, stored)).stars;
  shifts.forEach((shift, k) => {
    const own = spectra.map((all, a) => {
      const { length } = job.arms[a]!.lam;
      return all.slice(k * length, (k + 1) * length);
    });
    const [alone] = fitter.fit(withoutNoise(job, [truths[k]!], own, each[k]!)).stars;
    assert.deepEqual({ ...alone, rows: [k] }, together[k]);
    assert.ok(Math.abs(alone!.vrad - shift) < 0.01, `${alone!.vrad}, not ${shift}`);
  });
});
