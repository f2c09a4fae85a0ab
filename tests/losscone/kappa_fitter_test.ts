/** Kappa fits of batches: the reference's spectra, its defects, and sweeps with something missing. */
import assert from "node:assert/strict";
import { temperatureOf, thermalSpeedOf } from "../../core/losscone/kappa_distribution.ts";
import { makeKappaFitter } from "../../core/losscone/kappa_fitter.ts";
import { DEFAULT_KAPPA_OPTIONS } from "../../core/losscone/kappa_options.ts";
import { MIXED, simulateSweeps } from "../../core/losscone/simulate.ts";
import type { SweepBatch } from "../../core/losscone/sweep.ts";
import { loadWasmTarget } from "../../core/wasm/load.ts";
import { dataTest } from "../shared_data.ts";
import { copy, isotropic, kappaCase, median, pick } from "./sweeps.ts";

const OPTIONS = DEFAULT_KAPPA_OPTIONS;
const fit = (batch: SweepBatch, options = OPTIONS, potential?: Float64Array) =>
  makeKappaFitter(loadWasmTarget(), options).fit(batch, potential);
const empty = (flux: Float64Array, cells: number) =>
  Array.from(
    { length: flux.length / cells },
    (_, r) => flux.subarray(r * cells, (r + 1) * cells).every((f) => f === 0),
  )
    .filter((is) => is).length;

dataTest("the reference's spectra: κ, T and bounds at least as good as the reference, no sweep lost", [
  "losscone/kappa_case.npz",
], (path) => {
  const { batch, member } = kappaCase(path!, -1);
  const [kappa, theta, density] = ["true_kappa", "true_theta", "true_density"].map(member) as Float64Array[];
  assert.ok(empty(batch.flux, 88) > 0, "no empty row to be lost by");
  for (const response of [true, false]) {
    const results = fit(batch, { ...OPTIONS, response });
    assert.ok(results.every((one) => one.converged && one.rows === 15 && one.reason === "fitted"));
    const dk = median(results.map((one, s) => Math.abs(one.kappa - kappa![s]!)));
    const dt = median(
      results.map((one, s) => Math.abs(one.temperature / temperatureOf(kappa![s]!, theta![s]!) - 1)),
    );
    const dn = median(results.map((one, s) => Math.abs(one.density / density![s]! - 1)));
    const bound = results.filter((one) => one.atBound).length / results.length;
    assert.ok(dk <= (response ? 0.18 : 0.05), `response ${response}: |Δκ| ${dk}`);
    assert.ok(dt <= (response ? 0.1 : 0.02), `response ${response}: |ΔT|/T ${dt}`);
    assert.ok(dn <= 0.05, `response ${response}: |Δn|/n ${dn}`);
    assert.ok(bound < 0.24, `response ${response}: ${bound} at a bound`);
    // the reference's one empty row takes χ² to 1e6
    assert.ok(results.every((one) => one.chi2 < 100), `χ² ${Math.max(...results.map((one) => one.chi2))}`);
  }
});

Deno.test("defect: polarity +1 and −1 give the same statistics of the density", () => {
  const { batch, truths } = simulateSweeps({ sweeps: 400, seed: 21 });
  const results = fit(batch);
  const ratios = (polarity: number) =>
    results.flatMap((one, s) =>
      batch.polarity[s * 15] === polarity ? [one.density / truths[s]!.density] : []
    );
  const estimates = (polarity: number) =>
    results.flatMap((one, s) =>
      batch.polarity[s * 15] === polarity ? [one.densityEstimate / truths[s]!.density] : []
    );
  for (const sample of [ratios, estimates]) {
    const [plus, minus] = [sample(1).toSorted((a, b) => a - b), sample(-1).toSorted((a, b) => a - b)];
    assert.ok(plus.length > 150 && minus.length > 150);
    const at = (v: number[], q: number) => v[Math.floor(q * v.length)]!;
    for (const q of [0.05, 0.25, 0.5, 0.75, 0.95]) {
      assert.ok(
        Math.abs(at(plus, q) / at(minus, q) - 1) < (q === 0.5 ? 0.05 : 0.2),
        `${q}: ${at(plus, q)}, ${at(minus, q)}`,
      );
    }
  }
  // with the hemisphere exchanged the loss cone would be taken for the incident flux
  const turned = fit({ ...batch, polarity: batch.polarity.map((p) => -p) });
  assert.ok(median(turned.map((one, s) => one.densityEstimate / results[s]!.densityEstimate)) < 0.97);
});

