import assert from "node:assert/strict";
import { FitsFile } from "../../core/io/fits_read.ts";
import { openSpectra } from "../../core/io/open_spectra.ts";
import { philox, RandomStream } from "../../core/random.ts";
import {
  drawTruth,
  type Evaluate,
  simulateStars,
  type SimulationOptions,
  targetidOf,
  type Truth,
} from "../../core/stellar/simulate.ts";
import { deconvolved, drawResolution, SIMULATED_ARMS } from "../../core/stellar/simulate_arms.ts";
import { makeEvaluate } from "../../core/stellar/simulate_evaluate.ts";
import { writeSimulation } from "../../core/stellar/simulate_file.ts";
import type { Grid } from "../../core/templates/grid.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { GRID, preparedArm } from "./simulate_library.ts";

function block(counter: number[], k0: number, k1: number): string[] {
  const words = new Uint32Array(counter);
  philox(words, k0, k1);
  return [...words].map((w) => w.toString(16).padStart(8, "0"));
}

Deno.test("philox() gives the known answers of Random123", () => {
  assert.deepEqual(block([0, 0, 0, 0], 0, 0), ["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"]);
  const ones = 0xffffffff;
  assert.deepEqual(block([ones, ones, ones, ones], ones, ones), [
    "408f276d",
    "41c83b0e",
    "a20bc7c6",
    "6d5451fd",
  ]);
  assert.deepEqual(
    block([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], 0xa4093822, 0x299f31d0),
    ["d16cfe09", "94fdcceb", "5001e420", "24126ea1"],
  );
});

Deno.test("RandomStream addresses deviates by index", () => {
  const stream = new RandomStream(7, 11, 2);
  const normals = stream.normals(new Float64Array(1001));
  const uniforms = stream.uniforms(new Float64Array(1001));
  for (const i of [0, 1, 500, 999, 1000]) {
    assert.equal(normals[i], stream.normal(i));
    assert.equal(uniforms[i], stream.uniform(i));
  }
  assert.notEqual(stream.normal(3), new RandomStream(7, 12, 2).normal(3));
  assert.notEqual(stream.normal(3), new RandomStream(7, 11, 3).normal(3));
  assert.notEqual(stream.normal(3), new RandomStream(8, 11, 2).normal(3));
  assert.throws(() => new RandomStream(-1, 0, 0), /seed must be/);
});

Deno.test("RandomStream: moments of a million deviates", () => {
  const n = 1_000_000;
  const z = new RandomStream(1, 0, 0).normals(new Float64Array(n));
  let sum = 0, square = 0, cube = 0, fourth = 0;
  for (const x of z) {
    sum += x;
    square += x * x;
    cube += x ** 3;
    fourth += x ** 4;
  }
  // Five standard errors each.
  assert.ok(Math.abs(sum / n) < 5 / Math.sqrt(n));
  assert.ok(Math.abs(square / n - 1) < 5 * Math.sqrt(2 / n));
  assert.ok(Math.abs(cube / n) < 5 * Math.sqrt(15 / n));
  assert.ok(Math.abs(fourth / n - 3) < 5 * Math.sqrt(96 / n));
  const u = new RandomStream(1, 0, 1).uniforms(new Float64Array(n));
  const mean = u.reduce((a, b) => a + b, 0) / n;
  assert.ok(Math.abs(mean - 0.5) < 5 * Math.sqrt(1 / 12 / n));
});

const OPTIONS: SimulationOptions = { seed: 5, snMin: 20, snMax: 100, margin: 0.05, resolutionMatrix: false };
const NO_SIGMA = [NaN, NaN, NaN];

function evaluator(sigma0 = NaN): Evaluate {
  const arms = SIMULATED_ARMS.map((arm) => ({
    prepared: preparedArm(arm, sigma0),
    lam: arm.lam,
    ndiag: arm.ndiag,
  }));
  return makeEvaluate(loadWasmTarget(), GRID, arms, 150);
}

Deno.test("simulateStars() gives a star the same pixels in any batch and order", () => {
  for (const resolutionMatrix of [false, true]) {
    const options = { ...OPTIONS, resolutionMatrix }, evaluate = evaluator(0.5), sigma0 = [0.5, 0.5, 0.5];
    const all = simulateStars(GRID, options, [0, 1, 2, 3, 4], evaluate, sigma0);
    const some = simulateStars(GRID, options, [4, 1], evaluate, sigma0);
    [4, 1].forEach((star, i) => {
      assert.deepEqual(some.truths[i], all.truths[star]);
      SIMULATED_ARMS.forEach((arm, a) => {
        for (const key of ["flux", "ivar", "mask"] as const) {
          const n = arm.lam.length;
          assert.deepEqual(
            some.arms[a][key].slice(i * n, (i + 1) * n),
            all.arms[a][key].slice(star * n, (star + 1) * n),
            `${arm.arm} ${key}`,
          );
        }
      });
    });
  }
});

