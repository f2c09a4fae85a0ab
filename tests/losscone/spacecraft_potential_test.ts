/** Potentials of the spacecraft: against the slow chain, in sun and shadow, and why there is none. */
import assert from "node:assert/strict";
import { thermalSpeedOf } from "../../core/losscone/kappa_distribution.ts";
import { makeKappaFitter } from "../../core/losscone/kappa_fitter.ts";
import { DEFAULT_KAPPA_OPTIONS } from "../../core/losscone/kappa_options.ts";
import { simulateSweeps } from "../../core/losscone/simulate.ts";
import { makeSpacecraftPotentialFitter } from "../../core/losscone/spacecraft_potential.ts";
import type { SweepBatch } from "../../core/losscone/sweep.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import {
  slowElectronCurrent,
  slowShadowPotential,
  slowShadowSum,
  slowSunlitCurrent,
  slowSunlitPotential,
} from "../reference/currents.ts";
import { isotropic, pick } from "./sweeps.ts";

const OPTIONS = DEFAULT_KAPPA_OPTIONS;
const potentials = (batch: SweepBatch, sunlit: number[]) =>
  makeSpacecraftPotentialFitter(loadWasmTarget(), OPTIONS).fit(batch, Uint8Array.from(sunlit));

/** A plasma without loss cone; density m⁻³, temperature eV. */
const plasma = (density: number, kappa: number, temperature: number) => ({
  density,
  kappa,
  theta: thermalSpeedOf(kappa, temperature),
});

Deno.test("in sunlight: two passes, the second at energies less the first potential", () => {
  const { batch } = simulateSweeps({ sweeps: 20, seed: 12 });
  const found = potentials(batch, new Array(20).fill(1));
  const fitter = makeKappaFitter(loadWasmTarget(), OPTIONS);
  const first = fitter.fit(batch);
  assert.ok(found.filter((one) => one.found).length > 10);
  found.forEach((one, s) => {
    const fit = first[s]!;
    const v1 = slowSunlitPotential(
      slowElectronCurrent(fit.density, fit.kappa, fit.theta, OPTIONS.currentPoints[0]),
    );
    if (Number.isNaN(v1)) {
      assert.ok(!one.found && Number.isNaN(one.potential));
      return assert.match(one.reason, /sunlit curve/);
    }
    assert.ok(Math.abs(one.firstPotential - v1) < 1e-8, `${one.firstPotential}, ${v1}`);
    const [again] = fitter.fit(pick(batch, [s]), Float64Array.of(one.firstPotential));
    assert.deepEqual(one.kappa, again);
    const je = slowElectronCurrent(again!.density, again!.kappa, again!.theta, OPTIONS.currentPoints[1]);
    assert.ok(Math.abs(one.electronCurrent / je - 1) < 1e-12);
    if (one.found) assert.ok(Math.abs(one.potential - slowSunlitPotential(je)) < 1e-8);
    else assert.match(one.reason, /sunlit curve/);
  });
});

Deno.test("in shadow: the currents of the fit balance at a negative potential; T is that far away", () => {
  const batch = isotropic([plasma(3e6, 4, 40), plasma(3e6, 3, 20), plasma(1e6, 5, 80)], [1, 1, 1]);
  potentials(batch, [0, 0, 0]).forEach((one) => {
    const { density, kappa, theta } = one.kappa;
    assert.ok(one.found && one.potential < 0 && one.reason === "found" && !one.sunlit);
    assert.ok(Math.abs(one.potential - slowShadowPotential(density, kappa, theta)) < 1e-6);
    assert.ok(Math.abs(one.temperature - one.kappa.temperature - one.potential / (kappa - 1.5)) < 1e-9);
    assert.ok(one.temperature > 0 && one.temperature < one.kappa.temperature);
  });
});

Deno.test("defect: no root at T near 300 eV is said, with its reason", () => {
  const batch = isotropic([plasma(1e6, 2.6, 300), plasma(1e6, 3.5, 300), plasma(1e6, 5.5, 300)], [1, 1, 1]);
  for (const one of potentials(batch, [0, 0, 0])) {
    assert.ok(Number.isNaN(one.potential) && !one.found);
    assert.equal(one.reason, "secondaries outweigh electrons");
    assert.ok(slowShadowSum(one.kappa.density, one.kappa.kappa, one.kappa.theta, 0) > 0);
    assert.ok(one.kappa.temperature > 200, "the fit itself is kept");
  }
});

Deno.test("in sunlight: too large and too small a current have their reasons", () => {
  const batch = isotropic([plasma(1e9, 4, 200), plasma(100, 4, 20), plasma(3e6, 4, 60)], [1, 1, 1]);
  const [much, little, fair] = potentials(batch, [1, 1, 1]);
  assert.deepEqual([much!.reason, much!.found, much!.potential], [
    "current above the sunlit curve",
    false,
    NaN,
  ]);
  assert.ok(much!.electronCurrent > slowSunlitCurrent(0));
  assert.ok(["current below the sunlit curve", "no kappa fit"].includes(little!.reason) && !little!.found);
  assert.ok(fair!.found && fair!.potential > 0 && fair!.potential < 150);
});

Deno.test("a sweep without a kappa fit has no potential, in sun and in shadow, and says so", () => {
  const { batch } = simulateSweeps({ sweeps: 2, seed: 3, groups: { unconnected: 1 } });
  for (const one of potentials(batch, [1, 0])) {
    assert.deepEqual([one.reason, one.found, one.potential], ["no kappa fit", false, NaN]);
    assert.equal(one.kappa.reason, "no incident cells");
  }
});

Deno.test("sun and shadow in one batch are what they are alone; a batch of one works", () => {
  const { batch } = simulateSweeps({ sweeps: 6, seed: 40 });
  const sunlit = [1, 0, 0, 1, 1, 0];
  const all = potentials(batch, sunlit);
  sunlit.forEach((lit, s) => assert.deepEqual(potentials(pick(batch, [s]), [lit]), [all[s]]));
  assert.deepEqual(potentials(pick(batch, []), []), []);
  assert.throws(() => potentials(batch, [1]), /1 flags of sunlight for 6 sweeps/);
});
