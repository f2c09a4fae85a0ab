/** Simulated sweeps: reproducible one by one, counted as the archive's sweeps are, with the truth they say. */
import assert from "node:assert/strict";
import { lnGamma } from "../../core/gamma.ts";
import {
  CELLS,
  countFactors,
  ENERGIES,
  latitudeOf,
  simulatedThetas,
  solidAngles,
} from "../../core/losscone/cells.ts";
import { kappaFlux, temperatureOf, thermalSpeedOf } from "../../core/losscone/kappa_distribution.ts";
import {
  FILL,
  type Group,
  MIXED,
  type SimulatedSweeps,
  simulateSweeps,
  type SweepTruth,
} from "../../core/losscone/simulate.ts";
import { poisson, POISSON_BLOCKS } from "../../core/poisson.ts";
import { RandomStream } from "../../core/random.ts";
import { dataTest } from "../shared_data.ts";
import { oracle } from "../kernels/oracle.ts";

const PER_SWEEP = ENERGIES * CELLS;

Deno.test("a sweep depends on the seed and its number alone", () => {
  const all = simulateSweeps({ sweeps: 12, seed: 3, groups: MIXED });
  const some = simulateSweeps({ sweeps: 4, seed: 3, first: 5, groups: MIXED });
  assert.deepEqual(some.truths, all.truths.slice(5, 9));
  const widths = {
    energy: 15,
    phi: PER_SWEEP,
    flux: PER_SWEEP,
    field: 45,
    polarity: 15,
    uSpacecraft: 15,
  } as const;
  for (const [name, width] of Object.entries(widths) as [keyof typeof widths, number][]) {
    assert.deepEqual(some.batch[name], all.batch[name].slice(5 * width, 9 * width), name);
  }
  assert.notDeepEqual(
    simulateSweeps({ sweeps: 1, seed: 4 }).batch.flux,
    simulateSweeps({ sweeps: 1, seed: 3 }).batch.flux,
  );
});

Deno.test("counts are whole numbers whose mean is what the model says", () => {
  const { batch, truths } = simulateSweeps({ sweeps: 60, seed: 8, lossCone: false });
  const factors = countFactors(batch.theta);
  let chi2 = 0, cells = 0;
  truths.forEach((truth, s) => {
    for (let r = 0; r < ENERGIES; r++) {
      const energy = batch.energy[s * ENERGIES + r]!, j = kappaFlux(truth, energy) / (4 * Math.PI);
      for (let k = 0; k < CELLS; k++) {
        const factor = factors[k]! * energy, count = batch.flux[(s * ENERGIES + r) * CELLS + k]! * factor;
        assert.ok(Math.abs(count - Math.round(count)) < 1e-9 * (1 + count));
        const mean = j * factor;
        if (mean < 5) continue;
        chi2 += (count - mean) ** 2 / mean;
        cells++;
      }
    }
  });
  assert.ok(
    cells > 20000 && Math.abs(chi2 / cells - 1) < 5 * Math.sqrt(2 / cells),
    `${chi2 / cells} over ${cells}`,
  );
});

for (const mean of [0, 1e-6, 0.3, 4, 9.999, 10, 37, 1e3, 1e6, 3e9]) {
  Deno.test(`Poisson deviates of mean ${mean}: mean, variance and the odds of single values`, () => {
    const n = 40000, found = new Map<number, number>();
    let sum = 0, squares = 0;
    for (let i = 0; i < n; i++) {
      const k = poisson(new RandomStream(11, i, 2), 5 * POISSON_BLOCKS, mean);
      assert.ok(Number.isInteger(k) && k >= 0);
      found.set(k, (found.get(k) ?? 0) + 1);
      sum += k - mean;
      squares += (k - mean) ** 2;
    }
    if (mean === 0) return assert.equal(sum, 0);
    assert.ok(Math.abs(sum / n) < 5 * Math.sqrt(mean / n), `mean off by ${sum / n}`);
    // variance of the variance of a Poisson law: μ + 2 μ²
    assert.ok(
      Math.abs(squares / n - mean) < 5 * Math.sqrt((mean + 2 * mean ** 2) / n),
      `variance ${squares / n}`,
    );
    // only values that are expected often enough for a chi-square
    let chi2 = 0, cells = 0;
    for (let k = Math.max(0, Math.floor(mean - 60)); k < mean + 60; k++) {
      const expected = n * Math.exp(k * Math.log(mean) - mean - lnGamma(k + 1));
      if (expected < 20) continue;
      chi2 += ((found.get(k) ?? 0) - expected) ** 2 / expected;
      cells++;
    }
    assert.ok(chi2 < cells + 6 * Math.sqrt(2 * cells) + 6, `chi-square ${chi2} of ${cells} values`);
  });
}

Deno.test("lnGamma against factorials and the duplication formula", () => {
  let factorial = 1;
  for (let k = 1; k <= 20; k++) {
    assert.ok(Math.abs(lnGamma(k) - Math.log(factorial)) < 4e-15 * (1 + Math.log(factorial)), `${k}`);
    factorial *= k;
  }
  for (const x of [0.3, 1.7, 5.5, 60.25, 1e5]) {
    const twice = (2 * x - 1) * Math.LN2 - 0.5 * Math.log(Math.PI) + lnGamma(x) + lnGamma(x + 0.5);
    assert.ok(Math.abs(lnGamma(2 * x) - twice) < 1e-14 * (1 + Math.abs(twice)), `${x}`);
  }
});