Deno.test("simulateStars() keeps its promises on noise, masks and S/N", () => {
  const stars = Array.from({ length: 24 }, (_, i) => i);
  const batch = simulateStars(GRID, OPTIONS, stars, evaluator(), NO_SIGMA);
  let sum = 0, square = 0, count = 0, masked = 0, dead = 0, pixels = 0;
  batch.arms.forEach(({ flux, ivar, mask, model }) => {
    for (let p = 0; p < flux.length; p++) {
      pixels++;
      if (mask[p] !== 0) masked++;
      if (ivar[p] === 0) {
        dead++;
        assert.equal(flux[p], 0);
      }
      assert.ok(model[p] > 0);
      if (mask[p] !== 0 || ivar[p] === 0) continue;
      const pull = (flux[p] - model[p]) * Math.sqrt(ivar[p]);
      sum += pull;
      square += pull * pull;
      count++;
    }
  });
  assert.ok(Math.abs(sum / count) < 5 / Math.sqrt(count));
  assert.ok(Math.abs(square / count - 1) < 5 * Math.sqrt(2 / count));
  assert.ok(Math.abs(masked / pixels - 0.005) < 5e-4, `${masked / pixels} masked`);
  assert.ok(Math.abs(dead / pixels - 0.001) < 2.5e-4, `${dead / pixels} dead`);
  batch.truths.forEach((truth, i) => {
    assert.ok(truth.sn >= 20 && truth.sn <= 100);
    assert.ok(
      Math.abs(batch.arms[1].sn[i] / truth.sn - 1) < 0.03,
      `S/N ${batch.arms[1].sn[i]} of ${truth.sn}`,
    );
    assert.ok(truth.params[0] >= 4125 && truth.params[0] <= 6375);
    assert.ok(Math.abs(truth.vrad) <= 300 && truth.vsini >= 0 && truth.vsini <= 150);
  });
});

Deno.test("drawTruth() covers its ranges and stays out of holes", () => {
  const holed: Grid = { ...GRID, idgrid: Int32Array.of(-1, 1, 2, 3, 4, 5) };
  const truths = Array.from(
    { length: 2000 },
    (_, star) => drawTruth(holed, { ...OPTIONS, margin: { teff: 100 } }, star),
  );
  assert.ok(truths.every((truth) => truth.params[0] >= 5000 && truth.params[0] <= 6400));
  assert.ok(
    truths.some((truth) => truth.params[1] < -0.99) && truths.some((truth) => truth.params[1] > -0.01),
  );
  const still = truths.filter((truth) => truth.vsini === 0).length / truths.length;
  assert.ok(Math.abs(still - 0.3) < 0.05);
});

Deno.test("drawResolution() has rows of unit sum in DESI storage", () => {
  const arm = SIMULATED_ARMS[2], n = arm.lam.length, w = arm.ndiag >> 1;
  const matrix = drawResolution(arm, new RandomStream(3, 1, 24));
  for (const i of [0, 2, 5, 1000, n - 3, n - 1]) {
    let sum = 0;
    for (let k = 0; k < arm.ndiag; k++) {
      const j = i + w - k;
      if (j >= 0 && j < n) sum += matrix[k * n + j];
    }
    assert.ok(Math.abs(sum - 1) < 1e-6, `row ${i}: ${sum}`);
  }
});

Deno.test("deconvolved() times a Gaussian of width σ0 is the resolution matrix again", () => {
  const arm = SIMULATED_ARMS[0], n = arm.lam.length, W = arm.ndiag, w = W >> 1;
  const matrix = drawResolution(arm, new RandomStream(3, 2, 24));
  const rows = deconvolved(matrix, 1, arm, 0.5);
  const sigma = 0.5 / (arm.lam[1] - arm.lam[0]);
  for (const i of [7, 1500, n - 8]) {
    for (let a = 0; a < W; a++) {
      let value = 0;
      for (let b = 0; b < W; b++) {
        value += Math.exp(-0.5 * ((a - b) / sigma) ** 2) / (Math.sqrt(2 * Math.PI) * sigma) * rows[i * W + b];
      }
      assert.ok(Math.abs(value - matrix[(W - 1 - a) * n + i + a - w]) < 1e-12, `row ${i}, element ${a}`);
    }
  }
});

Deno.test("makeEvaluate() returns the template itself at a node, at rest", () => {
  const truth: Truth = { star: 0, targetid: 1n, vrad: 0, vsini: 0, params: [5000, 0], sn: 50 };
  const [blue] = evaluator()([truth], null), { lam } = SIMULATED_ARMS[0];
  let worst = 0;
  lam.forEach((x, p) => {
    const phase = ((x % 50) - 25) / 1.5;
    const expected = Math.exp(-x / 6000 - 0.6 * Math.exp(-0.5 * phase * phase));
    worst = Math.max(worst, Math.abs(blue[p] / expected - 1));
  });
  assert.ok(worst < 3e-4, `off by ${worst}`);
});

Deno.test("writeSimulation() writes a file that the DESI reader takes, whatever the number of stars", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/coadd-sim.fits`;
    const done: number[] = [];
    await writeSimulation({
      path,
      stars: 70,
      options: OPTIONS,
      grid: GRID,
      evaluate: evaluator(),
      sigma0: NO_SIGMA,
      library: { name: "test", checksum: "0" },
      version: "test",
    }, (n) => done.push(n));
    assert.deepEqual(done, [64, 70]);
    const file = openSpectra(path);
    try {
      assert.equal(file.format, "desi-coadd");
      assert.equal(file.rows, 70);
      assert.deepEqual(file.arms.map((arm) => arm.arm), ["b", "r", "z"]);
      const batch = simulateStars(GRID, OPTIONS, [66], evaluator(), NO_SIGMA);
      const rows = file.read(1, [66], true);
      assert.deepEqual(rows.flux, batch.arms[1].flux);
      assert.deepEqual(rows.ivar, batch.arms[1].ivar);
      assert.deepEqual(rows.mask, batch.arms[1].mask);
      assert.deepEqual(rows.resolution, batch.arms[1].resolution);
      assert.equal(file.fibermap.int64("TARGETID")[66], targetidOf(66));
    } finally {
      file.close();
    }
    const fits = FitsFile.open(path);
    const truth = fits.table("TRUTH");
    assert.deepEqual(truth.names, ["TARGETID", "VRAD", "VSINI", "TEFF", "FEH", "SN_R"]);
    assert.equal(truth.float64("VRAD")[66], drawTruth(GRID, OPTIONS, 66).vrad);
    fits.close();
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