Deno.test("defect: a batch of one, an empty batch, and any order give the same answers", () => {
  const { batch } = simulateSweeps({ sweeps: 9, seed: 5, groups: MIXED });
  const all = fit(batch);
  for (const s of [0, 4, 8]) assert.deepEqual(fit(pick(batch, [s])), [all[s]]);
  assert.deepEqual(fit(pick(batch, [7, 2])), [all[7], all[2]]);
  assert.deepEqual(fit(pick(batch, [])), []);
});

Deno.test("defect: each sweep is fitted on its own energies", () => {
  const truths = [[2e8, 3.1, 60], [6e8, 4.8, 120], [1e8, 3.7, 35]].map(([density, kappa, temperature]) => ({
    density: density!,
    kappa: kappa!,
    theta: thermalSpeedOf(kappa!, temperature!),
  }));
  const options = { ...OPTIONS, response: false };
  const batch = isotropic(truths, [1, 0.6, 1.35]);
  const results = fit(batch, options);
  results.forEach((one, s) => {
    assert.ok(Math.abs(one.kappa - truths[s]!.kappa) < 0.02, `κ ${one.kappa} of ${truths[s]!.kappa}`);
    assert.ok(Math.abs(one.density / truths[s]!.density - 1) < 0.02, `n ${one.density}`);
  });
  // on the first sweep's energies the others would be wrong
  const shared = { ...batch, energy: batch.energy.map((_, i) => batch.energy[i % 15]!) };
  assert.ok(
    fit(shared, options).slice(1).every((one, s) => Math.abs(one.density / truths[s + 1]!.density - 1) > 0.1),
  );
});

Deno.test("an empty row is an upper limit, not the heaviest row", () => {
  const truth = { density: 5e5, kappa: 5.5, theta: thermalSpeedOf(5.5, 15) };
  const batch = isotropic([truth], [1]);
  assert.ok(
    empty(batch.flux.map((f, i) => Math.round(f * 0.02 * batch.energy[Math.floor(i / 88)]! * 2.5 / 16)), 88) >
      3,
  );
  const [with0] = fit(batch, { ...OPTIONS, response: false });
  assert.ok(with0!.converged && with0!.rows === 15);
  assert.ok(
    Math.abs(with0!.temperature / 15 - 1) < 0.1 && with0!.chi2 < 15,
    `${with0!.temperature}, ${with0!.chi2}`,
  );
});

Deno.test("missing cells, rows and sweeps: the others are fitted as before, and each says why it is not", () => {
  const { batch, truths } = simulateSweeps({ sweeps: 8, seed: 77 });
  const whole = fit(batch), broken = copy(batch);
  const cells = 15 * 88;
  for (let i = 0; i < cells; i += 7) broken.flux[i] = NaN;
  for (let i = cells; i < 2 * cells; i += 9) [broken.flux[i], broken.phi[i]] = [9.999e-99, 999.99];
  for (let i = cells; i < 2 * cells; i += 11) [broken.flux[i], broken.phi[i]] = [-9.99e-99, 998.99];
  broken.flux.fill(NaN, 2 * cells + 88, 2 * cells + 4 * 88);
  broken.energy.fill(NaN, 3 * 15 + 11, 4 * 15);
  broken.polarity.fill(0, 4 * 15, 5 * 15);
  broken.flux.fill(NaN, 5 * cells, 6 * cells);
  broken.flux.fill(0, 6 * cells, 7 * cells);
  const results = fit(broken);
  assert.deepEqual(results[7], whole[7]);
  for (const s of [0, 1, 2, 3]) {
    assert.equal(results[s]!.reason, "fitted");
    const off = Math.abs(results[s]!.density - truths[s]!.density);
    // without its lowest energies a sweep says little of the density, and knows it
    assert.ok(off < (s === 3 ? 4 * results[s]!.sigmaDensity : 0.25 * truths[s]!.density), `${s}: ${off}`);
  }
  assert.deepEqual(results.slice(0, 4).map((one) => one.rows), [15, 15, 12, 11]);
  assert.deepEqual(results.slice(4, 7).map((one) => one.reason), [
    "no incident cells",
    "no incident cells",
    "too few counts",
  ]);
  for (const one of results.slice(4, 7)) {
    assert.ok(
      [one.kappa, one.theta, one.temperature, one.density, one.chi2, one.sigmaKappa].every(Number.isNaN),
    );
    assert.equal(one.converged, false);
  }
});