/** Sweeps of one group. */
const only = (group: Group, sweeps = 6): SimulatedSweeps =>
  simulateSweeps({ sweeps, seed: 1, groups: { [group]: 1 } });

Deno.test("groups are what they say", () => {
  const nan = (flux: Float64Array) => flux.filter(Number.isNaN).length;
  const holes = nan(only("holes", 40).batch.flux) / (40 * PER_SWEEP);
  assert.ok(holes > 0.07 && holes < 0.13, `${holes}`);
  const rows = only("rows", 20);
  for (let s = 0; s < 20; s++) {
    const lost = nan(rows.batch.flux.subarray(s * PER_SWEEP, (s + 1) * PER_SWEEP)) / CELLS;
    assert.ok([1, 2, 3].includes(lost), `${lost} rows`);
  }
  assert.ok(only("charged").batch.uSpacecraft.every((v) => v >= 50 && v <= 120));
  assert.ok(only("clean", 40).batch.uSpacecraft.every((v) => (v >= 5 && v <= 20) || (v >= -80 && v <= -5)));
  assert.ok(only("unconnected").batch.polarity.every((p) => p === 0));
  assert.ok(only("empty").batch.flux.every(Number.isNaN));
  for (const group of ["missing", "error"] as const) {
    const { batch } = only(group, 20);
    const filled = batch.flux.filter((f, i) =>
      f === FILL[group].flux && batch.phi[i] === FILL[group].phi
    ).length;
    assert.equal(filled, batch.phi.filter((p) => p > 360).length);
    assert.ok(Math.abs(filled / batch.flux.length - 0.03) < 0.005, `${filled}`);
  }
  const shares =
    simulateSweeps({ sweeps: 2000, seed: 5, groups: { clean: 3, unconnected: 1 }, first: 7 }).truths;
  const clean = shares.filter((t) => t.group === "clean").length;
  assert.ok(Math.abs(clean - 1500) < 120, `${clean}`);
  assert.throws(() => simulateSweeps({ sweeps: 1, seed: 1, groups: {} }), RangeError);
  assert.throws(() => simulateSweeps({ sweeps: 1, seed: 1, groups: { clean: -1, holes: 2 } }), RangeError);
  assert.throws(() => simulateSweeps({ sweeps: -1, seed: 1 }), RangeError);
  assert.equal(simulateSweeps({ sweeps: 0, seed: 1 }).batch.flux.length, 0);
});

Deno.test("truths have the ranges of the reference set", () => {
  const { truths } = simulateSweeps({ sweeps: 3000, seed: 2 });
  const share = (f: (t: SweepTruth) => boolean) => truths.filter(f).length / truths.length;
  assert.ok(
    truths.every((t) => t.uSurface >= -1500 && t.uSurface <= 15 && t.bsOverBm >= 0.35 && t.bsOverBm <= 1.05),
  );
  assert.ok(truths.every((t) => t.density >= 1e6 && t.density <= 1e7 && t.kappa >= 2.8 && t.kappa <= 5.8));
  assert.ok(truths.every((t) => t.temperature >= 20 * (1 - 1e-9) && t.temperature <= 200 * (1 + 1e-9)));
  assert.ok(Math.abs(share((t) => t.uSurface < -800) - 0.1) < 0.03);
  assert.ok(Math.abs(share((t) => t.uSurface > -20) - 0.15) < 0.03);
  assert.ok(Math.abs(share((t) => t.beamAmplitude === 0) - 0.3) < 0.04);
});

Deno.test("cells: 88 directions whose solid angles make a sphere; a strange latitude is named", () => {
  const theta = simulatedThetas();
  assert.equal(theta.length, CELLS);
  const sum = solidAngles(theta).reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(sum / (4 * Math.PI) - 1) < 1e-5, `${sum}`);
  assert.equal(latitudeOf(-56.25)?.cells, 8);
  assert.equal(latitudeOf(45), null);
  assert.throws(() => countFactors(Float64Array.of(11.25, 45)), /theta 45/);
});

Deno.test("temperature and thermal speed undo each other", () => {
  assert.ok(Math.abs(temperatureOf(3.3, thermalSpeedOf(3.3, 77)) - 77) < 1e-12);
});

dataTest("as many empty cells at the top energy, and as many counts, as in the reference set", [
  "losscone/spectra_inputs.npz",
], (path) => {
  const member = oracle(path!), flux = member("flux"), group = member("group");
  const tops = (values: Float64Array, sweeps: number[]) => {
    const cells = sweeps.flatMap((s) => [...values.subarray(s * PER_SWEEP, s * PER_SWEEP + CELLS)]);
    return cells.filter((f) => f === 0).length / cells.length;
  };
  const clean = [...group].flatMap((g, s) => g === 0 ? [s] : []);
  const theirs = tops(flux, clean);
  const { batch } = simulateSweeps({ sweeps: 400, seed: 1 });
  const ours = tops(batch.flux, Array.from({ length: 400 }, (_, s) => s));
  assert.ok(Math.abs(ours - theirs) < 0.12, `${ours} against ${theirs}`);
  assert.deepEqual([...batch.theta], [...member("theta")]);
  member("energy").forEach((e, r) => assert.ok(Math.abs(batch.energy[r]! / e - 1) < 1e-12));
});