Deno.test("rows at or below the spacecraft potential are left out; with none left the reason is given", () => {
  const { batch } = simulateSweeps({ sweeps: 3, seed: 31 });
  const results = fit(batch, OPTIONS, Float64Array.of(0, 100, 30000));
  assert.deepEqual(results.map((one) => one.rows), [15, 12, 0]);
  assert.deepEqual(results.map((one) => one.reason), ["fitted", "fitted", "too few rows"]);
  assert.equal(fit(batch, OPTIONS, Float64Array.of(NaN, 0, 0))[0]!.reason, "too few rows");
});

Deno.test("errors follow from the covariance; a parameter at its bound has none", () => {
  const truths = [[3e6, 3.5], [3e6, 9]].map(([density, kappa]) => ({
    density: density!,
    kappa: kappa!,
    theta: thermalSpeedOf(kappa!, 80),
  }));
  const [inside, beyond] = fit(isotropic(truths, [1, 1]), { ...OPTIONS, response: false });
  assert.equal(inside!.atBound, false);
  assert.ok(inside!.sigmaKappa > 0 && inside!.sigmaKappa < 1);
  assert.ok(Math.abs(inside!.sigmaKappa ** 2 / inside!.covariance[0]! - 1) < 1e-12);
  // T by differences of κ and lg θ
  const t = (k: number, lg: number) => temperatureOf(k, 10 ** lg), lg = Math.log10(inside!.theta);
  const dk = (t(inside!.kappa + 1e-5, lg) - t(inside!.kappa - 1e-5, lg)) / 2e-5;
  const dt = (t(inside!.kappa, lg + 1e-6) - t(inside!.kappa, lg - 1e-6)) / 2e-6;
  const [kk, kt, tt] = inside!.covariance;
  const sigma = Math.sqrt(dk * dk * kk! + 2 * dk * dt * kt! + dt * dt * tt!);
  assert.ok(Math.abs(inside!.sigmaTemperature / sigma - 1) < 1e-6);
  assert.ok(
    beyond!.atBound && beyond!.kappa === 6 && Number.isNaN(beyond!.sigmaKappa) && beyond!.sigmaTheta > 0,
  );
});

Deno.test("nothing is left on the target", () => {
  const target = loadWasmTarget(), fitter = makeKappaFitter(target, OPTIONS);
  const { batch } = simulateSweeps({ sweeps: 3, seed: 1 });
  const used = target.memory().used;
  fitter.fit(batch);
  assert.equal(target.memory().used, used);
});

Deno.test("without a systematic error the errors are those of the counts: pulls of unit width", () => {
  const { batch, truths } = simulateSweeps({ sweeps: 500, seed: 90, lossCone: false });
  const results = fit(batch, { ...OPTIONS, response: false, systematic: 0 });
  const pulls = {
    kappa: results.map((one, s) => (one.kappa - truths[s]!.kappa) / one.sigmaKappa),
    temperature: results.map((one, s) => (one.temperature - truths[s]!.temperature) / one.sigmaTemperature),
    density: results.map((one, s) => (one.density - truths[s]!.density) / one.sigmaDensity),
  };
  for (const [name, values] of Object.entries(pulls)) {
    const free = values.filter((v) => !Number.isNaN(v)).toSorted((a, b) => a - b);
    assert.ok(free.length > 480, `${name}: ${free.length}`);
    const at = (q: number) => free[Math.floor(q * free.length)]!;
    const width = (at(0.84) - at(0.16)) / 2;
    assert.ok(
      Math.abs(width - 1) < 0.12 && Math.abs(at(0.5)) < 0.2,
      `${name}: width ${width}, median ${at(0.5)}`,
    );
  }
  // deviance: 12 degrees of freedom but for rows of few counts
  assert.ok(Math.abs(median(results.map((one) => one.chi2)) - 11) < 1.5);
});
